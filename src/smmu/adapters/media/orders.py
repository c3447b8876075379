"""What every order to an isolated child says besides its errand: the limits, the size, and how much of the machine."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from smmu.adapters.media.sandbox import Order
from smmu.domain.limits import Limits
from smmu.ports.objects import Source


def order(words: Mapping[str, Any], source: Source, limits: Limits, *, seconds: int, memory: int) -> Order:
    """An order over `source`. `memory` is address space in bytes, `seconds` of the clock and of each core."""
    cores = len(os.sched_getaffinity(0))
    always = {
        "limits": dataclasses.asdict(limits),
        "size": source.size,
        "memory_bytes": memory,
        "cpu_seconds": seconds * cores,
    }
    return Order(
        words={**always, **words},
        seconds_max=seconds,
        stalled_seconds=limits.stalled_seconds,
        bytes_max=limits.outputs_bytes_max,
    )
