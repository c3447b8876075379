"""Reads what a picture says of its making: EXIF first, then XMP, then IPTC, each where the one before is silent.

What is damaged is passed over, because a picture is no worse for a broken note beside it. Nothing is believed or
cleaned here: `domain/tags.py` does that, in a process that no file can reach. Sources: EXIF 3.0 (CIPA DC-008), XMP
part 2 (ISO 16684-1), IPTC-NAA Information Interchange Model 4.2.
"""

import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any
from xml.etree import ElementTree as ET

from smmu.adapters.media.exif import IFD_EXIF, IFD_GPS, exif_of, folder, value
from smmu.adapters.media.picture import Notes
from smmu.domain.facts import Mark
from smmu.domain.limits import KIB
from smmu.domain.tags import DESCRIPTION_CHARS_MAX, KEYWORDS_MAX, Tags

_XMP_BYTES_MAX, _IPTC_BYTES_MAX = 256 * KIB, 256 * KIB
_CHARS_MAX = 4 * DESCRIPTION_CHARS_MAX

Found = dict[str, Any]


def tags_of(notes: Notes) -> Tags | None:
    """All that is said; `None` when nothing is."""
    found: Found = {}
    for told in (_of_exif(notes.exif), _of_xmp(notes.xmp), _of_iptc(notes.iptc)):
        found = {**{name: item for name, item in told.items() if item not in (None, "", ())}, **found}
    known = {field.name for field in fields(Tags)}
    return Tags(**{name: item for name, item in found.items() if name in known}) if found else None


# --- EXIF


def _of_exif(data: bytes | None) -> Found:
    if not data:
        return {}
    main = exif_of(data)
    shot, place = folder(main, IFD_EXIF), folder(main, IFD_GPS)
    return {
        "make": _text(value(main, 0x010F)),
        "model": _text(value(main, 0x0110)),
        "software": _text(value(main, 0x0131)),
        "description": _text(value(main, 0x010E)),
        "creator": _text(value(main, 0x013B)),
        "copyright": _text(value(main, 0x8298)),
        "lens": _text(value(shot, 0xA434)),
        "exposure_s": _number(value(shot, 0x829A)),
        "aperture": _number(value(shot, 0x829D)),
        "iso": _number(_first(value(shot, 0x8827))),
        "focal_length_mm": _number(value(shot, 0x920A)),
        "taken_at": _moment(
            _text(value(shot, 0x9003)) or _text(value(main, 0x0132)), _text(value(shot, 0x9011)) or _offset(shot)
        ),
        **_place(place),
    }


def _offset(shot: Mapping[int, Any]) -> str:
    return _text(value(shot, 0x9010))


def _place(place: Mapping[int, Any]) -> Found:
    height = _number(value(place, 6))
    below = value(place, 5) in (1, b"\x01")
    return {
        "latitude": _degrees(value(place, 2), value(place, 1), "S"),
        "longitude": _degrees(value(place, 4), value(place, 3), "W"),
        "altitude_m": -height if height is not None and below else height,
    }


def _degrees(parts: object, direction: object, negative: str) -> float | None:
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= 3:  # noqa: PLR2004 - degrees, minutes, seconds
        return None
    numbers = [_number(part) for part in parts]
    angle = 0.0
    for unit, number in zip((1, 60, 3600), numbers, strict=False):
        if number is None:
            return None
        angle += number / unit
    return round(-angle if _text(direction).upper() == negative else angle, 7)


_MOMENT = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:\d\d)?")


def _moment(text: str, offset: str = "") -> str | None:
    """EXIF's and XMP's ways to write a time, in one: RFC 3339, its offset left out where nobody knows it."""
    found = _MOMENT.match(text)
    if found is None:
        return None
    year, month, day, clock, zone = found.groups()
    return f"{year}-{month}-{day}T{clock}{zone or offset}"


def _first(item: object) -> object:
    return item[0] if isinstance(item, tuple) and item else item


def _text(item: object) -> str:
    if isinstance(item, bytes):
        item = item.decode("utf-8", "replace")
    return item.partition("\0")[0].strip()[:_CHARS_MAX] if isinstance(item, str) else ""


def _number(item: object) -> float | None:
    try:
        number = float(item)  # type: ignore[arg-type] # what is no number raises
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


