"""The DASH manifest: what the standard asks of its structure, durations to the tick, a buffer that suffices."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media import dash, hls

DASH = "{urn:mpeg:dash:schema:mpd:2011}"
TICKS = 30_000
# ISO/IEC 23009-1: what each element may hold, in this order, and what it has to say.
CHILDREN = {
    "MPD": ["Period"],
    "Period": ["AdaptationSet"],
    "AdaptationSet": ["Label", "Accessibility", "Role", "SegmentTemplate", "Representation"],
    "SegmentTemplate": ["SegmentTimeline"],
    "SegmentTimeline": ["S"],
    "Representation": ["AudioChannelConfiguration"],
}
DURATION = r"PT\d+(\.\d{1,6})?S"
SAYS = {
    "MPD": {"profiles": r"urn:\S+", "type": "static", "mediaPresentationDuration": DURATION, "minBufferTime": DURATION},
    "Period": {"id": r"\d+", "start": "PT0S"},
    "AdaptationSet": {"contentType": "video|audio", "mimeType": r"(video|audio)/mp4", "segmentAlignment": "true"},
    "Label": {},
    "Accessibility": {"schemeIdUri": r"urn:\S+", "value": "1"},
    "Role": {"schemeIdUri": r"urn:\S+", "value": r"main|alternate|dub|commentary|description"},
    "SegmentTemplate": {"timescale": r"[1-9]\d*", "initialization": r"\S+", "media": r"\S*\$Number%05d\$\S*"},
    "SegmentTimeline": {},
    "S": {"d": r"[1-9]\d*"},
    "Representation": {"id": r"\S+", "bandwidth": r"[1-9]\d*", "codecs": r"(avc1|mp4a)\.\S+"},
    "AudioChannelConfiguration": {"schemeIdUri": r"urn:\S+", "value": r"[1-9]"},
}

ticks = st.lists(st.tuples(st.integers(1, 400_000), st.integers(1, 10**7)), min_size=1, max_size=20)


def pieces(drawn: list[tuple[int, int]]) -> list[hls.Piece]:
    return [hls.Piece(name="seg.m4s", duration=Fraction(length, TICKS), size=size) for length, size in drawn]


def rung(drawn: list[tuple[int, int]], name: str = "720p") -> hls.Track:
    return hls.Track(
        folder=name, codecs="avc1.64001f", ticks=TICKS, pieces=pieces(drawn), width=1280, height=720, frame_rate=Fraction(30000, 1001)
    )  # fmt: skip


def sound(language: str = "", name: str = "", channels: int = 2, purpose: str = "") -> hls.Track:
    whole = [hls.Piece(name="seg.m4s", duration=Fraction(288_768, 48_000), size=96_000)]
    return hls.Track(
        folder="audio", codecs="mp4a.40.2", ticks=48_000, pieces=whole, channels=channels, language=language,
        name=name, purpose=purpose,
    )  # fmt: skip


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())


@given(ticks)
def test_the_manifest_is_built_as_the_standard_says(drawn: list[tuple[int, int]]) -> None:
    root = parsed(dash.manifest([rung(drawn), rung(drawn, "360p")], [sound(), sound("de", "Ton", 6, "description")]))
    for element in root.iter():
        name = element.tag.removeprefix(DASH)
        assert element.tag.startswith(DASH)
        order = [child.tag.removeprefix(DASH) for child in element]
        assert order == sorted(order, key=CHILDREN.get(name, []).index), name
        for attribute, pattern in SAYS[name].items():
            assert re.fullmatch(pattern, element.attrib[attribute]), (name, attribute)
    ids = [found.attrib["id"] for found in root.iter(f"{DASH}AdaptationSet")]
    assert ids == ["0", "1", "2"]
    assert [found.attrib.get("lang") for found in root.iter(f"{DASH}AdaptationSet")] == [None, None, "de"]


def test_each_sound_says_what_it_is_to_the_film() -> None:
    sounds = [sound("en", "English"), sound("en", "English", channels=6), sound("de", "German")]
    sounds += [sound("en", "Director", purpose="commentary"), sound("en", "Other")]
    root = parsed(dash.manifest([rung([(180_180, 1)])], sounds))
    sets = list(root.iter(f"{DASH}AdaptationSet"))[1:]
    roles = [found.attrib["value"] for each in sets for found in each.iter(f"{DASH}Role")]
    assert roles == ["main", "main", "dub", "commentary", "alternate"]
    assert [each.findtext(f"{DASH}Label") for each in sets] == ["English", "English", "German", "Director", "Other"]


@given(ticks)
def test_every_segment_is_in_the_timeline_to_the_tick(drawn: list[tuple[int, int]]) -> None:
    root = parsed(dash.manifest([rung(drawn)], []))
    told = [int(s.attrib["d"]) for s in root.iter(f"{DASH}S") for _ in range(int(s.attrib.get("r", 0)) + 1)]
    assert told == [length for length, _ in drawn]
    whole = Fraction(root.attrib["mediaPresentationDuration"][2:-1])
    assert 0 <= whole - Fraction(sum(told), TICKS) < Fraction(1, 1_000_000)


def test_rungs_of_other_codecs_are_in_sets_of_their_own() -> None:
    av1 = replace(rung([(180_180, 1)], "720p-av1"), codecs="av01.0.05M.08")
    root = parsed(dash.manifest([av1, rung([(180_180, 1)])], []))
    found = [
        [one.attrib["id"] for one in each.iter(f"{DASH}Representation")] for each in root.iter(f"{DASH}AdaptationSet")
    ]
    assert found == [["720p"], ["720p-av1"]]


def test_equal_durations_are_told_once() -> None:
    root = parsed(dash.manifest([rung([(180_180, 1), (180_180, 2), (180_180, 3), (30_030, 4)])], []))
    assert [dict(s.attrib) for s in root.iter(f"{DASH}S")] == [{"t": "0", "d": "180180", "r": "2"}, {"d": "30030"}]


@given(ticks, st.integers(1_000, 10**8))
def test_begun_with_that_buffer_no_segment_is_ever_late(drawn: list[tuple[int, int]], bps: int) -> None:
    played = pieces(drawn)
    buffer = dash.buffer_seconds(played, bps)
    for first in range(len(played)):
        received, shown = Fraction(0), Fraction(0)
        for piece in played[first:]:
            received += Fraction(piece.size * 8, bps)
            assert received <= buffer + shown
            shown += piece.duration


def test_a_duration_that_is_no_whole_number_of_ticks_is_a_mistake_of_ours() -> None:
    broken = hls.Track(
        folder="x", codecs="avc1.64001f", ticks=10, pieces=[hls.Piece(name="s", duration=Fraction(1, 3), size=1)]
    )
    with pytest.raises(ValueError, match="ticks"):
        dash.manifest([broken], [])
