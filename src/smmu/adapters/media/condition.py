"""What is wrong with a sound to the ear: where it was cut off at full scale, and long silence; both with their places.

One sample at full scale may be a loud one; three and more in a row are a wave whose top is missing. Silence under half
a second is a pause and is not told.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

_FULL_SCALE = 32_767
_QUIET = 33  # of 32,768: -60 dB
_SILENCE_SECONDS_MIN = 0.5
_CLIPPED_RUN_MIN = 3
_PLACES_MAX = 20  # that are named; all are counted

Samples = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Runs:
    """Unbroken stretches in which something holds, of at least `least` samples; fed piece by piece."""

    least: int
    at: int = 0
    count: int = 0
    total: int = 0
    longest: int = 0
    first: list[tuple[int, int]] = field(default_factory=list)
    last: tuple[int, int] = (0, 0)
    _open: int | None = None

    def feed(self, holds: Mask) -> None:
        """Whether it holds at each of the next samples."""
        if holds.any():
            self._feed(holds)
        elif len(holds):
            self._close(self.at)
        self.at += len(holds)

    def _feed(self, holds: Mask) -> None:
        edges = np.flatnonzero(holds[1:] != holds[:-1]) + 1
        bounds = np.concatenate(([0], edges, [len(holds)])) + self.at
        held = 0 if holds[0] else 1
        starts, ends = bounds[held:-1:2], bounds[held + 1 :: 2]
        if not holds[0]:
            self._close(self.at)
        elif self._open is not None:
            starts[0] = self._open
        self._open = int(starts[-1]) if holds[-1] else None
        closed = len(starts) - bool(holds[-1])
        self._keep(starts[:closed], ends[:closed])

    def finish(self) -> None:
        """There are no more samples."""
        self._close(self.at)

    def _close(self, end: int) -> None:
        if self._open is not None:
            self._keep(np.array([self._open]), np.array([end]))
            self._open = None

    def _keep(self, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> None:
        lengths = ends - starts
        long = lengths >= self.least
        self.count += int(long.sum())
        self.total += int(lengths[long].sum())
        self.longest = max(self.longest, int(lengths[long].max(initial=0)))
        room = _PLACES_MAX + 1 - len(self.first)  # one more than are named: that at the beginning is told by itself
        self.first += zip(starts[long][:room].tolist(), ends[long][:room].tolist(), strict=True)
        if long.any():
            self.last = int(starts[long][-1]), int(ends[long][-1])


class Condition:
    """Feed it 16-bit samples, one row for each channel, of one rate. Silence is where no channel is over -60 dB."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._silence = Runs(round(_SILENCE_SECONDS_MIN * sample_rate))
        self._clipped = [Runs(_CLIPPED_RUN_MIN) for _ in range(channels)]
        self._at_full_scale = 0

    def feed(self, wide: Samples) -> None:
        """Take some more."""
        self._silence.feed(np.logical_not(_beyond(wide, _QUIET).any(axis=0)))
        if wide.max(initial=0) < _FULL_SCALE and wide.min(initial=0) > -_FULL_SCALE:
            full = np.zeros(wide.shape, np.bool_)
        else:
            full = _beyond(wide, _FULL_SCALE)
            self._at_full_scale += int(full.sum())
        for runs, holds in zip(self._clipped, full, strict=True):
            runs.feed(holds)

    def measures(self) -> dict[str, float | int | str]:
        """What to note in a proof, after the end of the sound; what is all right is not noted."""
        for runs in (self._silence, *self._clipped):
            runs.finish()
        noted: dict[str, float | int | str] = {
            "samples_clipped": self._at_full_scale,
            "clipped_runs": sum(runs.count for runs in self._clipped),
            "clipped_longest_s": self._seconds(max((runs.longest for runs in self._clipped), default=0)),
            **self._silences(),
        }
        return {name: value for name, value in noted.items() if value}

    def _silences(self) -> dict[str, float | int | str]:
        runs = self._silence
        leading = runs.first[0][1] if runs.first and runs.first[0][0] == 0 else 0
        trailing = runs.last[1] - runs.last[0] if runs.last[0] > 0 and runs.last[1] == runs.at else 0
        inner = [place for place in runs.first if place[0] > 0 and place[1] < runs.at]
        return {
            "silence_s": self._seconds(runs.total),
            "silence_longest_s": self._seconds(runs.longest),
            "silence_leading_s": self._seconds(leading),
            "silence_trailing_s": self._seconds(trailing),
            "silences_inside": runs.count - bool(leading) - bool(trailing),
            "silences_inside_at": " ".join(self._place(*place) for place in inner[:_PLACES_MAX]),
        }

    def _seconds(self, samples: int) -> float:
        return round(samples / self._rate, 3) if self._rate else 0.0

    def _place(self, start: int, end: int) -> str:
        return f"{start / self._rate:.3f}-{end / self._rate:.3f}"


def _beyond(wide: Samples, level: int) -> Mask:
    found: Mask = (wide >= level) | (wide <= -level)
    return found
