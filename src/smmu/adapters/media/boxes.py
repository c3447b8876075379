"""The outline of an MP4 or QuickTime file: which boxes are there, whether they fit, whether they are locked.

FFmpeg answers "invalid data" to a file that was cut off before its index, to one that is encrypted, and to noise; a
person needs to be told which. Only box headers and the few boxes that say so are read (ISO/IEC 14496-12, 23001-7).
It refuses to follow anything deeper, or more boxes than a real file has.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from smmu.adapters.media.source import SourceFile

BOXES_MAX = 200_000  # a day of six-second fragments has 30,000
_HEADER_BYTES, _LONG_HEADER_BYTES = 8, 16
_LOCKED_ENTRIES = frozenset({b"encv", b"enca", b"enct", b"encs", b"drms", b"drmi"})
_SAMPLE_ENTRIES_AT = 8  # in `stsd`: version, flags and a count come first
_PICTURE_BYTES = 78  # of a picture's sample entry, before the boxes in it (ISO/IEC 14496-12, 12.1.3)
_AFTER_FLAGS = 4  # version and flags begin a full box
# Google's Spherical Video V2: `st3d` has a mode, as top and bottom or left and right. Apple's HEVC Stereo Video: which
# eyes have a view is in `stri` of `eyes` of `vexu`.
_BOTH_EYES, _LEFT_AND_RIGHT = frozenset({1, 2, 4}), 3
# Dolby Vision in ISO media files: versions, then seven bits of profile; in the fifth byte which base is compatible.
_DOLBY, _DOLBY_BYTES = frozenset({b"dvcC", b"dvvC", b"dvwC"}), 5
_WITHOUT_BASE = frozenset({(5, 0), (10, 0)})
_PATHS = {b"trak", b"mdia", b"minf", b"stbl"}


@dataclass(slots=True)
class Outline:
    """What the boxes say. `missing_bytes` is what the last box claims beyond the end of the file."""

    has_index: bool = False
    has_media: bool = False
    fragmented: bool = False
    locked: bool = False
    codecs: list[str] = field(default_factory=list)  # of each track, by its first sample entry; "" for none
    missing_bytes: int = 0
    spherical: bool = False
    stereo: bool = False
    unlike_any: bool = False  # its colours are Dolby Vision's alone


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its name, and where its body is."""

    name: bytes
    start: int
    end: int


def outline(file: SourceFile, size: int) -> Outline:
    """Walk the top-level boxes of a file of `size` bytes, and into `moov`."""
    found = Outline()
    for box in _boxes(file, 0, size):
        found.missing_bytes = max(0, box.end - size)
        found.has_media |= box.name in {b"mdat", b"moof"}
        found.fragmented |= box.name == b"moof"
        if box.name == b"moov" and box.end <= size:
            found.has_index = True
            _look_into(found, file, box)
    return found


def top_level(file: SourceFile, size: int) -> Iterator[Box]:
    """The boxes of a file of `size` bytes that are in no other."""
    return _boxes(file, 0, size)


def _look_into(found: Outline, file: SourceFile, moov: Box) -> None:
    for box in _boxes(file, moov.start, moov.end):
        if box.name == b"mvex":
            found.fragmented = True
        elif box.name == b"trak":
            entries = list(_sample_entries(file, box))
            found.locked |= not _LOCKED_ENTRIES.isdisjoint(entry.name for entry in entries)
            found.codecs.append(entries[0].name.decode("latin-1").strip() if entries else "")
            for entry in entries:
                _look_at_picture(found, file, entry)


def _look_at_picture(found: Outline, file: SourceFile, entry: Box) -> None:
    """What a picture's sample entry says of its projection. A sound's has other fields there, and no such boxes."""
    for box in _boxes(file, entry.start + _PICTURE_BYTES, entry.end):
        if box.name == b"sv3d":
            found.spherical = True
        elif box.name == b"st3d":
            found.stereo |= _last_byte(file, box, b"st3d") in _BOTH_EYES
        elif box.name in _DOLBY:
            found.unlike_any |= _stands_alone(file, box)
        elif box.name == b"vexu":
            for eyes in _boxes(file, box.start, box.end):
                found.stereo |= eyes.name == b"eyes" and _has_two(file, eyes)


def _stands_alone(file: SourceFile, box: Box) -> bool:
    """Whether pictures are Dolby Vision of a profile without a base that other decoders could show."""
    file.seek(box.start)
    told = file.read(_DOLBY_BYTES)
    return len(told) == _DOLBY_BYTES and (told[2] >> 1, told[4] >> 4) in _WITHOUT_BASE


def _has_two(file: SourceFile, eyes: Box) -> bool:
    views = (_last_byte(file, box, b"stri") for box in _boxes(file, eyes.start, eyes.end))
    return any(view & _LEFT_AND_RIGHT == _LEFT_AND_RIGHT for view in views)


def _last_byte(file: SourceFile, box: Box, name: bytes) -> int:
    """What follows the version and flags of a box that is called so; 0 where there is none."""
    if box.name != name or box.end - box.start <= _AFTER_FLAGS:
        return 0
    file.seek(box.start + _AFTER_FLAGS)
    return int.from_bytes(file.read(1))


def _sample_entries(file: SourceFile, box: Box) -> Iterator[Box]:
    for inner in _boxes(file, box.start, box.end):
        if inner.name in _PATHS:
            yield from _sample_entries(file, inner)
        elif inner.name == b"stsd":
            first = inner.start + _SAMPLE_ENTRIES_AT
            yield from _boxes(file, first, inner.end)


def _boxes(file: SourceFile, start: int, end: int) -> Iterator[Box]:
    """Boxes from `start` to `end`. The last may claim to end later; then nothing follows it."""
    for _ in range(BOXES_MAX):
        if start + _HEADER_BYTES > end:
            return
        file.seek(start)
        header = file.read(_LONG_HEADER_BYTES)
        size, body = int.from_bytes(header[:4]), start + _HEADER_BYTES
        if size == 1:
            size, body = int.from_bytes(header[8:16]), start + _LONG_HEADER_BYTES
        elif size == 0:
            size = end - start
        if start + size < body:
            return
        yield Box(header[4:8], body, start + size)
        start += size
