"""Text tracks come along as WebVTT in time with the picture; chapters are told in the manifest."""

from pathlib import Path

import pytest

from smmu.domain.facts import Chapter
from smmu.domain.options import Options
from tests.support import clips
from tests.support.clips import FAST, failures, make, render

pytestmark = pytest.mark.media

SAID = """1
00:00:00,500 --> 00:00:01,500
<i>Hello</i> & you
- second line

2
00:00:02,000 --> 00:00:03,000
{\\an8}Grüße --> alle

"""
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=2000
title=One
[CHAPTER]
TIMEBASE=1/1000
START=2000
END=4000
title=Zwei ü
"""


def spoken(target: Path, *options: str) -> Path:
    folder = target.parent
    (folder / "said.srt").write_text(SAID, encoding="utf-8")
    (folder / "chapters.txt").write_text(CHAPTERS, encoding="utf-8")
    inputs = ["-f", "lavfi", "-t", "4", "-i", "testsrc2=s=160x90:r=10", "-i", str(folder / "said.srt")]
    tags = ["-i", str(folder / "chapters.txt"), "-map", "0", "-map", "1", "-map_metadata", "2"]
    return make(target, *inputs, *tags, "-metadata:s:s:0", "language=ger", *options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("s.mp4", [*FAST, "-c:s", "mov_text"]),
        ("s.mkv", [*FAST, "-c:s", "srt"]),
        ("t.mkv", [*FAST, "-c:s", "ass", "-output_ts_offset", "7"]),
        ("s.webm", ["-c:v", "libvpx", "-deadline", "realtime", "-c:s", "webvtt"]),
    ],
)
def test_text_of_every_format_becomes_webvtt(tmp_path: Path, name: str, options: list[str]) -> None:
    made = render(spoken(tmp_path / name, *options), tmp_path / "o", "video")
    assert failures(made) == []
    assert made["subtitles-1"].language == "de"
    assert made.path("subtitles-1").read_text(encoding="utf-8") == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:00:00.500 --> 00:00:01.500\nHello &amp; you\n- second line\n\n"
        "00:00:02.000 --> 00:00:03.000\nGrüße --&gt; alle\n"
    )
    shown = clips.packets(made.path("subtitles-1"), "s")
    assert [(packet["pts_time"], packet["duration_time"]) for packet in shown] == [
        ("0.500000", "1.000000"),
        ("2.000000", "1.000000"),
    ]


def test_a_clip_has_what_is_said_in_it(tmp_path: Path) -> None:
    source = spoken(tmp_path / "s.mkv", *FAST, "-c:s", "srt")
    made = render(source, tmp_path / "o", "video", clip_start_s=1.0, clip_end_s=2.5)
    times = [line for line in made.path("subtitles-1").read_text(encoding="utf-8").splitlines() if " --> " in line]
    assert times == ["00:00:00.000 --> 00:00:00.500", "00:00:01.000 --> 00:00:01.500"]


def test_chapters_are_found_with_their_titles(tmp_path: Path) -> None:
    found = clips.inspect(spoken(tmp_path / "s.mkv", *FAST, "-c:s", "srt"), tmp_path / "o")
    assert found.chapters == (
        Chapter(start_s=0.0, end_s=2.0, title="One"),
        Chapter(start_s=2.0, end_s=4.0, title="Zwei ü"),
    )


def test_chapters_are_a_file_that_players_make_a_menu_of(tmp_path: Path) -> None:
    source = spoken(tmp_path / "s.mkv", *FAST, "-c:s", "srt")
    made = render(source, tmp_path / "o", "poster")
    assert failures(made) == []
    assert made.path("chapters").read_text(encoding="utf-8") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nOne\n\n00:00:02.000 --> 00:00:04.000\nZwei ü\n"
    )
    assert ("chapters", "made as WebVTT") in {
        (one.subject, one.choice) for one in clips.plan(source, tmp_path).decisions
    }


@pytest.mark.parametrize(
    ("start", "end", "times"),
    [
        (1.0, 3.5, ["00:00:00.000 --> 00:00:01.000", "00:00:01.000 --> 00:00:02.500"]),
        (2.5, None, ["00:00:00.000 --> 00:00:01.500"]),
    ],
)
def test_a_clip_has_the_chapters_that_are_in_it(
    tmp_path: Path, start: float, end: float | None, times: list[str]
) -> None:
    source = spoken(tmp_path / "s.mkv", *FAST, "-c:s", "srt")
    made = render(source, tmp_path / "o", "poster", clip_start_s=start, clip_end_s=end)
    told = made.path("chapters").read_text(encoding="utf-8")
    assert [line for line in told.splitlines() if " --> " in line] == times


def test_what_has_no_chapters_and_what_is_the_least_owe_none(tmp_path: Path) -> None:
    source = spoken(tmp_path / "s.mkv", *FAST, "-c:s", "srt")
    names = [
        spec.name for spec in clips.plan(source, tmp_path, Options(preset="preview-only")).task("poster").renditions
    ]
    assert "chapters" not in names


def test_a_sound_with_chapters_has_them_too(tmp_path: Path) -> None:
    (tmp_path / "chapters.txt").write_text(CHAPTERS, encoding="utf-8")
    tone = ["-f", "lavfi", "-t", "4", "-i", "sine=r=48000", "-i", str(tmp_path / "chapters.txt"), "-map", "0"]
    source = make(tmp_path / "s.m4a", *tone, "-map_metadata", "1", "-c:a", "aac")
    made = render(source, tmp_path / "o", clip_start_s=1.0)
    assert failures(made) == []
    times = [line for line in made.path("chapters").read_text(encoding="utf-8").splitlines() if " --> " in line]
    assert times == ["00:00:00.000 --> 00:00:01.000", "00:00:01.000 --> 00:00:03.000"]
    assert ("chapters", "made as WebVTT") in {
        (one.subject, one.choice) for one in clips.plan(source, tmp_path).decisions
    }
