"""`MediaEngine`: the only thing that looks inside a file. It treats every byte as hostile."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from smmu.domain.facts import MediaFacts
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask
from smmu.ports.errors import NotFound
from smmu.ports.objects import Body, Source
from smmu.ports.sound import Sound

Progress = Callable[[float], Awaitable[None]]
"""Called with 0.0–1.0, never going back, as work is really done."""


class Sink(Protocol):
    """Where an engine leaves its finished files."""

    @abstractmethod
    async def put(self, path: str, body: Body, content_type: str) -> None:
        """Store one finished file under a path relative to the manifest."""


class Pieces(Protocol):
    """Files besides its source that a task needs: what tasks before it made for it, and a watermark's picture.

    By names like "chunk-0001/240p.mp4"; the picture's is `domain.watermark.PIECE`.
    """

    @property
    @abstractmethod
    def sizes(self) -> Mapping[str, int]:
        """What there is, and how many bytes each has."""

    @abstractmethod
    async def open(self, name: str) -> Source:
        """One of them. Raises `NotFound` when it is gone."""


class _NoPieces(Pieces):
    @property
    def sizes(self) -> Mapping[str, int]:
        """There are none."""
        return {}

    async def open(self, name: str) -> Source:
        """There is none."""
        raise NotFound(f"there is no piece {name}")


NO_PIECES: Pieces = _NoPieces()


class MediaEngine(Protocol):
    """Measures and transforms media. All calls may be repeated: they keep nothing."""

    @property
    @abstractmethod
    def makes(self) -> str:
        """Everything besides source and task that decides on the bits of a chunk: encoders, libraries, options.

        The same on every machine. Where it is another, what was made is not what would be made now.
        """

    @abstractmethod
    async def inspect(self, source: Source) -> MediaFacts:
        """Measure the file within the limits' byte, time and memory budgets, decoding at most its first frames.

        Raises `domain.errors.Refused` with a `rejected_…` code for a file that is at fault (not media, unsupported,
        encrypted, truncated, over a budget), `TaskDied` when the isolated decoder died, `Unavailable` when reading
        the source failed.
        """

    @abstractmethod
    async def render(
        self, source: Source, task: PlannedTask, sink: Sink, progress: Progress, pieces: Pieces = NO_PIECES
    ) -> tuple[Rendition, ...]:
        """Make every rendition the task owes, put its files into `sink`, and prove each.

        A task that `joins` others finds their files in `pieces`; where they do not give what one pass over the source
        does, it makes that pass. A task with a watermark finds its picture there too.

        Renditions come in the order of `task.renditions`. A rendition whose proof does not hold is still returned:
        the caller decides. Raises as `inspect` does.
        """

    @abstractmethod
    def listen(self, source: Source, task: PlannedTask, progress: Progress) -> AbstractAsyncContextManager[Sound]:
        """The sound of the track that a task of kind `transcribe` is about, until the block ends. Raises as `inspect`.

        The voiced stretches are where somebody may speak: none in silence, in noise and in steady tones.
        """
