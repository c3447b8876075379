"""Whether a file of peaks is what it should be: audiowaveform's formats of version 2, as their description has them.

Refuses to know how peaks are made: `smmu verify` asks from outside.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any, Final

_VERSION: Final = 2
_HEADER: Final = struct.Struct("<iIiiIi")
_8_BIT_FLAG: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What a file says of itself, and how many numbers it holds."""

    version: int
    channels: int
    sample_rate: int
    samples_per_pixel: int
    length: int
    numbers: int


def peaks_complaint(data: bytes, *, binary: bool, pixels: int) -> str:
    """What is wrong with a file that should hold this many pixels; "" when nothing is."""
    try:
        stated = _of_binary(data) if binary else _of_json(json.loads(data))
    except (ValueError, KeyError, TypeError, struct.error):
        return "it is not written as a waveform is"
    if stated.version != _VERSION or min(stated.channels, stated.sample_rate, stated.samples_per_pixel) < 1:
        return "its header is not that of a waveform of version 2"
    if stated.numbers != 2 * stated.length * stated.channels:
        return f"it holds {stated.numbers} numbers and not {2 * stated.length * stated.channels}"
    return "" if stated.length == pixels else f"it has {stated.length} pixels and not {pixels}"


def _of_binary(data: bytes) -> _Stated:
    version, flags, rate, samples, length, channels = _HEADER.unpack_from(data)
    width = 1 if flags & _8_BIT_FLAG else 2
    return _Stated(
        version=version, channels=channels, sample_rate=rate, samples_per_pixel=samples, length=length,
        numbers=(len(data) - _HEADER.size) // width,
    )  # fmt: skip


def _of_json(document: Any) -> _Stated:  # noqa: ANN401 - what JSON holds
    return _Stated(
        version=document["version"], channels=document["channels"], sample_rate=document["sample_rate"],
        samples_per_pixel=document["samples_per_pixel"], length=document["length"], numbers=len(document["data"]),
    )  # fmt: skip
