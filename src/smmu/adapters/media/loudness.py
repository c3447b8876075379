"""Loudness by EBU R128: measuring it, and the one linear gain that brings a track to its target.

Linear gain only: what is loud stays louder than what is soft. The gain never lifts the true peak over the ceiling, so
a track with high peaks may stay below the target; what a lossy encoder then adds to peaks is measured in the proof.
Sound that is silent or shorter than one gating block (0.4 s) has no loudness and gets no gain. Refuses to compress or
limit.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isfinite, log10

import numpy as np
from av.audio.frame import AudioFrame

from smmu.adapters.media.sound import Converter, silence_like

BLOCK_SECONDS_MIN = 0.4
SILENCE_LUFS = -69.9  # the absolute gate of EBU R128 is -70; at the gate there is nothing to measure
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
TAIL_SECONDS = 0.1  # ebur128 reports every tenth of a second: silence of one tenth pushes the last sound out of it
GAINED_SAMPLES = 16_384  # handed to an encoder at once: it cuts its own blocks, and each call costs the same
METER = "ebur128=metadata=1:peak=true:framelog=quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """One measurement. `integrated_lufs` is `None` for silence and for sound too short to have a loudness.

    `blocks` are the loudness of every gating block, 0.4 s long and a tenth of a second after the one before.
    """

    integrated_lufs: float | None
    range_lu: float | None
    true_peak_dbtp: float | None
    seconds: float
    blocks: "array[float]" = field(default_factory=lambda: array("f"), repr=False, compare=False)

    def after(self, gain_db: float) -> float | None:
        """The integrated loudness once a gain was applied (ITU-R BS.1770-4).

        Not just the sum: what lay under the absolute gate before may lie over it afterwards, and then it counts.
        """
        if self.seconds < BLOCK_SECONDS_MIN:
            return None
        blocks = np.asarray(self.blocks, np.float64) + gain_db
        blocks = blocks[blocks > ABSOLUTE_GATE_LUFS]
        if not blocks.size:
            return None
        return _mean(blocks[blocks > _mean(blocks) + RELATIVE_GATE_LU])

    def measures(self, suffix: str) -> dict[str, float | int | str]:
        """The numbers worth keeping, each name ending in `suffix`."""
        named = {
            "integrated_lufs": self.integrated_lufs,
            "loudness_range_lu": self.range_lu,
            "true_peak_dbtp": self.true_peak_dbtp,
        }
        return {f"{name}_{suffix}": round(value, 2) for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What will be done to the samples, and why."""

    decibels: float
    reason: str


class Gained:
    """A track as it goes into an encoder: in its rate and layout, with its gain, its samples counted from 0."""

    def __init__(self, *, sample_rate: int, channels: int, sample_format: str, gain: Gain) -> None:
        volume = f"volume=volume={gain.decibels:.4f}dB:precision=float"
        self._converter = Converter(
            sample_rate=sample_rate, channels=channels, sample_format=sample_format, extra=volume, block=GAINED_SAMPLES
        )
        self._time_base = Fraction(1, sample_rate)
        self.samples = 0

    def feed(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """What comes of one more block."""
        return self._counted(self._converter.feed(frame))

    def flush(self) -> Iterator[AudioFrame]:
        """What is still held."""
        return self._counted(self._converter.flush())

    def _counted(self, frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
        for frame in frames:
            frame.pts, frame.time_base = self.samples, self._time_base
            self.samples += frame.samples
            yield frame


class Meter:
    """Measures what is fed to it, after conversion to the layout and rate it will be published in."""

    def __init__(self, *, sample_rate: int, channels: int) -> None:
        self._converter = Converter(sample_rate=sample_rate, channels=channels, sample_format="flt", extra=METER)
        self._seconds = Fraction(0)
        self._readings: dict[str, str] = {}
        self._blocks = array("f")
        self._last: AudioFrame | None = None

    def feed(self, frame: AudioFrame) -> None:
        """Measure one more block (at any rate and layout)."""
        self._last = frame
        self._seconds += Fraction(frame.samples, frame.sample_rate)
        self._read(self._converter.feed(frame))

    def result(self) -> Loudness:
        """The measurement over everything that was fed."""
        if self._last is not None:
            for silence in silence_like(self._last, round(self._last.sample_rate * TAIL_SECONDS)):
                self._read(self._converter.feed(silence))
        self._read(self._converter.flush())
        integrated = _number(self._readings, "lavfi.r128.I")
        seconds = float(self._seconds)
        heard = integrated is not None and integrated > SILENCE_LUFS and seconds >= BLOCK_SECONDS_MIN
        return Loudness(
            integrated_lufs=integrated if heard else None,
            range_lu=_number(self._readings, "lavfi.r128.LRA") if heard else None,
            true_peak_dbtp=_decibels(self._readings),
            seconds=seconds,
            blocks=self._blocks,
        )

    def _read(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            readings = frame.metadata
            self._readings.update(readings)
            if "lavfi.r128.M" in readings:
                self._blocks.append(float(readings["lavfi.r128.M"]))


def gain_towards(found: Loudness, *, target_lufs: float, ceiling_dbtp: float) -> Gain:
    """The linear gain that brings a track to the target without passing the ceiling."""
    if found.seconds < BLOCK_SECONDS_MIN:
        return Gain(decibels=0.0, reason="none: shorter than 0.4 s, so it has no loudness")
    if found.integrated_lufs is None:
        return Gain(decibels=0.0, reason="none: silent")
    wanted = target_lufs - found.integrated_lufs
    room = ceiling_dbtp - found.true_peak_dbtp if found.true_peak_dbtp is not None else inf
    if room < wanted:
        return Gain(decibels=room, reason=f"limited by the ceiling of {ceiling_dbtp} dBTP")
    return Gain(decibels=wanted, reason=f"to the target of {target_lufs} LUFS")


def _mean(blocks: "np.typing.NDArray[np.float64]") -> float:
    """The loudness of all of them together: that of their mean power."""
    return float(10 * np.log10(np.mean(10 ** (blocks / 10))))


def _number(readings: dict[str, str], name: str) -> float | None:
    value = float(readings.get(name, "nan"))
    return value if isfinite(value) else None


def _decibels(readings: dict[str, str]) -> float | None:
    peaks = [float(text) for name, text in readings.items() if name.startswith("lavfi.r128.true_peaks_ch")]
    peak = max(peaks, default=0.0)
    return 20 * log10(peak) if peak > 0 else None
