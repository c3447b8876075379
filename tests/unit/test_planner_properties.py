"""What holds for the plan of every file that admission lets in, whatever its owner asked for."""

import itertools
import json
from dataclasses import asdict
from fractions import Fraction

from hypothesis import Phase, example, find, given, settings

from smmu.domain.facts import Kind, MediaFacts
from smmu.domain.limits import GIB
from smmu.domain.manifest import plan_document
from smmu.domain.options import Options
from smmu.domain.plan import (
    AudioSpec,
    ChunkSpec,
    ImageSpec,
    Mp4Spec,
    Plan,
    PlaylistSpec,
    PosterSpec,
    PreviewSpec,
    Role,
    RungSpec,
    Spec,
    StoryboardSpec,
    WaveformSpec,
)
from smmu.domain.planner import plan
from tests.support.planned import video
from tests.support.strategies import LIMITS, WISHES


def specs(made: Plan) -> list[Spec]:
    return [spec for stage in made.stages for task in stage.tasks for spec in task.renditions]


def picture_of(facts: MediaFacts) -> tuple[int, int]:
    if facts.image:
        return facts.image.display_size
    return facts.video.display_size if facts.video else (0, 0)


@given(WISHES)
def test_every_admissible_file_gets_an_output_and_reasons(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    made = plan(facts, options, LIMITS)
    assert specs(made)
    assert all(task.renditions for stage in made.stages for task in stage.tasks)
    assert all(one.subject and one.choice and one.reason for one in made.decisions)
    assert plan(facts, options, LIMITS) == made


@given(WISHES)
def test_names_are_unique_over_the_plan(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    made = plan(facts, options, LIMITS)
    tasks = [task.name for stage in made.stages for task in stage.tasks]
    assert len(set(tasks)) == len(tasks)
    for published in (made.early, made.lasting):
        renditions = [spec.name for spec in specs(published)]
        assert len(set(renditions)) == len(renditions)
    assert all(made.task(name).name == name for name in tasks)


def keeps_the_aspect(size: tuple[int, int], source: tuple[int, int]) -> bool:
    """Whether there is one scale under which both sides are within one pixel of the source's."""
    least = max(Fraction(made - 1, was) for made, was in zip(size, source, strict=True))
    most = min(Fraction(made + 1, was) for made, was in zip(size, source, strict=True))
    return least <= most


def test_the_aspect_is_judged_by_pixels() -> None:
    assert keeps_the_aspect((854, 480), (1920, 1080))
    assert not keeps_the_aspect((857, 480), (1920, 1080))
    assert not keeps_the_aspect((480, 854), (1920, 1080))


@given(WISHES)
def test_nothing_is_ever_enlarged_or_distorted(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    width, height = source = picture_of(facts)
    for spec in specs(plan(facts, options, LIMITS)):
        if isinstance(spec, (ImageSpec, PosterSpec, PreviewSpec, RungSpec, StoryboardSpec)):
            least = 2 if isinstance(spec, (PreviewSpec, RungSpec)) else 1
            assert least <= spec.width <= max(least, width)
            assert least <= spec.height <= max(least, height)
            is_cut = isinstance(spec, ImageSpec) and spec.crop
            assert is_cut or keeps_the_aspect((spec.width, spec.height), source)


@given(WISHES)
@example((video(width=3840, height=2160), Options(rungs=(2160,))))
def test_what_a_rendition_refers_to_is_there(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    made = plan(facts, options, LIMITS)
    by_name = {spec.name: spec for spec in specs(made)}
    tracks = {track.index: track for track in facts.audio}
    for spec in by_name.values():
        if isinstance(spec, Mp4Spec):
            rung = by_name[spec.rung]
            assert isinstance(rung, RungSpec)
            assert min(rung.width, rung.height) <= 1080
            assert spec.audio is None or isinstance(by_name[spec.audio], AudioSpec)
        if isinstance(spec, (AudioSpec, WaveformSpec)):
            assert tracks[spec.track_index].playable
    segmented = any(spec.role in {Role.HLS_VIDEO, Role.HLS_AUDIO} for spec in by_name.values())
    assert any(isinstance(spec, PlaylistSpec) for spec in by_name.values()) == segmented


def chunks_of(made: Plan) -> dict[str, ChunkSpec]:
    return {spec.name: spec for spec in specs(made) if isinstance(spec, ChunkSpec)}


def test_long_films_are_among_what_is_drawn() -> None:
    once = settings(phases=[Phase.generate], max_examples=2_000)
    assert find(WISHES, lambda wish: bool(chunks_of(plan(wish[0], wish[1], LIMITS))), settings=once)


@given(WISHES)
def test_what_is_joined_was_made_before_of_the_very_rungs(wish: tuple[MediaFacts, Options]) -> None:
    made = plan(*wish, LIMITS)
    found, before = chunks_of(made), set[str]()
    joined = [name for stage in made.stages for task in stage.tasks for name in task.joins]
    assert joined == list(found)
    for stage in made.stages:
        for task in stage.tasks:
            assert set(task.joins) <= before
            rungs = tuple(spec for spec in task.renditions if isinstance(spec, RungSpec))
            assert all(found[name].rungs == rungs for name in task.joins)
            assert not task.joins or not any(spec.copied for spec in rungs)
        before |= {task.name for task in stage.tasks}


@given(WISHES)
def test_every_task_is_bounded(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    for stage in plan(facts, options, LIMITS).stages:
        for task in stage.tasks:
            assert LIMITS.child_memory_bytes <= task.memory_bytes <= 12 * GIB
            assert 0 < task.seconds_max <= LIMITS.heavy_task_seconds_max


@given(WISHES)
def test_what_a_manifest_tells_of_a_plan_is_json(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    made = plan(facts, options, LIMITS)
    document = plan_document(made)
    assert json.loads(json.dumps(document)) == document
    assert document["decisions"] == [asdict(one) for one in made.decisions]
    assert json.dumps(asdict(made), default=str)


@given(WISHES)
def test_a_ladder_is_monotone_and_on_one_grid(wish: tuple[MediaFacts, Options]) -> None:
    made = [spec for spec in specs(plan(*wish, LIMITS).lasting) if isinstance(spec, RungSpec)]
    assert len({(spec.keyframe_seconds, spec.segment_seconds) for spec in made}) <= 1
    for codec in {spec.codec for spec in made}:
        rungs = [spec for spec in made if spec.codec == codec]
        assert all(spec.width % 2 == spec.height % 2 == 0 for spec in rungs)
        assert all(
            above.width * above.height > below.width * below.height
            and above.bitrate_bps_max >= below.bitrate_bps_max
            and above.frame_rate_max >= below.frame_rate_max
            for above, below in itertools.pairwise(rungs)
        )
    assert {spec.codec for spec in made} <= set(wish[1].codecs)
    assert not made or made[0].codec == "h264"


@given(WISHES)
def test_what_was_asked_to_be_left_out_is_left_out(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    made = plan(facts, options, LIMITS)
    rungs = [spec for spec in specs(made) if isinstance(spec, RungSpec)]
    wanted = {f"{short}p" for short in options.rungs}
    if wanted and len(rungs) > len(options.codecs):
        assert {spec.name.partition("-")[0] for spec in rungs} <= wanted
    if options.mute and facts.kind is Kind.VIDEO:
        assert not any(isinstance(spec, (AudioSpec, WaveformSpec)) for spec in specs(made))
    for task in made.stages[0].tasks:
        assert facts.kind is Kind.IMAGE or float(task.clip.start) == options.clip_start_s
        if task.duration_s is not None and task.clip.end is not None:
            assert 0 <= task.duration_s <= float(task.clip.end - task.clip.start) + 1e-9
