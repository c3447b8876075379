"""What differs between the codecs of rungs: encoder and options, record and name, what may stand beside pictures.

Everything else about a rung is the same: keyframes only where the plan has them, closed GOPs, constant quality under a
cap, 8-bit 4:2:0 BT.709. Sources: ISO/IEC 14496-15 (hvcC), "AV1 Codec ISO Media File Format Binding" (av1C), RFC 6381
and their codec strings. Refuses to encode: `encoder.py` does.
"""

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from smmu.adapters.media import cmaf
from smmu.domain.plan import RungSpec

# Machines give the same bits with cpu-independent alone. Without, even one machine does not: macroblock trees of widths
# that do not fill AVX-512's registers (426 and 640 pixels have such) came out in several ways.
_X264 = "keyint=infinite:min-keyint=1:scenecut=0:open-gop=0:force-cfr=0:cpu-independent=1"
_X265 = "keyint=-1:min-keyint=1:scenecut=0:open-gop=0:repeat-headers=0:info=0:log-level=none"
_SVT = "keyint=-1:scd=0:enable-force-key-frames=1:lp={threads}"
_SVT_THREADS_MAX = 4  # each costs address space, and rungs run beside each other

_AVC_SUPPLEMENT, _AVC_UNITS = frozenset({6}), 31
_HEVC_VPS, _HEVC_SPS, _HEVC_PPS = 32, 33, 34
_HEVC_SUPPLEMENTS = frozenset({39, 40})
_OBU_SEQUENCE, _OBU_DELIMITER, _OBU_METADATA = 1, 2, 5
_USER_DATA = {4: "registered user data", 5: "user data"}  # supplemental information, of H.264 and HEVC
_OF_X264 = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")  # who wrote it, and with which options


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """One codec. `record` makes the configuration of an encoder's global header, `payload` a sample of a packet.

    `extras` names what is in a sample besides the picture and may be anything: captions, or a camera's own data.
    """

    encoder: str
    options: Callable[[int], dict[str, str]]
    entry: bytes
    box: bytes
    record: Callable[[bytes], bytes]
    payload: Callable[[bytes], bytes]
    name: Callable[[bytes], str]
    extras: Callable[[bytes], list[str]]

    def sample_entry(self, configuration: bytes, width: int, height: int) -> bytes:
        """The sample entry of a track with this configuration."""
        return cmaf.video_entry(self.entry, cmaf.box(self.box, configuration), width, height)


def options_for(spec: RungSpec, threads: int) -> dict[str, str]:
    """All that the encoder of this rung is told. How many threads it has shows in AV1's alone."""
    rate = {"crf": str(spec.crf), "maxrate": str(spec.bitrate_bps_max), "bufsize": str(2 * spec.bitrate_bps_max)}
    return rate | CODINGS[spec.codec].options(threads)


def _x264(_threads: int) -> dict[str, str]:
    return {"preset": "veryfast", "profile": "high", "forced-idr": "1", "x264-params": _X264}


def _x265(_threads: int) -> dict[str, str]:
    return {"preset": "veryfast", "forced-idr": "1", "x265-params": _X265}


def _svt(threads: int) -> dict[str, str]:
    os.environ["SVT_LOG"] = "1"  # it tells of every setting otherwise; there is no other way to say so
    return {"preset": "8", "svtav1-params": _SVT.format(threads=min(threads, _SVT_THREADS_MAX))}


# --- H.264, and what HEVC has in common with it


def _avc_extras(sample: bytes) -> list[str]:
    return list(_user_data(unit[1:] for unit in _units(sample) if unit[0] & _AVC_UNITS in _AVC_SUPPLEMENT))


def _hevc_extras(sample: bytes) -> list[str]:
    return list(_user_data(unit[2:] for unit in _units(sample) if unit[0] >> 1 & 63 in _HEVC_SUPPLEMENTS))


def _units(sample: bytes) -> Iterator[bytes]:
    """The units of a sample of ours, each behind its length."""
    at = 0
    while at < len(sample):
        start = at + 4
        at = start + int.from_bytes(sample[at:start])
        if at > start:
            yield sample[start:at]


def _user_data(supplements: Iterable[bytes]) -> Iterator[str]:
    for escaped in supplements:
        unit, at = escaped.replace(b"\0\0\3", b"\0\0"), 0
        while at < len(unit) - 1:  # the last byte is the stop bit
            kind, at = _number(unit, at)
            size, at = _number(unit, at)
            if kind in _USER_DATA and unit[at : at + len(_OF_X264)] != _OF_X264:
                yield _USER_DATA[kind]
            at += size


