"""Which tasks are small: they need no machine of their own, where there is something that does them without one.

A container takes half a minute to start and is paid for a minute at least; a function starts at once and is paid for
what it takes. So a task is small by the size of its source and by the time that it is predicted to take, and only
where a deployment says up to how many seconds (`small_seconds_max`, 0 unless it is set). What is predicted is twice
what was measured on one core: a forecast, which `seconds_max` of a task is not.

A task that failed once is small no more: its next try has a machine of its own (`application/heavy.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from smmu.domain.facts import ImageFacts, MediaFacts
from smmu.domain.limits import MIB, Limits
from smmu.domain.machines import container_for, fits_function, function_dollars
from smmu.domain.plan import AudioSpec, Decision, ImageSpec, PlannedTask, Role, Stage, TaskKind

_KINDS: Final = frozenset({TaskKind.IMAGES, TaskKind.AUDIO})
_START_SECONDS: Final = 0.6  # of the child, which loads its libraries
_DECODING: Final = 0.03  # seconds for a megapixel of the source
# For one that is made, and looked at again:
_ENCODING: Final[Mapping[str, float]] = MappingProxyType({"webp": 0.12, "jpeg": 0.04, "avif": 0.22})
_HEARING: Final = 0.005  # for a second of sound that is decoded, to be measured and drawn
_SOUNDING: Final = 0.014  # for one that is encoded, and decoded again
_MEGAPIXEL: Final = 1_000_000

_Staged = tuple[tuple[Stage, ...], tuple[Decision, ...]]


def marked(stages: Sequence[Stage], facts: MediaFacts, limits: Limits) -> _Staged:
    """The stages with their small tasks marked, and what each choice costs; as they are where nothing may be small."""
    if not limits.small_seconds_max:
        return tuple(stages), ()
    decisions: list[Decision] = []
    made = []
    for stage in stages:
        tasks = []
        for task in stage.tasks:
            seconds = predicted_seconds(task, facts)
            small = seconds is not None and not _why_not(task, seconds, facts, limits)
            tasks.append(replace(task, small=small))
            if seconds is not None:
                decisions.append(_decision(task, seconds, _why_not(task, seconds, facts, limits)))
        made.append(replace(stage, tasks=tuple(tasks)))
    return tuple(made), tuple(decisions)


def predicted_seconds(task: PlannedTask, facts: MediaFacts) -> float | None:
    """How long it will take on one core; `None` where nobody can tell."""
    if task.kind not in _KINDS:
        return None
    images = [spec for spec in task.renditions if isinstance(spec, ImageSpec)]
    heard = [spec for spec in task.renditions if not isinstance(spec, ImageSpec)]
    if heard and task.duration_s is None:
        return None
    sounds = sum(isinstance(spec, AudioSpec) for spec in heard)
    listening = (task.duration_s or 0.0) * (_HEARING + _SOUNDING * sounds) if heard else 0.0
    return _START_SECONDS + listening + sum(_of_pictures(images, facts))


def _of_pictures(images: Sequence[ImageSpec], facts: MediaFacts) -> Iterator[float]:
    covers = [spec for spec in images if spec.role is Role.COVER]
    for source, specs in ((facts.image, images), (facts.cover, covers)):
        if source is not None and specs:
            frames = source.frames if any(spec.animated for spec in specs) else 1
            yield _megapixels(source.width, source.height) * frames * _DECODING
            yield from (_of_picture(spec, source) for spec in specs)


def _of_picture(spec: ImageSpec, source: ImageFacts) -> float:
    frames = source.frames if spec.animated else 1
    return _megapixels(spec.width, spec.height) * frames * _ENCODING[spec.format]


def _megapixels(width: int, height: int) -> float:
    return width * height / _MEGAPIXEL


def _why_not(task: PlannedTask, seconds: float, facts: MediaFacts, limits: Limits) -> str:
    if facts.size_bytes > limits.small_bytes_max:
        return f"a source of over {limits.small_bytes_max // MIB} MiB is not small"
    if seconds > limits.small_seconds_max:
        return f"more than {limits.small_seconds_max} s is not small"
    if not fits_function(task.cores, task.memory_bytes, task.seconds_max):
        return "it may take more memory or time than a function has"
    return ""


def _decision(task: PlannedTask, seconds: float, why_not: str) -> Decision:
    """With prices of both on AWS, whatever is chosen."""
    there = container_for(task.cores, task.memory_bytes).dollars(seconds)
    cost = f"${function_dollars(seconds):.6f} on Lambda, ${there:.6f} on ECS, which has a minute's price at least"
    reason = f"about {seconds:.1f} s are predicted: {cost}"
    if why_not:
        return Decision(subject=task.name, choice="has a machine of its own", reason=f"{reason}; {why_not}")
    return Decision(subject=task.name, choice="needs no machine of its own", reason=reason)
