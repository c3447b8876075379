"""A rung is measured against what went into its encoder, and another picture does not pass for it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from smmu.adapters.media.likeness import Likeness
from smmu.domain.plan import RungSpec
from tests.support.clips import FAST, failures, make, render

pytestmark = pytest.mark.media

SPEC = RungSpec(name="180p", width=320, height=180, frame_rate_max=Fraction(30), crf=23, bitrate_bps_max=400_000)


def picture(seed: int, width: int = 320, height: int = 180) -> VideoFrame:
    light = np.random.default_rng(seed).integers(16, 235, (height // 6, width // 8), dtype=np.uint8)
    plane = np.kron(light, np.ones((6, 8), np.uint8))
    return VideoFrame.from_ndarray(np.vstack([plane, np.full((height // 2, width), 128, np.uint8)]), format="yuv420p")


def judged(likeness: Likeness, *, capped: bool = False) -> list[bool]:
    return [check.ok for check in likeness.checks(capped=capped)]


def test_the_same_picture_is_alike_and_another_is_not() -> None:
    same, other = Likeness(SPEC, 1000), Likeness(SPEC, 1000)
    for likeness, shift in ((same, 0), (other, 100)):
        likeness.keep(0, picture(1), key=True)
        likeness.compare(0, picture(1 + shift))
    assert judged(same) == [True, True]
    assert same.measures()["ssim_min"] == 1.0
    assert same.measures()["xpsnr_min_db"] == 100.0
    assert judged(other) == [False, False]


def test_one_broken_picture_among_many_is_seen() -> None:
    likeness = Likeness(SPEC, 1000)
    for number in range(30):
        tick = number * 6_000
        likeness.keep(tick, picture(number), key=True)
        likeness.compare(tick, picture(number if number != 17 else 99))
    assert float(likeness.measures()["ssim_mean"]) > 0.95
    assert judged(likeness) == [False, True]


def test_pictures_from_the_start_of_each_segment_are_kept_and_no_others() -> None:
    likeness = Likeness(SPEC, 1000)
    for tick in range(0, 13_000, 500):
        likeness.keep(tick, picture(1), key=tick % 2_000 == 0)
    for tick in range(0, 13_000, 500):
        likeness.compare(tick, picture(1))
    assert likeness.measures()["compared_pictures"] == 4 + 4 + 2


def test_tiny_pictures_are_not_compared() -> None:
    likeness = Likeness(
        RungSpec(name="t", width=32, height=18, frame_rate_max=Fraction(30), crf=23, bitrate_bps_max=1), 1000
    )
    likeness.keep(0, picture(1, 32, 18), key=True)
    likeness.compare(0, picture(1, 32, 18))
    assert (judged(likeness), likeness.measures()) == ([], {})


@pytest.mark.parametrize(
    "shown",
    ["testsrc2=s=320x180:r=25", "color=black:s=320x180:r=25", "nullsrc=s=320x180:r=25,geq=random(1)*255:128:128"],
)
def test_whatever_is_shown_every_rung_is_measured_and_keeps_to_its_cap(tmp_path: Path, shown: str) -> None:
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "1", "-i", shown, *FAST)
    made = render(source, tmp_path / "o", "video", codecs=("h264", "hevc", "av1"))
    assert failures(made) == []
    for name in ("180p", "180p-hevc", "180p-av1"):
        assert made[name].proof.measures["compared_pictures"] == 4, name
        assert any(check.name == "bits" for check in made[name].proof.checks)