def _number(unit: bytes, at: int) -> tuple[int, int]:
    """A number as supplemental information has it, and where the next begins: bytes of 255 are not its last."""
    value = 0
    while at < len(unit) and unit[at] == 255:  # noqa: PLR2004 - as above
        value, at = value + 255, at + 1
    return value + (unit[at] if at < len(unit) else 0), at + 1


# --- HEVC


def _hevc_record(extradata: bytes) -> bytes:
    units = cmaf.nal_units(extradata)
    kinds = {kind: [unit for unit in units if unit[0] >> 1 & 63 == kind] for kind in (_HEVC_VPS, _HEVC_SPS, _HEVC_PPS)}
    sequence = kinds[_HEVC_SPS][0][2:].replace(b"\0\0\3", b"\0\0")
    layers, nested = (sequence[0] >> 1 & 7) + 1, sequence[0] & 1
    # Version, profile and level as the sequence has them, 4:2:0 of 8 bits, lengths of 4 bytes.
    head = b"\1" + sequence[1:13] + b"\xf0\0\xfc\xfd\xf8\xf8\0\0" + bytes([layers << 3 | nested << 2 | 3, len(kinds)])
    return head + b"".join(_hevc_array(kind, sets) for kind, sets in kinds.items())


def _hevc_array(kind: int, sets: list[bytes]) -> bytes:
    head = struct.pack(">BH", 0x80 | kind, len(sets))
    return head + b"".join(struct.pack(">H", len(unit)) + unit for unit in sets)


def _hevc_name(record: bytes) -> str:
    space, tier, profile = record[1] >> 6, record[1] >> 5 & 1, record[1] & 31
    compatible = int(f"{int.from_bytes(record[2:6]):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\0")
    parts = [f"{'ABC'[space - 1] if space else ''}{profile}", f"{compatible:X}", f"{'H' if tier else 'L'}{record[12]}"]
    return ".".join(["hvc1", *parts, *(f"{byte:X}" for byte in constraints)])


# --- AV1


def _av1_record(extradata: bytes) -> bytes:
    sequence = next(unit for kind, unit in _obus(extradata) if kind == _OBU_SEQUENCE)
    profile, level, tier = _av1_level(sequence)
    # Marker and version, 8 bits, 4:2:0, and the sequence header itself.
    return bytes([0x81, profile << 5 | level, tier << 7 | 0x0C, 0]) + sequence


def _av1_level(sequence: bytes) -> tuple[int, int, int]:
    _, start = _obu_size(sequence, 1)
    bits = int.from_bytes(sequence[start : start + 5])  # 40 bits: no timing information, one operating point
    profile, level = bits >> 37, bits >> 11 & 31
    return profile, level, (bits >> 10 & 1) if level > 7 else 0  # noqa: PLR2004 - levels below 4.0 have no tiers


def _av1_payload(packet: bytes) -> bytes:
    return b"".join(unit for kind, unit in _obus(packet) if kind != _OBU_DELIMITER)


def _av1_extras(sample: bytes) -> list[str]:
    return ["metadata" for kind, _ in _obus(sample) if kind == _OBU_METADATA]


def _av1_name(record: bytes) -> str:
    return f"av01.{record[1] >> 5}.{record[1] & 31:02d}{'H' if record[2] >> 7 else 'M'}.08"


def _obus(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and bytes of each unit; every one of SVT-AV1's carries its size."""
    at = 0
    while at < len(stream):
        size, start = _obu_size(stream, at + 1 + (stream[at] >> 2 & 1))
        yield stream[at] >> 3 & 15, stream[at : start + size]
        at = start + size


def _obu_size(stream: bytes, at: int) -> tuple[int, int]:
    """A size in groups of seven bits, lowest first, and where the content after it starts."""
    size = shift = 0
    while True:
        size |= (stream[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if stream[at - 1] < 128:  # noqa: PLR2004 - the top bit says that more follows
            return size, at


CODINGS: dict[Literal["h264", "hevc", "av1"], Coding] = {
    "h264": Coding(
        encoder="libx264", options=_x264, entry=b"avc1", box=b"avcC",
        record=cmaf.avc_configuration, payload=cmaf.length_prefixed, name=cmaf.avc_codec, extras=_avc_extras,
    ),
    "hevc": Coding(
        encoder="libx265", options=_x265, entry=b"hvc1", box=b"hvcC",
        record=_hevc_record, payload=cmaf.length_prefixed, name=_hevc_name, extras=_hevc_extras,
    ),
    "av1": Coding(
        encoder="libsvtav1", options=_svt, entry=b"av01", box=b"av1C",
        record=_av1_record, payload=_av1_payload, name=_av1_name, extras=_av1_extras,
    ),
}  # fmt: skip
