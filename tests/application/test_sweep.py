"""One sweep over what is overdue: whatever is wrong with one record, the others are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from smmu.adapters.inmemory.ledger import MemoryLedger
from smmu.adapters.inmemory.system import FixedClock, MemoryTelemetry
from smmu.adapters.inmemory.world import World
from smmu.domain.job import Job
from smmu.ports.errors import Unavailable
from smmu.ports.records import Key, Stored, T
from tests.support.deployment import OWNER, deployed


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True, slots=True)
class Spoilt(MemoryLedger):
    """A ledger with overdue records, of which loading some fails."""

    fails: dict[str, Exception] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)

    async def due(self, _now: float, _limit: int) -> Sequence[Key[Any]]:
        return [Key(Job, OWNER, record_id) for record_id in (*self.fails, "job_last")]

    async def load(self, key: Key[T]) -> Stored[T] | None:
        self.loaded.append(key.id)
        if key.id in self.fails:
            raise self.fails[key.id]
        return None


async def test_a_record_that_cannot_be_read_is_told_and_passed_over() -> None:
    deployment = await deployed()
    ledger = Spoilt(
        World(), FixedClock(), fails={"job_bug": ValueError("no job at all"), "job_away": Unavailable("not now")}
    )
    sweeper = deployment.system.sweeper
    found = await replace(sweeper, store=replace(sweeper.store, ledger=ledger)).once()
    assert (found, ledger.loaded) == ((3, 2), ["job_bug", "job_away", "job_last"])
    telemetry = deployment.system.telemetry
    assert isinstance(telemetry, MemoryTelemetry)
    assert [told["id"] for told in telemetry.named("bug") + telemetry.named("not_put_right")] == ["job_bug", "job_away"]
