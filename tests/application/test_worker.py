"""What becomes of a try that fails by itself: a code that rules match, and a sentence that its owner may read."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest

from smmu.adapters.inmemory.ledger import MemoryLedger
from smmu.adapters.inmemory.media import PretendEngine
from smmu.adapters.inmemory.system import FixedClock, MemoryTelemetry
from smmu.adapters.inmemory.world import World
from smmu.domain.errors import WORDS, Code
from smmu.domain.events import JobEvent
from smmu.domain.facts import MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.task import Task
from smmu.entrypoints.worker import Errand, about, perform
from smmu.ports.about import About
from smmu.ports.errors import Conflict, Corrupt, Denied, Full, NotFound, Throttled, Unavailable
from smmu.ports.objects import Source
from smmu.ports.records import Key
from tests.support.deployment import OWNER, Deployment, deployed
from tests.support.told import TRACE_ID, TRACEPARENT

SECRET = "/srv/data/objects/1f: arn:aws:s3:::bucket"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(PretendEngine):
    """An engine that fails before it looks."""

    error: Exception

    async def inspect(self, _: Source) -> MediaFacts:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable(SECRET), Code.WORLD_UNAVAILABLE),
        (Throttled(SECRET), Code.WORLD_UNAVAILABLE),
        (Conflict(SECRET), Code.WORLD_UNAVAILABLE),
        (Full(SECRET), Code.DISK_FULL),
        (Denied(SECRET), Code.INTERNAL),
        (NotFound(SECRET), Code.INTERNAL),
        (Corrupt(SECRET), Code.INTERNAL),
        (KeyError(SECRET), Code.INTERNAL),
    ],
)
async def test_an_owner_is_told_what_failed_and_operators_how(error: Exception, code: Code) -> None:
    deployment = await deployed()
    worker, telemetry = deployment.system.worker, deployment.system.telemetry
    steps = replace(worker.steps, engine=Broken(error=error))
    known = await deployment.system.invocations.open(deployment.asked("inspect"))
    await replace(worker, steps=steps).perform(OWNER, known.record_id, 0)
    (failure,) = (await deployment.record(known)).failures
    assert (failure.error, failure.message) == (code, WORDS[code])
    assert isinstance(telemetry, MemoryTelemetry)
    assert SECRET in str([happening.fields for happening in telemetry.events])


@pytest.mark.parametrize("percent", [1, 25])
async def test_progress_is_told_in_the_steps_that_a_deployment_wants(percent: int) -> None:
    deployment = await deployed()
    known = await deployment.opened()
    worker, limits = deployment.system.worker, Limits(progress_seconds=0.001, progress_percent=percent)
    slow = replace(worker.steps, engine=PretendEngine(speed=20))
    await replace(worker, steps=slow, store=replace(worker.store, limits=limits)).perform(OWNER, known.record_id, 0)
    told = await _told_of(deployment, known)
    steps = [after - before for before, after in pairwise(told[:-1])]  # the end is told whenever it comes
    assert (told[0], told[-1]) == (0, 100)
    assert min(steps) >= percent
    assert len(told) > 3


async def _told_of(deployment: Deployment, known: Task) -> list[int]:
    prefix = f"{known.job_id}/"
    events = [item.value async for item in deployment.system.worker.store.all(JobEvent, OWNER, prefix)]
    return [event.data["progress"] for event in events if event.data.get("task_id") == known.id]


class Away(MemoryLedger):
    """A ledger that cannot be read."""

    async def load(self, _: Key[Any]) -> Any:
        raise Unavailable(SECRET)


async def test_a_worker_that_cannot_read_its_record_says_whose_it_is_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACEPARENT", TRACEPARENT)
    system = (await deployed()).system
    away = replace(system.worker, store=replace(system.worker.store, ledger=Away(World(), FixedClock())))
    errand = Errand(family="transcode", data=None, owner=OWNER, record="job_1/a2/job.task", tries=1)
    with pytest.raises(Unavailable), About(**about(errand)):
        await perform(replace(system, worker=away), errand)
    assert isinstance(system.telemetry, MemoryTelemetry)
    (told,) = system.telemetry.named("errand_failed")
    assert (told["job_id"], told["owner"], told["trace_id"], told["tries"]) == ("job_1", OWNER, TRACE_ID, 1)
    assert SECRET in str(told["error"])
