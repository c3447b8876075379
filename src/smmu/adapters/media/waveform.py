"""Peaks of a track for drawing: audiowaveform's, number for number.

Channels are averaged to one as audiowaveform does by default, each pixel is the lowest and highest sample of
`samples_per_pixel`, and the last, shorter pixel is emitted. Memory grows with the pixels and not with the samples.
Refuses to write: `waveform_files.py` does.
"""

from array import array

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from smmu.adapters.media.condition import Condition, Samples
from smmu.adapters.media.sound import Converter

_PIXELS_AT_ONCE = 100
_8_BITS = 8

Numbers = npt.NDArray[np.int32]


class Peaks:
    """Feed it the decoded sound of one track; the first block fixes the sample rate."""

    def __init__(self, pixels_per_second: int) -> None:
        self._pixels_per_second = pixels_per_second
        self._pairs = array("h")
        self._rest: Numbers = np.empty(0, np.int32)
        self._converter: Converter | None = None
        self._condition: Condition | None = None
        self._channels = 1
        self.sample_rate = 0
        self.samples = 0

    @property
    def samples_per_pixel(self) -> int:
        """How many samples one pixel stands for."""
        return max(1, self.sample_rate // self._pixels_per_second)

    @property
    def length(self) -> int:
        """How many pixels there are."""
        return len(self._pairs) // 2

    def feed(self, frame: AudioFrame) -> None:
        """Take one more block."""
        if self._converter is None:
            self._begin(frame)
        assert self._converter is not None  # noqa: S101 - it has just begun
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
        condition = self._condition.measures() if self._condition else {}
        return {"samples": self.samples, "pixels": self.length, **condition}

    def pairs(self, bits: int) -> npt.NDArray[np.int16]:
        """Lowest and highest of every pixel, one after the other. In 8 bits, which are the upper ones, toward zero."""
        pairs = np.frombuffer(self._pairs, np.int16)
        return pairs if bits != _8_BITS else _toward_zero(pairs.astype(np.int32), 256).astype(np.int16)

    def _begin(self, frame: AudioFrame) -> None:
        self.sample_rate = frame.sample_rate
        self._channels = len(frame.layout.channels) or frame.layout.nb_channels
        # Few large blocks: what numpy does to one costs the same for 500 samples as for 50,000.
        block = self.samples_per_pixel * _PIXELS_AT_ONCE
        self._converter = Converter(
            sample_rate=self.sample_rate, channels=self._channels, sample_format="s16", block=block
        )
        self._condition = Condition(self.sample_rate, self._channels)

    def _add(self, block: AudioFrame) -> None:
        assert self._condition is not None  # noqa: S101 - there is no block before it has begun
        rows = block.to_ndarray().reshape(-1, self._channels).T  # packed: sound.PLANES_MAX says why
        wide: Samples = np.ascontiguousarray(rows, np.int16)
        self.samples += wide.shape[1]
        self._condition.feed(wide)
        line = np.concatenate((self._rest, wide.sum(axis=0, dtype=np.int32)))
        whole = len(line) // self.samples_per_pixel * self.samples_per_pixel
        if whole:
            self._emit(line[:whole].reshape(-1, self.samples_per_pixel))
        self._rest = line[whole:].copy()

    def _emit(self, pixels: Numbers) -> None:
        # The average rises with the sum, so it is taken of the lowest and highest sums alone.
        sums = np.stack((pixels.min(axis=1), pixels.max(axis=1)), axis=1)
        self._pairs.frombytes(_toward_zero(sums, self._channels).astype(np.int16).tobytes())


def _toward_zero(values: Numbers, divisor: int) -> Numbers:
    # What C++ does with `/`, and what numpy's `//` does not.
    quotients: Numbers = np.sign(values) * (np.abs(values) // divisor)
    return quotients
