"""Tracks of an earlier revision as playlists see them, read from what we wrote about them then.

The DASH manifest tells every duration to the tick, the playlist of keyframes where each of them is. Nothing is read of
the segments themselves: they were proven when they were made, and are as they were. Refuses a manifest that does not
describe what the earlier revision lists.
"""

import posixpath
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate

from smmu.adapters.media.cadence import Grid
from smmu.adapters.media.hls import Piece, Track
from smmu.adapters.media.segments import SEGMENT_NAME
from smmu.domain.kept import Kept, KeptTrack

_DASH = {"": "urn:mpeg:dash:schema:mpd:2011"}
_KEY = re.compile(r"#EXTINF:([0-9.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTracks:
    """Rungs and sounds by their names, and the order in which all tracks of the new revision stand."""

    rungs: Mapping[str, Track] = field(default_factory=dict)
    sounds: Mapping[str, Track] = field(default_factory=dict)
    order: Sequence[str] = ()

    @property
    def every(self) -> list[Track]:
        """All of them."""
        return [*self.rungs.values(), *self.sounds.values()]

    @property
    def grid(self) -> Grid:
        """Where a new rung has its keyframes and begins its segments: where the kept ones do."""
        one = next(iter(self.rungs.values()), None)
        return Grid() if one is None else Grid(keys=_starts(one.keys), cuts=_starts(one.pieces))

    def place(self, name: str) -> int:
        """Where a track stands among all."""
        return self.order.index(name) if name in self.order else len(self.order)


def kept_tracks(kept: Kept | None) -> KeptTracks:
    """The tracks that are kept; none where nothing is."""
    if kept is None:
        return KeptTracks()
    wanted = {one.place: one for one in kept.tracks}
    root = ET.fromstring(kept.manifest)  # noqa: S314 - our own words, read where nothing can come of others
    below = f"{kept.place}/{_base(root)}"
    found = {
        one.name: _track(members, told, one)
        for members in root.iterfind("Period/AdaptationSet", _DASH)
        for told in members.iterfind("Representation", _DASH)
        if (one := wanted.get(posixpath.normpath(below + _base(told) + told.attrib["id"]))) is not None
    }
    if len(found) != len(wanted):
        raise ValueError(f"the manifest describes {len(found)} of {len(wanted)} tracks")
    rungs = {name: track for name, track in found.items() if track.width}
    sounds = {name: track for name, track in found.items() if not track.width}
    return KeptTracks(rungs=rungs, sounds=sounds, order=kept.order)


def _starts(pieces: Sequence[Piece]) -> tuple[Fraction, ...]:
    return tuple(accumulate((piece.duration for piece in pieces[:-1]), initial=Fraction(0)))


def _base(element: ET.Element) -> str:
    return element.findtext("BaseURL", "", _DASH)


def _track(members: ET.Element, told: ET.Element, one: KeptTrack) -> Track:
    template = members.find("SegmentTemplate", _DASH)
    if template is None:
        raise ValueError("a set of representations without segments")
    ticks = int(template.attrib["timescale"])
    durations = [Fraction(count, ticks) for count in _durations(template)]
    channels = told.find("AudioChannelConfiguration", _DASH)
    return Track(
        folder=one.folder,
        id=told.attrib["id"],
        codecs=told.attrib["codecs"],
        ticks=ticks,
        pieces=[
            Piece(name=SEGMENT_NAME.format(f"{number:05d}"), duration=duration, size=size)
            for number, (duration, size) in enumerate(zip(durations, one.sizes, strict=True), start=1)
        ],
        keys=_keys(one.keys, ticks),
        width=int(told.get("width", "0")),
        height=int(told.get("height", "0")),
        frame_rate=Fraction(told.attrib["frameRate"]) if "frameRate" in told.attrib else None,
        channels=0 if channels is None else int(channels.attrib["value"]),
        name=one.title,
        language=one.language,
        purpose=one.purpose,
    )


def _durations(template: ET.Element) -> Iterator[int]:
    for row in template.iterfind("SegmentTimeline/S", _DASH):
        yield from [int(row.attrib["d"])] * (int(row.get("r", "0")) + 1)


def _keys(text: str, ticks: int) -> list[Piece]:
    """The keyframes of a playlist of them. It tells six decimals, which is enough to know the tick."""
    return [
        Piece(name=name, duration=Fraction(round(Fraction(seconds) * ticks), ticks), size=int(size), offset=int(offset))
        for seconds, size, offset, name in _KEY.findall(text)
    ]
