"""`PyavEngine`: the media engine of every platform. It measures and transforms, and reads no byte of media itself.

Each call is one confined child process (`sandbox.py`). Files are passed on as the child finishes them, so that a
long video never lies on this machine whole. It keeps nothing between calls and refuses to decide what to make: a
plan does.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from smmu.adapters.media import inspect, sandbox
from smmu.adapters.media.coding import CODINGS
from smmu.adapters.media.conversation import Ears, Made
from smmu.adapters.media.orders import order
from smmu.adapters.media.setaside import SetAside
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.facts import Kind, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask, Role, TaskKind
from smmu.domain.transcript import Span
from smmu.domain.verification import PlayedTrack
from smmu.ports.errors import TaskDied
from smmu.ports.media import NO_PIECES, MediaEngine, Pieces, Progress, Sink
from smmu.ports.objects import LocalFile, Source
from smmu.ports.sound import Sound

Answer = TypeVar("Answer")
COVER_AFTER = 0.95  # of the progress of a sound that carries a picture

_CHUNKS_FORM = 5  # to be raised when our own code makes other pictures, or tells of them in another way

_FACTS = TypeAdapter(MediaFacts)
_RENDITIONS = TypeAdapter(tuple[Rendition, ...])
_PLAYED = TypeAdapter(tuple[PlayedTrack, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listened:
    """What the child says of the sound that it left."""

    seconds: float
    voiced: tuple[Span, ...]
    measures: dict[str, float | int | str]


_LISTENED = TypeAdapter(_Listened)


class PyavEngine(MediaEngine):
    """`scratch` is a folder for work in progress; every call makes its own room in it and clears it away."""

    def __init__(self, limits: Limits, scratch: str) -> None:
        self._limits = limits
        self._scratch = scratch

    async def inspect(self, source: Source) -> MediaFacts:
        """Measure the file. See `ports.media`."""
        facts = await self._measured(source)
        carries = facts.kind is Kind.AUDIO and facts.has_cover_art
        return await self._with_cover(source, facts) if carries else facts

    async def _measured(self, source: Source) -> MediaFacts:
        if source.size == 0:
            raise refuse(Code.REJECTED_EMPTY, "The file is empty. Upload it again.")
        head = await source.read(0, self._limits.sniff_bytes)
        wanted = order(
            {"operation": inspect.operation(head)},
            source,
            self._limits,
            seconds=self._limits.inspect_seconds,
            memory=self._limits.child_memory_bytes,
        )
        return _decode(_FACTS, await sandbox.run(wanted, source, self._scratch, _DEAF))

    async def _with_cover(self, source: Source, facts: MediaFacts) -> MediaFacts:
        """The facts with those of the picture that a sound carries. A bad one makes no sound worse."""
        try:
            async with self._cover(source) as cover:
                found = await self._measured(cover)
        except (Refused, TaskDied) as error:
            return replace(facts, warnings=(*facts.warnings, f"Its cover art is left out: {error}"))
        return replace(facts, cover=found.image)

    @asynccontextmanager
    async def _cover(self, source: Source) -> AsyncGenerator[Source]:
        """The picture that a sound carries, taken out by a child that decodes no pictures, for one that does."""
        with SetAside(self._scratch) as aside:

            async def made(file: Made) -> None:
                aside.take(Path(file.local))

            wanted = order(
                {"operation": "cover"},
                source,
                self._limits,
                seconds=self._limits.inspect_seconds,
                memory=self._limits.child_memory_bytes,
            )
            await sandbox.run(wanted, source, self._scratch, Ears(made=made, progressed=_ignore))
            yield aside.kept()

    @property
    def makes(self) -> str:
        """What decides on the bits of a chunk. See `ports.media`."""
        told = {name: (coding.encoder, coding.options(1)) for name, coding in CODINGS.items()}
        return f"av {version('av')}, form {_CHUNKS_FORM}, {told}"

    async def render(
        self, source: Source, task: PlannedTask, sink: Sink, progress: Progress, pieces: Pieces = NO_PIECES
    ) -> tuple[Rendition, ...]:
        """Make what the task owes. See `ports.media`."""

        async def made(file: Made) -> None:
            await sink.put(file.path, LocalFile(file.local), file.content_type)

        covers = tuple(spec for spec in task.renditions if spec.role is Role.COVER)
        others = tuple(spec for spec in task.renditions if spec.role is not Role.COVER)
        share = (COVER_AFTER if others else 0.0) if covers else 1.0
        renditions: tuple[Rendition, ...] = ()
        if others:
            ears = Ears(made=made, progressed=_between(progress, 0.0, share))
            renditions += await self._made(source, replace(task, renditions=others), ears, pieces)
        if covers:
            ears = Ears(made=made, progressed=_between(progress, share, 1.0))
            async with self._cover(source) as cover:
                renditions += await self._made(cover, replace(task, kind=TaskKind.IMAGES, renditions=covers), ears)
        return _in_order(renditions, task)

    async def _made(
        self, source: Source, task: PlannedTask, ears: Ears, pieces: Pieces = NO_PIECES
    ) -> tuple[Rendition, ...]:
        return _decode(_RENDITIONS, await self._carry_out(source, task, ears, pieces))

    async def play(self, source: Source) -> tuple[PlayedTrack, ...]:
        """Decode a file of ours to its end: what each of its tracks gave. Raises as `render` does."""
        wanted = order(
            {"operation": "play"},
            source,
            self._limits,
            seconds=self._limits.heavy_task_seconds_max,
            memory=self._limits.child_memory_bytes,
        )
        return _decode(_PLAYED, await sandbox.run(wanted, source, self._scratch, _DEAF))

    @asynccontextmanager
    async def listen(self, source: Source, task: PlannedTask, progress: Progress) -> AsyncGenerator[Sound]:
        """The sound that a task is about. See `ports.media`."""
        with SetAside(self._scratch) as aside:

            async def made(file: Made) -> None:
                aside.take(Path(file.local))

            answer = await self._carry_out(source, task, Ears(made=made, progressed=progress))
            said = _decode(_LISTENED, answer)
            yield Sound(samples=aside.kept(), seconds=said.seconds, voiced=said.voiced, measures=said.measures)

    async def _carry_out(self, source: Source, task: PlannedTask, ears: Ears, pieces: Pieces = NO_PIECES) -> JsonValue:
        wanted = order(
            {"operation": task.kind, "task": task},
            source,
            self._limits,
            seconds=task.seconds_max,
            memory=task.memory_bytes,
        )
        return await sandbox.run(wanted, source, self._scratch, ears, pieces)


def _between(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a part of the work."""

    async def told(fraction: float) -> None:
        await progress(start + (end - start) * fraction)

    return told


async def _ignore(_: object) -> None:
    """Inspection makes no file and is too short for progress."""


_DEAF = Ears(made=_ignore, progressed=_ignore)


def _decode(adapter: TypeAdapter[Answer], answer: JsonValue) -> Answer:
    try:
        return adapter.validate_python(answer)
    except ValidationError as error:
        raise TaskDied("the process that read the file gave no valid answer", "crashed") from error


def _in_order(renditions: tuple[Rendition, ...], task: PlannedTask) -> tuple[Rendition, ...]:
    """In the order of the task, each exactly once: what is owed and not made is a broken child."""
    made = {rendition.name: rendition for rendition in renditions}
    if len(made) != len(renditions) or set(made) != {spec.name for spec in task.renditions}:
        raise TaskDied("the process made other renditions than it was asked for", "crashed")
    return tuple(made[spec.name] for spec in task.renditions)
