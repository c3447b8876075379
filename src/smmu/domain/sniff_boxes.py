"""The ISO base media family by its boxes: MP4, QuickTime, 3GP, HEIF, AVIF (ISO/IEC 14496-12).

A box is a big-endian size, four letters, and its content. The `ftyp` box names brands; it comes first, or
after padding, or, in old QuickTime files, not at all. Nothing here checks that the file is whole.
"""

from collections.abc import Iterator
from typing import NamedTuple

# The major brand decides; where it is unknown, the first compatible brand that is known does.
_BRANDS: dict[bytes, str] = {
    b"avif": "avif",
    b"avis": "avis",
    b"heic": "heic",
    b"heix": "heic",
    b"heim": "heic",
    b"heis": "heic",
    b"hevc": "hevc",
    b"hevx": "hevc",
    b"hevm": "hevc",
    b"hevs": "hevc",
    b"mif1": "mif1",
    b"mif2": "mif1",
    b"miaf": "mif1",
    b"msf1": "msf1",
    b"jxl ": "jxl",
    b"jp2 ": "jp2",
    b"crx ": "raw",
    b"qt  ": "mov",
    b"M4A ": "m4a",
    b"M4B ": "m4a",
    b"M4P ": "m4a",
    b"F4A ": "m4a",
    b"F4B ": "m4a",
    b"M4V ": "m4v",
    b"M4VH": "m4v",
    b"M4VP": "m4v",
}
_BRAND_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"3gp", "3gp"),
    (b"3gr", "3gp"),
    (b"3gs", "3gp"),
    (b"3g2", "3g2"),
)
# A general picture brand says nothing of the codec: these compatible brands do, and name another format.
_SPECIFIC = {"mif1": (b"avif", "avif"), "msf1": (b"avis", "avis")}

_PADDING = frozenset({b"free", b"skip", b"wide", b"uuid", b"pnot", b"PICT"})
_OLD_QUICKTIME = frozenset({b"moov", b"mdat"})
_PADDING_BYTES_MAX = 16 * 1024 * 1024  # over this, four letters of a text were taken for a size
_HEADER_BYTES, _LONG_HEADER_BYTES = 8, 16


class _Box(NamedTuple):
    name: bytes
    body: bytes
    size: int
    whole: bool


def probe_boxes(head: bytes) -> str | None:
    """Name the format of a file made of boxes, or answer `None` when its first boxes are no such file's."""
    goes_on = False
    for box in _boxes(head):
        if box.name == b"ftyp":
            return _refined(_by_brands(box.body), head)
        if box.name in _OLD_QUICKTIME:
            return "mov"
        if box.name not in _PADDING or box.size > _PADDING_BYTES_MAX:
            return None
        goes_on = not box.whole
    return "mov" if goes_on else None


def _boxes(data: bytes) -> Iterator[_Box]:
    """Yield the boxes of `data`, the last one perhaps cut; stop at what is no box."""
    at = 0
    while at + _HEADER_BYTES <= len(data):
        size, header = int.from_bytes(data[at : at + 4]), _HEADER_BYTES
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16]), _LONG_HEADER_BYTES
        elif size == 0:
            size = len(data) - at
        if size < header:
            return
        end = at + size
        yield _Box(name=data[at + 4 : at + 8], body=data[at + header : end], size=size, whole=end <= len(data))
        at = end


def _by_brands(ftyp: bytes) -> str:
    """The content of `ftyp`: a major brand, a version, compatible brands. An unknown brand is some MP4."""
    major = ftyp[:4]
    compatible = [ftyp[at : at + 4] for at in range(8, len(ftyp) - 3, 4)]
    key = _by_brand(major)
    if key is None:
        key = next((found for found in map(_picture_brand, compatible) if found), "mp4")
    brand, specific = _SPECIFIC.get(key, (b"", key))
    return specific if brand in compatible else key


def _by_brand(brand: bytes) -> str | None:
    for prefix, key in _BRAND_PREFIXES:
        if brand.startswith(prefix):
            return key
    return _BRANDS.get(brand)


def _picture_brand(brand: bytes) -> str | None:
    """Compatible brands are trusted for pictures only: any MP4 may call itself compatible with M4A or 3GP."""
    key = _BRANDS.get(brand)
    return key if key in {"avif", "avis", "heic", "hevc", "mif1", "msf1"} else None


def _refined(key: str, head: bytes) -> str:
    """An MP4 whose index is wholly in `head` and lists sound but no pictures is sound."""
    if key != "mp4":
        return key
    for box in _boxes(head):
        if box.name == b"moov" and box.whole:
            return "m4a" if _handled(box.body, b"soun") and not _handled(box.body, b"vide") else key
    return key


def _handled(moov: bytes, handler: bytes) -> bool:
    """Whether a track's `hdlr` box names this handler: it is 8 bytes into the content."""
    at = moov.find(b"hdlr")
    while at >= 0:
        if moov[at + 12 : at + 16] == handler:
            return True
        at = moov.find(b"hdlr", at + 1)
    return False
