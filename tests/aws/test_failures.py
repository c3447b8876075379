"""AWS's names of errors and ours: what a rule about ours must match there, and what a failure there means here."""

import json

import pytest

from smmu.adapters.aws.failures import MADE_BY_AWS, code_of_failure, names_to_catch, names_to_retry
from smmu.domain.errors import WORDS, Code
from smmu.domain.pipeline import ANY


def of_lambda(message: str, kind: str = "red") -> str:
    return json.dumps({"errorMessage": message, "errorType": kind, "requestId": "1-2", "stackTrace": []})


def caught(error: str, cause: str | None) -> str:
    """What a compiled handler is given as the message."""
    return json.dumps({"Error": error, **({} if cause is None else {"Cause": cause})})


STOPPED = json.dumps({"Containers": [{"ExitCode": 3}], "StoppedReason": "Essential container in task exited"})
WITH_TASK = json.dumps({"message": "It is no film.", "task_id": "tsk_1"})
LATE = "RequestId: 1-2 Error: Task timed out after 3.00 seconds"
KILLED = "RequestId: 1-2 Error: Runtime exited with error: signal: killed"
FORBIDDEN = "User arn:aws:iam::123456789012:role/worker is not authorized to perform lambda:InvokeFunction"


@pytest.mark.parametrize(
    ("error", "cause", "message", "task_id"),
    [
        ("proof_failed", of_lambda("mp4 is not what was planned."), "mp4 is not what was planned.", None),
        ("rejected_not_media", of_lambda(WITH_TASK), "It is no film.", "tsk_1"),
        ("internal", "stages needs a list at plan.stages.", "stages needs a list at plan.stages.", None),
        ("crashed", caught("crashed", of_lambda("It crashed.")), "It crashed.", None),
        ("crashed", caught("crashed", caught("crashed", of_lambda(WITH_TASK))), "It is no film.", "tsk_1"),
    ],
)
def test_what_we_raised_says_what_we_said(error: str, cause: str, message: str, task_id: str | None) -> None:
    assert code_of_failure(error, cause) == (error, message, task_id)


@pytest.mark.parametrize(
    ("error", "cause", "code"),
    [
        ("Sandbox.Timedout", of_lambda(LATE), "timed_out"),
        ("Runtime.ExitError", of_lambda(KILLED), "out_of_memory"),
        ("Runtime.ExitError", of_lambda("exit status 1"), "crashed"),
        ("States.Timeout", "", "timed_out"),
        ("States.Timeout", caught("States.Timeout", None), "timed_out"),
        ("Lambda.TooManyRequestsException", "Rate exceeded", "world_unavailable"),
        ("ECS.AmazonECSException", "Capacity is unavailable", "world_unavailable"),
        ("States.TaskFailed", STOPPED, "crashed"),
        ("States.Runtime", "the JSONPath '$.x' could not be found", "internal"),
        ("States.Permissions", FORBIDDEN, "internal"),
        ("Held", of_lambda("another worker has it"), "interrupted"),
        ("internal", of_lambda("x")[:-9], "internal"),
    ],
)
def test_what_aws_says_is_a_code_of_ours_and_its_owner_is_told_a_sentence_of_ours(
    error: str, cause: str, code: str
) -> None:
    assert code_of_failure(error, cause) == (code, WORDS[Code(code)], None)


@pytest.mark.parametrize("cause", ["", "{}", "why", of_lambda("'/var/task'", "KeyError")])
def test_a_name_that_nobody_knows_stays_and_says_nothing(cause: str) -> None:
    assert code_of_failure("KeyError", cause) == ("KeyError", WORDS[Code.INTERNAL], None)


@pytest.mark.parametrize("code", Code)
def test_our_own_codes_pass_as_they_are(code: Code) -> None:
    assert code_of_failure(code, of_lambda("why", code)) == (code, "why", None)


@pytest.mark.parametrize(("name", "code"), MADE_BY_AWS.items())
def test_what_aws_makes_of_an_error_is_read_as_the_rules_match_it(name: str, code: Code) -> None:
    assert code_of_failure(name, "")[0] == code
    assert code in names_to_catch([code])
    assert (name in names_to_catch([code])) is (name != "States.Runtime")
    assert (name in names_to_retry([code])) is (name not in {"States.Runtime", "States.DataLimitExceeded"})


def test_every_error_is_one_name_and_stands_alone() -> None:
    assert names_to_retry(["red", ANY]) == names_to_catch([ANY]) == ("States.ALL",)


def test_no_rule_says_the_name_that_matches_nearly_everything() -> None:
    assert "States.TaskFailed" not in names_to_catch(list(Code))
