"""A storyboard shows the film at even times, and its WebVTT says where; a preview is short, small and silent."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smmu.domain.manifest import Rendition
from smmu.domain.plan import StoryboardSpec
from tests.support import clips
from tests.support.clips import FAST, Made, failures, make, render
from tests.support.media import clip

pytestmark = pytest.mark.media

# Grey that grows by ten each second: a tile tells its second.
SECONDS = r"color=black:s=160x90:r=10,geq=lum='16+10*floor(T)':cb=128:cr=128"
CUE = re.compile(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)\n")


def film(target: Path, seconds: float, *options: str) -> Path:
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", SECONDS, "-f", "lavfi", "-t", str(seconds), "-i", "sine"]
    return make(target, *inputs, *(options or (*FAST, "-g", "10")))


def board(source: Path, folder: Path, **wishes: float) -> Made:
    return render(source, folder, "poster", **wishes)


def tiles(made: Made) -> list[tuple[float, float, int]]:
    """Of each cue: start, end, and the second that its picture shows."""
    vtt = made.path("storyboard").read_text()
    assert vtt.startswith("WEBVTT\n\n")
    found = []
    for *times, sheet, left, top, width, height in CUE.findall(vtt):
        start, end = (
            int(hour) * 3600 + int(minute) * 60 + float(second) for hour, minute, second in (times[:3], times[3:])
        )
        picture = Image.open(made.path("storyboard").parent / sheet).convert("L")
        box = (int(left), int(top), int(left) + int(width), int(top) + int(height))
        light = float(np.asarray(picture.crop(box)).mean())
        found.append((start, end, round(light / 255 * 219 / 10)))
    return found


@pytest.mark.parametrize("keyframe_every", ["5", "1000"])
def test_each_tile_shows_its_time(tmp_path: Path, keyframe_every: str) -> None:
    made = board(film(tmp_path / "s.mp4", 12, *FAST, "-g", keyframe_every), tmp_path / "o")
    assert failures(made) == []
    found = tiles(made)
    assert [tile[:2] for tile in found] == [(second, second + 1) for second in range(12)]
    assert [tile[2] for tile in found] == list(range(12))
    assert made["storyboard"].proof.measures["decoded_all"] == (keyframe_every == "1000")
    assert [file.content_type for file in made["storyboard"].files] == ["text/vtt", "image/webp"]


def shown(made: Made) -> list[int]:
    return [round(float(picture.mean()) / 255 * 219 / 10) for picture in clips.pictures(made.path("preview"), 16, 9)]


def test_a_keyframe_every_two_seconds_tells_a_short_film(tmp_path: Path) -> None:
    """Also where the sound goes on for a moment, which is one more tile and no more pictures."""
    sound = ("-f", "lavfi", "-t", "10.01", "-i", "sine", *FAST, "-g", "20", "-c:a", "aac")
    made = board(make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "10", "-i", SECONDS, *sound), tmp_path / "o")
    assert failures(made) == []
    assert [tile[2] for tile in tiles(made)] == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 8]
    measures = made["storyboard"].proof.measures
    assert (measures["own_pictures"], measures["decoded_all"]) == (5, 0)
    assert set(shown(made)) == {2, 4, 6, 8}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("s.ts", ["-c:v", "mpeg2video", "-g", "5", "-bf", "2"]),
        ("s.mkv", ["-c:v", "libvpx", "-g", "5", "-deadline", "realtime"]),
        ("s.avi", ["-c:v", "mpeg4", "-g", "5"]),
        ("s.mov", ["-c:v", "mjpeg", "-q:v", "2"]),
    ],
)
def test_every_container_can_be_told_in_pictures(tmp_path: Path, name: str, options: list[str]) -> None:
    made = board(film(tmp_path / name, 5, *options), tmp_path / "o")
    assert failures(made) == []
    seen = [tile[2] for tile in tiles(made)][:5]
    assert seen == sorted(seen)
    # Without an index seeking is inexact, by a group of pictures at most.
    assert all(abs(second - number) <= (name == "s.ts") for number, second in enumerate(seen))


def test_many_tiles_take_several_sheets(tmp_path: Path) -> None:
    source = film(tmp_path / "s.mp4", 5)
    task = clips.plan(source, tmp_path / "o").task("poster")
    small = StoryboardSpec(width=40, height=22, interval=Fraction(1), columns=2, rows=1)
    made = clips.run(source, tmp_path / "o", replace(task, renditions=(small,)))
    assert [file.path for file in made[0].files] == [
        "storyboard/storyboard.vtt", *(f"storyboard/sheet-00{number}.webp" for number in (1, 2, 3))
    ]  # fmt: skip
    assert made[0].proof.ok
    assert [tile[2] for tile in tiles(Made(tmp_path / "o", {"storyboard": made[0]}))] == [0, 1, 2, 3, 4]


def test_without_a_known_length_everything_is_looked_at(tmp_path: Path) -> None:
    source = film(tmp_path / "s.mp4", 5)
    task = replace(clips.plan(source, tmp_path / "o").task("poster"), duration_exact=False, duration_s=500.0)
    made = {one.name: one for one in clips.run(source, tmp_path / "o", task)}
    assert all(one.proof.ok for one in made.values())
    assert [tile[2] for tile in tiles(Made(tmp_path / "o", made))] == [0, 1, 2, 3, 4]


def test_a_storyboard_of_a_clip_shows_nothing_else(tmp_path: Path) -> None:
    made = board(film(tmp_path / "s.mp4", 12), tmp_path / "o", clip_start_s=4.0, clip_end_s=11.0)
    assert failures(made) == []
    assert [tile[2] for tile in tiles(made)] == [4, 5, 6, 7, 8, 9, 10]


def test_a_preview_is_a_few_seconds_from_all_over(tmp_path: Path) -> None:
    made = board(film(tmp_path / "s.mp4", 20), tmp_path / "o")
    assert failures(made) == []
    preview: Rendition = made["preview"]
    assert preview.duration_s == pytest.approx(4.0, abs=0.01)
    seconds = shown(made)
    assert set(seconds) == {2, 7, 12, 17}
    streams = clips.probe(made.path("preview"), "-show_streams")["streams"]
    assert [(one["codec_type"], one["codec_name"], one["height"]) for one in streams] == [("video", "h264", 90)]
    assert clips.plays(made.path("preview")) == ""


@pytest.mark.parametrize(("keyframe_every", "seconds"), [("30", {3, 6, 12, 15}), ("1000", {2, 7, 12, 17})])
def test_a_preview_begins_its_pieces_at_keyframes_where_there_are_some(
    tmp_path: Path, keyframe_every: str, seconds: set[int]
) -> None:
    made = board(film(tmp_path / "s.mp4", 20, *FAST, "-g", keyframe_every), tmp_path / "o")
    assert failures(made) == []
    assert set(shown(made)) == seconds


def test_a_preview_of_a_few_slides_holds_each(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "21", "-i", "testsrc2=s=160x90:r=1/3", *FAST)
    made = board(source, tmp_path / "o")
    assert failures(made) == []
    assert made["preview"].duration_s == pytest.approx(4.0, abs=0.01)
    assert len(clips.packets(made.path("preview"))) in range(4, 9)


def test_a_preview_of_a_clip_shows_nothing_else(tmp_path: Path) -> None:
    made = board(film(tmp_path / "s.mp4", 20), tmp_path / "o", clip_start_s=5.0, clip_end_s=15.0)
    assert failures(made) == []
    assert set(shown(made)) <= set(range(5, 15))


def test_a_portrait_is_shown_upright(tmp_path: Path) -> None:
    source = clip(tmp_path / "s.mp4", seconds=7, size=(160, 90), fps=10, rotation_cw=90, tone=False)
    made = board(source, tmp_path / "o")
    assert failures(made) == []
    assert (made["storyboard"].width, made["storyboard"].height) == (90, 160)
    assert (made["preview"].width, made["preview"].height) == (90, 160)
