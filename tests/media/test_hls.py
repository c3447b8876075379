"""Playlists say what was measured; segments hold what their track holds, bit by bit."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media import cmaf, hls
from smmu.adapters.media.segments import KeyPicture, Output, Segment, Segmenter


def piece(seconds: float | Fraction, size: int) -> hls.Piece:
    return hls.Piece(name="seg.m4s", duration=Fraction(seconds), size=size)


def rung(name: str, bps: int, **told: Any) -> hls.Track:
    pieces, keys = [piece(6, bps * 6 // 8)] * 2, [replace(piece(2, bps // 8), offset=24)] * 6
    return hls.Track(folder=name, codecs="avc1.64001f", ticks=30_000, pieces=pieces, keys=keys, **told)


def test_the_peak_is_that_of_any_run_of_half_to_one_and_a_half_targets() -> None:
    pieces = [piece(6, 600_000), piece(6, 1_200_000), piece(2, 900_000)]
    # The last alone (2 s) is too short to count; with the one before it (8 s) it is a run.
    assert hls.peak_bps(pieces, 6) == 2_100_000 * 8 / 8
    assert hls.average_bps(pieces) == -(-2_700_000 * 8 // 14)


def test_a_clip_shorter_than_half_a_target_peaks_at_its_average() -> None:
    short = [piece(Fraction(1, 25), 5_000)]
    assert hls.peak_bps(short, 1) == hls.average_bps(short) == 1_000_000


@given(st.lists(st.tuples(st.fractions(Fraction(1, 50), 12), st.integers(1, 10**7)), min_size=1, max_size=20))
def test_the_peak_is_never_below_the_average_and_no_segment_passes_the_target(
    drawn: list[tuple[Fraction, int]],
) -> None:
    pieces = [piece(seconds, size) for seconds, size in drawn]
    target = hls.target_seconds(pieces)
    assert hls.peak_bps(pieces, target) >= hls.average_bps(pieces)
    assert all(int(one.duration + Fraction(1, 2)) <= target for one in pieces)


def test_tracks_that_are_played_together_have_one_target() -> None:
    assert hls.target_seconds([piece(1.4, 1)], [piece(1.6, 1)]) == 2
    assert hls.target_seconds([piece(0.01, 1)]) == 1


def test_a_multivariant_playlist_begins_with_two_megabits_and_includes_the_sound_in_every_rate() -> None:
    rungs = [
        rung("240p", 400_000, width=426, height=240, frame_rate=Fraction(30000, 1001)),
        rung("720p", 1_900_000, width=1280, height=720),
        rung("1080p", 6_000_000, width=1920, height=1080),
    ]
    sounds = [
        hls.Track(folder=folder, codecs="mp4a.40.2", ticks=48_000, pieces=[piece(6, 96_000)], channels=2, name=name,
                  language=language)
        for folder, name, language in (("audio/a", "Sound", ""), ("audio/b", "Ton", "de"))
    ]  # fmt: skip
    lines = hls.multivariant_playlist(rungs, sounds).splitlines()
    assert lines[:3] == ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    assert lines[3:5] == [
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/a/playlist.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Ton",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="audio/b/playlist.m3u8"',
    ]
    assert lines[5:11] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=2028000,AVERAGE-BANDWIDTH=2028000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,VIDEO-RANGE=SDR,AUDIO="audio",CLOSED-CAPTIONS=NONE',
        "720p/playlist.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=6128000,AVERAGE-BANDWIDTH=6128000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1920x1080,VIDEO-RANGE=SDR,AUDIO="audio",CLOSED-CAPTIONS=NONE',
        "1080p/playlist.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=528000,AVERAGE-BANDWIDTH=528000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=426x240,FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO="audio",CLOSED-CAPTIONS=NONE',
        "240p/playlist.m3u8",
    ]
    assert lines[11:] == [
        f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={bps},AVERAGE-BANDWIDTH={bps},CODECS="avc1.64001f",RESOLUTION={size},VIDEO-RANGE=SDR,URI="{name}/keyframes.m3u8"'
        for name, bps, size in (("1080p", 3_000_000, "1920x1080"), ("720p", 950_000, "1280x720"), ("240p", 200_000, "426x240"))
    ]  # fmt: skip


def heard(folder: str, channels: int, name: str, **told: Any) -> hls.Track:
    whole = [piece(6, 96_000 if channels < 6 else 192_000)]
    return hls.Track(
        folder=folder, codecs="mp4a.40.2", ticks=48_000, pieces=whole, channels=channels, name=name, **told
    )


def test_every_group_of_sounds_has_the_same_members_and_every_rung() -> None:
    sounds = [heard("a", 2, "English", language="en"), heard("b", 6, "English", language="en"), heard("c", 1, "Ton")]
    lines = hls.multivariant_playlist([rung("240p", 400_000), rung("720p", 1_900_000)], sounds).splitlines()
    media = [line for line in lines if line.startswith("#EXT-X-MEDIA:")]
    assert [line.partition(",")[2].replace(",DEFAULT=", "|").partition("|")[0] for line in media] == [
        f'GROUP-ID="{group}",NAME="{name}",LANGUAGE="{language}"'
        for group in ("audio", "surround")
        for name, language in (("English", "en"), ("Ton", "und"))
    ]
    assert [line.rpartition(",CHANNELS=")[2] for line in media] == [
        f'"{channels}",URI="{folder}/playlist.m3u8"' for channels, folder in ((2, "a"), (1, "c"), (6, "b"), (1, "c"))
    ]
    assert [line.count("DEFAULT=YES") for line in media] == [1, 0, 1, 0]
    variants = [line for line in lines if line.startswith("#EXT-X-STREAM-INF:")]
    # Those with stereo are first: a player that knows of no groups takes one of them. 5.1 costs what 5.1 costs.
    assert [line.split(":")[1].split(",")[0] for line in variants] == [
        f"BANDWIDTH={bps}" for bps in (2_028_000, 528_000, 2_156_000, 656_000)
    ]
    assert [line.rpartition("AUDIO=")[2].split(",")[0] for line in variants] == ['"audio"'] * 2 + ['"surround"'] * 2


def test_a_commentary_is_chosen_by_nobody_but_a_person_and_a_description_says_what_it_is() -> None:
    sounds = [heard("a", 2, "A"), heard("b", 2, "B", purpose="commentary"), heard("c", 2, "C", purpose="description")]
    media = hls.multivariant_playlist([rung("240p", 400_000)], sounds).splitlines()[3:6]
    assert ["AUTOSELECT=YES" in line for line in media] == [True, False, True]
    assert ['CHARACTERISTICS="public.accessibility.describes-video"' in line for line in media] == [False, False, True]


def test_players_begin_with_what_all_of_them_show() -> None:
    rungs = [replace(rung("720p-av1", 2_000_000), codecs="av01.0.05M.08"), rung("720p", 3_000_000)]
    told = hls.multivariant_playlist(rungs, []).splitlines()
    assert [line for line in told if not line.startswith("#")] == ["720p/playlist.m3u8", "720p-av1/playlist.m3u8"]


@given(st.lists(st.fractions(Fraction(1, 50), 12), min_size=1, max_size=20), st.fractions(Fraction(1, 50), 12))
def test_keyframes_are_shown_one_after_the_other_until_the_end(gaps: list[Fraction], last: Fraction) -> None:
    starts = [sum(gaps[:index], Fraction(0)) for index in range(len(gaps))]
    keys = [("seg.m4s", KeyPicture(start=start, offset=24, size=9)) for start in starts]
    end = starts[-1] + last
    assert [one.duration for one in hls.key_pieces(keys, end)] == [*gaps[:-1], last]


def test_a_playlist_of_keyframes_says_so_and_names_bytes() -> None:
    told = hls.media_playlist([replace(piece(2, 900), offset=24)], 2, keys_only=True).splitlines()
    assert "#EXT-X-I-FRAMES-ONLY" in told
    assert told[-4:] == ["#EXTINF:2.000000,", "#EXT-X-BYTERANGE:900@24", "seg.m4s", "#EXT-X-ENDLIST"]
    assert "#EXT-X-I-FRAMES-ONLY" not in hls.media_playlist([piece(2, 900)], 2)


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
    # Each group of pictures is a fragment of its own, which can be shown from its first sample alone.
    assert [key.start for one in found for key in one.keys] == [
        Fraction(sum(steps[:index]), 10) for index in range(0, len(steps), key_every)
    ]