# --- XMP

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_TIFF, _EXIF = "{http://ns.adobe.com/tiff/1.0/}", "{http://ns.adobe.com/exif/1.0/}"
_XMP, _AUX = "{http://ns.adobe.com/xap/1.0/}", "{http://ns.adobe.com/exif/1.0/aux/}"
_EXIF_EX, _PHOTOSHOP = "{http://cipa.jp/exif/1.0/}", "{http://ns.adobe.com/photoshop/1.0/}"
_GPANO = "{http://ns.google.com/photos/1.0/panorama/}"
_LAYERS = {  # Adobe's and Android's gain maps; Google's depth maps
    "{http://ns.adobe.com/hdr-gain-map/1.0/}Version": Mark.GAIN_MAP,
    "{http://ns.google.com/photos/1.0/depthmap/}Format": Mark.DEPTH,
}
_GCAMERA = "{http://ns.google.com/photos/1.0/camera/}"
_MOVES = (f"{_GCAMERA}MotionPhoto", f"{_GCAMERA}MicroVideo")
_PROJECTIONS = {"equirectangular": Mark.SPHERICAL, "cylindrical": Mark.PANORAMA}
_MAKERS_NOTE, _APPLE, _APPLE_TAGS_AT, _TAG_BYTES = 0x927C, b"Apple iOS\0", 16, 12
_SHARED_NAME = bytes([0x00, 0x11, 0x00, 0x02])  # ContentIdentifier, a text
_XMP_PLACE = re.compile(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])")
_XMP_TAGS: Mapping[str, tuple[str, Callable[[list[str]], Any]]] = {
    "make": (f"{_TIFF}Make", lambda words: words[0]),
    "model": (f"{_TIFF}Model", lambda words: words[0]),
    "lens": (f"{_EXIF_EX}LensModel {_AUX}Lens", lambda words: words[0]),
    "software": (f"{_XMP}CreatorTool", lambda words: words[0]),
    "taken_at": (f"{_EXIF}DateTimeOriginal {_PHOTOSHOP}DateCreated {_XMP}CreateDate", lambda words: _moment(words[0])),
    "latitude": (f"{_EXIF}GPSLatitude", lambda words: _xmp_degrees(words[0])),
    "longitude": (f"{_EXIF}GPSLongitude", lambda words: _xmp_degrees(words[0])),
    "title": (f"{_DC}title", lambda words: words[0]),
    "description": (f"{_DC}description", lambda words: words[0]),
    "creator": (f"{_DC}creator", ", ".join),
    "copyright": (f"{_DC}rights", lambda words: words[0]),
    "keywords": (f"{_DC}subject", lambda words: tuple(words[:KEYWORDS_MAX])),
}


def _of_xmp(data: bytes | None) -> Found:
    said = _packet(data)
    found: Found = {}
    for name, (places, read) in _XMP_TAGS.items():
        words = next((said[place] for place in places.split() if said.get(place)), None)
        if words:
            found[name] = read(words)
    return found


def marks_of(notes: Notes) -> Iterator[Mark]:
    """A picture's projection (Google's Photo Sphere schema), what lies with it, and if it is half of a live photo.

    Google's photo has its film behind it and says so in XMP. Apple's has the film beside it, and in the notes of its
    maker the identifier that both share (ExifTool's table of Apple's tags).
    """
    said = _packet(notes.xmp)
    projection = next(iter(said.get(f"{_GPANO}ProjectionType", [])), "").lower()
    if projection in _PROJECTIONS:
        yield _PROJECTIONS[projection]
    if any(said.get(place, [])[:1] == ["1"] for place in _MOVES) or _has_a_film_beside_it(notes.exif):
        yield Mark.LIVE_PHOTO
    yield from (mark for place, mark in _LAYERS.items() if said.get(place))


def _has_a_film_beside_it(exif: bytes | None) -> bool:
    told = value(folder(exif_of(exif), IFD_EXIF), _MAKERS_NOTE) if exif else None
    if not isinstance(told, bytes) or not told.startswith(_APPLE):
        return False
    (count,) = struct.unpack_from(">H", told.ljust(_APPLE_TAGS_AT, b"\0"), _APPLE_TAGS_AT - 2)
    tags = told[_APPLE_TAGS_AT : _APPLE_TAGS_AT + count * _TAG_BYTES]
    return any(tags.startswith(_SHARED_NAME, at) for at in range(0, len(tags), _TAG_BYTES))


