"""A poster shows something, upright, in exactly the planned size, and tells nothing about its owner."""

from pathlib import Path

import numpy as np
import pytest

from smmu.adapters.media.poster import score
from tests.support import clips
from tests.support.clips import FAST, make, render

pytestmark = pytest.mark.media


def lavfi(description: str, seconds: float) -> list[str]:
    return ["-f", "lavfi", "-t", str(seconds), "-i", description]


def test_a_black_opening_is_passed_over(tmp_path: Path) -> None:
    late = "testsrc2=s=320x240:r=10,drawbox=0:0:320:240:black:fill:enable='lt(t,7)'"
    source = make(tmp_path / "s.mp4", *lavfi(late, 12), *FAST, "-g", "10")
    made = render(source, tmp_path / "o", "poster")
    assert made["poster"].proof.ok
    assert clips.pictures(made.path("poster"), 320, 240).std() > 30


def test_an_end_in_white_and_a_start_in_black_leave_the_middle(tmp_path: Path) -> None:
    middle = "testsrc2=s=320x240:r=10,drawbox=0:0:320:240:black:fill:enable='lt(t,2)',drawbox=0:0:320:240:white:fill:enable='gt(t,3)'"
    source = make(tmp_path / "s.mkv", *lavfi(middle, 6), *FAST, "-g", "5")
    made = render(source, tmp_path / "o", "poster")
    assert clips.pictures(made.path("poster"), 320, 240).std() > 30


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_first_picture_is_taken_when_there_is_hardly_another(tmp_path: Path, frames: int) -> None:
    source = make(tmp_path / "s.mp4", *lavfi("testsrc2=s=320x240:r=25", 1), "-frames:v", str(frames), *FAST)
    made = render(source, tmp_path / "o", "poster")
    assert made["poster"].proof.ok
    assert clips.pictures(made.path("poster"), 320, 240).std() > 30


def test_a_picture_with_other_than_square_pixels_is_shown_in_its_true_shape(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", *lavfi("testsrc2=s=352x288:r=25,setsar=16/11", 1), *FAST)
    shown = clips.stream(render(source, tmp_path / "o", "poster").path("poster"), "v")
    assert (shown["width"], shown["height"]) == (512, 288)


def test_a_stream_that_cannot_seek_still_gets_one(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mpg", *lavfi("testsrc2=s=320x240:r=25", 2), "-c:v", "mpeg1video", "-g", "100")
    made = render(source, tmp_path / "o", "poster")
    assert made["poster"].proof.ok


def test_no_metadata_is_stored(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", *lavfi("testsrc2=s=320x240:r=25", 1), *FAST, "-metadata", "location=+48+002/")
    data = render(source, tmp_path / "o", "poster").path("poster").read_bytes()
    assert data.startswith(b"\xff\xd8")
    assert not any(word in data for word in (b"Exif", b"http://ns.adobe.com", b"ICC_PROFILE", b"+48+002"))


def test_scores_put_pictures_before_flat_ones_and_flat_before_black() -> None:
    random = np.random.default_rng(1)
    busy = random.integers(0, 256, (54, 96), dtype=np.uint8)
    dim = (busy // 6).astype(np.uint8)
    flat = np.full((54, 96), 128, np.uint8)
    night = np.where(random.random((54, 96)) > 0.9, 200, 5).astype(np.uint8)
    black = np.zeros((54, 96), np.uint8)
    assert score(busy) > score(night) > score(dim) >= score(black)
    assert score(busy) > score(flat) >= score(black)
