"""What is laid over a video: where it is in every frame, which tasks carry it, and which picture it may be."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain import ladder
from smmu.domain.errors import Code, Refused
from smmu.domain.facts import ImageFacts, MediaFacts, VideoTrack
from smmu.domain.judgement import judge_options
from smmu.domain.limits import Limits
from smmu.domain.media import Media, State
from smmu.domain.options import Options, parse_options, widened
from smmu.domain.plan import Plan, PlannedTask, RungSpec, TaskKind
from smmu.domain.plan_watermark import pinned
from smmu.domain.planner import plan
from smmu.domain.values import ObjectRef
from smmu.domain.watermark import POSITIONS, Watermark, WatermarkWish
from tests.support.planned import STEREO, choices, image, sound, specs, video
from tests.support.records import a_media
from tests.support.strategies import COPIED, LIMITS, WISHES, nearly_copied

IMAGE = ObjectRef(key="raw/ada/upl_1/source", version="1", etag="e", size=9)
LOGO = Watermark(
    image=IMAGE, sha256="5", width=400, height=100, position="bottom-right", size=0.15, margin=0.03, opacity=1
)
WISH = WatermarkWish(image="med_1")
FRAMES = st.tuples(st.integers(1, 4_096), st.integers(1, 4_096)).map(lambda pair: (2 * pair[0], 2 * pair[1]))
ANY = st.builds(
    Watermark,
    image=st.just(IMAGE),
    sha256=st.just("5"),
    width=st.integers(1, 4_096),
    height=st.integers(1, 4_096),
    position=st.sampled_from(POSITIONS),
    size=st.floats(0.02, 0.7),
    margin=st.floats(0, 0.15),
    opacity=st.just(1.0),
)


def film(track: VideoTrack) -> MediaFacts:
    return replace(video(), video=track)


def marked(facts: MediaFacts, watermark: Watermark = LOGO, limits: Limits = LIMITS, **wishes: Any) -> Plan:
    return plan(facts, Options(watermark=WISH, **wishes), limits, watermark=watermark)


def tasks(made: Plan) -> list[PlannedTask]:
    return [task for stage in made.stages for task in stage.tasks]


@given(ANY, FRAMES)
def test_it_is_inside_of_every_frame_and_even_as_420_needs_it(watermark: Watermark, frame: tuple[int, int]) -> None:
    box = watermark.box(*frame)
    assert box.left >= 0
    assert box.top >= 0
    assert box.left + box.width <= frame[0]
    assert box.top + box.height <= frame[1]
    assert all(number % 2 == 0 for number in box)


@given(ANY, st.integers(1, 9), st.integers(1, 9))
def test_it_is_inside_of_odd_frames_too(watermark: Watermark, width: int, height: int) -> None:
    box = watermark.box(width, height)
    assert min(box.width, box.height) >= 1
    assert 0 <= box.left <= width - box.width
    assert 0 <= box.top <= height - box.height


@given(ANY, FRAMES)
def test_it_keeps_its_shape_and_is_as_large_as_asked(watermark: Watermark, frame: tuple[int, int]) -> None:
    box, short = watermark.box(*frame), min(frame)
    longest = watermark.size * short
    scale = longest / max(watermark.width, watermark.height)
    assert box.width == pytest.approx(max(2.0, watermark.width * scale), abs=1.001)
    assert box.height == pytest.approx(max(2.0, watermark.height * scale), abs=1.001)


@given(ANY, st.integers(240, 2_160), st.floats(0.4, 2.5))
def test_it_is_in_the_same_place_on_every_rung(watermark: Watermark, short: int, shape: float) -> None:
    source = (short, round(short * shape)) if shape > 1 else (round(short / shape), short)
    boxes = [(rung.height, watermark.box(rung.width, rung.height)) for rung in ladder.rungs(source, None)]
    top, first = boxes[0]
    for height, box in boxes:
        for one, other in zip(box, first, strict=True):
            assert one / height == pytest.approx(other / top, abs=5 / height)


def test_it_is_where_it_was_asked_to_be() -> None:
    assert {position: replace(LOGO, position=position).box(1920, 1080)[:2] for position in POSITIONS} == {
        "top-left": (32, 32),
        "top-right": (1726, 32),
        "bottom-left": (32, 1008),
        "bottom-right": (1726, 1008),
        "center": (878, 520),
    }
    assert LOGO.box(1080, 1920)[2:] == LOGO.box(1920, 1080)[2:] == (162, 40)


@given(WISHES)
def test_every_task_that_makes_frames_carries_it_and_no_other(wish: tuple[MediaFacts, Options]) -> None:
    facts, options = wish
    options = replace(options, watermark=WISH)
    if judge_options(facts, options) or options.preset == "audio-only":
        return
    made = plan(facts, options, LIMITS, watermark=LOGO)
    plain = plan(facts, replace(options, watermark=None), LIMITS)
    carrying = {TaskKind.VIDEO, TaskKind.CHUNK, TaskKind.POSTER}
    for task in tasks(made):
        assert task.watermark == (LOGO if task.kind in carrying else None)
    assert {task.name: task.renditions for task in tasks(made) if task.kind not in carrying} == {
        task.name: task.renditions for task in tasks(plain) if task.kind not in carrying
    }
    assert not any(spec.copied for spec in specs(made) if isinstance(spec, RungSpec))


@given(nearly_copied())
def test_a_marked_film_is_never_copied(track: VideoTrack) -> None:
    made = marked(film(track))
    assert not any(spec.copied for spec in specs(made) if isinstance(spec, RungSpec))


def test_the_plan_says_where_it_is_and_where_it_is_not() -> None:
    made = marked(video(STEREO))
    told = choices(made)
    assert told["watermark", "bottom-right, 15% of the short side"].startswith("asked for")
    assert told["storyboard", "without the watermark"]
    assert ("watermark", "enlarged") not in told
    small = choices(marked(video(STEREO), replace(LOGO, width=40, height=10)))
    assert small["watermark", "enlarged"] == "its image has only 40 × 10 pixels"
    assert choices(marked(film(COPIED)))["1080p", "encoded"] == "a watermark is laid over its pictures"


def test_the_plan_says_where_nothing_is_laid_over_anything() -> None:
    told = choices(marked(video(STEREO), preset="audio-only"))
    assert [(about, choice) for about, choice in told if about == "watermark"] == [("watermark", "not applied")]


def test_a_long_film_carries_it_from_the_first_look_to_the_join() -> None:
    made = marked(video(STEREO, duration_s=1_000.0))
    assert [stage.name for stage in made.stages] == ["first look", "chunks", "join"]
    plain = plan(video(STEREO, duration_s=1_000.0), Options(), LIMITS)
    more = {task.name: task.memory_bytes for task in tasks(made)}
    for task in tasks(plain):
        assert (more[task.name] > task.memory_bytes) == (task.kind is not TaskKind.AUDIO)


def test_a_plan_has_the_watermark_that_was_asked_for_and_no_other() -> None:
    with pytest.raises(ValueError, match="if, and only if"):
        plan(video(), Options(watermark=WISH), LIMITS)
    with pytest.raises(ValueError, match="if, and only if"):
        plan(video(), Options(), LIMITS, watermark=LOGO)


@pytest.mark.parametrize(("facts", "words"), [(image(), "is an image"), (sound(STEREO), "is an audio file")])
def test_only_a_video_has_one(facts: MediaFacts, words: str) -> None:
    (reason,) = judge_options(facts, Options(watermark=WISH))
    assert (reason.code, reason.pointer) == (Code.INVALID_OPTIONS, "/options/watermark")
    assert words in reason.message
    assert judge_options(video(), Options(watermark=WISH)) == ()


def media(state: State = State.READY) -> Media:
    return a_media(state=state, source=IMAGE, facts={"sha256": "5"})


def test_a_picture_that_is_ready_is_pinned_upright() -> None:
    wish = WatermarkWish(image="med_1", position="top-left", size=0.2, margin=0.01, opacity=0.5)
    assert pinned(wish, media(), ImageFacts(width=100, height=400, orientation=6), LIMITS) == Watermark(
        image=IMAGE, sha256="5", width=400, height=100, position="top-left", size=0.2, margin=0.01, opacity=0.5
    )


@pytest.mark.parametrize(
    ("known", "picture", "words"),
    [
        (None, None, "There is no such picture"),
        (media(State.PROCESSING), None, "is processing: wait until it is ready"),
        (media(State.REJECTED), None, "is rejected"),
        (media(), None, "is no picture"),
        (media(), ImageFacts(width=5_000, height=5_000), "at most 16,777,216 pixels, and this one has 25,000,000"),
    ],
)
def test_what_cannot_be_laid_over_is_refused(known: Media | None, picture: ImageFacts | None, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        pinned(WISH, known, picture, LIMITS)
    assert (refused.value.code, refused.value.reasons[0].pointer) == (
        Code.INVALID_WATERMARK,
        "/options/watermark/image",
    )


@pytest.mark.parametrize(
    ("given_options", "pointers"),
    [
        *(({"watermark": value}, ["/options/watermark"]) for value in ("med_1", False, True, ["med_1"])),
        *(
            ({"watermark": {"image": name}}, ["/options/watermark/image"])
            for name in ("", 1, None, "a\nb", "a" * 1_025)
        ),
        ({"watermark": {}}, ["/options/watermark/image"]),
        ({"watermark": {"image": "a", "a/b": 1}}, ["/options/watermark/a~1b"]),
        (
            {"watermark": {"image": "a", "position": "left", "size": 0, "margin": -0.1, "opacity": True}},
            [f"/options/watermark/{name}" for name in ("position", "size", "margin", "opacity")],
        ),
        ({"watermark": {"image": "a", "size": float("nan")}}, ["/options/watermark/size"]),
        ({"watermark": {"image": "a", "size": 0.9, "margin": 0.1}}, ["/options/watermark/size"]),
        ({"watermark": {"image": "a", "size": 1}}, ["/options/watermark/size"]),
        ({"watermark": {"image": "a"}, "preset": "audio-only"}, ["/options/watermark"]),
    ],
)
def test_every_bad_field_is_named(given_options: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        parse_options(given_options)
    assert [(one.code, one.pointer) for one in refused.value.reasons] == [
        (Code.INVALID_OPTIONS, pointer) for pointer in pointers
    ]


def test_what_is_not_said_is_as_most_want_it() -> None:
    assert parse_options({"watermark": {"image": "med_1"}}) == Options(watermark=WatermarkWish(image="med_1"))
    told = {"image": "med_1", "position": "center", "size": 1, "margin": 0, "opacity": 0.5}
    assert parse_options({"watermark": told}) == Options(
        watermark=WatermarkWish(image="med_1", position="center", size=1.0, margin=0.0, opacity=0.5)
    )


def test_it_stays_until_another_is_named_or_none() -> None:
    assert widened(Options(), {"watermark": {"image": "med_1"}}).watermark == WatermarkWish(image="med_1")
    assert widened(Options(watermark=WISH), {"watermark": None}) == Options()
    with pytest.raises(Refused, match="nothing that a watermark could be laid over"):
        widened(Options(watermark=WISH), {"preset": "audio-only"})
    assert widened(Options(watermark=WISH, rungs=(240,)), {"rungs": [360]}).watermark == WISH
