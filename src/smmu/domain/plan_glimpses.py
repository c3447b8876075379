"""What shows a video before it plays: a poster, a storyboard to seek by, a preview that loops. One light task.

A video of a few seconds gets its poster alone: the others would show what the video itself shows as quickly.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from smmu.domain import estimates, ladder
from smmu.domain.facts import MediaFacts, VideoTrack
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import (
    ChaptersSpec,
    Decision,
    PlannedTask,
    PosterSpec,
    PreviewSpec,
    Spec,
    StoryboardSpec,
    TaskKind,
    Transform,
)

POSTER_SHORT_MAX, PREVIEW_SHORT_MAX, TILE_LONG_MAX = 720, 240, 160
TILES_WANTED, TILE_SECONDS_UNKNOWN = 100, 10
STORYBOARD_SECONDS_MIN: Final = 3.0
PREVIEW_SECONDS_MIN: Final = 6.0
THE_LEAST: Final = "the preset preview-only makes the least that shows what it is"


def task(
    facts: MediaFacts, video: VideoTrack, transform: Transform, options: Options, limits: Limits
) -> tuple[PlannedTask, tuple[Decision, ...]]:
    """The task `poster`, and why it owes just what it does."""
    believed = facts.duration_s if facts.duration_exact else None
    skipped = tuple(_skipped(facts, believed, options))
    left_out = {decision.subject for decision in skipped}
    chapters = (ChaptersSpec(),) if facts.chapters else ()
    specs: tuple[Spec, ...] = (_poster(video), _storyboard(video, believed), _preview(video), *chapters)
    planned = PlannedTask(
        name="poster",
        kind=TaskKind.POSTER,
        renditions=tuple(spec for spec in specs if spec.name not in left_out),
        transform=transform,
        duration_s=facts.duration_s,
        duration_exact=facts.duration_exact,
        memory_bytes=estimates.ladder_memory((), video.width * video.height, limits),
        seconds_max=estimates.poster_seconds(believed, limits),
    )
    return planned, (*skipped, *(() if "chapters" in left_out else about_chapters(facts)))


def _skipped(facts: MediaFacts, believed: float | None, options: Options) -> Iterator[Decision]:
    if options.preset == "preview-only":
        yield _skip("storyboard", THE_LEAST)
        if facts.chapters:
            yield _skip("chapters", THE_LEAST)
    elif options.preset == "audio-only":
        yield _skip("storyboard", "the preset audio-only is about sound")
        yield _skip("preview", "the preset audio-only is about sound")
        if facts.chapters:
            yield _skip("chapters", "the preset audio-only is about sound")
        return
    elif believed is not None and believed < STORYBOARD_SECONDS_MIN:
        yield _skip("storyboard", f"it lasts under {STORYBOARD_SECONDS_MIN:g} seconds")
    if believed is not None and believed < PREVIEW_SECONDS_MIN:
        yield _skip("preview", f"it lasts under {PREVIEW_SECONDS_MIN:g} seconds")


def about_chapters(facts: MediaFacts) -> tuple[Decision, ...]:
    """That chapters are made, where there are any."""
    if not facts.chapters:
        return ()
    return (Decision(subject="chapters", choice="made as WebVTT", reason=f"it has {len(facts.chapters)}"),)


def _skip(subject: str, reason: str) -> Decision:
    return Decision(subject=subject, choice="skipped", reason=reason)


def _poster(video: VideoTrack) -> Spec:
    width, height = _within(video.display_size, Fraction(POSTER_SHORT_MAX, min(video.display_size)))
    return PosterSpec(width=width, height=height)


def _storyboard(video: VideoTrack, believed: float | None) -> Spec:
    width, height = _within(video.display_size, Fraction(TILE_LONG_MAX, max(video.display_size)))
    interval = TILE_SECONDS_UNKNOWN if believed is None else max(1, math.ceil(believed / TILES_WANTED))
    return StoryboardSpec(width=width, height=height, interval=Fraction(interval))


def _preview(video: VideoTrack) -> Spec:
    width, height = ladder.fitted(video.display_size, PREVIEW_SHORT_MAX)
    return PreviewSpec(width=width, height=height)


def _within(size: tuple[int, int], ratio: Fraction) -> tuple[int, int]:
    """Made smaller in proportion, never larger."""
    ratio = min(Fraction(1), ratio)
    return (max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio)))
