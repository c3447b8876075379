"""The sweeper, by a schedule: one pass over what is overdue; with `{"orphans": true}` over storage too (it costs)."""

from typing import Any

from smmu.application.system import System
from smmu.entrypoints.lambdas.warm import handler

_BATCH, _BATCHES_MAX = 100, 10


async def sweep(system: System, event: Any) -> dict[str, int]:  # noqa: ANN401 - JSON
    """Relay what lies, look at what is overdue; how many messages and records there were."""
    if event.get("orphans"):
        await system.sweeper.sweep_orphans()
    relayed = looked = stuck = 0
    for _ in range(_BATCHES_MAX):
        relayed += await system.relay.once()
        limit = _BATCH + stuck
        found, stuck = await system.sweeper.once(limit)
        looked += found
        if found < limit:
            break
    system.telemetry.event("swept", relayed=relayed, looked=looked, stuck=stuck)
    return {"relayed": relayed, "looked": looked}


handle = handler(sweep, "sweep")
