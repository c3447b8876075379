"""Which picture is laid over a video: whether the one that was named can be, and what is told of it.

Asked twice, when a video is sent and when it is planned: in between the picture may have been deleted. It is pinned in
the plan, so that every frame of every rung has the same one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from smmu.domain import estimates
from smmu.domain.errors import Code, Reason, refuse
from smmu.domain.facts import ImageFacts
from smmu.domain.limits import Limits
from smmu.domain.media import Media, State
from smmu.domain.plan import Decision, Plan, PlannedTask, Role, RungSpec, Stage, StoryboardSpec, TaskKind
from smmu.domain.watermark import Watermark, WatermarkWish

POINTER = "/options/watermark/image"
ROLES: Final = frozenset({Role.HLS_VIDEO, Role.MP4, Role.POSTER, Role.PREVIEW})  # of what shows it
_LAID_OVER = frozenset({TaskKind.VIDEO, TaskKind.CHUNK, TaskKind.POSTER})


def pinned(wish: WatermarkWish, known: Media | None, image: ImageFacts | None, limits: Limits) -> Watermark:
    """The picture of this media as it is laid over frames; without a media, the owner has none of this name.

    Raises `Refused` for what cannot be laid over.
    """
    if known is None:
        raise _refused("There is no such picture: upload the watermark's image first, and name its media.")
    if known.state is not State.READY:
        raise _refused(f"The watermark's image is {known.state}: wait until it is ready, or name another.")
    if image is None:
        raise _refused("The media named as a watermark is no picture: name one that is.")
    width, height = image.display_size
    if width * height > limits.watermark_pixels_max:
        most = f"at most {limits.watermark_pixels_max:,} pixels, and this one has {width * height:,}"
        raise _refused(f"A watermark's image has {most}: make it smaller.")
    return Watermark(
        image=known.source,
        sha256=str(known.facts.get("sha256")),
        width=width,
        height=height,
        position=wish.position,
        size=wish.size,
        margin=wish.margin,
        opacity=wish.opacity,
    )


def gone(*, later: bool) -> Reason:
    """Why what stands on a picture cannot be made that was deleted after it was named; `later`: the film is ready."""
    words = "The watermark's image is no longer kept: upload the video with another."
    if later:
        words = (
            "The watermark's image is no longer kept: name another as watermark in the options, or null to be without"
            " one; all that carries it is made again."
        )
    return Reason(code=Code.INVALID_WATERMARK, message=words, pointer=POINTER)


def laid_over(stages: Sequence[Stage], watermark: Watermark | None, limits: Limits) -> tuple[Stage, ...]:
    """The stages, with what is laid over the frames that they make."""
    if watermark is None:
        return tuple(stages)
    return tuple(
        replace(stage, tasks=tuple(_with(task, watermark, limits) for task in stage.tasks)) for stage in stages
    )


def decisions(tasks: Sequence[PlannedTask], watermark: Watermark | None) -> Iterator[Decision]:
    """Where it is, where it is not, and what it looks like where it has to be enlarged."""
    if watermark is None:
        return
    if not any(task.kind in _LAID_OVER for task in tasks):
        yield Decision(subject="watermark", choice="not applied", reason="nothing is made that it could be laid over")
        return
    placed = f"{watermark.position}, {watermark.size:.0%} of the short side"
    reason = "asked for: it is on every rung, the poster and the preview"
    yield Decision(subject="watermark", choice=placed, reason=reason)
    specs = [spec for task in tasks for spec in task.renditions]
    rungs = [watermark.box(spec.width, spec.height) for spec in specs if isinstance(spec, RungSpec)]
    if any(box.width > watermark.width for box in rungs):
        size = f"its image has only {watermark.width} × {watermark.height} pixels"
        yield Decision(subject="watermark", choice="enlarged", reason=size)
    if any(isinstance(spec, StoryboardSpec) for spec in specs):
        reason = "its pictures are too small to show one, and only help to find a place"
        yield Decision(subject="storyboard", choice="without the watermark", reason=reason)


def carriers(plan: Plan) -> tuple[str, ...]:
    """The names of what shows a watermark, where there is one. All of a film's have the same."""
    specs = (spec for stage in plan.stages for task in stage.tasks for spec in task.renditions)
    return tuple(spec.name for spec in specs if spec.role in ROLES)


def _with(task: PlannedTask, watermark: Watermark, limits: Limits) -> PlannedTask:
    if task.kind not in _LAID_OVER:
        return task
    memory = estimates.with_watermark(task.memory_bytes, watermark.width * watermark.height, limits)
    return replace(task, watermark=watermark, memory_bytes=memory)


def _refused(words: str) -> Exception:
    return refuse(Code.INVALID_WATERMARK, words, POINTER)
