"""What a file is, from its first kilobytes: the name and the declared type have no say.

`sniff` is total and looks at no more than it is given; 16 KiB (`Limits.sniff_bytes`) are enough for every
format here. It refuses to guess: where the bytes do not say, the answer is `None`, and it never says that a file
is *good*: that is the work of inspection. Literal signatures are in `signatures.py`, text in `sniff_text.py`.
"""

from collections.abc import Callable

from smmu.domain.signatures import FORMATS, SIGNATURES, Sniffed
from smmu.domain.sniff_boxes import probe_boxes
from smmu.domain.sniff_frames import probe_elementary, probe_frames, probe_transport
from smmu.domain.sniff_text import probe_text

__all__ = ["Sniffed", "sniff"]

_RIFF = {b"WAVE": "wav", b"AVI ": "avi", b"WEBP": "webp", b"RMID": "midi", b"ACON": "ico"}
_RIFF_MAGIC = frozenset({b"RIFF", b"RIFX", b"RF64", b"BW64"})
_FORM = {b"AIFF": "aiff", b"AIFC": "aiff"}
_TIFF_MAGIC = frozenset({b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"})
_BMP_HEADER_BYTES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_EBML_MAGIC = b"\x1aE\xdf\xa3"
_EBML_DOCTYPE = b"\x42\x82"
_TRACK_CODEC = b"\x86"  # Matroska: CodecID, a string such as "V_VP9" or "A_OPUS"
_OGG_VIDEO = (b"\x80theora", b"BBCD\x00", b"\x01video", b"OVP80")
_OGG_SCAN_BYTES = 4096  # all first pages of an Ogg file come before any other
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_ID3_HEADER_BYTES = 10
_ZIP_MEMBERS = (
    (b"word/", "docx"),
    (b"xl/", "xlsx"),
    (b"ppt/", "pptx"),
    (b"mimetypeapplication/epub+zip", "epub"),
)


def sniff(head: bytes) -> Sniffed | None:
    """Name the format of a file by its first bytes, or answer `None` when they name none.

    The answer describes the container. Whether an MP4 or a WebM holds pictures is said only where `head`
    shows it; `content_types.compatible` therefore never tells sound from pictures within one container.
    """
    for probe in _PROBES:
        key = probe(head)
        if key is not None:
            return FORMATS[key]
    return None


def _literal(head: bytes) -> str | None:
    return next((key for at, magic, key in SIGNATURES if head.startswith(magic, at)), None)


def _png(head: bytes) -> str | None:
    """An animated PNG says so with an `acTL` chunk before the first `IDAT` (APNG specification)."""
    if not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    return "apng" if b"acTL" in head.partition(b"IDAT")[0] else "png"


def _riff(head: bytes) -> str | None:
    if head[:4] == b"FORM":
        return _FORM.get(head[8:12])
    return _RIFF.get(head[8:12]) if head[:4] in _RIFF_MAGIC else None


def _tiff(head: bytes) -> str | None:
    if head[:4] not in _TIFF_MAGIC:
        return None
    return "raw" if head[8:10] == b"CR" else "tiff"  # Canon's CR2 is a TIFF in name only


def _bmp(head: bytes) -> str | None:
    """Two letters are not enough: the reserved field is zero and the header has one of the known sizes."""
    if head[:2] != b"BM" or head[6:10] != bytes(4):
        return None
    return "bmp" if int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES else None


def _ebml(head: bytes) -> str | None:
    if not head.startswith(_EBML_MAGIC):
        return None
    at = head.find(_EBML_DOCTYPE, 4, 128)
    doctype = head[at + 3 : at + 3 + (head[at + 2] & 0x7F)] if 0 < at < len(head) - 3 else b""
    kind = {b"webm": ("weba", "webm"), b"matroska": ("mka", "mkv")}.get(doctype.rstrip(b"\x00"))
    return kind and kind[0 if _only_sound(head) else 1]


def _only_sound(head: bytes) -> bool:
    codecs = {head[at + 2 : at + 4] for at in _every(head, _TRACK_CODEC)}
    return b"A_" in codecs and b"V_" not in codecs


def _every(head: bytes, needle: bytes) -> list[int]:
    found = []
    at = head.find(needle)
    while at >= 0:
        found.append(at)
        at = head.find(needle, at + 1)
    return found


def _ogg(head: bytes) -> str | None:
    if not head.startswith(b"OggS"):
        return None
    first = head[:_OGG_SCAN_BYTES]
    return "ogv" if any(mark in first for mark in _OGG_VIDEO) else "ogg"


def _asf(head: bytes) -> str | None:
    if _literal(head) != "asf":
        return None
    return "wma" if _ASF_AUDIO in head and _ASF_VIDEO not in head else "asf"


def _zip(head: bytes) -> str | None:
    if not head.startswith(b"PK\x03\x04"):
        return None
    return next((key for member, key in _ZIP_MEMBERS if member in head), "zip")


def _exe(head: bytes) -> str | None:
    """A DOS header ends in the offset of the next header; two letters alone also begin many texts."""
    if head[:2] != b"MZ" or len(head) < 64:  # noqa: PLR2004 - the size of a DOS header
        return None
    at = int.from_bytes(head[60:64], "little")
    return "exe" if at >= len(head) or head[at : at + 2] in {b"PE", b"NE", b"LE", b"LX"} else None


def _tagged(head: bytes) -> str | None:
    """ID3v2 tags are put before MP3, AAC and FLAC; what follows decides, when `head` reaches that far."""
    rest = head
    while rest[:3] == b"ID3" and len(rest) >= _ID3_HEADER_BYTES:
        rest = rest[_ID3_HEADER_BYTES + _id3_bytes(rest) :].lstrip(b"\x00")
    if rest is head:
        return None
    return "flac" if rest.startswith(b"fLaC") else probe_frames(rest) or "mp3"


def _id3_bytes(tag: bytes) -> int:
    """Seven bits a byte (ID3v2.4, 3.1), and a footer when the flag says so."""
    size = 0
    for digit in tag[6:10]:
        size = size << 7 | digit & 0x7F
    return size + (_ID3_HEADER_BYTES if tag[5] & 0x10 else 0)


def _late_pdf(head: bytes) -> str | None:
    """Readers accept a PDF header anywhere in the first kilobyte (ISO 32000, implementation notes)."""
    return "pdf" if b"%PDF-" in head[:1024] else None


_Probe = Callable[[bytes], str | None]
_PROBES: tuple[_Probe, ...] = (
    _png,  # eight bytes that nothing else begins with
    probe_boxes,  # before the literals: the size of a box can look like the signature of an icon or of MPEG
    _asf,
    _literal,
    _riff,
    _tiff,
    _bmp,
    _ebml,
    _ogg,
    _zip,
    _exe,
    _tagged,
    probe_text,
    probe_transport,
    probe_frames,
    probe_elementary,
    _late_pdf,
)
