"""The ambient world of one machine: its clock and its chance. What operators see is in `lines.py`."""

import time

from smmu.domain.values import CHANCE_BYTES, make_id
from smmu.ports.chance import chance
from smmu.ports.system import Clock, IdSource


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> float:
        """See the port."""
        return time.time()  # noqa: TID251 - this is the Clock port


class RandomIds(IdSource):
    """Ids made of the time and of the system's chance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, prefix: str) -> str:
        """See the port."""
        return make_id(prefix, self._clock.now(), chance(CHANCE_BYTES))
