"""The table of task runners that the contract suite runs on. On AWS a state machine starts tasks; here a test does."""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from smmu.adapters.aws.account import Resources, open_clients
from smmu.adapters.aws.tasks import TOOK_TOO_LONG, EcsTaskRunner
from smmu.ports.platform import Capability
from smmu.ports.tasks import TaskRequest, TaskStarter, TaskStatus
from tests.support import labour
from tests.support.aws.clusters import Cluster, make_cluster
from tests.support.aws.containers import running
from tests.support.aws.moto import account
from tests.support.platforms import STAGES, Stage, on_asyncio

_LOOK_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class TasksStage:
    """One way to run the suite."""

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[TaskStarter]]
    backend: Callable[[], Any]
    capabilities: frozenset[Capability] = frozenset()
    marks: tuple[pytest.MarkDecorator, ...] = ()
    modules: frozenset[str] | None = None


@asynccontextmanager
async def of_a_platform(stage: Stage, folder: Path) -> AsyncIterator[TaskStarter]:
    async with stage.open(folder) as platform:
        assert platform.starter is not None
        yield platform.starter


@dataclass(slots=True)
class EcsStarter(TaskStarter):
    """Starts containers as the compiled state machine does, and leaves the rest to what is tested."""

    runner: EcsTaskRunner
    ecs: Any
    cluster: Cluster
    requests: dict[str, TaskRequest] = field(default_factory=dict)
    lock: anyio.Lock = field(default_factory=anyio.Lock)

    async def start(self, request: TaskRequest) -> str:
        async with self.lock:
            if request.handle not in self.requests:
                self.requests[request.handle] = request
                await self.run(request)
        return request.handle

    async def run(self, request: TaskRequest) -> None:
        network = {"subnets": [self.cluster.subnets], "securityGroups": [self.cluster.security_groups]}
        words = ["worker", request.family, f"--owner={request.owner}", "--record", request.record_id]
        await self.ecs.run_task(
            cluster=self.cluster.name,
            taskDefinition=f"{self.cluster.family_prefix}-{request.family}",
            group=request.handle,
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": "worker", "command": words}]},
        )

    async def inspect(self, handle: str) -> TaskStatus:
        return await self.runner.inspect(handle)

    async def wait(self, handle: str) -> TaskStatus:
        with anyio.move_on_after(self.requests[handle].seconds_max):
            return await self._ended(handle)
        await self.runner.stop(handle, TOOK_TOO_LONG)
        return await self._ended(handle)

    async def _ended(self, handle: str) -> TaskStatus:
        while (status := await self.runner.inspect(handle)).exit is None:  # noqa: ASYNC110 - as its only way to know
            await anyio.sleep(_LOOK_SECONDS)
        return status

    async def stop(self, handle: str) -> None:
        await self.runner.stop(handle)
        await self._ended(handle)


def entrypoint(folder: Path, command: Sequence[str]) -> Sequence[str]:
    """What the image of a worker does with its command."""
    record_id = command[command.index("--record") + 1]
    return (sys.executable, str(Path(labour.__file__)), record_id, str(labour.log_of(folder)))


@asynccontextmanager
async def in_containers(folder: Path) -> AsyncIterator[EcsStarter]:
    where = await to_thread.run_sync(make_cluster)
    with running(where, partial(entrypoint, folder), {}, labour.GRACE):
        async with open_clients(account()) as clients:
            runner = EcsTaskRunner(clients, Resources(cluster=where.name))
            yield EcsStarter(runner, clients.ecs, where)


TASKS_STAGES = (
    *(
        TasksStage(stage.name, partial(of_a_platform, stage), stage.backend)
        for stage in STAGES
        if Capability.STARTS_TASKS in stage.capabilities
    ),
    TasksStage("aws", in_containers, on_asyncio, marks=(pytest.mark.aws,)),
)
