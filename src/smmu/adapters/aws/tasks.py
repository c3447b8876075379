"""`EcsTaskRunner`: how the containers are that the state machine has started, and their end.

A try's container bears its handle as ECS's `group`. More than one may: Step Functions may have asked twice. A handle is
as its best container is: one that runs, else one that ended well, else the one that ended last.

ECS cannot list the tasks of a group (and who started them it can filter by, but by nothing else then), so a handle is
looked for among all of the cluster: those that run, and those that ended within about an hour. That is asked for only
where a worker has not said itself how it ended.

IAM: ecs:ListTasks, ecs:DescribeTasks, ecs:StopTask on the cluster. Costs: nothing; at most one call for each hundred
tasks, twice.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.errors import translating
from smmu.ports.errors import NotFound
from smmu.ports.tasks import Exit, TaskRunner, TaskStatus

STOPPED = "smmu: stopped"  # the reasons that we give ourselves
TOOK_TOO_LONG = "smmu: it took longer than it may"

_PAGE = 100  # tasks of one ListTasks or DescribeTasks
_NOT_THE_FILES = frozenset({143, 2, 3})  # exit statuses of our workers: asked to end, set up wrongly, out of reach
_TAKEN_AWAY = frozenset({"SpotInterruption", "TerminationNotice", "UserInitiated", "InfrastructureHealth"})
_NOT_BEGUN = "TaskFailedToStart"  # no capacity, no image, no address
_MEMORY = "OutOfMemory"  # in a container's reason; 137 alone is any SIGKILL


class EcsTaskRunner(TaskRunner):
    """The containers of one deployment's cluster."""

    def __init__(self, clients: Clients, resources: Resources) -> None:
        self._ecs = clients.ecs
        self._cluster = resources.cluster

    async def inspect(self, handle: str) -> TaskStatus:
        """How the handle's containers are. ECS forgets one about an hour after its end: then it is `NotFound`."""
        found = await self._tasks(handle)
        if not found:
            raise NotFound(f"ECS knows no task {handle}")
        return best_of(found)

    async def stop(self, handle: str, reason: str = STOPPED) -> None:
        """Ask each to end, with SIGTERM; what has not ended within its definition's `stopTimeout` is killed.

        `reason` is told by ECS afterwards: `TOOK_TOO_LONG` makes it an end for want of time.
        """
        found = await self._tasks(handle)
        if not found:
            raise NotFound(f"ECS knows no task {handle}")
        for task in found:
            if task["lastStatus"] != "STOPPED":
                with translating(f"task {handle}"):
                    await self._ecs.stop_task(cluster=self._cluster, task=task["taskArn"], reason=reason)

    async def _tasks(self, handle: str) -> list[dict[str, Any]]:
        with translating(f"task {handle}"):
            return [
                task
                for status in ("RUNNING", "STOPPED")
                async for task in self._listed(status)
                if task.get("group") == handle
            ]

    async def _listed(self, status: str) -> AsyncIterator[dict[str, Any]]:
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self._cluster, desiredStatus=status, PaginationConfig={"PageSize": _PAGE}
        )
        async for page in pages:
            if page["taskArns"]:
                told = await self._ecs.describe_tasks(cluster=self._cluster, tasks=page["taskArns"])
                for task in told["tasks"]:
                    yield task


def best_of(tasks: list[dict[str, Any]]) -> TaskStatus:
    """How a handle is, of which there are these descriptions (ECS's `Task`), at least one."""
    told = [(status_of(task), task) for task in tasks]
    for wanted in (None, Exit.DONE):
        for status, _ in told:
            if status.exit is wanted:
                return status
    return max(told, key=lambda one: str(one[1].get("stoppedAt", "")))[0]


def status_of(task: Mapping[str, Any]) -> TaskStatus:
    """How one task is, by ECS's description of it (`Task`, as DescribeTasks answers it)."""
    if task["lastStatus"] != "STOPPED":
        return TaskStatus(exit=None)
    containers = task.get("containers", [])
    codes = [container["exitCode"] for container in containers if container.get("exitCode") is not None]
    code = next((known for known in codes if known), codes[0] if codes else None)
    reasons = [str(task.get("stoppedReason") or ""), *(str(container.get("reason") or "") for container in containers)]
    detail = " ".join(reason for reason in reasons if reason)
    return TaskStatus(exit=_exit(code, str(task.get("stopCode") or ""), detail), exit_code=code, detail=detail)


def _exit(code: int | None, stop_code: str, detail: str) -> Exit:
    """Why it stopped. What was done before it was asked to stop is done."""
    if code == 0:
        return Exit.DONE
    if TOOK_TOO_LONG in detail:
        return Exit.TIMED_OUT
    if _MEMORY in detail:
        return Exit.OUT_OF_MEMORY
    if stop_code in {*_TAKEN_AWAY, _NOT_BEGUN} or code in _NOT_THE_FILES:
        return Exit.INTERRUPTED
    return Exit.CRASHED
