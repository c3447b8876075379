"""When the samples of a track are: span, rate and regularity, from their timestamps. The header only proposes.

Pure arithmetic on numbers that a demuxer gave; it refuses to read a file.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

# What cameras and broadcasters use. A measured rate this near to one of them is that one.
_WHOLE_RATES = (12, 15, 24, 25, 30, 48, 50, 60, 100, 120, 240)
_STANDARD_RATES = (
    *(Fraction(rate) for rate in _WHOLE_RATES),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)),
)
_RATE_TOLERANCE = Fraction(1, 800)
_IRREGULAR_SHARE = 0.02
_TICK_SECONDS = Fraction(3, 2000)  # containers that count milliseconds jitter by one
SAMPLES_KEPT = 400_000  # an hour and more of pictures: enough to judge regularity by


@dataclass(slots=True)
class Samples:
    """The samples of one track as they are seen, in ticks of `time_base`."""

    time_base: Fraction
    count: int = 0
    size: int = 0
    first: int | None = None
    end: int | None = None
    times: list[int] = field(default_factory=list)
    keys: int = 0
    hidden: int = 0
    longest_group: int = 0
    _last_key: int | None = None

    def add(self, time: int | None, duration: int, size: int, *, hidden: bool = False, key: bool = False) -> None:
        """One more sample; a time of `None` counts but says nothing, a hidden one only tells the rhythm."""
        self.count += not hidden
        self.hidden += hidden
        self.size += size
        self._group(time, key=key)
        if time is None:
            return
        if len(self.times) < SAMPLES_KEPT:
            self.times.append(time)
        if hidden:
            return
        self.first = time if self.first is None else min(self.first, time)
        self.end = time + duration if self.end is None else max(self.end, time + duration)

    @property
    def over(self) -> int | None:
        """When the last sample is over; `None` when no sample has a time."""
        return None if self.end is None else self.end + self._last_duration()

    def stretch(self, end: "Samples", *, is_last: bool) -> None:
        """Go on to the samples of `end`: how many are between is not known, their span is.

        The rhythm is theirs where there are more of them. `is_last`: after them comes nothing; a track of which none is
        among them ends somewhere before, and nobody knows when.
        """
        if len(end.times) > len(self.times):
            self.times = end.times
        if end.over is not None and self.end is not None:
            self.end = max(self.end, end.over)
        elif is_last:
            self.end = None

    @property
    def span_s(self) -> float | None:
        """Seconds from the first sample to the end of the last; `None` when no sample has a time."""
        if self.first is None or self.end is None:
            return None
        return float((self.end - self.first + self._last_duration()) * self.time_base)

    @property
    def mean_step_s(self) -> float:
        """Seconds from one sample to the next, on average over those whose times are kept."""
        if not self.times:
            return 0.0
        return float((max(self.times) - min(self.times)) * self.time_base) / len(self.times)

    @property
    def start_s(self) -> float:
        """Seconds at which the first sample is."""
        return float((self.first or 0) * self.time_base)

    @property
    def longest_group_s(self) -> float | None:
        """Seconds from a keyframe to the next one, or to the end, at most; `None` when no keyframe has a time."""
        if self._last_key is None or self.end is None:
            return None
        return float(max(self.longest_group, self.end + self._last_duration() - self._last_key) * self.time_base)

    def _group(self, time: int | None, *, key: bool) -> None:
        self.keys += key
        if key and time is not None:
            if self._last_key is not None:
                self.longest_group = max(self.longest_group, time - self._last_key)
            self._last_key = time

    def _last_duration(self) -> int:
        """What the last sample lasts when the container does not say: as long as most."""
        if not self.times or self.end != max(self.times):
            return 0
        return typical_step(self.times)


def steps(times: Iterable[int]) -> list[int]:
    """Distances between neighbours in time, without zeros."""
    ordered = sorted(times)
    return [after - before for before, after in itertools.pairwise(ordered) if after > before]


def typical_step(times: Sequence[int]) -> int:
    """The median distance, 0 when there is none."""
    found = sorted(steps(times))
    return found[len(found) // 2] if found else 0


def is_variable(times: Sequence[int], time_base: Fraction) -> bool:
    """Whether more than a few pictures stand longer or shorter than most."""
    found = steps(times)
    if len(found) < 2:  # noqa: PLR2004 - one distance has nothing to differ from
        return False
    step = typical_step(times)
    tolerance = max(Fraction(step, 10), _TICK_SECONDS / time_base)
    odd = sum(1 for other in found if abs(other - step) > tolerance)
    return odd > _IRREGULAR_SHARE * len(found)


def measured_rate(times: Sequence[int], time_base: Fraction) -> Fraction | None:
    """Pictures per second, over all of `times`; a standard rate when it is near one."""
    if len(times) < 2 or max(times) == min(times):  # noqa: PLR2004
        return None
    mean = Fraction(len(times) - 1, max(times) - min(times)) / time_base
    return nearest_standard(mean)


def nearest_standard(rate: Fraction) -> Fraction:
    """The standard rate that `rate` is within a tolerance of, or `rate` with a small denominator."""
    nearest = min(_STANDARD_RATES, key=lambda standard: abs(standard - rate))
    if abs(nearest - rate) <= nearest * _RATE_TOLERANCE:
        return nearest
    return rate.limit_denominator(1001)
