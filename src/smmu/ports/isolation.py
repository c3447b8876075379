"""`Isolation`: runs a routine of ours over a source where it can do no harm, whatever the bytes are."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from smmu.ports.media import Progress
from smmu.ports.objects import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """A function of ours, as `package.module:function`, and what it may have.

    It is called with a workbench and `arguments` (JSON values), reads the source and the folders `readable`, and
    returns a JSON value. `memory_bytes` is address space.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    readable: tuple[str, ...] = ()
    memory_bytes: int
    seconds_max: int


class Isolation(Protocol):
    """A process without network, rights and environment, for one call."""

    @abstractmethod
    async def run(self, routine: Routine, source: Source, progress: Progress) -> Any:  # noqa: ANN401 - a JSON value
        """What the routine returns, to be believed no further than its shape. Raises `TaskDied`, `Unavailable`."""
