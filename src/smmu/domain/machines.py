"""What a heavy task runs on where machines are rented: a container of its own, or, a small one, a function that waits.

Sizes are those of Fargate (ECS developer guide, "Task CPU and memory"): other pairs are refused when a task starts. A
function has one size: what Lambda gives to a new account, with more than one core and a half.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smmu.domain import prices
from smmu.domain.limits import GIB, MIB

WORKER_BYTES: Final = 512 * MIB  # the worker itself, beside the child that decodes
_SIZES: Final[Mapping[int, tuple[int, int, int]]] = MappingProxyType(  # cores: memory in GiB, from, to, step
    {
        1: (2, 8, 1),
        2: (4, 16, 1),
        4: (8, 30, 1),
        8: (16, 60, 4),
        16: (32, 120, 8),
    }
)
FUNCTION_BYTES: Final = 3_008 * MIB
FUNCTION_SECONDS_MAX: Final = 900 - 30  # Lambda's own limit; a task's own word comes before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container's size."""

    cores: int
    gib: int

    def dollars(self, seconds: float) -> float:
        """What it costs for so long: a minute is paid for at least."""
        return prices.of_container(seconds, self.cores, self.gib)


def container_for(cores: int, memory_bytes: int) -> Container:
    """The smallest with the cores and the memory that are asked for; for more than there is, the largest."""
    wanted = memory_bytes + WORKER_BYTES
    for there, (least, most, step) in _SIZES.items():
        for gib in range(least, most + 1, step):
            if there >= cores and gib * GIB >= wanted:
                return Container(cores=there, gib=gib)
    return Container(cores=16, gib=120)


def fits_function(cores: int, memory_bytes: int, seconds_max: int) -> bool:
    """Whether a function has room and time for a task that asks for this."""
    return cores == 1 and memory_bytes + WORKER_BYTES <= FUNCTION_BYTES and seconds_max <= FUNCTION_SECONDS_MAX


def function_dollars(seconds: float) -> float:
    """What the function costs for so long."""
    return prices.of_function(seconds, FUNCTION_BYTES / GIB)
