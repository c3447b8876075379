"""`PyavEngine`: the media engine of every platform. It measures and transforms, and reads no byte of media itself.

Each call is one confined child process (`sandbox.py`). Files are passed on as the child finishes them, so that a
long video never lies on this machine whole. It keeps nothing between calls and refuses to decide what to make: a
plan does.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from smmu.adapters.media import inspect, sandbox
from smmu.adapters.media.conversation import Ears, Made
from smmu.domain.errors import Code, refuse
from smmu.domain.facts import MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask
from smmu.domain.verification import PlayedTrack
from smmu.ports.errors import TaskDied
from smmu.ports.media import MediaEngine, Progress, Sink
from smmu.ports.objects import LocalFile, Source

Answer = TypeVar("Answer")

_FACTS = TypeAdapter(MediaFacts)
_RENDITIONS = TypeAdapter(tuple[Rendition, ...])
_PLAYED = TypeAdapter(tuple[PlayedTrack, ...])


class PyavEngine(MediaEngine):
    """`scratch` is a folder for work in progress; every call makes its own room in it and clears it away."""

    def __init__(self, limits: Limits, scratch: str) -> None:
        self._limits = limits
        self._scratch = scratch

    async def inspect(self, source: Source) -> MediaFacts:
        """Measure the file. See `ports.media`."""
        if source.size == 0:
            raise refuse(Code.REJECTED_EMPTY, "The file is empty. Upload it again.")
        head = await source.read(0, self._limits.sniff_bytes)
        order = self._order(
            {"operation": inspect.operation(head)},
            source,
            seconds=self._limits.inspect_seconds,
            memory=self._limits.child_memory_bytes,
        )
        answer = await sandbox.run(order, source, self._scratch, _DEAF)
        return _decode(_FACTS, answer)

    async def render(self, source: Source, task: PlannedTask, sink: Sink, progress: Progress) -> tuple[Rendition, ...]:
        """Make what the task owes. See `ports.media`."""

        async def made(file: Made) -> None:
            await sink.put(file.path, LocalFile(file.local), file.content_type)

        order = self._order(
            {"operation": task.kind, "task": task}, source, seconds=task.seconds_max, memory=task.memory_bytes
        )
        answer = await sandbox.run(order, source, self._scratch, Ears(made=made, progressed=progress))
        return _in_order(_decode(_RENDITIONS, answer), task)

    async def play(self, source: Source) -> tuple[PlayedTrack, ...]:
        """Decode a file of ours to its end: what each of its tracks gave. Raises as `render` does."""
        order = self._order(
            {"operation": "play"},
            source,
            seconds=self._limits.heavy_task_seconds_max,
            memory=self._limits.child_memory_bytes,
        )
        return _decode(_PLAYED, await sandbox.run(order, source, self._scratch, _DEAF))

    def _order(self, words: Mapping[str, Any], source: Source, *, seconds: int, memory: int) -> sandbox.Order:
        cores = len(os.sched_getaffinity(0))
        always = {
            "limits": dataclasses.asdict(self._limits),
            "size": source.size,
            "memory_bytes": memory,
            "cpu_seconds": seconds * cores,
        }
        return sandbox.Order(
            words={**always, **words}, seconds_max=seconds, stalled_seconds=self._limits.stalled_seconds
        )


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
