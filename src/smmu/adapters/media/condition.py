"""What is wrong with a sound to the ear: samples at full scale, where it was cut off, and long silence."""

import numpy as np
import numpy.typing as npt

_FULL_SCALE = 32_767
_QUIET = 33  # of 32,768: -60 dB
_SILENCE_SECONDS_MIN = 0.5  # shorter ones are pauses


class Condition:
    """Feed it 16-bit samples, one row for each moment, of one rate. Silence is where no channel is over -60 dB."""

    def __init__(self) -> None:
        self.clipped = 0
        self._least = 0
        self._open = 0
        self._silent = 0
        self._longest = 0

    def feed(self, wide: npt.NDArray[np.int64], sample_rate: int) -> None:
        """Take some more."""
        self._least = round(_SILENCE_SECONDS_MIN * sample_rate)
        level = np.abs(wide).max(axis=1, initial=0)
        self.clipped += int((np.abs(wide) >= _FULL_SCALE).sum())
        heard = np.flatnonzero(level >= _QUIET)
        if not len(heard):
            self._open += len(level)
            return
        self._close(np.concatenate(([self._open + heard[0]], np.diff(heard) - 1)))
        self._open = int(len(level) - heard[-1] - 1)

    def measures(self, sample_rate: int) -> dict[str, float | int | str]:
        """What to note in a proof, after the end of the sound; what is all right is not noted."""
        self._close(np.array([self._open]))
        self._open = 0
        rate = sample_rate or 1
        noted: dict[str, float | int | str] = {
            "samples_clipped": self.clipped,
            "silence_s": round(self._silent / rate, 3),
            "silence_longest_s": round(self._longest / rate, 3),
        }
        return {name: value for name, value in noted.items() if value}

    def _close(self, runs: npt.NDArray[np.int64]) -> None:
        long = runs[runs >= max(1, self._least)]
        self._silent += int(long.sum())
        self._longest = max(self._longest, int(long.max(initial=0)))
