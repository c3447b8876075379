"""A source that goes while its job is at work: the job says so, whatever a worker was told instead."""

from dataclasses import replace

import pytest

from smmu.adapters.inmemory.objects import MemoryObjectStore, MemorySource
from smmu.domain.errors import Code
from smmu.domain.job import Failure, Job
from smmu.domain.values import ObjectRef
from smmu.ports.errors import Denied, Unavailable, WorldError
from smmu.ports.records import Key
from tests.support.deployment import OWNER, Deployment, deployed
from tests.support.narrowed import Narrowed

Store = type[MemoryObjectStore]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Late(MemoryObjectStore):
    """An uploaded file is there when it is opened, and gone when it is read."""

    async def open(self, ref: ObjectRef) -> MemorySource:
        source = await super().open(ref)
        if ref.key.startswith("raw/"):
            await self.delete(ref.key)
        return source


class Forbidding(MemoryObjectStore):
    """Whatever was uploaded is there, and nobody may read it."""

    error: WorldError = Denied("a key of encryption is disabled")

    async def open(self, ref: ObjectRef) -> MemorySource:
        if ref.key.startswith("raw/"):
            raise self.error
        return await super().open(ref)


class Away(Forbidding):
    """Nothing that was uploaded can be reached."""

    error = Unavailable("storage")


async def failure_of(render: Store, record: Store = MemoryObjectStore, *, kept: bool = False) -> Failure:
    """Of a job whose file is removed, unless it is `kept`, when it is planned; with what its tasks see of storage."""
    deployment = await deployed()
    job, plan = await job_of(deployment), await deployment.inspect()
    if not kept:
        await deployment.system.platform.objects.delete(job.source.key)
    known = await deployment.system.invocations.open(deployment.rendering(plan))
    await seeing(deployment, render).system.worker.perform(OWNER, known.record_id, 0)
    (ended,) = (await deployment.record(known)).failures
    told = {"error": {"error": ended.error, "message": ended.message}}
    await seeing(deployment, record).system.invocations.perform(deployment.asked("record_failure", told))
    error = (await job_of(deployment)).error
    assert error is not None
    return error


async def job_of(deployment: Deployment) -> Job:
    stored = await deployment.system.platform.ledger.load(Key(Job, OWNER, deployment.run.job_id))
    assert stored is not None
    return stored.value


def seeing(deployment: Deployment, store: Store) -> Deployment:
    """The deployment with a worker that has another view of storage."""
    system, objects = deployment.system, deployment.system.platform.objects
    assert isinstance(objects, MemoryObjectStore)
    steps = replace(system.worker.steps, objects=store(objects.world, objects.clock))
    worker = replace(system.worker, steps=steps)
    invocations = replace(system.invocations, worker=worker)
    return replace(deployment, system=replace(system, worker=worker, invocations=invocations))


@pytest.mark.parametrize(("render", "kept"), [(MemoryObjectStore, False), (Narrowed, False), (Late, True)])
async def test_a_job_whose_file_goes_when_it_was_planned_says_that_it_is_gone(render: Store, *, kept: bool) -> None:
    failure = await failure_of(render, kept=kept)
    assert (failure.code, failure.retryable) == (Code.SOURCE_EXPIRED, False)
    assert failure.message == "The uploaded file is no longer kept: upload it again."


async def test_a_file_that_is_there_and_may_not_be_read_is_not_said_to_be_gone() -> None:
    failure = await failure_of(Forbidding, kept=True)
    assert (failure.code, failure.retryable) == (Code.INTERNAL, True)


@pytest.mark.parametrize("record", [Forbidding, Away])
async def test_a_failure_is_recorded_where_nobody_can_look(record: Store) -> None:
    failure = await failure_of(Forbidding, record, kept=True)
    assert (failure.code, failure.retryable) == (Code.INTERNAL, True)
