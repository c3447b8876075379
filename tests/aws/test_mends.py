"""What is mended in moto's interpreter of state machines is still what was mended, and mended it does what AWS does."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.ecs.models import ecs_backends

from tests.support.aws.clusters import Cluster, ending_at_once, make_cluster
from tests.support.aws.machines import Ended, client, create, functions, hurrying, run, states_entered
from tests.support.aws.mends import MENDS, Mend
from tests.support.aws.moto import REGION


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return make_cluster()


@pytest.fixture(autouse=True)
def hurried() -> Iterator[None]:
    with hurrying(), ending_at_once():
        yield


@pytest.mark.parametrize("mend", MENDS, ids=lambda mend: f"{mend.owner.__name__}.{mend.name}")
def test_what_is_mended_has_not_changed(mend: Mend) -> None:
    assert mend.fingerprint == mend.was, f"{mend.name} is another one now. Is it still so that {mend.why}?"


def one(state: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "it", "States": {"it": {"End": True, **state}, **others}}


def task(cluster: Cluster, **changed: Any) -> dict[str, Any]:
    parameters = {
        "Cluster": cluster.name,
        "TaskDefinition": f"{cluster.family_prefix}-transcode",
        "Group": "a-group",
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {"Subnets": [cluster.subnets], "SecurityGroups": [cluster.security_groups]}
        },
        "Overrides": {"Cpu": "512", "ContainerOverrides": [{"Name": "worker", "Command": ["worker", "transcode"]}]},
    }
    return {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Parameters": parameters | changed}


def run_with(function: Any, state: dict[str, Any]) -> Ended:
    with functions({"f": function}) as arns:
        return run(json.loads(json.dumps(one(state)).replace("FUNCTION", arns["f"])), {"a": [1, 2]})


def test_a_container_is_asked_for_as_the_state_says(cluster: Cluster) -> None:
    ended = run(one(task(cluster)), {})
    assert ended.status == "SUCCEEDED", ended
    assert ended.output["Containers"][0]["ExitCode"] == 0
    (found,) = client("ecs").describe_tasks(cluster=cluster.name, tasks=[ended.output["TaskArn"]])["tasks"]
    assert (found["group"], found["startedBy"]) == ("a-group", "AWS Step Functions")
    assert found["overrides"]["cpu"] == "512"
    assert found["overrides"]["containerOverrides"] == [{"name": "worker", "command": ["worker", "transcode"]}]


def test_a_container_that_fails_fails_its_state(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = next(iter(ecs_backends.values()))[REGION]
    start = backend.run_task

    def start_one_that_fails(*args: Any, **named: Any) -> Any:
        tasks = start(*args, **named)
        tasks[0].containers[0].exitCode = 3
        return tasks

    monkeypatch.setattr(backend, "run_task", start_one_that_fails)
    ended = run(one(task(cluster)), {})
    assert (ended.status, ended.error) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended.cause)["Containers"][0]["ExitCode"] == 3


def test_a_container_that_is_refused_fails_with_the_services_error(cluster: Cluster) -> None:
    ended = run(one(task(cluster, TaskDefinition="there-is-none")), {})
    assert (ended.status, ended.error) == ("FAILED", "ECS.AmazonECSException")


def test_a_functions_answer_is_the_states_result() -> None:
    ended = run_with(lambda given: {"got": given}, {"Type": "Task", "Resource": "FUNCTION", "ResultPath": "$.b"})
    assert ended.output == {"a": [1, 2], "b": {"got": {"a": [1, 2]}}}


def test_a_functions_exception_is_the_states_error() -> None:
    def work(_given: Any) -> None:
        raise TimeoutError("too late")

    ended = run_with(work, {"Type": "Task", "Resource": "FUNCTION"})
    assert (ended.status, ended.error) == ("FAILED", "TimeoutError")
    assert json.loads(ended.cause)["errorMessage"] == "too late"


def test_a_timeout_comes_out_of_a_branch_under_its_name() -> None:
    slow = {"Type": "Task", "Resource": "FUNCTION", "TimeoutSeconds": 1}
    ended = run_with(lambda _: time.sleep(1.3), {"Type": "Parallel", "Branches": [one(slow)]})  # noqa: TID251 - a thread
    assert (ended.status, ended.error) == ("FAILED", "States.Timeout")


def test_a_path_below_an_index_gives_the_value_there() -> None:
    found = {"Type": "Pass", "Parameters": {"b": {"c": 1}}}
    ended = run(one({"Type": "Parallel", "Branches": [one(found)], "OutputPath": "$[0].b"}), {})
    assert ended.output == {"c": 1}


def test_a_branch_that_is_stopped_early_is_no_error() -> None:
    fails = {"StartAt": "fail", "States": {"fail": {"Type": "Fail", "Error": "red"}}}
    others = [json.loads(json.dumps(one({"Type": "Pass"})).replace("it", f"it {n}")) for n in range(20)]
    ended = run(one({"Type": "Parallel", "Branches": [fails, *others]}), {})
    assert (ended.status, ended.error) == ("FAILED", "red")
    assert ("Fail", "fail") in states_entered(ended)


def test_an_execution_can_be_stopped_as_soon_as_it_was_started() -> None:
    machine = create({"StartAt": "it", "States": {"it": {"Type": "Wait", "Seconds": 60, "End": True}}})
    begun = client("stepfunctions").start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    client("stepfunctions").stop_execution(executionArn=begun)
    deadline = time.monotonic() + 5
    while client("stepfunctions").describe_execution(executionArn=begun)["status"] == "RUNNING":
        assert time.monotonic() < deadline
    assert client("stepfunctions").describe_execution(executionArn=begun)["status"] == "ABORTED"
