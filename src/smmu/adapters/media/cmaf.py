"""One CMAF track, written byte by byte: its initialisation section and its fragments (ISO/IEC 14496-12, 23000-19).

Written by hand because exactness is the point: every duration is the distance to the next decoding time, a segment
starts where the plan says, nothing of the source's metadata can slip in, and the same input gives the same bytes.
B-frames and AAC's priming are handled by one edit ("the presentation starts `shift` into the media"), which every
player honours. Refuses to know about files, playlists or encoders.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from smmu.domain.languages import UNDETERMINED

START_CODE = b"\0\0\1"
MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
MOVIE_TIMESCALE = 1_000
KEY_FLAGS, DELTA_FLAGS = 0x02000000, 0x01010000
NAL_SPS, NAL_PPS = 7, 8


@dataclass(frozen=True, slots=True)
class Sample:
    """One packet, in decoding order. Times in ticks of the track, 0 being where the presentation starts."""

    data: bytes
    pts: int
    dts: int
    key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackHeader:
    """What the initialisation section says. `shift` is how far into the media the presentation starts, in ticks.

    `language` has three letters (ISO 639-2/T).
    """

    entry: bytes
    timescale: int
    width: int = 0
    height: int = 0
    shift: int = 0
    language: str = UNDETERMINED

    @property
    def is_video(self) -> bool:
        """Whether it shows something."""
        return self.width > 0


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box: length, four letters, content."""
    content = b"".join(parts)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box that has a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def nal_units(stream: bytes) -> list[bytes]:
    """The units of an Annex B byte stream, which is how x264 hands them out."""
    starts = []
    at = stream.find(START_CODE)
    while at >= 0:
        starts.append(at + 3)
        at = stream.find(START_CODE, at + 3)
    return [stream[start : after - 3].rstrip(b"\0") for start, after in pairwise([*starts, len(stream) + 3])]


def length_prefixed(stream: bytes) -> bytes:
    """Annex B rewritten as MP4 wants it: each unit behind its length."""
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in nal_units(stream))


def avc_configuration(extradata: bytes) -> bytes:
    """The `avcC` content made of x264's global header (High profile, 8-bit 4:2:0)."""
    units = nal_units(extradata)
    sequence = [unit for unit in units if unit[0] & 31 == NAL_SPS]
    picture = [unit for unit in units if unit[0] & 31 == NAL_PPS]
    head = b"\1" + sequence[0][1:4] + b"\xff" + bytes([0xE0 | len(sequence)])
    sets = [struct.pack(">H", len(unit)) + unit for unit in sequence]
    sets += [bytes([len(picture)])] + [struct.pack(">H", len(unit)) + unit for unit in picture]
    return head + b"".join(sets) + b"\xfd\xf8\xf8\0"


def avc_codec(configuration: bytes) -> str:
    """RFC 6381 name of what an `avcC` describes, such as avc1.64001f."""
    return f"avc1.{configuration[1:4].hex()}"


def aac_codec(configuration: bytes) -> str:
    """RFC 6381 name of what an AudioSpecificConfig describes, such as mp4a.40.2."""
    return f"mp4a.40.{configuration[0] >> 3}"


