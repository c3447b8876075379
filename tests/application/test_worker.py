"""What becomes of a try that fails by itself: a code that rules match, and a sentence that its owner may read."""

from dataclasses import dataclass, replace

import pytest

from smmu.adapters.inmemory.media import PretendEngine
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.domain.errors import WORDS, Code
from smmu.domain.facts import MediaFacts
from smmu.ports.errors import Conflict, Corrupt, Denied, Full, NotFound, Throttled, Unavailable
from smmu.ports.objects import Source
from tests.support.deployment import OWNER, deployed

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
