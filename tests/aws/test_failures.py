"""AWS's names of errors and ours: what a rule about ours must match there, and what a failure there means here."""

import json

import pytest

from smmu.adapters.aws.failures import MADE_BY_AWS, code_of_failure, names_to_catch, names_to_retry
from smmu.domain.errors import Code
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


@pytest.mark.parametrize(
    ("error", "cause", "told"),
    [
        (
            "proof_failed",
            of_lambda("mp4 is not what was planned."),
            ("proof_failed", "mp4 is not what was planned.", None),
        ),
        ("rejected_not_media", of_lambda(WITH_TASK), ("rejected_not_media", "It is no film.", "tsk_1")),
        ("internal", "stages needs a list at plan.stages.", ("internal", "stages needs a list at plan.stages.", None)),
        ("Sandbox.Timedout", of_lambda(LATE), ("timed_out", LATE, None)),
        ("Runtime.ExitError", of_lambda(KILLED), ("out_of_memory", KILLED, None)),
        ("Runtime.ExitError", of_lambda("exit status 1"), ("crashed", "exit status 1", None)),
        ("States.Timeout", "", ("timed_out", "It failed without saying why (States.Timeout).", None)),
        ("Lambda.TooManyRequestsException", "Rate exceeded", ("world_unavailable", "Rate exceeded", None)),
        ("ECS.AmazonECSException", "Capacity is unavailable", ("world_unavailable", "Capacity is unavailable", None)),
        ("States.TaskFailed", STOPPED, ("crashed", "Essential container in task exited", None)),
        (
            "States.Runtime",
            "the JSONPath '$.x' could not be found",
            ("internal", "the JSONPath '$.x' could not be found", None),
        ),
        ("Held", of_lambda("another worker has it"), ("interrupted", "another worker has it", None)),
        ("red", caught("red", of_lambda("why")), ("red", "why", None)),
        ("red", caught("red", caught("red", of_lambda(WITH_TASK))), ("red", "It is no film.", "tsk_1")),
        (
            "States.Timeout",
            caught("States.Timeout", None),
            ("timed_out", "It failed without saying why (States.Timeout).", None),
        ),
        ("red", '{"cut off', ("red", '{"cut off', None)),
        ("red", "{}", ("red", "{}", None)),
        ("unheard_of", "", ("unheard_of", "It failed without saying why (unheard_of).", None)),
    ],
)
def test_a_failure_there_is_a_failure_here(error: str, cause: str, told: tuple[str, str, str | None]) -> None:
    assert code_of_failure(error, cause) == told


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
