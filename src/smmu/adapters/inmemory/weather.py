"""The weaknesses of real services, off by default: what they are allowed to do and a dictionary never does.

Only what a port permits is here (a message twice, late, out of order; an index that lags; a page cut short; a PUT
that comes after the end). Faults, which break a call, are not weather: the simulation's wrapper injects those.
Chance is given from outside, so that a simulation can replay and shrink it.
"""

from collections.abc import Callable
from dataclasses import dataclass

Chance = Callable[[], float]


def never() -> float:
    """Chance that makes nothing happen."""
    return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How likely each weakness is (0.0–1.0), and how bad. `chance` gives numbers from 0.0 up to, not with, 1.0."""

    chance: Chance = never
    queue_duplicates: float = 0.0
    queue_reorders: float = 0.0
    queue_delays: float = 0.0
    queue_delay_seconds_max: float = 30.0
    due_lags: float = 0.0
    due_lag_seconds_max: float = 5.0
    short_pages: float = 0.0
    late_single_puts: bool = False  # a PUT for a single session that was aborted still makes its object, as on S3

    def happens(self, likelihood: float) -> bool:
        """Whether it happens this time. Draws no chance for what cannot."""
        return likelihood > 0 and self.chance() < likelihood

    def queue_delay(self) -> float:
        """Seconds by which a message is late."""
        return self.chance() * self.queue_delay_seconds_max if self.happens(self.queue_delays) else 0.0

    def due_lag(self) -> float:
        """Seconds by which the index of what is due is behind."""
        return self.chance() * self.due_lag_seconds_max if self.happens(self.due_lags) else 0.0

    def page(self, limit: int) -> int | None:
        """How many records a query looks at before it answers with what it has; `None`: as many as there are."""
        return 1 + int(self.chance() * limit) if self.happens(self.short_pages) else None


CALM = Weather()
