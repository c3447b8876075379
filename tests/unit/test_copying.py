"""Which videos may be their own top rung: each reason why not, and what holds for every plan that copies."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.facts import Groups, Kind, MediaFacts, Transfer, VideoTrack
from smmu.domain.options import Options
from smmu.domain.plan import Mp4Spec, Plan, RungSpec
from smmu.domain.planner import plan
from tests.support.planned import STEREO, choices, specs
from tests.support.strategies import COPIED, LIMITS, OPTIONS, nearly_copied


def film(track: VideoTrack, **changed: Any) -> MediaFacts:
    usual = {"duration_s": 60.0, "audio": (STEREO,), **changed}
    return MediaFacts(kind=Kind.VIDEO, container="mp4", content_type="video/mp4", size_bytes=9, video=track, **usual)


def rungs(made: Plan) -> list[RungSpec]:
    return [spec for spec in specs(made) if isinstance(spec, RungSpec)]


def test_a_valid_top_rung_is_copied_and_the_others_are_not() -> None:
    made = plan(film(COPIED), Options(codecs=("h264", "hevc")), LIMITS)
    assert [spec.name for spec in rungs(made) if spec.copied] == ["1080p"]
    assert choices(made)["1080p", "copied"] == "it is already H.264 High, level 4, in closed groups of up to 2 s"
    assert ("1080p", "encoded") not in choices(made)
    assert next(spec for spec in specs(made) if isinstance(spec, Mp4Spec)).rung == "1080p"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rotation_cw": 90}, "it has to be turned upright"),
        ({"reflected": True}, "it has to be turned upright"),
        ({"sample_aspect": Fraction(4, 3)}, "its pixels are not square"),
        ({"width": 1921}, "it is 1921 × 1080 and has to be 1920 × 1080"),
        ({"width": 2400, "height": 1200}, "it is 2400 × 1200 and has to be 2160 × 1080"),
        ({"interlaced": True}, "its frames are made of two fields"),
        ({"pixel_format": "yuv422p"}, "it is yuv422p, and players want 8-bit 4:2:0"),
        ({"pixel_format": "yuv420p10le", "bit_depth": 10}, "it is yuv420p10le, and players want 8-bit 4:2:0"),
        ({"transfer": Transfer.HLG}, "its light is not that of BT.709"),
        ({"full_range": True}, "its light is not that of BT.709"),
        ({"colour_primaries": ""}, "it does not say that its colours are those of BT.709"),
        ({"colour_transfer": "srgb"}, "it does not say that its colours are those of BT.709"),
        ({"profile": "Main"}, "its profile is Main, and not High"),
        ({"level": 51}, "its level is 5.1, and players are sure to take 4.2"),
        ({"level": None}, "its level is not known, and players are sure to take 4.2"),
        ({"frame_rate": Fraction(120)}, "a rung of this size shows at most 60 pictures a second"),
        ({"bitrate_bps": 17_200_000}, "it has 17.2 Mb/s, and the rung may have 6.0"),
        ({"bitrate_bps": None}, "it has an unknown number of Mb/s, and the rung may have 6.0"),
        ({"trimmed": True}, "an edit list hides some of its pictures"),
        ({"groups": None}, "where its keyframes are is not known without reading all of it"),
        ({"groups": Groups(count=30, longest_s=2, closed=False)},
         "its groups of pictures are open: some need what is before them"),
        ({"groups": Groups(count=7, longest_s=10.01, closed=True)}, "its keyframes are up to 10 s apart"),
        ({"groups": Groups(count=1800, longest_s=0.04, closed=True)},
         "its keyframes are 0.033 s apart: smaller rungs would be nothing else"),
    ],
)  # fmt: skip
def test_what_is_not_quite_one_is_encoded_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    made = plan(film(replace(COPIED, **changes)), Options(), LIMITS)
    top = rungs(made)[0]
    assert not any(spec.copied for spec in rungs(made))
    assert choices(made)[top.name, "encoded"] == reason


def test_a_rung_that_is_not_the_sources_size_is_encoded() -> None:
    made = plan(film(COPIED), Options(rungs=(480, 720)), LIMITS)
    assert choices(made)["720p", "encoded"] == "it is 1920 × 1080 and has to be 1280 × 720"


def test_a_clip_is_encoded_and_so_is_what_lasts_nobody_knows_how_long() -> None:
    clipped = plan(film(COPIED), Options(clip_start_s=4.0), LIMITS)
    assert "clip" in choices(clipped)["1080p", "encoded"]
    unsure = plan(film(COPIED, duration_exact=False), Options(), LIMITS)
    assert choices(unsure)["1080p", "encoded"] == "how long it lasts is not known"


def test_of_other_codecs_nothing_is_said() -> None:
    made = plan(film(replace(COPIED, codec="hevc")), Options(), LIMITS)
    assert not any(choice in {"copied", "encoded"} for _, choice in choices(made))


@given(nearly_copied(), OPTIONS, st.booleans())
def test_only_what_needs_no_change_is_copied(track: VideoTrack, options: Options, exact: bool) -> None:  # noqa: FBT001
    made = plan(film(track, duration_exact=exact), options, LIMITS)
    copied = [spec for spec in rungs(made) if spec.copied]
    told = [one for one in made.decisions if one.choice in {"copied", "encoded"}]
    assert len(told) == bool(rungs(made))
    assert [one.subject for one in told if one.choice == "copied"] == [spec.name for spec in copied]
    for spec in copied:
        task = made.task("video")
        assert spec is rungs(made)[0]
        assert (spec.codec, spec.width, spec.height) == ("h264", track.width, track.height)
        assert (track.rotation_cw, track.reflected, track.sample_aspect) == (0, False, Fraction(1))
        assert not any((task.transform.deinterlace, task.transform.tone_map, track.full_range, track.trimmed))
        assert (track.profile, track.pixel_format, track.bit_depth) == ("High", "yuv420p", 8)
        assert track.frame_rate is not None
        assert track.frame_rate <= spec.frame_rate_max
        assert track.groups is not None
        assert track.groups.closed
        assert track.groups.longest_s <= 6.1
        assert (track.bitrate_bps or 0) <= spec.bitrate_bps_max
        assert task.clip.is_whole
        assert task.duration_exact
