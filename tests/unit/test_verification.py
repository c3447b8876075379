"""What was played against what was listed: every difference is a sentence, and no difference is none."""

import json
import struct
from dataclasses import replace

import pytest

from smmu.domain.peaks import peaks_complaint
from smmu.domain.plan import Role
from smmu.domain.verification import (
    Listed,
    PlayedTrack,
    complaints,
    cues_complaint,
    grid_complaint,
    is_picture,
    is_played,
    offer_complaint,
    playlist_complaints,
    segments_complaint,
)

PICTURES = PlayedTrack(
    kind="video", codec="h264", frames=100, undecodable=0, start_s=0.0, end_s=4.0, rising=True, width=426, height=240,
    keyframes=(0.0, 2.0),
)  # fmt: skip
SOUND = PlayedTrack(kind="audio", codec="aac", frames=188, undecodable=0, start_s=0.0, end_s=4.02, rising=True)
LISTED = Listed(
    name="mp4", role="mp4", files={"a/film.mp4": (9, "0" * 64)}, width=426, height=240, duration_s=4.0,
    codecs="avc1.64001f,mp4a.40.2", measures={"frames": 100, "keyframes": 2},
)  # fmt: skip


def test_what_is_as_listed_gets_no_complaint() -> None:
    assert list(complaints(LISTED, [PICTURES, SOUND])) == []


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        (replace(PICTURES, undecodable=3), "3 packets of its video do not decode"),
        (replace(PICTURES, rising=False), "the times of its video do not rise"),
        (replace(PICTURES, width=424), "its pictures are 424 × 240 and not 426 × 240"),
        (replace(PICTURES, frames=99), "99 pictures decode and not 100"),
        (replace(PICTURES, keyframes=(0.0,)), "it has 1 keyframes and not 2"),
        (replace(PICTURES, end_s=5.0), "it lasts 5.000 s and not 4.000 s"),
        (replace(PICTURES, codec="hevc"), "it holds hevc, aac and not h264, aac"),
    ],
)
def test_each_difference_is_told(pictures: PlayedTrack, sentence: str) -> None:
    assert list(complaints(LISTED, [pictures, SOUND])) == [sentence]


def test_samples_that_are_missing_are_told_where_their_number_is_listed() -> None:
    listed = replace(LISTED, codecs="mp3", measures={"samples": 176_400})
    played = replace(SOUND, codec="mp3", end_s=4.0, samples=176_400)
    assert list(complaints(listed, [played])) == []
    sentence = "175000 samples of sound decode and not 176400"
    assert list(complaints(listed, [replace(played, samples=175_000)])) == [sentence]


def test_a_track_that_is_gone_is_told() -> None:
    assert next(complaints(LISTED, [])) == "it holds nothing and not h264, aac"


def test_rungs_switch_where_their_keyframes_agree() -> None:
    assert grid_complaint(LISTED, PICTURES, PICTURES) is None
    assert "cannot be switched to" in (grid_complaint(LISTED, replace(PICTURES, keyframes=(0.0, 2.04)), PICTURES) or "")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:6,\nseg-1.m4s\n', None),
        ('#EXTM3U\n#EXT-X-MAP:URI="other.mp4"\n', "its playlist names other.mp4, which the manifest does not list"),
        ('#EXTM3U\n#EXT-X-MEDIA:URI="../240p/seg-1.m4s"\n../../hls/240p/seg-1.m4s\n', None),
        ("#EXTM3U\n../../../seg\n", "its playlist names ../../../seg, which the manifest does not list"),
        ("#EXTM3U\nseg-2.m4s\n", "its playlist names seg-2.m4s, which the manifest does not list"),
        ("", "its playlist is none"),
        ("seg-1.m4s", "its playlist is none"),
    ],
)
def test_a_playlist_names_what_is_listed(text: str, complaint: str | None) -> None:
    there = frozenset({"hls/240p/init.mp4", "hls/240p/seg-1.m4s"})
    assert next(playlist_complaints(text, "hls/240p/", there), None) == complaint


