"""Time, ids and telemetry that a test can foresee. Nothing here reads the machine's clock or its entropy."""

import hashlib
from dataclasses import dataclass, field

import anyio

from smmu.domain.values import CHANCE_BYTES, make_id
from smmu.ports.about import known
from smmu.ports.system import Clock, IdSource, Telemetry

EPOCH = 1_750_000_000.0  # a day in June 2025: far enough from 0 that an unset time shows


@dataclass(slots=True)
class FixedClock(Clock):
    """Time that stands still until it is told to go on."""

    at: float = EPOCH

    def now(self) -> float:
        """Unix seconds."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds


@dataclass(frozen=True, slots=True)
class AnyioClock(Clock):
    """The event loop's own time, from `epoch` on: what `anyio.sleep` waits for and what it reads agree.

    On trio with an autojumping `MockClock` this is virtual time. It can be read inside of an event loop only.
    """

    epoch: float = EPOCH

    def now(self) -> float:
        """Unix seconds."""
        return self.epoch + anyio.current_time()


@dataclass(slots=True)
class CountingIds(IdSource):
    """Ids whose chance is a digest of a seed and a counter: the same run makes the same ids."""

    clock: Clock
    seed: int = 0
    count: int = 0

    def new(self, prefix: str) -> str:
        """The next id."""
        self.count += 1
        digest = hashlib.sha256(f"{self.seed}:{self.count}".encode()).digest()
        return make_id(prefix, self.clock.now(), digest[:CHANCE_BYTES])


@dataclass(frozen=True, slots=True)
class Happening:
    """One event that was told to telemetry."""

    name: str
    fields: dict[str, object]


@dataclass(slots=True)
class MemoryTelemetry(Telemetry):
    """Keeps everything it is told."""

    events: list[Happening] = field(default_factory=list)

    def event(self, name: str, **fields: object) -> None:
        """Keep an event, with what it is about."""
        self.events.append(Happening(name, {**known(), **fields}))

    def flush(self) -> None:
        """All is kept already."""

    def named(self, name: str) -> list[dict[str, object]]:
        """The fields of every event of that name, in order."""
        return [happening.fields for happening in self.events if happening.name == name]
