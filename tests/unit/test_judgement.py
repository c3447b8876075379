"""What may be processed, asked of the facts: every budget that is exceeded, each with its reason."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from smmu.domain.errors import REJECTIONS, Code
from smmu.domain.facts import AudioTrack, ImageFacts, Kind, MediaFacts, SubtitleTrack, VideoTrack
from smmu.domain.judgement import judge, judge_declared
from smmu.domain.limits import Limits
from tests.support.strategies import FACTS, LIMITS


def image(**changed: Any) -> MediaFacts:
    return MediaFacts(
        kind=Kind.IMAGE,
        container="jpeg",
        content_type="image/jpeg",
        size_bytes=1,
        image=ImageFacts(**{"width": 10, "height": 10, **changed}),
    )


def video(audio: int = 0, subtitles: int = 0, duration_s: float | None = 1.0, **changed: Any) -> MediaFacts:
    return MediaFacts(
        kind=Kind.VIDEO,
        container="mp4",
        content_type="video/mp4",
        size_bytes=1,
        duration_s=duration_s,
        video=VideoTrack(**{"index": 0, "codec": "h264", "width": 10, "height": 10, **changed}),
        audio=tuple(AudioTrack(index=1 + at, codec="aac", channels=2, sample_rate=48_000) for at in range(audio)),
        subtitles=tuple(SubtitleTrack(index=99, codec="srt") for _ in range(subtitles)),
    )


def sound(channels: int) -> MediaFacts:
    track = AudioTrack(index=0, codec="aac", channels=channels, sample_rate=48_000)
    return MediaFacts(kind=Kind.AUDIO, container="mp4", content_type="audio/mp4", size_bytes=1, audio=(track,))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (image(width=0), Code.REJECTED_DIMENSIONS),
        (image(width=65_536), Code.REJECTED_DIMENSIONS),
        (image(width=16_384, height=16_384), Code.REJECTED_PIXELS),
        (image(frames=0), Code.REJECTED_EMPTY),
        (image(frames=2_001), Code.REJECTED_FRAMES),
        (image(width=1_001, height=1_000, frames=2_000), Code.REJECTED_PIXELS),
        (video(width=8_194), Code.REJECTED_DIMENSIONS),
        (video(width=8_192, sample_aspect=Fraction(2)), Code.REJECTED_DIMENSIONS),
        (video(width=8_192, height=8_192), Code.REJECTED_PIXELS),
        (video(width=8_192, height=4_320, sample_aspect=Fraction(1, 2)), None),
        (video(duration_s=86_401.0), Code.REJECTED_DURATION),
        (video(duration_s=float("inf")), Code.REJECTED_CORRUPT),
        (video(duration_s=float("nan")), Code.REJECTED_CORRUPT),
        (video(duration_s=-1.0), Code.REJECTED_CORRUPT),
        (video(duration_s=None), None),
        (video(audio=40, subtitles=24), Code.REJECTED_STREAMS),
        (video(audio=40, subtitles=23), None),
        (replace(video(), video=None), Code.REJECTED_EMPTY),
        (replace(sound(2), audio=()), Code.REJECTED_EMPTY),
        (sound(0), Code.REJECTED_CORRUPT),
        (sound(2), None),
        (image(), None),
    ],
)
def test_the_budgets_are_asked_of_the_facts(facts: MediaFacts, code: Code | None) -> None:
    assert [reason.code for reason in judge(facts, LIMITS)] == ([code] if code else [])


def test_every_budget_that_is_exceeded_is_named() -> None:
    facts = video(width=20_000, height=20_000, duration_s=1e9, audio=64)
    codes = [reason.code for reason in judge(facts, LIMITS)]
    assert codes == [Code.REJECTED_DIMENSIONS, Code.REJECTED_PIXELS, Code.REJECTED_DURATION, Code.REJECTED_STREAMS]
    assert set(codes) <= REJECTIONS


@pytest.mark.parametrize(
    ("declared", "facts", "agrees"),
    [
        ("video/mp4", sound(2), True),
        ("audio/mp4", video(), True),
        ("", image(), True),
        ("image/png", image(), True),
        ("image/png", video(), False),
        ("audio/mpeg", video(), False),
    ],
)
def test_the_declared_type_is_asked_again_of_the_facts(declared: str, facts: MediaFacts, *, agrees: bool) -> None:
    codes = [reason.code for reason in judge_declared(declared, facts)]
    assert codes == ([] if agrees else [Code.REJECTED_TYPE_MISMATCH])


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"frames": 20_000_000}, [Code.REJECTED_FRAMES]),
        ({"frames": 1_000_000, "width": 8_192, "height": 4_320}, [Code.REJECTED_PIXELS]),
        ({"frames": 20_000_000, "width": 3_840, "height": 2_160}, [Code.REJECTED_FRAMES, Code.REJECTED_PIXELS]),
        ({"frames": None, "frame_rate": Fraction(240)}, [Code.REJECTED_FRAMES]),
        ({"frames": None, "frame_rate": Fraction(60)}, []),
        ({"frames": None, "frame_rate": None}, []),
    ],
)
def test_pictures_of_a_film_are_counted_and_multiplied(changed: dict[str, Any], codes: list[Code]) -> None:
    usual = {"index": 0, "codec": "h264", "width": 640, "height": 360}
    facts = replace(video(), duration_s=86_000.0, video=VideoTrack(**{**usual, **changed}))
    assert [reason.code for reason in judge(facts, LIMITS)] == codes
    if changed["frames"] is None:
        assert judge(replace(facts, duration_exact=False), LIMITS) == (), "what only the header says refuses nobody"


@given(FACTS)
def test_admitted_facts_stay_admitted_under_wider_limits(facts: MediaFacts) -> None:
    assert judge(facts, Limits(streams_max=128, image_frames_max=4_000, video_side_max=10_000)) == ()