def _packet(data: bytes | None) -> Mapping[str, list[str]]:
    """What a packet says. One with a declaration is not read: entities could grow without end, and XMP has none."""
    if not data or len(data) > _XMP_BYTES_MAX:
        return {}
    text = data.decode("utf-8", "replace").strip("\0\ufeff \n")
    if "<!" in text:
        return {}
    try:
        packet = ET.fromstring(text)  # noqa: S314 - see above
    except (ET.ParseError, ValueError):
        return {}
    return dict(_said(packet))


def _said(packet: ET.Element) -> Iterator[tuple[str, list[str]]]:
    """Every property of every description: as an attribute, as text, or as a list."""
    for description in packet.iter(f"{_RDF}Description"):
        for name, words in description.attrib.items():
            yield name, [words[:_CHARS_MAX]]
        for child in description:
            items = [item.text or "" for item in child.iter(f"{_RDF}li")] or [child.text or ""]
            yield child.tag, [item.strip()[:_CHARS_MAX] for item in items if item.strip()]


def _xmp_degrees(text: str) -> float | None:
    found = _XMP_PLACE.fullmatch(text.strip())
    if found is None:
        return None
    degrees, minutes, seconds, direction = found.groups()
    angle = _number(degrees), _number(minutes), _number(seconds or "0")
    return _degrees(angle, "-" if direction in "SW" else "", "-")


# --- IPTC

_MARK, _RECORD, _HEADER_BYTES = 0x1C, 2, 5
_RESOURCE, _RESOURCE_BYTES, _IPTC_RESOURCE = b"8BIM", 12, 0x0404
_UTF8 = b"\x1b%G"
_IPTC_TAGS = {5: "title", 80: "creator", 116: "copyright", 120: "description"}
_KEYWORD, _IPTC_DAY, _IPTC_TIME = 25, 55, 60
_IPTC_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([+-]\d\d)(\d\d)")


def _of_iptc(data: bytes | None) -> Found:
    sets = list(_data_sets(_iptc_resource((data or b"")[:_IPTC_BYTES_MAX])))
    coding = "utf-8" if (1, 90, _UTF8) in sets else "latin-1"
    said: dict[int, str] = {}
    keywords: list[str] = []
    for record, number, content in sets:
        text = content.decode(coding, "replace").strip("\0 ")
        if record == _RECORD and number == _KEYWORD and len(keywords) < KEYWORDS_MAX:
            keywords.append(text)
        elif record == _RECORD:
            said.setdefault(number, text[:_CHARS_MAX])
    found: Found = {name: said[number] for number, name in _IPTC_TAGS.items() if number in said}
    return {**found, "taken_at": _iptc_moment(said), "keywords": tuple(keywords)}


def _iptc_moment(said: Mapping[int, str]) -> str | None:
    """A day and a time in two data sets, without marks between their numbers."""
    found = _IPTC_MOMENT.fullmatch(said.get(_IPTC_DAY, "") + said.get(_IPTC_TIME, ""))
    return "{}-{}-{}T{}:{}:{}{}:{}".format(*found.groups()) if found else None


def _iptc_resource(block: bytes) -> bytes:
    """The data sets among Photoshop's resources, which is how a JPEG keeps them; a TIFF has them bare.

    A resource is its mark, a number, a name with its length before it, and data with theirs; both are padded to even.
    """
    at = block.find(_RESOURCE)
    while 0 <= at <= len(block) - _RESOURCE_BYTES and block.startswith(_RESOURCE, at):
        (number,) = struct.unpack_from(">H", block, at + 4)
        at += 6 + (block[at + 6] + 2) // 2 * 2
        size = int.from_bytes(block[at : at + 4], "big")
        if number == _IPTC_RESOURCE:
            return block[at + 4 : at + 4 + size]
        at += 4 + (size + 1) // 2 * 2
    return block if block[:1] == bytes([_MARK]) else b""


def _data_sets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at <= len(data) - _HEADER_BYTES and data[at] == _MARK:
        _, record, number, length = struct.unpack_from(">BBBH", data, at)
        start = at + _HEADER_BYTES
        yield record, number, data[start : start + length]
        at = start + length
