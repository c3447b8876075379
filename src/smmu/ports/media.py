"""`MediaEngine`: the only thing that looks inside a file. It treats every byte as hostile."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Protocol

from smmu.domain.facts import MediaFacts
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask
from smmu.ports.objects import Body, Source

Progress = Callable[[float], Awaitable[None]]
"""Called with 0.0–1.0, never going back, as work is really done."""


class Sink(Protocol):
    """Where an engine leaves its finished files."""

    @abstractmethod
    async def put(self, path: str, body: Body, content_type: str) -> None:
        """Store one finished file under a path relative to the manifest."""


class MediaEngine(Protocol):
    """Measures and transforms media. Both calls may be repeated: they keep nothing."""

    @abstractmethod
    async def inspect(self, source: Source) -> MediaFacts:
        """Measure the file within the limits' byte, time and memory budgets, decoding at most its first frames.

        Raises `domain.errors.Refused` with a `rejected_…` code for a file that is at fault (not media, unsupported,
        encrypted, truncated, over a budget), `TaskDied` when the isolated decoder died, `Unavailable` when reading
        the source failed.
        """

    @abstractmethod
    async def render(self, source: Source, task: PlannedTask, sink: Sink, progress: Progress) -> tuple[Rendition, ...]:
        """Make every rendition the task owes, put its files into `sink`, and prove each.

        Renditions come in the order of `task.renditions`. A rendition whose proof does not hold is still returned:
        the caller decides. Raises as `inspect` does.
        """
