"""Texts come into playlists that were written without them: everything that was there stays, and is still found."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media import dash, hls
from smmu.domain import text_tracks
from smmu.domain.facts import Purpose
from smmu.domain.text_tracks import Text, in_dash, in_hls, media_playlist, upwards

DASH = "{urn:mpeg:dash:schema:mpd:2011}"
GERMAN = Text(name="subtitles-3", path="video-1/subtitles/s.vtt", bitrate_bps=90, title="German", language="de")
# What a title may be made of: `tracks.title_of` lets nothing through that cannot be printed, and no quote.
TITLES = st.text(st.characters(exclude_characters='"', exclude_categories=("C", "Z")), min_size=1, max_size=20)


def rung(name: str = "240p") -> hls.Track:
    pieces = [hls.Piece(name="seg-00001.m4s", duration=Fraction(6), size=300_000)]
    return hls.Track(
        folder=name, codecs="avc1.64001f", ticks=25, pieces=pieces, keys=pieces, width=426, height=240
    )  # fmt: skip


MASTER, MANIFEST = hls.multivariant_playlist([rung(), rung("360p")], []), dash.manifest([rung()], [])


def media(text: Text) -> str:
    (line,) = [line for line in in_hls(MASTER, "", [(text, "t.m3u8")]).splitlines() if "SUBTITLES," in line]
    return line


def test_every_variant_offers_the_texts_and_everything_else_is_found_where_it_was() -> None:
    lines = in_hls(MASTER, "../../video-1/hls/", [(GERMAN, "subtitles-3.m3u8")]).splitlines()
    assert lines[3] == (
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="texts",NAME="German",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,'
        'URI="subtitles-3.m3u8"'
    )
    assert [line for line in lines if line and not line.startswith("#")] == [
        "../../video-1/hls/240p/playlist.m3u8",
        "../../video-1/hls/360p/playlist.m3u8",
    ]
    assert all(line.endswith(',SUBTITLES="texts"') for line in lines if line.startswith("#EXT-X-STREAM-INF"))
    keys = [line for line in lines if line.startswith("#EXT-X-I-FRAME-STREAM-INF")]
    assert [line.partition('URI="')[2] for line in keys] == [
        f'../../video-1/hls/{name}/keyframes.m3u8"' for name in ("240p", "360p")
    ]


def test_what_a_text_is_for_is_said_in_each_players_words() -> None:
    forced, deaf, heard, comment = (
        replace(GERMAN, purpose=purpose)
        for purpose in (Purpose.FORCED, Purpose.HARD_OF_HEARING, Purpose.RECOGNISED, Purpose.COMMENTARY)
    )
    assert "AUTOSELECT=YES,FORCED=YES," in media(forced)
    assert "public.accessibility.describes-music-and-sound" in media(deaf)
    assert "public.machine-generated" in media(heard)
    assert "AUTOSELECT=NO,FORCED=NO," in media(comment)
    assert all("DEFAULT=NO" in media(one) for one in (forced, deaf, heard, comment))
    root = ET.fromstring(in_dash(MANIFEST, "", [(one, "t.vtt") for one in (GERMAN, forced, deaf, heard, comment)]))
    roles = [role.attrib["value"] for role in root.iter(f"{DASH}Role")][1:]
    assert roles == ["subtitle", "forced-subtitle", "caption", "subtitle", "commentary"]


@given(st.lists(TITLES, min_size=1, max_size=4), st.sampled_from(["", "../../video-1/hls/"]))
def test_dash_keeps_its_form_whatever_texts_are_called(titles: list[str], below: str) -> None:
    texts = [(replace(GERMAN, name=f"s-{at}", title=title), f"{title}.vtt") for at, title in enumerate(titles)]
    written = in_dash(MANIFEST, below, texts)
    root = ET.fromstring(written)
    assert (root.findtext(f"{DASH}BaseURL") or "") == below
    assert [child.tag for child in root][-1] == f"{DASH}Period"
    sets = list(root.iter(f"{DASH}AdaptationSet"))
    assert [found.attrib["id"] for found in sets] == [str(at) for at in range(len(titles) + 1)]
    assert [found.findtext(f"{DASH}Label") for found in sets[1:]] == titles
    assert [found.findtext(f".//{DASH}BaseURL") for found in sets[1:]] == [f"{title}.vtt" for title in titles]
    assert text_tracks.dash_names(written) == len(titles)
    assert text_tracks.hls_names(in_hls(MASTER, below, texts)) == len(titles)


def test_the_playlist_of_a_text_is_complete_and_of_one_segment() -> None:
    assert media_playlist("../s.vtt", 61.5).splitlines() == [
        *("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:62", "#EXT-X-MEDIA-SEQUENCE:1"),
        *("#EXT-X-PLAYLIST-TYPE:VOD", "#EXTINF:61.500000,", "../s.vtt", "#EXT-X-ENDLIST"),
    ]
    targets = {0.04: 1, 2.5: 3, 61.4: 61}  # no EXTINF, rounded to the nearest second, exceeds it
    assert all(f"#EXT-X-TARGETDURATION:{most}\n" in media_playlist("s.vtt", lasts) for lasts, most in targets.items())


def test_from_a_folder_up_to_the_manifest() -> None:
    assert [upwards(path) for path in ("master.m3u8", "a/b.m3u8", "a/b/c.m3u8")] == ["", "../", "../../"]


@pytest.mark.parametrize("text", ["", "WEBVTT", "#EXTM3U\n#EXTINF:6,\nseg.m4s\n", "<MPD/>"])
def test_what_is_no_playlist_is_not_completed(text: str) -> None:
    with pytest.raises(ValueError, match="it is no"):
        in_hls(text, "", [])
    with pytest.raises(ValueError, match="it is no"):
        in_dash(text, "", [])
