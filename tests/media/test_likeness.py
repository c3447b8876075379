"""A rung is measured against what went into its encoder, and another picture does not pass for it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from av.video.frame import VideoFrame

from smmu.adapters.media.likeness import Likeness
from smmu.domain.plan import RungSpec
from tests.support.clips import FAST, failures, make, render

pytestmark = pytest.mark.media

SPEC = RungSpec(name="180p", width=320, height=180, frame_rate_max=Fraction(30), crf=23, bitrate_bps_max=400_000)


Plane = npt.NDArray[np.uint8]


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
    assert judged(same) == [True] * 4
    assert same.measures()["ssim_min"] == 1.0
    assert same.measures()["xpsnr_min_db"] == 100.0
    assert judged(other) == [False] * 4
    assert judged(other, capped=True) == [True, True, False]


def test_one_broken_picture_among_many_is_seen() -> None:
    likeness = Likeness(SPEC, 1000)
    for number in range(30):
        tick = number * 6_000
        likeness.keep(tick, picture(number), key=True)
        likeness.compare(tick, picture(number if number != 17 else 99))
    assert float(likeness.measures()["ssim_mean"]) > 0.95
    assert judged(likeness) == [False, True, False, True]


def coloured(seed: int) -> dict[str, Plane]:
    """Light and colours in blocks, blue and red apart."""
    drawn = np.random.default_rng(seed)
    light = np.kron(drawn.integers(16, 235, (30, 40), dtype=np.uint8), np.ones((6, 8), np.uint8))
    blue, red = (drawn.integers(low, low + 70, (15, 20), dtype=np.uint8) for low in (40, 140))
    return {"y": light, **{name: np.kron(one, np.ones((6, 8), np.uint8)) for name, one in (("u", blue), ("v", red))}}


def shown(planes: dict[str, Plane]) -> VideoFrame:
    rows = [planes[name].reshape(-1, 320) for name in "yuv"]
    return VideoFrame.from_ndarray(np.vstack(rows), format="yuv420p")


FLAT = {name: np.full_like(plane, 128) for name, plane in coloured(0).items()}
SWAPPED = {**coloured(2), "u": coloured(2)["v"], "v": coloured(2)["u"]}


@pytest.mark.parametrize(
    ("damaged", "capped", "seen"),
    [
        (coloured(99), False, True),
        (coloured(99), True, True),
        (SWAPPED, False, True),
        (SWAPPED, True, True),
        (FLAT, False, True),
        (FLAT, True, False),  # which is what is left of noise where there are no bits for it
    ],
)
def test_a_picture_that_is_not_the_one_it_should_be_is_seen(
    damaged: dict[str, Plane], *, capped: bool, seen: bool
) -> None:
    likeness = Likeness(SPEC, 1000)
    for number in range(4):
        likeness.keep(number, shown(coloured(number)), key=number == 0)
    for number in range(4):
        likeness.compare(number, shown(damaged if number == 2 else coloured(number)))
    assert (not all(judged(likeness, capped=capped))) == seen


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


def test_a_film_of_coloured_noise_is_made_although_nothing_of_it_can_be_kept(tmp_path: Path) -> None:
    noise = "nullsrc=s=320x180:r=25,geq=random(1)*255:random(2)*255:random(3)*255"
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "1", "-i", noise, *FAST)
    made = render(source, tmp_path / "o", "video", codecs=("h264", "hevc"))
    assert failures(made) == []
    assert float(made["180p-hevc"].proof.measures["ssim_min"]) < 0.1


def test_a_burst_of_noise_in_a_calm_film_is_judged_by_the_bits_that_it_had(tmp_path: Path) -> None:
    calm = {"lum": 90, "cb": 128, "cr": 128}
    planes = [f"{name}='if(lt(T,1),16+random({n})*219,{flat})'" for n, (name, flat) in enumerate(calm.items())]
    burst = f"nullsrc=s=426x240:r=30,geq={':'.join(planes)}"
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "7", "-i", burst, *FAST)
    made = render(source, tmp_path / "o", "video", codecs=("h264", "hevc", "av1"))
    assert failures(made) == []
    assert float(made["240p"].proof.measures["ssim_min"]) < 0.4


def test_noise_that_goes_on_may_have_the_bits_that_its_encoder_cannot_do_without(tmp_path: Path) -> None:
    planes = [f"{name}='16+gt(random({n}),0.5)*219'" for n, name in enumerate(("lum", "cb", "cr"), start=1)]
    noise = f"nullsrc=s=426x240:r=30,geq={':'.join(planes)}"
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "10", "-i", noise, *FAST)
    made = render(source, tmp_path / "o", "video", codecs=("av1",))
    assert failures(made) == []
