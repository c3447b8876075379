"""The DASH manifest (ISO/IEC 23009-1) over the very segments that the HLS playlists name.

Static, one period, one adaptation set of pictures for each codec and one for each sound. Every segment's duration is
told exactly, in the ticks of its track, so a player seeks to the right one at once whatever the frame rate does.
`bandwidth` is the same measured peak as in HLS; `minBufferTime` is computed from it: begun with so much, a connection
of that rate never has a segment late. Refuses to list what was not made.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby

from smmu.adapters.media.hls import Piece, Track, by_codec, peak_bps, target_seconds
from smmu.adapters.media.segments import INIT_NAME, SEGMENT_NAME
from smmu.domain.facts import Purpose

MANIFEST_TYPE = "application/dash+xml"
_NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
_PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
_ROLES = "urn:mpeg:dash:role:2011"
_PURPOSES = "urn:tva:metadata:cs:AudioPurposeCS:2007"
_FOR_THE_BLIND = "1"
_SPECIAL_ROLES: Mapping[str, str] = {Purpose.DESCRIPTION: "description", Purpose.COMMENTARY: "commentary"}
_CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"


def buffer_seconds(pieces: Sequence[Piece], bits_per_second: int) -> Fraction:
    """How long to receive before playing, so that at this rate no segment comes late, from whichever one it begins."""
    most = late = before = Fraction(0)
    for piece in pieces:
        late = max(Fraction(0), late - before) + Fraction(piece.size * 8, bits_per_second)
        most, before = max(most, late), piece.duration
    return most


def manifest(rungs: Sequence[Track], sounds: Sequence[Track]) -> str:
    """The manifest that players open. All rungs have the same ticks, and segments of the same durations."""
    every = [*rungs, *sounds]
    target = target_seconds(*(one.pieces for one in every))
    buffer = max(buffer_seconds(one.pieces, peak_bps(one.pieces, target)) for one in every)
    longest = max(piece.duration for one in every for piece in one.pieces)
    root = ET.Element(
        "MPD",
        {
            "xmlns": _NAMESPACE,
            "profiles": _PROFILES,
            "type": "static",
            "mediaPresentationDuration": _duration(max(one.seconds for one in every)),
            "maxSegmentDuration": _duration(longest),
            "minBufferTime": _duration(buffer),
        },
    )
    period = ET.SubElement(root, "Period", {"id": "0", "start": "PT0S"})
    for members in by_codec(rungs):
        _add_set(period, "video", members, target)
    for sound in sounds:
        _add_set(period, "audio", [sound], target, role=_role(sound, sounds[0]))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _role(sound: Track, first: Track) -> str:
    """What a sound is to the film: 5.1 of the main sound is the main sound too."""
    if sound.name == first.name:
        return "main"
    return _SPECIAL_ROLES.get(sound.purpose, "dub" if sound.language != first.language else "alternate")


def _add_set(period: ET.Element, kind: str, members: Sequence[Track], target: int, *, role: str = "main") -> None:
    first = members[0]
    told = {
        "id": str(len(period)),
        "contentType": kind,
        "mimeType": f"{kind}/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }
    if first.language:
        told["lang"] = first.language
    found = ET.SubElement(period, "AdaptationSet", told)
    if first.name:
        ET.SubElement(found, "Label").text = first.name
    if first.purpose == Purpose.DESCRIPTION:
        ET.SubElement(found, "Accessibility", {"schemeIdUri": _PURPOSES, "value": _FOR_THE_BLIND})
    ET.SubElement(found, "Role", {"schemeIdUri": _ROLES, "value": role})
    _add_template(found, first)
    for member in members:
        _add_representation(found, member, target)


def _add_template(parent: ET.Element, member: Track) -> None:
    names = SEGMENT_NAME.format("$Number%05d$")
    template = ET.SubElement(
        parent,
        "SegmentTemplate",
        {
            "timescale": str(member.ticks),
            "initialization": f"$RepresentationID$/{INIT_NAME}",
            "media": f"$RepresentationID$/{names}",
            "startNumber": "1",
        },
    )
    timeline = ET.SubElement(template, "SegmentTimeline")
    for index, (ticks, count) in enumerate(_runs(piece.duration * member.ticks for piece in member.pieces)):
        start = {"t": "0"} if index == 0 else {}
        repeats = {"r": str(count - 1)} if count > 1 else {}
        ET.SubElement(timeline, "S", {**start, "d": str(ticks), **repeats})


def _runs(durations: Iterable[Fraction]) -> Iterable[tuple[int, int]]:
    """Equal durations that follow each other, in whole ticks, and how many they are."""
    for duration, same in groupby(durations):
        if duration.denominator != 1:
            raise ValueError(f"a segment of {duration} ticks")
        yield duration.numerator, len(list(same))


def _add_representation(parent: ET.Element, member: Track, target: int) -> None:
    name = member.id or member.folder
    told = {"id": name, "codecs": member.codecs, "bandwidth": str(peak_bps(member.pieces, target))}
    if member.width:
        told |= {"width": str(member.width), "height": str(member.height), "sar": "1:1"}
        if member.frame_rate is not None:
            told["frameRate"] = str(member.frame_rate)
        made = ET.SubElement(parent, "Representation", told)
    else:
        told["audioSamplingRate"] = str(member.ticks)
        made = ET.SubElement(parent, "Representation", told)
        ET.SubElement(made, "AudioChannelConfiguration", {"schemeIdUri": _CHANNELS, "value": str(member.channels)})
    if elsewhere := member.folder.removesuffix(name):
        ET.SubElement(made, "BaseURL").text = elsewhere


def _duration(seconds: Fraction) -> str:
    """An `xs:duration`, rounded up to the microsecond."""
    micros = -(-seconds * 1_000_000 // 1)
    text = f"{micros // 1_000_000}.{micros % 1_000_000:06d}".rstrip("0").rstrip(".")
    return f"PT{text}S"
