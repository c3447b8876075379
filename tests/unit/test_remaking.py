"""Which renditions are made later, and what stands on them: laws over drawn plans and wishes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain import keys
from smmu.domain.errors import Code, Refused
from smmu.domain.facts import MediaFacts
from smmu.domain.options import Options, widened
from smmu.domain.plan import Plan, PlannedTask
from smmu.domain.plan_speech import Demands
from smmu.domain.planner import plan
from smmu.domain.remaking import Wish, at_once, check, chosen, narrowed
from tests.support.strategies import FACTS
from tests.support.strategies import LIMITS as OF_UPLOADS

LIMITS = at_once(OF_UPLOADS)
ENGINE = Demands(memory_bytes=1 << 20, pace=1.0)
CODECS = st.lists(st.sampled_from(["h264", "hevc", "av1"]), min_size=1, max_size=3)


def names(made: Plan) -> list[str]:
    return [spec.name for task in tasks(made) for spec in task.renditions]


def tasks(made: Plan) -> list[PlannedTask]:
    return [task for stage in made.stages for task in stage.tasks]


@given(FACTS, st.data())
def test_what_is_named_is_made_and_every_task_owes_what_it_did(found: MediaFacts, data: st.DataObject) -> None:
    whole = plan(found, Options(), LIMITS, ENGINE)
    named = tuple(data.draw(st.lists(st.sampled_from(names(whole)), min_size=1, unique=True)))
    part = narrowed(whole, chosen(whole, names(whole), Wish(names=named)), names(whole))
    assert set(named) <= set(names(part)) <= set(names(whole))
    assert [name for name in names(whole) if name in names(part)] == names(part)
    for task in tasks(part):
        assert task.renditions
        assert all(spec in whole.task(task.name).renditions for spec in task.renditions)
    told = [one for one in part.decisions if one.choice in ("made again", "added", "kept")]
    assert {one.subject for one in told if one.choice == "made again"} == set(names(part))
    assert part.decisions[: len(whole.decisions)] == whole.decisions


@given(FACTS, st.data())
def test_nothing_that_is_made_stands_on_what_is_not(found: MediaFacts, data: st.DataObject) -> None:
    whole = plan(found, Options(), LIMITS, ENGINE)
    named = (data.draw(st.sampled_from(names(whole))),)
    for task in tasks(narrowed(whole, named, ())):
        made = {spec.name: spec for spec in task.renditions}
        for spec in task.renditions:
            needed = {getattr(spec, "rung", None), getattr(spec, "audio", None)} - {None}
            assert needed <= set(made)
        if {spec.type for spec in task.renditions} & {"rung", "playlist", "dash"}:
            assert {"playlist", "dash"} <= {spec.type for spec in task.renditions}
        if {spec.type for spec in task.renditions} == {"captions"}:
            assert task == replace(whole.task(task.name), extra=False)  # nothing else was asked for


@given(FACTS, st.data())
def test_playlists_that_are_written_again_have_every_sound_and_some_rung(
    found: MediaFacts, data: st.DataObject
) -> None:
    whole = plan(found, Options(), LIMITS, ENGINE)
    there = tuple(data.draw(st.lists(st.sampled_from(names(whole)), unique=True)))
    part = narrowed(whole, (data.draw(st.sampled_from(names(whole))),), there)
    for task in (task for task in tasks(part) if "playlist" in {spec.type for spec in task.renditions}):
        had = {spec for spec in whole.task(task.name).renditions if spec.name in (*there, *names(part))}
        streamed = {spec for spec in whole.task(task.name).renditions if spec.role == "hls-audio"}
        assert streamed <= had
        assert task.name == "audio" or any(spec.role == "hls-video" for spec in had)


@given(FACTS, CODECS, CODECS)
def test_what_more_options_add_is_what_is_not_there(found: MediaFacts, codecs: list[str], more: list[str]) -> None:
    base = widened(Options(), {"codecs": codecs})
    there = names(plan(found, base, LIMITS))
    wider = widened(base, {"codecs": more})
    whole = plan(found, wider, LIMITS)
    assert set(there) <= set(names(whole))
    wish = Wish(options={"codecs": more})
    added = set(names(whole)) - set(there)
    if added:
        assert set(chosen(whole, there, wish)) == added
    else:
        with pytest.raises(Refused) as refusal:
            chosen(whole, there, wish)
        assert refusal.value.code is Code.NOTHING_TO_MAKE


@pytest.mark.parametrize(
    ("base", "given_", "expected"),
    [
        (Options(), {"rungs": [360]}, Options()),
        (Options(rungs=(360,)), {"rungs": [720]}, Options(rungs=(360, 720))),
        (Options(rungs=(360,)), {"codecs": ["av1"]}, Options(rungs=(360,), codecs=("h264", "av1"))),
        (Options(codecs=("h264", "av1")), {"codecs": ["hevc"]}, Options(codecs=("h264", "hevc", "av1"))),
        (Options(image_widths=(100,)), {"image_widths": [50]}, Options(image_widths=(50, 100))),
        (Options(image_widths=(100,)), {"preset": "archive"}, Options(image_widths=(100,), preset="archive")),
        (Options(clip_start_s=1.0, mute=True), {"rungs": [360]}, Options(clip_start_s=1.0, mute=True)),
    ],
)
def test_options_are_added_to(base: Options, given_: dict[str, object], expected: Options) -> None:
    assert widened(base, given_) == expected


def test_a_muted_media_cannot_be_made_nothing_but_sound() -> None:
    with pytest.raises(Refused) as refusal:
        widened(Options(mute=True), {"preset": "audio-only"})
    assert refusal.value.reasons[0].pointer == "/options/mute"


def test_a_wish_for_nothing_is_none() -> None:
    assert [reason.code for reason in check(Wish())] == [Code.INVALID_REQUEST]
    assert check(Wish(names=("poster",))) == ()


PATHS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(lambda steps: "m/" + "/".join(steps) + ".x"),
    unique=True,
)


@given(PATHS, PATHS)
def test_what_is_removed_is_all_that_is_dead_and_nothing_that_lives(dead: list[str], alive: list[str]) -> None:
    folders, single = keys.removals(dead, alive, "m/")
    gone = {key for key in (*dead, *alive) if key in single or key.startswith(folders or ("\0",))}
    assert gone == set(dead) - set(alive)
    assert all(folder.startswith("m/") and folder.endswith("/") and folder != "m/" for folder in folders)


def test_a_whole_folder_is_removed_at_once() -> None:
    dead = [f"m/j-a1/video-1/hls/720p/seg-{number}.m4s" for number in range(3)] + ["m/j-a1/poster-1/poster.jpg"]
    alive = ["m/j-a1/video-1/hls/360p/init.mp4", "m/j-a2.json"]
    assert keys.removals(dead, alive, "m/") == (("m/j-a1/poster-1/", "m/j-a1/video-1/hls/720p/"), ())
