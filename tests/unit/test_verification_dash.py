"""An MPD against what is listed and what was played: what was just written fits, and each change of it is told."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media import dash, hls
from smmu.domain.text_tracks import Text, in_dash
from smmu.domain.verification import Listed, PlayedTrack
from smmu.domain.verification_dash import complaints, read

FOLDER = "video-1/hls"
LENGTHS = (Fraction(6), Fraction(6), Fraction(5, 2))


def rung(name: str = "240p", lengths: tuple[Fraction, ...] = LENGTHS, above: str = "") -> hls.Track:
    pieces = [hls.Piece(name="seg.m4s", duration=length, size=1_000) for length in lengths]
    return hls.Track(
        folder=above + name, id=name, codecs="avc1.64001f", ticks=30_000, pieces=pieces, width=426, height=240,
        frame_rate=Fraction(30),
    )  # fmt: skip


def listed(name: str = "240p", count: int = 3, seconds: float = 14.5) -> Listed:
    names = ["playlist.m3u8", "init.mp4", *(f"seg-{number:05d}.m4s" for number in range(1, count + 1))]
    return Listed(
        name=name, role="hls-video", files={f"{FOLDER}/{name}/{file}": (9, "0" * 64) for file in names},
        width=426, height=240, duration_s=seconds, codecs="avc1.64001f", measures={},
    )  # fmt: skip


TEXT = Listed(name="subtitles-3", role="subtitles", files={"video-1/subtitles/s.vtt": (9, "0" * 64)}, measures={})
PLAYED = PlayedTrack(
    kind="video", codec="h264", frames=435, undecodable=0, start_s=0.0, end_s=14.5, rising=True, width=426, height=240,
    keyframes=(0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0),
)  # fmt: skip
WRITTEN = dash.manifest([rung(), rung("360p")], [])
KNOWN = [listed(), listed("360p")]


def told(text: str = WRITTEN, known: list[Listed] = KNOWN, played: PlayedTrack = PLAYED) -> list[str]:
    return list(complaints(text, f"{FOLDER}/manifest.mpd", known, {"240p": [played]}))


def test_what_was_just_written_is_about_what_is_there() -> None:
    assert told() == []
    text = Text(name="subtitles-3", path="video-1/subtitles/s.vtt", bitrate_bps=9, title="German")
    moved = in_dash(WRITTEN, "../../video-1/hls/", [(text, "../../video-1/subtitles/s.vtt")])
    assert list(complaints(moved, "publish-1/hls/manifest.mpd", [*KNOWN, TEXT], {})) == []
    assert list(complaints(moved, "publish-1/hls/manifest.mpd", KNOWN, {})) == [
        "it names video-1/subtitles/s.vtt, which the manifest does not list"
    ]


def test_a_rung_that_an_earlier_job_made_is_found_where_it_is() -> None:
    kept = replace(listed(), files={f"job_1-a1/{path}": told for path, told in listed().files.items()})
    text = dash.manifest([rung(above="../../../job_1-a1/video-1/hls/"), rung("360p")], [])
    remade = replace(listed("360p"), files={f"job_2-a1/{path}": told for path, told in listed("360p").files.items()})
    assert list(complaints(text, "job_2-a1/video-1/hls/manifest.mpd", [kept, remade], {})) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('d="75000"', 'd="78000"', "its timeline of 240p lasts 14.600 s and not 14.500 s"),
        (' r="1"', "", "it leaves out 1 of the segments of 240p"),
        (' r="1"', ' r="2"', "it names video-1/hls/240p/seg-00004.m4s, which the manifest does not list"),
        ("avc1.64001f", "avc1.640028", "it says that 240p is avc1.640028, and it is avc1.64001f"),
        ('width="426"', 'width="428"', "it says that 240p is 428 × 240, and it is 426 × 240"),
        ("init.mp4", "begin.mp4", "it names video-1/hls/240p/begin.mp4, which the manifest does not list"),
        ('id="360p"', 'id="240p"', "it does not offer 360p"),
        ("<MPD ", "<!DOCTYPE MPD><MPD ", "its manifest is none"),
        ("<Period", "<Perio", "its manifest is none"),
        ('timescale="30000"', 'timescale="0"', "its manifest is none"),
    ],
)
def test_each_difference_is_told(old: str, new: str, sentence: str) -> None:
    assert old in WRITTEN
    assert sentence in told(WRITTEN.replace(old, new))


def test_a_cut_where_no_keyframe_is_is_told() -> None:
    late = replace(PLAYED, keyframes=(0.0, 2.0, 4.0, 6.04, 8.0, 10.0, 12.0, 14.0))
    assert told(played=late) == ["it cuts 240p at 6.000 s, where no keyframe is"]


@given(st.lists(st.integers(1, 400_000), min_size=1, max_size=12))
def test_what_is_written_is_read_back(lengths: list[int]) -> None:
    durations = tuple(Fraction(length, 30_000) for length in lengths)
    (found,) = read(dash.manifest([rung(lengths=durations)], []), FOLDER)
    assert found.starts == tuple(sum(durations[:at], Fraction(0)) for at in range(len(durations)))
    assert found.seconds == sum(durations)
    assert found.files[0] == "video-1/hls/240p/init.mp4"
    assert found.files[-1] == f"video-1/hls/240p/seg-{len(lengths):05d}.m4s"
