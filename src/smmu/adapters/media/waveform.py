"""Peaks of a track for drawing: audiowaveform's JSON, version 2, number for number.

Channels are averaged to one as audiowaveform does by default, each pixel is the lowest and highest sample of
`samples_per_pixel`, and the last, shorter pixel is emitted. Memory grows with the pixels and not with the samples.
Refuses to draw.
"""

import json
from array import array
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from smmu.adapters.media.condition import Condition
from smmu.adapters.media.sound import Converter
from smmu.domain.plan import WaveformSpec

CONTENT_TYPE = "application/json"
LOWEST, HIGHEST = -32_768, 32_767
VERSION = 2
WRITTEN_AT_ONCE = 65_536  # numbers


class Peaks:
    """Feed it the decoded sound of one track; the first block fixes the sample rate."""

    def __init__(self, spec: WaveformSpec) -> None:
        self._spec = spec
        self._pairs = array("h")
        self._rest: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._converter: Converter | None = None
        self._condition = Condition()
        self.sample_rate = 0
        self.samples = 0

    @property
    def samples_per_pixel(self) -> int:
        """How many samples one pixel stands for."""
        return max(1, self.sample_rate // self._spec.pixels_per_second)

    @property
    def length(self) -> int:
        """How many pixels there are."""
        return len(self._pairs) // 2

    def feed(self, frame: AudioFrame) -> None:
        """Take one more block."""
        if self._converter is None:
            self.sample_rate = frame.sample_rate
            channels = len(frame.layout.channels) or frame.layout.nb_channels
            self._converter = Converter(sample_rate=self.sample_rate, channels=channels, sample_format="s16")
        for block in self._converter.feed(frame):
            self._add(block)

    def finish(self) -> None:
        """No more sound: emit the last pixel."""
        for block in self._converter.flush() if self._converter else ():
            self._add(block)
        if self._rest.size:
            self._emit(self._rest.reshape(1, -1))
            self._rest = self._rest[:0]

    def measures(self) -> dict[str, float | int | str]:
        """What to note in a proof, after the end."""
        return {"samples": self.samples, "pixels": self.length, **self._condition.measures(self.sample_rate)}

    def write(self, path: Path) -> None:
        """The JSON document, written piece by piece."""
        head = {
            "version": VERSION,
            "channels": 1,
            "sample_rate": self.sample_rate,
            "samples_per_pixel": self.samples_per_pixel,
            "bits": self._spec.bits,
            "length": self.length,
        }
        with path.open("w", encoding="ascii") as file:
            file.write(json.dumps(head, separators=(",", ":"))[:-1] + ',"data":[')
            for start in range(0, len(self._pairs), WRITTEN_AT_ONCE):
                file.write("," if start else "")
                file.write(",".join(map(str, self._pairs[start : start + WRITTEN_AT_ONCE])))
            file.write("]}")

    def _add(self, block: AudioFrame) -> None:
        channels = len(block.layout.channels)
        wide = block.to_ndarray().reshape(-1, channels).astype(np.int64)
        self.samples += len(wide)
        self._condition.feed(wide, self.sample_rate)
        mono = _toward_zero(wide.sum(axis=1), channels)
        line = np.concatenate((self._rest, mono))
        whole = len(line) // self.samples_per_pixel * self.samples_per_pixel
        if whole:
            self._emit(line[:whole].reshape(-1, self.samples_per_pixel))
        self._rest = line[whole:].copy()

    def _emit(self, pixels: npt.NDArray[np.int64]) -> None:
        pairs = np.stack((pixels.min(axis=1), pixels.max(axis=1)), axis=1).clip(LOWEST, HIGHEST)
        if self._spec.bits == 8:  # noqa: PLR2004 - the format's other width
            pairs = _toward_zero(pairs, 256)
        self._pairs.extend(pairs.ravel().tolist())


def _toward_zero(values: npt.NDArray[np.int64], divisor: int) -> npt.NDArray[np.int64]:
    # What C++ does with `/`, and what numpy's `//` does not.
    quotients: npt.NDArray[np.int64] = np.sign(values) * (np.abs(values) // divisor)
    return quotients
