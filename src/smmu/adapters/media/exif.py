"""EXIF as a mapping that never raises: what is damaged in it is as good as not there.

Pillow parses it; its decoder trusts lengths and types that a hostile file chose, and says so in many kinds of errors.
It refuses to say what a tag means.
"""

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

IFD_EXIF, IFD_GPS = 0x8769, 0x8825
ORIENTATION = 0x0112
ORIENTATIONS = range(1, 9)
_POSITION_TAGS = (2, 4)  # GPSLatitude, GPSLongitude
_BYTES_MAX = 1 << 20
_DAMAGED = (
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OSError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
)


def exif_of(data: bytes | None) -> "Image.Exif":
    """EXIF data; empty when there is none, or nothing that can be read."""
    from PIL import Image  # noqa: PLC0415 - only for the files that need it

    found = Image.Exif()
    try:
        found.load((data or b"")[:_BYTES_MAX])
    except _DAMAGED:
        return Image.Exif()
    return found


def folder(exif: "Image.Exif", number: int) -> Mapping[int, Any]:
    """The folder of tags that a tag points to."""
    try:
        return exif.get_ifd(number)
    except _DAMAGED:
        return {}


def value(tags: Mapping[int, Any], number: int) -> object:
    """The value of a tag, or `None`."""
    try:
        found: object = tags.get(number)
    except _DAMAGED:
        return None
    return found


def has_position(data: bytes | None) -> bool:
    """Whether EXIF data says where the picture was taken."""
    place = folder(exif_of(data), IFD_GPS) if data else {}
    return any(value(place, tag) is not None for tag in _POSITION_TAGS)


def orientation(data: bytes | None) -> int:
    """How EXIF data says that the picture is to be turned; 1 for what is no orientation."""
    found = value(exif_of(data), ORIENTATION) if data else None
    return found if isinstance(found, int) and found in ORIENTATIONS else 1
