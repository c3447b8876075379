"""What a film is and its renditions are not is told, each thing with its reason; what stays as it was is not told of."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from smmu.domain.facts import Mark, Transfer
from tests.support.planned import STEREO, choices, planned, video, wished

PLAIN: dict[str, Any] = {"colour_space": "bt709", "colour_primaries": "bt709", "colour_transfer": "bt709"}


def told(**changed: Any) -> dict[str, str]:
    made = planned(video(STEREO, **{**PLAIN, **changed}))
    return {choice: reason for (subject, choice), reason in choices(made).items() if subject == "source"}


def test_of_a_plain_film_nothing_is_told() -> None:
    assert told() == {"treated as video": "video/mp4 in mp4, preset web"}


@pytest.mark.parametrize(
    ("changed", "choice", "word"),
    [
        ({"rotation_cw": 450}, "rotated 90°", "display matrix"),
        ({"reflected": True}, "mirrored", "display matrix"),
        ({"tilted": True}, "not turned", "by quarters"),
        ({"interlaced": True}, "deinterlaced", "two fields"),
        ({"transfer": Transfer.HLG, "colour_space": "bt2020nc"}, "tone-mapped", "HLG"),
        ({"colour_space": ""}, "colours of BT.709", "does not say"),
        ({"colour_space": "smpte170m", "colour_primaries": "smpte170m"}, "colours of BT.709", "of smpte170m and"),
        ({"colour_primaries": "p3"}, "colours of BT.709", "primaries of p3"),
        ({"full_range": True}, "limited range", "full range"),
        ({"bit_depth": 10, "pixel_format": "yuv420p10le"}, "reduced to 8 bits", "10 bits"),
        ({"pixel_format": "yuv422p"}, "reduced to 4:2:0", "yuv422p"),
        ({"pixel_format": "gbrp"}, "reduced to 4:2:0", "gbrp"),
        ({"pixel_format": "yuva420p"}, "made opaque", "transparent"),
        ({"captions": True}, "captions left out", "inside of its pictures"),
        ({"others": 2}, "one track of pictures", "2 more"),
        ({"variable_frame_rate": True}, "timestamps kept", "varies"),
        ({"frame_rate": Fraction(120)}, "at most 60 frames a second", "120"),
    ],
)
def test_each_change_is_told_by_itself(changed: dict[str, Any], choice: str, word: str) -> None:
    found = {name: reason for name, reason in told(**changed).items() if name != "treated as video"}
    assert list(found) == [choice]
    assert word in found[choice]


@pytest.mark.parametrize("pixel_format", ["yuv444p10le", "yuva444p", "rgba", "uyvy422", "gbrap"])
def test_other_samplings_are_told(pixel_format: str) -> None:
    assert "reduced to 4:2:0" in told(pixel_format=pixel_format)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "nv12", "p010le", "yuv420p10le"])
def test_what_is_sampled_alike_is_not(pixel_format: str) -> None:
    assert not {"reduced to 4:2:0", "made opaque"} & set(told(pixel_format=pixel_format))


def test_a_rate_that_varies_and_is_high_is_both() -> None:
    assert {"timestamps kept", "at most 60 frames a second"} <= set(
        told(variable_frame_rate=True, frame_rate=Fraction(90))
    )


def test_marks_and_covers_that_renditions_do_not_have_are_told() -> None:
    facts = replace(video(**PLAIN), marks=(Mark.SPHERICAL, Mark.STEREO, Mark.LIVE_PHOTO), has_cover_art=True)
    found = {choice for subject, choice in choices(planned(facts)) if subject == "source"}
    assert {"shown flat, not as a sphere", "shown flat, not for both eyes", "cover art left out"} <= found


def test_small_rungs_of_a_fast_film_say_that_they_are_slower() -> None:
    made = planned(video(frame_rate=Fraction(60_000, 1001), **PLAIN))
    assert choices(made)["360p, 240p", "at most 29.97 frames a second"].endswith("432 lines or fewer")
    assert not any("frames a second" in choice for _, choice in choices(planned(video(**PLAIN))))


def test_which_rung_the_progressive_file_is_and_that_a_waveform_is_left_out_are_told() -> None:
    made = planned(video(STEREO, width=3840, height=2160))
    assert ("mp4", "1080p") in choices(made)
    assert ("waveform", "skipped") in choices(planned(video(STEREO), "preview-only"))
    assert ("waveform", "skipped") not in choices(planned(video(), "preview-only"))


def test_rungs_of_every_codec_are_told_of() -> None:
    made = wished(video(frame_rate=Fraction(50), height=360, width=640), codecs=("h264", "av1"))
    assert ("360p, 240p, 360p-av1, 240p-av1", "at most 25 frames a second") in choices(made)
