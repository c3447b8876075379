"""Which videos are encoded in chunks, and where these begin: a long one, by as many workers as there are.

Before that its lowest rung is made alone, with the sound: it can be played while the others are made.

Chunks begin at multiples of the segments' length in the ladder's own time, so that what is chosen and cut in one
depends on no other. Sound is never cut: AAC in pieces drifts and falls silent at every join. A file of which nobody
knows how long it is, or in whose middle nobody can begin, is encoded whole, and the plan says so.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from smmu.domain import estimates
from smmu.domain.facts import MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.plan import AudioSpec, ChunkSpec, Decision, PlannedTask, PlaylistSpec, RungSpec, Stage, TaskKind

INDEXED = frozenset({"mp4", "mov", "matroska"})  # where decoding can begin in the middle, to the picture
NAME = "chunk-{:04d}"
_NO_TIME = "one worker has no time for all of so long a film"
LAST_LENGTHS_MAX = Fraction(3, 2)  # of the others: what is left over for a chunk of its own is never less than half

_Staged = tuple[tuple[Stage, ...], tuple[Decision, ...]]


def staged(tasks: Sequence[PlannedTask], facts: MediaFacts, limits: Limits) -> _Staged:
    """The stages of these tasks, which could all run at once; and why, where the video among them is long."""
    given = next((task for task in tasks if task.kind is TaskKind.VIDEO), None)
    if given is None or given.duration_s is None or given.duration_s < limits.chunks_from_seconds:
        return (Stage(name="render", tasks=tuple(tasks)),), ()
    video, about_top = _in_time(given, facts, limits)
    first = tuple(_first_look(video, facts, limits))
    about_first = tuple(_about_first(first, video))
    why_whole = _why_whole(video, facts)
    if why_whole:
        decisions = (_decision("encoded in one pass", why_whole), *about_first)
        return (*first, Stage(name="render", tasks=tuple(tasks))), decisions
    chunks = tuple(_chunk_tasks(video, facts, limits))
    beside = tuple(task for task in tasks if task is not given)
    join = replace(video, joins=tuple(chunk.name for chunk in chunks))
    stages = (*first, Stage(name="chunks", tasks=(*chunks, *beside)), Stage(name="join", tasks=(join,)))
    length = f"{float(_length(video, limits)):g} s"
    reason = f"it is longer than {limits.chunks_from_seconds} s, and many workers may encode it"
    return stages, (*about_top, _decision(f"encoded in {len(chunks)} chunks of {length}", reason), *about_first)


def fits_one_task(video: PlannedTask, facts: MediaFacts, limits: Limits) -> bool:
    """Whether one worker has the time to make all of this ladder; of a film nobody knows the length of it may."""
    if facts.video is None or video.owed_s is None:
        return True
    encoded = [spec for spec in _rungs(video) if not spec.copied]
    return estimates.fits_one_task(encoded, facts.video, video.owed_s, limits)


def _in_time(video: PlannedTask, facts: MediaFacts, limits: Limits) -> tuple[PlannedTask, tuple[Decision, ...]]:
    """The task with its top rung encoded where copying it asks for one pass that takes longer than a task may."""
    top = next((spec for spec in _rungs(video) if spec.copied), None)
    specs = (replace(spec, copied=False) if isinstance(spec, RungSpec) else spec for spec in video.renditions)
    encoded = replace(video, renditions=tuple(specs))
    if top is None or fits_one_task(video, facts, limits) or _why_whole(encoded, facts):
        return video, ()
    reason = f"copying it takes one pass, and {_NO_TIME}"
    return encoded, (Decision(subject=top.name, choice="encoded after all", reason=reason),)


def starts(duration: Fraction, length: Fraction) -> list[Fraction]:
    """Where chunks of `length` begin; the last has what is left, which is never less than half of that, if it can."""
    count = max(1, math.ceil(duration / length))
    if count > 1 and duration - length * (count - 1) < length / 2:
        count -= 1
    return [length * number for number in range(count)]


def _why_whole(video: PlannedTask, facts: MediaFacts) -> str:
    if facts.container not in INDEXED:
        return f"decoding a file in {facts.container} cannot begin in its middle, to the picture"
    if not facts.duration_exact:
        return "nobody has measured how long it is"
    if facts.video is not None and facts.video.frames == 1:
        return "it has one picture"
    if any(spec.copied for spec in _rungs(video)):
        return "its top rung is a copy, whose keyframes are everybody's"
    segments = {spec.segment_seconds for spec in _rungs(video)}
    return "its rungs have no segments in common" if len(segments) > 1 else ""


def _rungs(video: PlannedTask) -> list[RungSpec]:
    return [spec for spec in video.renditions if isinstance(spec, RungSpec)]


def _length(video: PlannedTask, limits: Limits) -> Fraction:
    """Of one chunk: a multiple of the segments' length, and so that there are not too many."""
    segment = _rungs(video)[0].segment_seconds
    wanted = max(Fraction(limits.chunk_seconds), Fraction(str(video.duration_s)) / limits.chunks_max)
    return segment * math.ceil(wanted / segment)


