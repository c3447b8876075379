"""One sweep over what is overdue: whatever is wrong with one record, the others are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from smmu.adapters.inmemory.ledger import MemoryLedger
from smmu.adapters.inmemory.system import FixedClock, MemoryTelemetry
from smmu.adapters.inmemory.world import World
from smmu.bootstrap.embedding import send
from smmu.domain.job import Job
from smmu.domain.limits import Limits
from smmu.domain.trace import id_in
from smmu.ports.errors import Unavailable
from smmu.ports.records import Key, Stored, T
from smmu.ports.uploads import PartSlot
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


async def test_what_lay_in_storage_without_an_upload_is_told_by_parts_and_bytes() -> None:
    deployment = await deployed()
    system, storage = deployment.system, deployment.system.platform.uploads
    session = await storage.begin("raw/nobody/x", method="multipart", part_size=8, content_type="video/mp4")
    slots = [PartSlot(number=number, size=8, size_max=8) for number in (1, 2)]
    for part in await storage.sign(session, slots, expires_at=deployment.clock.now() + 60):
        await send(system, part, b"12345678")
    deployment.clock.advance(Limits().upload_seconds + 2 * 3600)
    await system.sweeper.sweep_orphans()
    await system.sweeper.sweep_orphans()
    telemetry = system.telemetry
    assert isinstance(telemetry, MemoryTelemetry)
    assert telemetry.named("orphan_aborted") == [{"parts": 2, "bytes": 16}]


async def test_what_the_sweeper_tells_of_a_record_names_its_job_and_trace() -> None:
    deployment = await deployed()
    system = deployment.system
    known = (await system.jobs.get(OWNER, deployment.run.job_id)).job
    deployment.clock.advance(Limits().job_seconds_max + 1)
    await system.sweeper.once()
    telemetry = system.telemetry
    assert isinstance(telemetry, MemoryTelemetry)
    (failed,) = telemetry.named("job_failed")
    assert (failed["job_id"], failed["trace_id"]) == (known.id, id_in(known.trace))
    assert (failed["owner"], failed["code"], failed["fault"], failed["faulty"]) == (
        OWNER,
        "job_timed_out",
        "service",
        1,
    )
