"""Where in a sound somebody may speak: a voice is louder than what is around it, has a pitch, and moves.

Each frame of 30 ms has a level (of 200 to 3,800 Hz) and a periodicity (how well it repeats within the pitch of a voice,
80 to 400 Hz). Stretches that stand out by their level are taken for a voice unless they have no pitch (noise), or their
level hardly moves (tones, hum). Music with a rhythm passes: this bounds recognition, it does not judge it. It keeps two
numbers for each frame, and refuses to keep samples.
"""

from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from smmu.domain.transcript import Span
from smmu.ports.sound import SAMPLE_RATE

FRAME = 480
FRAME_SECONDS = FRAME / SAMPLE_RATE
_FFT = 1_024
_LOW_HZ, _HIGH_HZ = 200, 3_800
_PITCH_HZ_MIN, _PITCH_HZ_MAX = 80, 400

_LEVEL_DB_MIN = -60.0  # of full scale: softer than this nobody is understood
_OVER_FLOOR_DB, _UNDER_PEAK_DB = 9.0, 20.0
_FLOOR_PERCENTILE, _PEAK_PERCENTILE = 10, 95
_PERIODIC, _PERIODIC_SHARE_MIN = 0.5, 0.15
_MOVES_DB_MIN = 3.0

_BREATH_SECONDS = 0.6  # shorter gaps are within what somebody says
_SOUND_SECONDS_MIN = 0.15  # shorter sounds are clicks
_AROUND_SECONDS = 0.2
SPAN_SECONDS_MAX = 20.0
_QUIET_FROM = 0.5  # a span that is too long is cut where it is softest in its second half

Samples = npt.NDArray[np.int16]
Curve = npt.NDArray[np.float32]


class VoiceFinder:
    """Feed it the samples of one sound (`ports.sound`), then ask once."""

    def __init__(self) -> None:
        self._levels, self._periods = array("f"), array("f")
        self._rest: Samples = np.empty(0, np.int16)
        self._samples = 0

    def feed(self, samples: Samples) -> None:
        """Take some more."""
        self._samples += len(samples)
        line = np.concatenate((self._rest, samples))
        whole = len(line) // FRAME * FRAME
        if whole:
            self._measure(line[:whole].reshape(-1, FRAME))
        self._rest = line[whole:].copy()

    def spans(self) -> tuple[Span, ...]:
        """Where a voice may be, in order and apart, none longer than `SPAN_SECONDS_MAX`."""
        levels, periods = np.frombuffer(self._levels, np.float32), np.frombuffer(self._periods, np.float32)
        if not len(levels):
            return ()
        active = levels > _threshold(levels)
        found = [
            (start, end)
            for start, end in _runs(active)
            if _is_voice(levels[start:end], periods[start:end], active[start:end])
        ]
        seconds = self._samples / SAMPLE_RATE
        pieces = (piece for start, end in found for piece in _cut(levels, start, end))
        return tuple(_apart([(start * FRAME_SECONDS, end * FRAME_SECONDS) for start, end in pieces], seconds))

    def _measure(self, frames: Samples) -> None:
        wave = frames.astype(np.float32) / 32_768
        wave -= wave.mean(axis=1, keepdims=True)
        power = np.abs(np.fft.rfft(wave, _FFT, axis=1)) ** 2
        hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
        band = power[:, (hertz >= _LOW_HZ) & (hertz <= _HIGH_HZ)].sum(axis=1) * (2 / (_FFT * FRAME))
        self._levels.extend((10 * np.log10(band + 1e-12)).astype(np.float32).tolist())
        repeats = np.fft.irfft(power, axis=1)
        lags = slice(SAMPLE_RATE // _PITCH_HZ_MAX, SAMPLE_RATE // _PITCH_HZ_MIN)
        overlap = 1 - np.arange(lags.start, lags.stop) / FRAME  # the longer the lag, the less there is to compare
        best = (repeats[:, lags] / overlap).max(axis=1) / (repeats[:, 0] + 1e-9)
        self._periods.extend(best.astype(np.float32).tolist())


def _threshold(levels: Curve) -> float:
    floor, peak = np.percentile(levels, [_FLOOR_PERCENTILE, _PEAK_PERCENTILE])
    return max(_LEVEL_DB_MIN, min(float(floor) + _OVER_FLOOR_DB, float(peak) - _UNDER_PEAK_DB))


def _runs(active: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """From and to of each run of active frames, over gaps no longer than a breath."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.view(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return
    breaks = np.flatnonzero((starts[1:] - ends[:-1]) * FRAME_SECONDS > _BREATH_SECONDS)
    firsts, lasts = np.concatenate(([0], breaks + 1)), np.concatenate((breaks, [len(starts) - 1]))
    yield from ((int(starts[first]), int(ends[last])) for first, last in zip(firsts, lasts, strict=True))


def _is_voice(levels: Curve, periods: Curve, active: npt.NDArray[np.bool_]) -> bool:
    loud = levels[active]
    lasts = len(loud) * FRAME_SECONDS >= _SOUND_SECONDS_MIN
    pitched = float((periods[active] > _PERIODIC).mean()) >= _PERIODIC_SHARE_MIN
    return lasts and pitched and float(loud.std()) >= _MOVES_DB_MIN


def _cut(levels: Curve, start: int, end: int) -> Iterator[tuple[int, int]]:
    most = int((SPAN_SECONDS_MAX - 2 * _AROUND_SECONDS) / FRAME_SECONDS)
    while end - start > most:
        first = start + int(most * _QUIET_FROM)
        at = first + int(np.argmin(levels[first : start + most]))
        yield start, at
        start = at
    yield start, end


def _apart(pieces: list[tuple[float, float]], seconds: float) -> Iterator[Span]:
    """With a little around each, as far as the neighbours leave room."""
    for number, (start, end) in enumerate(pieces):
        before = (pieces[number - 1][1] + start) / 2 if number else 0.0
        after = (pieces[number + 1][0] + end) / 2 if number + 1 < len(pieces) else seconds
        yield Span(start=max(before, start - _AROUND_SECONDS), end=min(after, end + _AROUND_SECONDS))
