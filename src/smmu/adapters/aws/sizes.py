"""Which Fargate machine a task gets: the smallest with the cores and the memory that its plan asks for.

The table is Fargate's own (ECS developer guide, "Task CPU and memory"): other pairs are refused when a task starts.
"""

from smmu.domain.limits import GIB, MIB

_UNITS = 1024  # of one core
_WORKER_BYTES = 512 * MIB  # the worker itself, beside the child that decodes
_SIZES = {  # cores: memory in GiB, from, to, step
    1: (2, 8, 1),
    2: (4, 16, 1),
    4: (8, 30, 1),
    8: (16, 60, 4),
    16: (32, 120, 8),
}


def size_for(cores: int, memory_bytes: int) -> tuple[str, str]:
    """CPU units and MiB as ECS takes them, in text. More than the largest machine has is that one."""
    wanted = memory_bytes + _WORKER_BYTES
    for there, (least, most, step) in _SIZES.items():
        for gib in range(least, most + 1, step):
            if there >= cores and gib * GIB >= wanted:
                return _told(there, gib)
    return _told(16, 120)


def _told(cores: int, gib: int) -> tuple[str, str]:
    return str(cores * _UNITS), str(gib * GIB // MIB)
