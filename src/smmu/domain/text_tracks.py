"""Texts beside a film, put into the playlists that players open: HLS's group of subtitles, DASH's sets of text.

A film's task writes its playlists over the pictures and sounds that it made. Texts are made by other tasks as well
(captions, where speech is recognised), so they are put in by whoever publishes, when all of them are there.

Each text is one WebVTT file, and one segment as long as the film: it has some kilobytes for an hour, and a player that
seeks has it already. No text is ever shown without being asked for, unless it is forced: that a container marks one as
its default is its muxer's doing. Pure: texts of playlists in, texts of playlists out.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from smmu.domain.facts import Purpose

WEBVTT: Final = "text/vtt"
GROUP: Final = "texts"
_UNDETERMINED: Final = "und"
_DIALOGUE: Final = "public.accessibility.transcribes-spoken-dialog"
_TRAITS: Final[Mapping[str, str]] = {
    Purpose.HARD_OF_HEARING: f"{_DIALOGUE},public.accessibility.describes-music-and-sound",
    Purpose.RECOGNISED: f"{_DIALOGUE},public.machine-generated",
}
_ROLES: Final[Mapping[str, str]] = {
    Purpose.FORCED: "forced-subtitle",
    Purpose.HARD_OF_HEARING: "caption",
    Purpose.COMMENTARY: "commentary",
}
_URI: Final = re.compile(r'URI="')
_VARIANT, _MEDIA = "#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:TYPE=SUBTITLES,"
_PERIOD, _PERIOD_END = re.compile(r"(\n *)<Period[ >]"), re.compile(r"(\n *)</Period>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One WebVTT file as menus offer it. `path` is relative to the manifest, `purpose` a `facts.Purpose` or ""."""

    name: str
    path: str
    bitrate_bps: int
    title: str
    language: str = ""
    purpose: str = ""


def upwards(path: str) -> str:
    """From the folder of `path` up to where it is relative to."""
    return "../" * path.count("/")


def media_playlist(uri: str, seconds: float) -> str:
    """HLS's playlist of one text: all of it is one segment."""
    return "\n".join(
        [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{max(1, math.floor(seconds + 0.5))}",
            "#EXT-X-MEDIA-SEQUENCE:1",
            "#EXT-X-PLAYLIST-TYPE:VOD",
            f"#EXTINF:{seconds:.6f},",
            uri,
            "#EXT-X-ENDLIST",
            "",
        ]
    )


def in_hls(master: str, below: str, texts: Sequence[tuple[Text, str]]) -> str:
    """The multivariant playlist with these texts, each with the address of its playlist.

    What the playlist named in its own folder is `below` now. `ValueError` when it is none.
    """
    lines = master.splitlines()
    if lines[:1] != ["#EXTM3U"] or not any(line.startswith(_VARIANT) for line in lines):
        msg = "it is no multivariant playlist"
        raise ValueError(msg)
    first = next(at for at, line in enumerate(lines) if line.startswith(_VARIANT))
    named = [_moved(line, below) for line in lines]
    return "\n".join([*named[:first], *(_media_line(*text) for text in texts), *named[first:], ""])


def hls_names(master: str) -> int:
    """How many texts a multivariant playlist offers to every one of its variants; 0 where one has none."""
    lines = master.splitlines()
    everywhere = all(f',SUBTITLES="{GROUP}"' in line for line in lines if line.startswith(_VARIANT))
    return sum(line.startswith(_MEDIA) for line in lines) if everywhere else 0


def in_dash(manifest: str, below: str, texts: Sequence[tuple[Text, str]]) -> str:
    """The MPD with these texts, each with its address; what it named in its own folder is `below` now.

    It is put together as text: whoever wrote it had read a hostile file, and no parser of XML need meet what it wrote.
    `ValueError` when it is none of ours.
    """
    begins, ends = _PERIOD.search(manifest), _PERIOD_END.search(manifest)
    if begins is None or ends is None:
        msg = "it is no manifest with a period"
        raise ValueError(msg)
    base = f"{begins[1]}<BaseURL>{escape(below)}</BaseURL>" if below else ""
    first = manifest.count("<AdaptationSet ")
    sets = [line for at, text in enumerate(texts) for line in _set(*text, number=first + at)]
    added = "".join(f"{ends[1]}  {line}" for line in sets)
    return (
        manifest[: begins.start()] + base + manifest[begins.start() : ends.start()] + added + manifest[ends.start() :]
    )


def dash_names(manifest: str) -> int:
    """How many texts an MPD offers."""
    return manifest.count(f' mimeType="{WEBVTT}"')


def _moved(line: str, below: str) -> str:
    if line.startswith(_VARIANT):
        return f'{line},SUBTITLES="{GROUP}"'
    if line.startswith("#"):
        return _URI.sub(lambda found: found[0] + below, line)
    return below + line if line else line


def _media_line(text: Text, uri: str) -> str:
    forced = text.purpose == Purpose.FORCED
    by_itself = "NO" if text.purpose == Purpose.COMMENTARY else "YES"
    traits = f'CHARACTERISTICS="{_TRAITS[text.purpose]}",' if text.purpose in _TRAITS else ""
    return (
        f'{_MEDIA}GROUP-ID="{GROUP}",NAME="{text.title}",LANGUAGE="{text.language or _UNDETERMINED}",DEFAULT=NO,'
        f'AUTOSELECT={by_itself},FORCED={"YES" if forced else "NO"},{traits}URI="{uri}"'
    )


def _set(text: Text, uri: str, *, number: int) -> Iterator[str]:
    language = f" lang={quoteattr(text.language)}" if text.language else ""
    yield f'<AdaptationSet id="{number}" contentType="text" mimeType="{WEBVTT}"{language}>'
    yield f"  <Label>{escape(text.title)}</Label>"
    if text.purpose == Purpose.HARD_OF_HEARING:
        yield '  <Accessibility schemeIdUri="urn:tva:metadata:cs:AudioPurposeCS:2007" value="2" />'
    yield f'  <Role schemeIdUri="urn:mpeg:dash:role:2011" value="{_ROLES.get(text.purpose, "subtitle")}" />'
    yield f'  <Representation id={quoteattr(text.name)} bandwidth="{text.bitrate_bps}">'
    yield f"    <BaseURL>{escape(uri)}</BaseURL>"
    yield "  </Representation>"
    yield "</AdaptationSet>"