def video_entry(kind: bytes, configuration: bytes, width: int, height: int) -> bytes:
    """The sample entry of a picture track with its configuration's box: square pixels, BT.709, limited range."""
    head = struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x480000, 0x480000, 0, 1, 0x18, -1)
    colours = box(b"colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0))
    return box(kind, head, configuration, colours, box(b"pasp", struct.pack(">II", 1, 1)))


def aac_entry(configuration: bytes, channels: int, sample_rate: int, bitrate_bps: int) -> bytes:
    """The sample entry of an AAC track."""
    rate = sample_rate if sample_rate < 1 << 16 else 0
    head = struct.pack(">6xH8xHHIHH", 1, channels, 16, 0, rate, 0)
    decoder = struct.pack(">BB3xII", 0x40, 0x15, bitrate_bps, bitrate_bps) + _descriptor(5, configuration)
    stream = struct.pack(">HB", 1, 0) + _descriptor(4, decoder) + _descriptor(6, b"\2")
    return box(b"mp4a", head, full_box(b"esds", 0, 0, _descriptor(3, stream)))


def _descriptor(tag: int, content: bytes) -> bytes:
    return struct.pack(">BBBBB", tag, 0x80, 0x80, 0x80, len(content)) + content


def initialisation(track: TrackHeader) -> bytes:
    """`ftyp` and `moov` of a fragmented file with one track."""
    brands = box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6cmfcmp41")
    times = struct.pack(">IIIIIH10x", 0, 0, MOVIE_TIMESCALE, 0, 0x10000, 0x100)
    header = full_box(b"mvhd", 0, 0, times, MATRIX, bytes(24), struct.pack(">I", 2))
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">IIIII", 1, 1, 0, 0, 0)))
    return brands + box(b"moov", header, _track(track), extends)


def _track(track: TrackHeader) -> bytes:
    volume = 0 if track.is_video else 0x100
    numbers = struct.pack(">IIIII8xHHHH", 0, 0, 1, 0, 0, 0, 0, volume, 0)
    size = struct.pack(">II", track.width << 16, track.height << 16)
    edit = box(b"edts", full_box(b"elst", 0, 0, struct.pack(">IIiI", 1, 0, track.shift, 0x10000)))
    header = full_box(b"tkhd", 0, 3, numbers, MATRIX, size)
    return box(b"trak", header, edit if track.shift else b"", _media(track))


def _media(track: TrackHeader) -> bytes:
    kind, name = (b"vide", b"Video\0") if track.is_video else (b"soun", b"Sound\0")
    times = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, track.timescale, 0, _packed(track.language), 0))
    handler = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, kind), name)
    video, audio = full_box(b"vmhd", 0, 1, bytes(8)), full_box(b"smhd", 0, 0, bytes(4))
    here = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    source = box(b"dinf", here)
    information = box(b"minf", video if track.is_video else audio, source, _empty_table(track.entry))
    return box(b"mdia", times, handler, information)


def _packed(language: str) -> int:
    """Three letters of five bits each."""
    first, second, third = (ord(letter) - 0x60 for letter in language)
    return first << 10 | second << 5 | third


def _empty_table(entry: bytes) -> bytes:
    empty = [full_box(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco")]
    sizes = full_box(b"stsz", 0, 0, bytes(8))
    return box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), *empty, sizes)


def segment_type() -> bytes:
    """What a segment begins with; fragments follow."""
    return box(b"styp", b"msdh", struct.pack(">I", 0), b"msdhcmfs")


def fragment(number: int, samples: Sequence[Sample], next_dts: int, shift: int) -> tuple[list[bytes], int]:
    """One `moof` and its `mdat`, in parts to be joined, and where in them the first sample ends.

    `next_dts` is when the sample that follows is decoded.
    """
    first = samples[0].dts + shift
    size = len(_fragment_header(number, first, _run(samples, next_dts, data_offset=0)))
    header = _fragment_header(number, first, _run(samples, next_dts, data_offset=size + 8))
    media = [sample.data for sample in samples]
    opening = struct.pack(">I4s", 8 + sum(map(len, media)), b"mdat")
    return [header, opening, *media], size + 8 + len(media[0])


def _fragment_header(number: int, first_dts: int, run: bytes) -> bytes:
    track = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1))
    time = full_box(b"tfdt", 1, 0, struct.pack(">Q", first_dts))
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", number)), box(b"traf", track, time, run))


def _run(samples: Sequence[Sample], next_dts: int, *, data_offset: int) -> bytes:
    ends = [sample.dts for sample in samples[1:]] + [next_dts]
    rows = [
        struct.pack(">IIIi", end - s.dts, len(s.data), KEY_FLAGS if s.key else DELTA_FLAGS, s.pts - s.dts)
        for s, end in zip(samples, ends, strict=True)
    ]
    return full_box(b"trun", 1, 0x000F01, struct.pack(">Ii", len(rows), data_offset), *rows)
