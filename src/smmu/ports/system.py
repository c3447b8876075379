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
    """What operators see. Nothing here raises."""

    @abstractmethod
    def event(self, name: str, **fields: object) -> None:
        """Something of the table in `domain/happenings.py` happened: one line, keyed by ids (`job_id=…`).

        It does not wait. The line is also about what `ports/about.py` knows; its own fields go first. `fields` must not
        change afterwards.
        """

    @abstractmethod
    def flush(self) -> None:
        """Once this returns, what was told before is where operators look, or never will be.

        It may wait a few seconds, so it is for the end of a process, and for before it is frozen.
        """