RUNG = Listed(
    name="240p", role="hls-video", files={"hls/a.m3u8": (9, ""), "hls/1.m4s": (9, ""), "hls/2.m4s": (9, "")},
    duration_s=8.5, measures={},
)  # fmt: skip
WHOLE = "#EXTM3U\n#EXTINF:6.000000,\n1.m4s\n#EXTINF:2.500000,\n2.m4s\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (WHOLE, ""),
        (WHOLE.replace("2.m4s", "1.m4s"), "its playlist leaves out 1 of its segments"),
        (WHOLE.replace("2.5", "3.5"), "its playlist lasts 9.500 s and not 8.500 s"),
    ],
)
def test_a_tracks_playlist_is_all_of_it(text: str, complaint: str) -> None:
    assert segments_complaint(text, "hls/", RUNG) == complaint


def test_a_playlist_that_players_open_offers_every_track() -> None:
    assert offer_complaint({"hls/a.m3u8"}, [RUNG, LISTED]) == ""
    assert offer_complaint({"hls/b.m3u8"}, [RUNG, LISTED]) == "it does not offer 240p"


@pytest.mark.parametrize(
    ("times", "complaint"),
    [
        ("00:00:01.000 --> 00:00:02.000\na\n\n00:00:02.000 --> 00:00:03.000\nb\n", ""),
        ("00:00:01.000 --> 00:00:02.000\na\n", "it has 1 cues and not 2"),
        (
            "00:00:02.000 --> 00:00:03.000\na\n\n00:00:01.000 --> 00:00:02.000\nb\n",
            "its cues are not in the order of their times",
        ),
        ("00:00:01.000 --> 00:00:02.000\na\n\n00:00:02.000 --> 00:00:02.000\nb\n", "a cue of it lasts no time"),
    ],
)
def test_a_text_has_its_cues_in_order(times: str, complaint: str) -> None:
    text = Listed(name="subtitles-2", role="subtitles", files={}, measures={"cues": 2})
    assert cues_complaint(f"WEBVTT\n\n{times}", text) == complaint


def test_every_role_is_looked_at_in_its_way() -> None:
    played = {role for role in Role if is_played(role)}
    assert played == {Role.HLS_VIDEO, Role.HLS_AUDIO, Role.MP4, Role.AUDIO, Role.PREVIEW, Role.LOOP}
    pictures = {role for role in Role if is_picture(replace(LISTED, role=role, width=None))}
    assert pictures == {Role.IMAGE, Role.CROP, Role.COVER, Role.POSTER}
    assert is_picture(replace(LISTED, role=Role.WAVEFORM))
    texts = {Role.HLS, Role.DASH, Role.STORYBOARD, Role.WAVEFORM, Role.SUBTITLES, Role.CAPTIONS, Role.TRANSCRIPT}
    texts |= {Role.CHAPTERS}
    assert set(Role) - {Role.CHUNK} == played | pictures | texts, "nobody gets a chunk"


BINARY = struct.pack("<iIiiIi4b", 2, 1, 8000, 80, 2, 1, -1, 1, -2, 2)
JSON = {"version": 2, "channels": 1, "sample_rate": 8000, "samples_per_pixel": 80, "bits": 8, "length": 2,
        "data": [-1, 1, -2, 2]}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "binary", "complaint"),
    [
        (BINARY, True, ""),
        (struct.pack("<iIiiIi4h", 2, 0, 8000, 80, 2, 1, -1, 1, -2, 2), True, ""),
        (BINARY[:-1], True, "it holds 3 numbers and not 4"),
        (BINARY[:20], True, "it is not written as a waveform is"),
        (b"\1" + BINARY[1:], True, "its header is not that of a waveform of version 2"),
        (struct.pack("<iIiiIi2b", 2, 1, 8000, 80, 1, 1, -1, 1), True, "it has 1 pixels and not 2"),
        (json.dumps(JSON).encode(), False, ""),
        (json.dumps(JSON | {"length": 1}).encode(), False, "it holds 4 numbers and not 2"),
        (json.dumps(JSON | {"sample_rate": 0}).encode(), False, "its header is not that of a waveform of version 2"),
        (b"{}", False, "it is not written as a waveform is"),
        (b"[1]", False, "it is not written as a waveform is"),
        (b"{", False, "it is not written as a waveform is"),
    ],
)
def test_peaks_are_as_their_format_has_them(data: bytes, binary: bool, complaint: str) -> None:  # noqa: FBT001
    assert peaks_complaint(data, binary=binary, pixels=2) == complaint
