"""Long videos in chunks, over drawn facts: chunks tile the time, begin at cuts, and each choice has its reason."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.errors import Code
from smmu.domain.facts import Groups, Kind, MediaFacts, VideoTrack
from smmu.domain.judgement import judge_plan
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import ChunkSpec, Plan, RungSpec, TaskKind
from smmu.domain.plan_chunks import starts
from smmu.domain.planner import plan
from tests.support.strategies import COPIED

LIMITS = Limits()
SEGMENT = 6


def film(
    duration_s: float = 3600.0,
    *,
    container: str = "mp4",
    exact: bool = True,
    frames: int | None = None,
    short: int = 720,
) -> MediaFacts:
    video = VideoTrack(
        index=0,
        codec="vp9",
        frame_rate=Fraction(25),
        width=short * 16 // 9,
        height=short,
        duration_s=duration_s,
        frames=frames,
    )
    return MediaFacts(
        kind=Kind.VIDEO, container=container, content_type="video/mp4", size_bytes=10**9, duration_s=duration_s,
        duration_exact=exact, video=video,
    )  # fmt: skip


def chunks_of(made: Plan) -> list[ChunkSpec]:
    specs = [spec for stage in made.stages for task in stage.tasks for spec in task.renditions]
    return [spec for spec in specs if isinstance(spec, ChunkSpec)]


def seconds_of_chunks(made: Plan) -> set[int]:
    return {task.seconds_max for stage in made.stages for task in stage.tasks if task.kind is TaskKind.CHUNK}


def choices(made: Plan) -> dict[str, str]:
    return {decision.choice: decision.reason for decision in made.decisions if decision.subject == "video"}


@given(st.floats(600, 24 * 3600), st.integers(1, 900), st.integers(1, 300))
def test_chunks_tile_the_film_and_begin_at_cuts(duration_s: float, seconds: int, most: int) -> None:
    limits = Limits(chunk_seconds=seconds, chunks_max=most)
    found = chunks_of(plan(film(duration_s), Options(), limits))
    assert found[0].start == 0
    assert found[-1].end is None
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(spec.start % SEGMENT == 0 for spec in found)
    assert all(spec.start < duration_s for spec in found)
    assert len(found) <= most
    lengths = {after.start - before.start for before, after in pairwise(found)}
    assert len(lengths) <= 1
    assert all(length >= min(seconds, duration_s) for length in lengths)


@given(st.fractions(1, 100_000), st.fractions(1, 1_000))
def test_the_last_chunk_is_not_a_scrap(duration: Fraction, length: Fraction) -> None:
    if duration / length > 5_000:
        length = duration / 5_000
    found = starts(duration, length)
    assert len(found) in (math.ceil(duration / length), math.ceil(duration / length) - 1)
    assert len(found) == 1 or length / 2 <= duration - found[-1] <= length * Fraction(3, 2)


@given(st.floats(600, 12_000), st.floats(600, 12_000))
def test_a_chunks_time_does_not_grow_with_the_film(one: float, other: float) -> None:
    found = [seconds_of_chunks(plan(film(duration_s), Options(), LIMITS)) for duration_s in (one, other)]
    assert found[0] == found[1]
    assert max(found[0]) < LIMITS.heavy_task_seconds_max / 6


def test_a_chunk_has_time_for_what_is_decoded_before_it() -> None:
    def seconds(longest_s: float) -> int:
        facts, groups = film(), Groups(count=2, longest_s=longest_s, closed=True)
        assert facts.video
        return max(
            seconds_of_chunks(plan(replace(facts, video=replace(facts.video, groups=groups)), Options(), LIMITS))
        )

    assert seconds(2_002.0) - seconds(2.0) == 2_000
    assert seconds(3_600.0 * 24) == LIMITS.heavy_task_seconds_max


def test_a_short_video_is_made_at_once_and_nothing_is_said_of_it() -> None:
    made = plan(film(599.0), Options(), LIMITS)
    assert ([stage.name for stage in made.stages], choices(made)) == (["render"], {})


def test_a_long_one_can_be_played_before_it_is_done() -> None:
    made = plan(film(), Options(), LIMITS)
    first, chunks, join = made.stages
    assert [stage.early for stage in made.stages] == [True, False, False]
    assert [spec.name for spec in first.tasks[0].renditions] == ["240p", "hls"]
    (joined,) = join.tasks
    assert joined.joins == tuple(task.name for task in chunks.tasks if task.kind is TaskKind.CHUNK)
    assert {spec.rungs for spec in chunks_of(made)} == {
        tuple(spec for spec in joined.renditions if isinstance(spec, RungSpec))
    }
    assert {"encoded in 60 chunks of 60 s", "240p made first"} <= set(choices(made))


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (film(container="mpegts"), "decoding a file in mpegts cannot begin in its middle, to the picture"),
        (film(exact=False), "nobody has measured how long it is"),
        (film(frames=1), "it has one picture"),
    ],
)
def test_where_exactness_cannot_be_had_it_is_one_pass_and_the_plan_says_why(facts: MediaFacts, why: str) -> None:
    made = plan(facts, Options(), LIMITS)
    assert chunks_of(made) == []
    assert choices(made)["encoded in one pass"] == why


HOUR = 3_600.0


def copied(duration_s: float, container: str = "mp4") -> MediaFacts:
    track = replace(COPIED, duration_s=duration_s, groups=Groups(count=int(duration_s / 2), longest_s=2.0, closed=True))
    return replace(film(duration_s, container=container), video=track)


@pytest.mark.parametrize(("hours", "is_copied"), [(1, True), (19, True), (20, False), (24, False)])
def test_a_copy_that_one_task_has_no_time_for_is_encoded_in_chunks(hours: int, is_copied: bool) -> None:  # noqa: FBT001
    made = plan(copied(hours * HOUR), Options(), LIMITS)
    rungs = [spec for spec in made.lasting.task("video").renditions if isinstance(spec, RungSpec)]
    told = {(one.subject, one.choice): one.reason for one in made.decisions}
    assert rungs[0].copied is is_copied
    assert bool(chunks_of(made)) is not is_copied
    assert not any(spec.copied for chunk in chunks_of(made) for spec in chunk.rungs)
    assert (("1080p", "encoded after all") in told) is not is_copied


def test_what_cannot_be_made_in_chunks_stays_a_copy() -> None:
    made = plan(copied(20 * HOUR, "mpegts"), Options(), LIMITS)
    assert next(spec.copied for spec in made.lasting.task("video").renditions if isinstance(spec, RungSpec))
    assert "encoded in one pass" in choices(made)


def test_what_one_task_has_no_time_for_is_not_made_first() -> None:
    assert [stage.early for stage in plan(film(5 * HOUR, short=2160), Options(), LIMITS).stages] == [
        True,
        False,
        False,
    ]
    made = plan(film(9 * HOUR, short=2160), Options(), LIMITS)
    assert [stage.early for stage in made.stages] == [False, False]
    assert choices(made)["nothing made first"] == "one worker has no time for all of so long a film"


@pytest.mark.parametrize(
    ("facts", "wishes", "refused"),
    [
        (film(9 * HOUR, container="mpegts", short=1080), {}, True),
        (film(8 * HOUR, container="mpegts", short=1080), {}, False),
        (film(24 * HOUR, container="avi", short=480), {}, False),
        (film(24 * HOUR, container="avi", short=720), {}, True),
        (film(24 * HOUR, container="matroska", short=2160), {}, False),
        (film(9 * HOUR, container="mpegts", short=1080, exact=False), {}, False),
        (film(9 * HOUR, container="mpegts", short=1080), {"clip_end_s": HOUR}, False),
        (film(9 * HOUR, container="mpegts", short=1080), {"rungs": (240,)}, False),
        (film(9 * HOUR, container="mpegts", short=1080), {"codecs": ("h264", "av1"), "rungs": (480,)}, True),
        (film(5 * HOUR, container="flv", short=480), {"codecs": ("h264", "av1")}, False),
    ],
)
def test_a_film_that_must_be_one_pass_and_takes_longer_than_a_task_may_is_refused(
    facts: MediaFacts,
    wishes: dict[str, Any],
    refused: bool,  # noqa: FBT001
) -> None:
    reasons = judge_plan(plan(facts, Options(**wishes), LIMITS), facts, LIMITS)
    assert [one.code for one in reasons] == [Code.REJECTED_DURATION] * refused
    assert all(f"in {facts.container}" in one.message and "MP4 or Matroska" in one.message for one in reasons)


def test_one_rung_alone_has_no_first_look() -> None:
    made = plan(film(short=240), Options(), LIMITS)
    assert [stage.name for stage in made.stages] == ["chunks", "join"]


@given(st.floats(600, 24 * 3600))
def test_a_clip_has_chunks_of_its_own_time(duration_s: float) -> None:
    made = plan(film(duration_s + 100), Options(clip_start_s=50.0), LIMITS)
    found = chunks_of(made)
    assert found[0].start == 0
    assert {task.clip.start for stage in made.stages for task in stage.tasks} == {Fraction(50)}
