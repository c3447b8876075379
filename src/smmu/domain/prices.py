"""List prices of what a task runs on, so that a plan can say what a choice costs: us-east-1, as known of March 2026.

Free tiers and discounts are left out. All other prices are in benchmarks/prices.py; docs/cost.md has both.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for so many of a unit."""

    dollars: float
    per: int
    unit: str

    def of(self, amount: float) -> float:
        """Dollars for an amount."""
        return self.dollars * amount / self.per


FUNCTION_CALLED: Final = Price(0.20, 1_000_000, "invocations")
FUNCTION_AT_WORK: Final = Price(0.0000166667, 1, "GB-seconds")  # x86
CONTAINER_PROCESSOR: Final = Price(0.04048, 3_600, "vCPU-seconds")  # x86
CONTAINER_MEMORY: Final = Price(0.004445, 3_600, "GB-seconds")
CONTAINER_SECONDS_MIN: Final = 60


def of_function(seconds: float, gib: float) -> float:
    """Dollars for one call of a function of this memory."""
    return FUNCTION_CALLED.of(1) + FUNCTION_AT_WORK.of(seconds * gib)


def of_container(seconds: float, cores: float, gib: float) -> float:
    """Dollars for one container: a minute is paid for at least."""
    paid = max(CONTAINER_SECONDS_MIN, seconds)
    return CONTAINER_PROCESSOR.of(paid * cores) + CONTAINER_MEMORY.of(paid * gib)