def _first_look(video: PlannedTask, facts: MediaFacts, limits: Limits) -> Iterator[Stage]:
    """The lowest rung that every player shows, and the sound; nothing where that is all there is, or takes too long."""
    plain = [rung for rung in _rungs(video) if rung.codec == "h264"]
    if len(plain) == 1 or facts.video is None:
        return
    lowest = min(plain, key=lambda rung: rung.width * rung.height)
    pixels = facts.video.width * facts.video.height
    kept = (AudioSpec, PlaylistSpec)
    task = replace(
        video,
        name="first-look",
        renditions=(lowest, *(spec for spec in video.renditions if isinstance(spec, kept))),
        memory_bytes=estimates.ladder_memory((lowest,), pixels, limits),
        seconds_max=estimates.ladder_seconds((lowest,), pixels, video.duration_s, limits),
    )
    if fits_one_task(task, facts, limits):
        yield Stage(name="first look", tasks=(task,), early=True)


def _about_first(first: Sequence[Stage], video: PlannedTask) -> Iterator[Decision]:
    for stage in first:
        lowest = stage.tasks[0].renditions[0].name
        yield _decision(f"{lowest} made first", "so that it can be played while the others are made")
    if not first and len([rung for rung in _rungs(video) if rung.codec == "h264"]) > 1:
        yield _decision("nothing made first", _NO_TIME)


def _chunk_tasks(video: PlannedTask, facts: MediaFacts, limits: Limits) -> Iterator[PlannedTask]:
    begins = starts(Fraction(str(video.duration_s)), _length(video, limits))
    seconds = _chunk_seconds(video, facts, limits)
    sounds = (spec.track_index for spec in video.renditions if isinstance(spec, AudioSpec))
    tracks = (video.transform.track_index, *sounds)
    for number, (start, end) in enumerate(zip(begins, [*begins[1:], None], strict=True)):
        name = NAME.format(number)
        spec = ChunkSpec(name=name, start=start, end=end, rungs=tuple(_rungs(video)), tracks=tracks)
        yield replace(video, name=name, kind=TaskKind.CHUNK, renditions=(spec,), seconds_max=seconds)


def _chunk_seconds(video: PlannedTask, facts: MediaFacts, limits: Limits) -> int:
    """What the longest chunk may take, decoding from the keyframe before it included where that may be far."""
    assert facts.video is not None  # noqa: S101 - whose ladder this is
    longest = min(_length(video, limits) * LAST_LENGTHS_MAX, Fraction(str(video.duration_s)))
    before = facts.video.groups.longest_s if facts.video.groups else 0.0
    pixels = facts.video.width * facts.video.height
    return estimates.chunk_seconds(_rungs(video), pixels, float(longest), before, limits)


def _decision(choice: str, reason: str) -> Decision:
    return Decision(subject="video", choice=choice, reason=reason)
