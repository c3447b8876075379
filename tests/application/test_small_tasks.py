"""Small tasks: done without a machine of their own at their first try, and with one like all others after that."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.application.heavy import machine_request
from smmu.application.invocations import Held, Machine, TaskFailed
from smmu.application.system import assemble
from smmu.domain.errors import WORDS, Code
from smmu.domain.facts import Kind
from smmu.domain.limits import Limits
from smmu.domain.task import State, Task
from smmu.ports.platform import Capability
from tests.support.deployment import OWNER, Deployment, deployed
from tests.support.service import a_service, completed, ended

PICTURE = pretend_file(Kind.IMAGE, size=2_000, width=400, height=300)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def deployment() -> Deployment:
    return await deployed()


async def opened(deployment: Deployment) -> Task:
    """A small task, opened."""
    asked = deployment.rendering(await deployment.inspect())
    asked.given["task"]["small"] = True
    return await deployment.system.invocations.open(asked)


async def collected(deployment: Deployment, known: Task, function: str | None) -> Any:
    wanted = machine_request(known)
    machine = Machine(tries=wanted.tries, handle=wanted.handle, function=function)
    return await deployment.system.invocations.collect(OWNER, known.record_id, machine)


async def test_a_small_task_that_failed_once_has_a_machine(deployment: Deployment) -> None:
    known = await opened(deployment)
    assert machine_request(known).small
    await deployment.system.worker.bury(OWNER, known.record_id, 0, Code.TIMED_OUT, "x")
    assert not machine_request(await opened(deployment)).small


async def test_what_a_function_did_is_collected(deployment: Deployment) -> None:
    known = await opened(deployment)
    await deployment.system.worker.perform(OWNER, known.record_id, 0)
    assert "ref" in await collected(deployment, known, "")


@pytest.mark.parametrize("claimed", [True, False])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Code.OUT_OF_MEMORY, Code.OUT_OF_MEMORY),
        (Code.TIMED_OUT, Code.TIMED_OUT),
        (Code.WORLD_UNAVAILABLE, Code.WORLD_UNAVAILABLE),
        ("KeyError", Code.CRASHED),
    ],
)
async def test_how_a_function_failed_is_why_the_try_failed(
    deployment: Deployment, error: str, code: Code, *, claimed: bool
) -> None:
    known = await opened(deployment)
    if claimed:
        await deployment.system.worker.claim(OWNER, known.record_id, 0)
    with pytest.raises(TaskFailed) as failed:
        await collected(deployment, known, error)
    assert (failed.value.error, str(failed.value)) == (code, WORDS[code])
    again = await opened(deployment)
    assert (again.state, machine_request(again).small) == (State.QUEUED, False)


async def test_a_function_that_found_another_at_work_ends_nothing(deployment: Deployment) -> None:
    known = await opened(deployment)
    await deployment.system.worker.claim(OWNER, known.record_id, 0)
    with pytest.raises(Held):
        await collected(deployment, known, "")
    assert (await deployment.record(known)).state is State.RUNNING


async def test_a_machine_that_took_a_functions_place_is_asked_first(deployment: Deployment) -> None:
    known = await opened(deployment)
    await deployment.system.worker.claim(OWNER, known.record_id, 0)
    deployment.machines.began.add(machine_request(known).handle)
    with pytest.raises(Held):
        await collected(deployment, known, Code.WORLD_UNAVAILABLE)


# --- where the crew does the work


async def test_where_a_crew_works_a_small_task_starts_nothing() -> None:
    """Nothing can be started here: the runner is not at work."""
    service = a_service(limits=Limits(small_seconds_max=15))
    async with service.client() as client, anyio.create_task_group() as group:
        group.start_soon(service.system.serve)
        job = await ended(client, (await completed(client, PICTURE, content_type="image/png"))["job_id"])
        group.cancel_scope.cancel()
    assert job["state"] == "succeeded"
    assert {task["name"] for task in job["tasks"]} == {"inspect", "images", "publish"}


async def test_a_platform_that_cannot_do_small_tasks_has_none() -> None:
    inner = memory_platform(Limits())
    platform = replace(inner, capabilities=inner.capabilities - {Capability.SMALL_TASKS})
    for able, wanted in ((inner, 15), (platform, 0)):
        system = assemble(able, PretendEngine(), Limits(small_seconds_max=15), MemoryTelemetry())
        assert system.limits.small_seconds_max == wanted
