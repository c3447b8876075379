"""A track's peaks as files: audiowaveform's JSON and binary formats, version 2, and a picture of them.

Formats: audiowaveform, doc/DataFormat.md (BBC). The picture is the whole track on transparent ground, in one colour
that is seen on white and on black, its height the full scale: a soft sound looks soft.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips

from smmu.adapters.media.proof import check
from smmu.adapters.media.waveform import Peaks
from smmu.domain.manifest import Check
from smmu.domain.plan import WaveformSpec

CONTENT_TYPES = {"json": "application/json", "dat": "application/octet-stream", "png": "image/png"}
VERSION = 2
CHANNELS = 1
_8_BITS, _8_BIT_FLAG = 8, 1
_HEADER_BYTES = 24
_WRITTEN_AT_ONCE = 65_536  # numbers
_FULL_SCALE = 32_768
_INK = (100, 116, 139)
_OPAQUE = 255

Pixels = npt.NDArray[np.uint8]


def write_waveform(peaks: Peaks, spec: WaveformSpec, path: Path) -> tuple[Check, ...]:
    """Write `peaks` as `spec` says, and check what can be said of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS[spec.format](peaks, spec, path)
    pixels = -(-peaks.samples // peaks.samples_per_pixel)
    common = (check("pixels", pixels, peaks.length), check("silent for lack of samples", 0, int(not peaks.samples)))
    return (*common, *(_PROOFS[spec.format](peaks, spec, path) if spec.format in _PROOFS else ()))


def _json(peaks: Peaks, spec: WaveformSpec, path: Path) -> None:
    head = {
        "version": VERSION,
        "channels": CHANNELS,
        "sample_rate": peaks.sample_rate,
        "samples_per_pixel": peaks.samples_per_pixel,
        "bits": spec.bits,
        "length": peaks.length,
    }
    pairs = peaks.pairs(spec.bits)
    with path.open("w", encoding="ascii") as file:
        file.write(json.dumps(head, separators=(",", ":"))[:-1] + ',"data":[')
        for start in range(0, len(pairs), _WRITTEN_AT_ONCE):
            file.write("," if start else "")
            file.write(",".join(map(str, pairs[start : start + _WRITTEN_AT_ONCE].tolist())))
        file.write("]}")


def _dat(peaks: Peaks, spec: WaveformSpec, path: Path) -> None:
    flags = _8_BIT_FLAG if spec.bits == _8_BITS else 0
    head = struct.pack("<iIiiIi", VERSION, flags, peaks.sample_rate, peaks.samples_per_pixel, peaks.length, CHANNELS)
    path.write_bytes(head + peaks.pairs(spec.bits).astype("<i1" if flags else "<i2").tobytes())


def _png(peaks: Peaks, spec: WaveformSpec, path: Path) -> None:
    pixels = drawn(peaks.pairs(16), spec.width or 1, spec.height or 1)
    image = pyvips.Image.new_from_memory(pixels.tobytes(), pixels.shape[1], pixels.shape[0], 4, "uchar")
    image.copy(interpretation="srgb").pngsave(str(path), keep="none")


def drawn(pairs: npt.NDArray[np.int16], width: int, height: int) -> Pixels:
    """Every column from the lowest to the highest of its share of the pixels; a short sound's are repeated."""
    length = len(pairs) // 2
    if length == 0:
        pairs, length = np.zeros(2, np.int16), 1
    firsts = np.arange(width) * length // width  # where two are equal, `reduceat` takes that one alone
    lows = np.minimum.reduceat(pairs[0::2], firsts)
    highs = np.maximum.reduceat(pairs[1::2], firsts)
    top, bottom = _row(highs, height), _row(lows, height)
    rows = np.arange(height)[:, None]
    inked = (rows >= top) & (rows <= bottom)
    return np.where(inked[..., None], np.array((*_INK, _OPAQUE), np.uint8), np.uint8(0))


def _row(values: npt.NDArray[np.int16], height: int) -> npt.NDArray[np.int64]:
    down = (_FULL_SCALE - values.astype(np.int64)) * height // (2 * _FULL_SCALE)
    return np.minimum(down, height - 1)


def _looked_at(peaks: Peaks, spec: WaveformSpec, path: Path) -> Iterator[Check]:
    again = pyvips.Image.new_from_file(str(path), fail_on="warning")
    yield check("size", f"{spec.width}x{spec.height}", f"{again.width}x{again.height}")
    same = np.array_equal(again.numpy(), drawn(peaks.pairs(16), spec.width or 1, spec.height or 1))
    yield check("what was drawn", True, same)  # noqa: FBT003 - a check compares two values


def _read_back(peaks: Peaks, spec: WaveformSpec, path: Path) -> Iterator[Check]:
    data = path.read_bytes()
    stated = struct.unpack_from("<i", data, 16)[0]
    yield check("pixels that the header states", peaks.length, stated)
    same = np.array_equal(np.frombuffer(data, "<i1" if spec.bits == _8_BITS else "<i2", offset=_HEADER_BYTES),
                          peaks.pairs(spec.bits))  # fmt: skip
    yield check("what was measured", True, same)  # noqa: FBT003 - as above


_WRITERS: Mapping[str, Callable[[Peaks, WaveformSpec, Path], None]] = {"json": _json, "dat": _dat, "png": _png}
_PROOFS: Mapping[str, Callable[[Peaks, WaveformSpec, Path], Iterator[Check]]] = {"dat": _read_back, "png": _looked_at}
