"""Playlists say what was measured; segments hold what their track holds, bit by bit."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media import cmaf, hls
from smmu.adapters.media.segments import Output, Segment, Segmenter
from tests.support import clips
from tests.support.clips import FAST, make, render


def piece(seconds: float | Fraction, size: int) -> hls.Piece:
    return hls.Piece(name="seg.m4s", duration=Fraction(seconds), size=size)


def test_the_peak_is_that_of_any_run_of_half_to_one_and_a_half_targets() -> None:
    pieces = [piece(6, 600_000), piece(6, 1_200_000), piece(2, 900_000)]
    # The last alone (2 s) is too short to count; with the one before it (8 s) it is a run.
    assert hls.peak_bps(pieces) == 2_100_000 * 8 / 8
    assert hls.average_bps(pieces) == -(-2_700_000 * 8 // 14)


def test_a_clip_shorter_than_half_a_target_peaks_at_its_average() -> None:
    assert (
        hls.peak_bps([piece(Fraction(1, 25), 5_000)]) == hls.average_bps([piece(Fraction(1, 25), 5_000)]) == 1_000_000
    )


@given(st.lists(st.tuples(st.fractions(Fraction(1, 50), 12), st.integers(1, 10**7)), min_size=1, max_size=20))
def test_the_peak_is_never_below_the_average_and_no_segment_passes_the_target(
    drawn: list[tuple[Fraction, int]],
) -> None:
    pieces = [piece(seconds, size) for seconds, size in drawn]
    assert hls.peak_bps(pieces) >= hls.average_bps(pieces)
    target = hls.target_seconds(pieces)
    assert all(int(one.duration + Fraction(1, 2)) <= target for one in pieces)


def test_a_multivariant_playlist_lists_the_best_first_and_includes_the_sound_in_every_rate() -> None:
    rungs = [
        hls.Stream(uri="240p/p.m3u8", codecs="avc1.64000d", peak_bps=200, average_bps=100, width=426, height=240,
                   frame_rate=Fraction(30000, 1001)),
        hls.Stream(uri="720p/p.m3u8", codecs="avc1.64001f", peak_bps=2000, average_bps=1000, width=1280, height=720),
    ]  # fmt: skip
    sound = hls.Stream(uri="a.m3u8", codecs="mp4a.40.2", peak_bps=20, average_bps=10, channels=2, name="Sound")
    lines = hls.multivariant_playlist(rungs, [sound]).splitlines()
    assert lines[3] == (
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a.m3u8"'
    )
    assert lines[4:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=2020,AVERAGE-BANDWIDTH=1010,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,VIDEO-RANGE=SDR,AUDIO="audio"',
        "720p/p.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=220,AVERAGE-BANDWIDTH=110,CODECS="avc1.64000d,mp4a.40.2",RESOLUTION=426x240,FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO="audio"',
        "240p/p.m3u8",
    ]


def test_units_are_found_behind_short_and_long_start_codes() -> None:
    stream = b"\0\0\0\1\x67abc\0\0\1\x68de\0\0\0\1\x65" + b"f" * 9
    assert cmaf.nal_units(stream) == [b"\x67abc", b"\x68de", b"\x65" + b"f" * 9]
    assert cmaf.length_prefixed(b"\0\0\1\x65f") == b"\0\0\0\2\x65f"


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60),
    st.integers(2, 12),
)
def test_segments_follow_each_other_without_gap_or_overlap(steps: list[int], key_every: int) -> None:
    found: list[Segment] = []
    output = Output(root=Path(), folder=None, emit=found.append)
    header = cmaf.TrackHeader(entry=b"", timescale=10, width=2, height=2)
    segmenter = Segmenter(output, seconds=Fraction(6), timescale=10, header=lambda _: header)
    at = 0
    for index, step in enumerate(steps):
        segmenter.add(cmaf.Sample(b"x", at, at, index % key_every == 0))
        at += step
    segmenter.close(at)
    assert found[0].start == 0
    assert sum(one.duration for one in found) == Fraction(at, 10)
    for before, after in pairwise(found):
        assert before.start + before.duration == after.start
        assert after.packets[0].key
        # A cut is made at the first keyframe of a six-second cell, and only there.
        assert after.start // 6 > before.start // 6
    assert sum(len(one.packets) for one in found) == len(steps)


@pytest.mark.media
def test_the_multivariant_playlist_describes_what_the_streams_are(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "7", "-i", "testsrc2=s=640x360:r=25", "-f", "lavfi", "-i",
                  "sine=f=440:r=48000:d=7", *FAST)  # fmt: skip
    made = render(source, tmp_path / "o", "video")
    master = made.path("hls")
    lines = master.read_text().splitlines()
    variants = [(attributes(line), lines[number + 1]) for number, line in enumerate(lines) if "STREAM-INF" in line]
    assert len(variants) == 2
    for told, uri in variants:
        playlist = master.parent / uri
        shown = clips.stream(playlist, "v")
        assert told["RESOLUTION"] == f"{shown['width']}x{shown['height']}"
        assert told["CODECS"] == f'"avc1.6400{shown["level"]:02x},mp4a.40.2"'
        assert told["FRAME-RATE"] == "25.000"
        rates = [
            sum(rate)
            for rate in zip(segment_rates(playlist), segment_rates(master.parent / "audio/playlist.m3u8"), strict=True)
        ]
        assert int(told["BANDWIDTH"]) >= max(rates[:1])
        assert int(told["AVERAGE-BANDWIDTH"]) <= int(told["BANDWIDTH"])


def attributes(line: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in split_outside_quotes(line.split(":", 1)[1]))


def split_outside_quotes(text: str) -> list[str]:
    parts, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"'
        if letter == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def segment_rates(playlist: Path) -> list[float]:
    lines = playlist.read_text().splitlines()
    return [
        (playlist.parent / lines[number + 1]).stat().st_size * 8 / float(line[8:-1])
        for number, line in enumerate(lines)
        if line.startswith("#EXTINF")
    ]
