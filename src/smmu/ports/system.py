"""The ambient world made explicit: time, chance, and what operators see."""

from abc import abstractmethod
from typing import Protocol


class Clock(Protocol):
    """Time as everyone agrees on it. Waiting is `anyio.sleep`."""

    @abstractmethod
    def now(self) -> float:
        """Unix seconds."""


class IdSource(Protocol):
    """Chance."""

    @abstractmethod
    def new(self, prefix: str) -> str:
        """A fresh id `prefix_…` (see `domain.values.make_id`)."""


class Telemetry(Protocol):
    """What operators see. Neither call raises or waits."""

    @abstractmethod
    def event(self, name: str, **fields: object) -> None:
        """Something happened: one structured line, keyed by ids (`job_id=…`)."""

    @abstractmethod
    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """Add to a counter."""
