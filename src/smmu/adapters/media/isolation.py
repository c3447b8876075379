"""`ChildIsolation`: a routine of another family in the same confined child that media are decoded in."""

from typing import Any

from smmu.adapters.media import sandbox
from smmu.adapters.media.conversation import Ears, Made
from smmu.adapters.media.orders import order
from smmu.domain.limits import Limits
from smmu.ports.errors import TaskDied
from smmu.ports.isolation import Isolation, Routine
from smmu.ports.media import Progress
from smmu.ports.objects import Source


class ChildIsolation(Isolation):
    """`scratch` is a folder for work in progress; every call makes its own room in it and clears it away."""

    def __init__(self, limits: Limits, scratch: str) -> None:
        self._limits = limits
        self._scratch = scratch

    async def run(self, routine: Routine, source: Source, progress: Progress) -> Any:  # noqa: ANN401 - a JSON value
        """Carry it out. See `ports.isolation`."""
        words = {"routine": routine.name, "arguments": routine.arguments, "readable": routine.readable}
        wanted = order(words, source, self._limits, seconds=routine.seconds_max, memory=routine.memory_bytes)
        return await sandbox.run(wanted, source, self._scratch, Ears(made=_unasked, progressed=progress))


async def _unasked(_made: Made) -> None:
    raise TaskDied("handed over a file that nobody asked for", "crashed")
