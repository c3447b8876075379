"""Small files that claim, or unpack to, more than there is: pixels, frames, samples, tracks, words, years, depth.

Each maker gives a file's bytes and may use the folder. None is larger than a few megabytes.
"""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.support.attacks import box, replaced, tag
from tests.support.media import animation, clip, gradient, heic, song

SIDE_MAX = 0xFFFF
MANY = 0x7FFFFFFF
_TABLE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


# --- pictures


def chunk(name: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    """Eight bits of grey, all black: a thousand pixels are a byte."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def unpacking_png(_: Path) -> bytes:
    """400 million pixels that really are there."""
    return _png(20_000, 20_000)


def claiming_png(_: Path) -> bytes:
    small = _png(20, 20)
    return small[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 6, 0, 0, 0)) + small[33:]


def many_frames_apng(_: Path) -> bytes:
    return _png(20, 20, chunk(b"acTL", struct.pack(">II", MANY, 0)))


def claiming_jpeg(folder: Path) -> bytes:
    gradient(64, 64).save(folder / "small.jpg")
    whole = (folder / "small.jpg").read_bytes()
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", SIDE_MAX, SIDE_MAX) + whole[at + 4 :]


def many_frames_gif(folder: Path) -> bytes:
    """Forty thousand frames of a screen of 65,535 by 65,535, a few bytes each."""
    whole = animation(folder / "small.gif", frames=2, size=(4, 4)).read_bytes()
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return whole[:6] + struct.pack("<HH", SIDE_MAX, SIDE_MAX) + whole[10:-1] + picture * 40_000 + whole[-1:]


def claiming_webp(folder: Path) -> bytes:
    """An animation whose canvas has sixteen million pixels to a side."""
    whole = animation(folder / "small.webp").read_bytes()
    at = whole.index(b"VP8X") + 12
    return whole[:at] + b"\xff" * 6 + whole[at + 6 :]


def claiming_heic(folder: Path) -> bytes:
    """A grid of tiles that says it is as large as a number can be."""
    whole = heic(folder / "small.heic", size=(512, 512), tile=256).read_bytes()
    return whole.replace(struct.pack(">II", 512, 512), struct.pack(">II", MANY, MANY))


def circular_tiff(folder: Path) -> bytes:
    """The next directory is the same one again, for ever."""
    gradient(16, 16).save(folder / "small.tif")
    whole = bytearray((folder / "small.tif").read_bytes())
    start = struct.unpack_from("<I", whole, 4)[0]
    count = struct.unpack_from("<H", whole, start)[0]
    struct.pack_into("<I", whole, start + 2 + 12 * count, start)
    return bytes(whole)


# --- MP4


def _with_table(name: bytes, *numbers: int) -> Callable[[Path], bytes]:
    """A film with one of its sample tables replaced."""

    def make(folder: Path) -> bytes:
        whole = clip(folder / "plain.mp4", tone=False).read_bytes()
        return replaced(whole, (*_TABLE, name), box(name, bytes(4), struct.pack(f">{len(numbers)}I", *numbers)))

    return make


def many_pictures(folder: Path) -> bytes:
    """One keyframe of the largest size, listed 700,000 times."""
    made = clip(folder / "one.mp4", tone=False, size=(8_192, 4_320), seconds=0.04, options={"preset": "ultrafast"})
    whole, count = made.read_bytes(), 700_000
    at = struct.unpack_from(">I", whole, whole.rindex(b"stco") + 12)[0]
    size = struct.unpack_from(">I", whole, whole.rindex(b"stsz") + 8)[0]  # of one sample alone it is that of all
    for name, numbers in {
        b"stts": (1, count, 1),
        b"stsz": (size, count),
        b"stco": (count, *(at for _ in range(count))),
        b"stsc": (1, 1, 1, 1),
    }.items():
        table = box(name, bytes(4), struct.pack(f">{len(numbers)}I", *numbers))
        whole = replaced(whole, (*_TABLE, name), table)
    return replaced(whole, (b"moov", b"trak", b"edts"), box(b"free"))


def many_edits(folder: Path) -> bytes:
    whole = clip(folder / "plain.mp4", tone=False).read_bytes()
    edit = struct.pack(">IiI", 1, 0, 1 << 16)
    edits = box(b"elst", bytes(4), struct.pack(">I", 200_000), edit * 200_000)
    return replaced(whole, (b"moov", b"trak", b"edts", b"elst"), edits)


def many_tracks(folder: Path) -> bytes:
    whole = clip(folder / "plain.mp4", tone=False).read_bytes()
    at = whole.index(b"trak") - 4
    size = struct.unpack_from(">I", whole, at)[0]
    return replaced(whole, (b"moov", b"trak"), whole[at : at + size] * 5_000)


def centuries(folder: Path) -> bytes:
    """A header that promises nine centuries of film."""
    whole = clip(folder / "plain.mp4", tone=False).read_bytes()
    times = struct.pack(">IIIIII", 0, 0, 0, 1, 0x7000_0000, 0x55C4_0000)
    return replaced(whole, (b"moov", b"trak", b"mdia", b"mdhd"), box(b"mdhd", times))


def nested_boxes(_: Path) -> bytes:
    """Ten thousand boxes, each in the one before."""
    depth = 10_000
    heads = (struct.pack(">I4s", 8 * (depth - at), b"trak" if at % 2 else b"moov") for at in range(depth))
    return box(b"ftyp", b"isom", bytes(4), b"isom") + b"".join(heads)


def endless_box(_: Path) -> bytes:
    """A box of nine exabytes."""
    return box(b"ftyp", b"isom", bytes(4), b"isom") + struct.pack(">I4sQ", 1, b"moov", (1 << 63) - 1) + bytes(4096)


# --- Matroska


def _element(name: str, data: bytes, size: int | None = None) -> bytes:
    """With a length of eight bytes, which may be a lie."""
    return bytes.fromhex(name) + struct.pack(">Q", 1 << 56 | (len(data) if size is None else size)) + data


_MKV = _element("1a45dfa3", b"\x42\x82\x88matroska")


def nested_elements(_: Path) -> bytes:
    """Tags in tags of unknown length, ten thousand deep."""
    return _MKV + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\x12\x54\xc3\x67\x01\xff\xff\xff\xff\xff\xff\xff" * 10_000


def claiming_element(_: Path) -> bytes:
    return _MKV + _element("18538067", _element("1654ae6b", bytes(64), size=1 << 50), size=1 << 52)


def unpacking_track(_: Path) -> bytes:
    """A track whose blocks are packed by zlib, and unpack to 100 MB each."""
    packed = zlib.compress(bytes(100_000_000), 9)
    coding = _element("6d80", _element("6240", _element("5034", _element("4254", b"\0"))))
    shape = _element("e0", _element("b0", b"\x01\x40") + _element("ba", b"\0\xb4"))
    numbers = _element("d7", b"\x01") + _element("73c5", b"\x01") + _element("83", b"\x01")
    track = _element("ae", numbers + _element("86", b"V_MPEG4/ISO/ASP") + coding + shape)
    block = _element("a3", b"\x81" + struct.pack(">hB", 0, 0x80) + packed)
    cluster = _element("1f43b675", _element("e7", b"\0") + block * 20)
    return _MKV + _element("18538067", _element("1654ae6b", track) + cluster)


# --- sound


def claiming_tag(folder: Path) -> bytes:
    """An ID3 tag of 256 MiB in a file of some kilobytes."""
    return b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + song(folder / "plain.mp3").read_bytes()


def many_words(folder: Path) -> bytes:
    """A hundred thousand frames of text before the sound."""
    frame = struct.pack(">4sIH", b"TXXX", 8, 0) + b"\0a\0bcdef"
    return tag(frame * 100_000) + song(folder / "plain.mp3").read_bytes()


def claiming_comment(folder: Path) -> bytes:
    """A Vorbis comment whose vendor has a name of four gigabytes, and of which there are four thousand million."""
    whole = bytearray(song(folder / "plain.flac").read_bytes())
    at = whole.index(b"Lavf") - 4
    whole[at : at + 4] = b"\xff" * 4
    return bytes(whole)


def claiming_wav(folder: Path) -> bytes:
    """A rate of four thousand million samples a second in 65,535 channels."""
    whole = bytearray(song(folder / "plain.wav").read_bytes())
    at = whole.index(b"fmt ") + 10
    struct.pack_into("<HI", whole, at, SIDE_MAX, 0xFFFF_FFFF)
    return bytes(whole)


BOMBS: dict[str, Callable[[Path], bytes]] = {
    "png-unpacking": unpacking_png,
    "png-claiming": claiming_png,
    "apng-frames": many_frames_apng,
    "jpeg-claiming": claiming_jpeg,
    "gif-frames": many_frames_gif,
    "webp-claiming": claiming_webp,
    "heic-claiming": claiming_heic,
    "tiff-circular": circular_tiff,
    "mp4-samples": _with_table(b"stsz", 1, MANY),
    "mp4-sizes": _with_table(b"stsz", MANY, 25),
    "mp4-times": _with_table(b"stts", 1, MANY, 1),
    "mp4-time-table": _with_table(b"stts", MANY, 1, 1),
    "mp4-chunks": _with_table(b"stco", MANY, 48),
    "mp4-chunk-sizes": _with_table(b"stsc", 1, 1, MANY, 1),
    "mp4-pictures": many_pictures,
    "mp4-edits": many_edits,
    "mp4-tracks": many_tracks,
    "mp4-centuries": centuries,
    "mp4-nested": nested_boxes,
    "mp4-endless": endless_box,
    "mkv-nested": nested_elements,
    "mkv-claiming": claiming_element,
    "mkv-unpacking": unpacking_track,
    "mp3-tag": claiming_tag,
    "mp3-words": many_words,
    "flac-comment": claiming_comment,
    "wav-claiming": claiming_wav,
}
