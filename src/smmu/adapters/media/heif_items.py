"""What a HEIF file (HEIC, AVIF) says of its picture beside the pixels: which light, and what lies with it.

Read are the properties of the primary item and the kinds of the others (ISO/IEC 23008-12; code points of light in ITU-T
H.273; a gain map as ISO 21496-1 has it, or as Apple's phones do). No pixel is looked at, and what is damaged says
nothing: the decoder has the last word on that.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from smmu.adapters.media.boxes import top_level
from smmu.adapters.media.source import SourceFile
from smmu.domain.facts import Mark, Transfer
from smmu.domain.limits import MIB

_META_BYTES_MAX = MIB
_FLAGS = 4  # version and flags, with which a full box begins
_DISPLAY_P3 = 12  # primaries
_TRANSFERS = {16: Transfer.PQ, 18: Transfer.HLG}
_LARGE_INDEX = 1  # a flag of `ipma`: indices have two bytes
_AUXILIARY = {
    b"urn:com:apple:photo:2020:aux:hdrgainmap": Mark.GAIN_MAP,
    b"urn:mpeg:hevc:2015:auxid:2": Mark.DEPTH,
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth": Mark.DEPTH,
}
_TONE_MAPPED = b"tmap"


@dataclass(slots=True)
class Beside:
    """What is said."""

    transfer: Transfer = Transfer.SDR
    display_p3: bool = False
    marks: set[Mark] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Box:
    name: bytes
    body: bytes


def beside(file: SourceFile, size: int) -> Beside:
    """All that the first `meta` box of a file of `size` bytes says."""
    found = Beside()
    for box in top_level(file, size):
        if box.name == b"meta" and box.end - box.start <= _META_BYTES_MAX:
            file.seek(box.start)
            try:
                _read(found, file.read(box.end - box.start)[_FLAGS:])
            except (struct.error, IndexError):
                return Beside()
            break
    return found


def _read(found: Beside, meta: bytes) -> None:
    boxes = {box.name: box.body for box in _boxes(meta)}
    properties = {box.name: box.body for box in _boxes(boxes.get(b"iprp", b""))}
    known = list(_boxes(properties.get(b"ipco", b"")))
    for box in known:
        if box.name == b"auxC":
            told = box.body[_FLAGS:].partition(b"\0")[0]
            found.marks |= {_AUXILIARY[told]} if told in _AUXILIARY else set()
    if _TONE_MAPPED in _kinds(boxes.get(b"iinf", b"")):
        found.marks.add(Mark.GAIN_MAP)
    if b"pitm" in boxes and b"ipma" in properties:
        mine = _indices(properties[b"ipma"]).get(_primary(boxes[b"pitm"]), [])
        for box in (known[index - 1] for index in mine if 0 < index <= len(known)):
            if box.name == b"colr" and box.body.startswith(b"nclx"):
                primaries, light = struct.unpack_from(">HH", box.body, 4)
                found.transfer = _TRANSFERS.get(light, Transfer.SDR)
                found.display_p3 = primaries == _DISPLAY_P3 and found.transfer is Transfer.SDR


def _boxes(data: bytes) -> Iterator[_Box]:
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + size if size else len(data)
        if not at + 8 <= end <= len(data):  # a box of eight bytes for its size would not be in a `meta` that is read
            return
        yield _Box(name, data[at + 8 : end])
        at = end


def _primary(body: bytes) -> int:
    return _number(body, _FLAGS, 4 if body[0] else 2)


def _kinds(body: bytes) -> set[bytes]:
    """The kinds of all items, which their entries have from version 2 on."""
    if not body:
        return set()
    entries = _boxes(body[_FLAGS + (4 if body[0] else 2) :])
    return {one.body[8:12] if one.body[0] == 2 else one.body[10:14] for one in entries if one.body[0] >= 2}  # noqa: PLR2004


def _indices(body: bytes) -> Mapping[int, list[int]]:
    """Of each item the properties that it has, counted from 1."""
    wide, two = body[0] > 0, body[3] & _LARGE_INDEX
    (count,) = struct.unpack_from(">I", body, _FLAGS)
    at, found = _FLAGS + 4, dict[int, list[int]]()
    for _ in range(min(count, len(body))):
        item, at = _number(body, at, 4 if wide else 2), at + (4 if wide else 2)
        several, size = body[at], 2 if two else 1
        ends = at + 1 + several * size
        essential = 1 << (8 * size - 1)  # the highest bit says something else
        found[item] = [_number(body, place, size) & ~essential for place in range(at + 1, ends, size)]
        at = ends
    return found


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + size])
