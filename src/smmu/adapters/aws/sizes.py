"""Which Fargate machine a task gets, as ECS is told: CPU units and MiB, in text."""

from smmu.domain.limits import GIB, MIB
from smmu.domain.machines import container_for

_UNITS = 1024  # of one core


def size_for(cores: int, memory_bytes: int) -> tuple[str, str]:
    """The smallest with the cores and the memory that a plan asks for."""
    size = container_for(cores, memory_bytes)
    return str(size.cores * _UNITS), str(size.gib * GIB // MIB)
