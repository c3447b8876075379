"""How ECS says that a task ended, in the shapes that its documentation gives, and what a handle of several tasks is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.tasks import STOPPED, TOOK_TOO_LONG, EcsTaskRunner, best_of, status_of
from smmu.ports.errors import NotFound
from smmu.ports.tasks import Exit, TaskRequest
from tests.support.starters import EcsStarter, in_containers

EXITED = "Essential container in task exited"
MEMORY = "OutOfMemoryError: Container killed due to memory usage"
NO_ROOM = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NO_IMAGE = "CannotPullContainerError: pull image manifest has been retried 5 time(s)"


def stopped(code: int | None, stop_code: str, reason: str, why: str = "", at: str = "2026-11-25T10:00:00Z") -> Any:
    container = {"name": "worker", "lastStatus": "STOPPED", "reason": why}
    if code is not None:
        container["exitCode"] = code  # type: ignore[assignment] # as JSON has it
    return {
        "lastStatus": "STOPPED",
        "stopCode": stop_code,
        "stoppedReason": reason,
        "stoppedAt": at,
        "containers": [container],
    }


RUNNING = {"lastStatus": "RUNNING", "containers": [{"name": "worker", "lastStatus": "RUNNING"}]}
PENDING = {"lastStatus": "PROVISIONING", "containers": [{"name": "worker", "lastStatus": "PENDING"}]}
DONE = stopped(0, "EssentialContainerExited", EXITED)


@pytest.mark.parametrize(
    ("task", "exit_", "code"),
    [
        (RUNNING, None, None),
        (PENDING, None, None),
        (DONE, Exit.DONE, 0),
        (stopped(0, "UserInitiated", STOPPED), Exit.DONE, 0),
        (stopped(1, "EssentialContainerExited", EXITED), Exit.CRASHED, 1),
        (stopped(139, "EssentialContainerExited", EXITED), Exit.CRASHED, 139),
        (stopped(137, "EssentialContainerExited", EXITED), Exit.CRASHED, 137),
        (stopped(137, "EssentialContainerExited", EXITED, MEMORY), Exit.OUT_OF_MEMORY, 137),
        (stopped(137, "EssentialContainerExited", MEMORY), Exit.OUT_OF_MEMORY, 137),
        (stopped(2, "EssentialContainerExited", EXITED), Exit.INTERRUPTED, 2),
        (stopped(3, "EssentialContainerExited", EXITED), Exit.INTERRUPTED, 3),
        (stopped(143, "EssentialContainerExited", EXITED), Exit.INTERRUPTED, 143),
        (stopped(143, "SpotInterruption", "Your Spot Task was interrupted."), Exit.INTERRUPTED, 143),
        (stopped(137, "SpotInterruption", "Your Spot Task was interrupted."), Exit.INTERRUPTED, 137),
        (stopped(137, "UserInitiated", "Task stopped by user"), Exit.INTERRUPTED, 137),
        (stopped(None, "TerminationNotice", "Host EC2 (instance i-1) terminated."), Exit.INTERRUPTED, None),
        (stopped(None, "TaskFailedToStart", NO_ROOM), Exit.INTERRUPTED, None),
        (stopped(None, "TaskFailedToStart", NO_IMAGE), Exit.INTERRUPTED, None),
        (stopped(None, "InfrastructureHealth", "Task stopped due to hardware failure"), Exit.INTERRUPTED, None),
        (stopped(143, "UserInitiated", TOOK_TOO_LONG), Exit.TIMED_OUT, 143),
        (stopped(None, "", ""), Exit.CRASHED, None),
    ],
)
def test_an_end_is_told_by_its_cause(task: Any, exit_: Exit | None, code: int | None) -> None:
    status = status_of(task)
    assert (status.exit, status.exit_code) == (exit_, code)


def test_what_ecs_says_of_an_end_is_kept() -> None:
    assert status_of(stopped(137, "EssentialContainerExited", EXITED, MEMORY)).detail == f"{EXITED} {MEMORY}"


CRASHED = stopped(1, "EssentialContainerExited", EXITED, at="2026-11-25T10:00:01Z")
EARLIER = stopped(143, "SpotInterruption", "gone", at="2026-11-25T10:00:00Z")


@pytest.mark.parametrize(
    ("tasks", "exit_"),
    [
        ([DONE, RUNNING], None),
        ([CRASHED, RUNNING, DONE], None),
        ([CRASHED, DONE], Exit.DONE),
        ([CRASHED, EARLIER], Exit.CRASHED),
        ([EARLIER, CRASHED], Exit.CRASHED),
    ],
)
def test_of_several_tasks_the_best_counts(tasks: list[Any], exit_: Exit | None) -> None:
    assert best_of(tasks).exit is exit_


@pytest.fixture
async def starter(tmp_path: Path) -> AsyncIterator[EcsStarter]:
    async with in_containers(tmp_path / "data") as opened:
        yield opened


def request(does: str) -> TaskRequest:
    record = f"job_1/a1/{does}"
    return TaskRequest(owner="ada", record_id=record, family="transcode", tries=0, memory_bytes=1 << 29, seconds_max=30)


async def how_many(starter: EcsStarter, status: str) -> int:
    return len((await starter.ecs.list_tasks(cluster=starter.cluster.name, desiredStatus=status))["taskArns"])


async def test_a_task_that_was_started_twice_runs_while_one_does_and_is_stopped_whole(starter: EcsStarter) -> None:
    asked = request("lasts")
    await starter.start(asked)
    await starter.run(asked)
    runner = starter.runner
    (first, *_) = (await starter.ecs.list_tasks(cluster=starter.cluster.name))["taskArns"]
    await starter.ecs.stop_task(cluster=starter.cluster.name, task=first, reason="one of two")
    with anyio.fail_after(10):
        while await how_many(starter, "STOPPED") < 1:  # noqa: ASYNC110 - a service sets no event of ours
            await anyio.sleep(0.02)
    assert (await runner.inspect(asked.handle)).exit is None
    await starter.stop(asked.handle)
    assert (await runner.inspect(asked.handle)).exit is Exit.INTERRUPTED


async def test_a_task_is_found_among_more_than_a_page_of_others() -> None:
    pages = [[f"arn {number}" for number in range(100)], [f"arn {number}" for number in range(100, 130)]]
    ecs = PagedEcs(pages, request("ends").handle)
    clients = Clients(s3=None, dynamodb=None, sqs=None, stepfunctions=None, ecs=ecs, kms=None)
    runner = EcsTaskRunner(clients, Resources(cluster="c"))
    assert (await runner.inspect(request("ends").handle)).exit is Exit.DONE


async def test_stopping_what_is_unknown_is_not_found(starter: EcsStarter) -> None:
    with pytest.raises(NotFound):
        await starter.runner.stop("no such handle")


class PagedEcs:
    """An ECS with more tasks than it tells at once; the last one has the handle."""

    def __init__(self, pages: list[list[str]], handle: str) -> None:
        self.pages, self.handle = pages, handle

    def get_paginator(self, _operation: str) -> "PagedEcs":
        return self

    async def paginate(self, **_asked: Any) -> AsyncIterator[dict[str, Any]]:
        for page in self.pages:
            yield {"taskArns": page}

    async def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert cluster
        assert len(tasks) <= 100
        last = self.pages[-1][-1]
        return {"tasks": [{**DONE, "taskArn": arn, "group": self.handle if arn == last else "other"} for arn in tasks]}
