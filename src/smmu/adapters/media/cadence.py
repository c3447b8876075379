"""When every picture is shown, which rungs keep it, and where keyframes fall: exact arithmetic, no decoder.

All times are fractions of a second since the common zero of the tracks in use. Refuses to guess from frame numbers:
a position comes from a timestamp, because `int(seconds * rate)` drifts at 29.97 and means nothing for a variable rate.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

FINE = 90_000  # ticks per second that hold every usual rate to within 6 microseconds
TICKS_MIN, TICKS_MAX = 10_000, 1_000_000
JUMP_SECONDS = Fraction(10)  # beyond the planned end, a timestamp this far away is broken and not a pause
STEP_BACK_SECONDS = Fraction(1)
EARLY = Fraction(95, 100)  # a frame may come 5 % early: containers that count milliseconds jitter by that much
NEAR_USUAL = Fraction(5, 10_000)
AGREEING = Fraction(5, 100)  # milliseconds put the typical gap of 60 frames a second 2 % off
_WHOLE_RATES = (24, 25, 30, 48, 50, 60)
USUAL_RATES = (*map(Fraction, _WHOLE_RATES), *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60)))


NEVER = Fraction(10**12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where keyframes and segments begin when it is the source that says so: rising times, the first of them 0."""

    keys: tuple[Fraction, ...] = ()
    cuts: tuple[Fraction, ...] = ()


def next_due(at: Fraction, seconds: Fraction, times: Sequence[Fraction]) -> Fraction:
    """The first of `times` after `at`, and `NEVER` after their last; without any, the next multiple of `seconds`."""
    if not times:
        return (at // seconds + 1) * seconds
    index = bisect_right(times, at)
    return times[index] if index < len(times) else NEVER


def ticks_per_second(time_base: Fraction | None) -> int:
    """A timescale in which the source's timestamps are whole, so that nothing is rounded; else `FINE`."""
    unit = time_base.denominator if time_base else FINE
    return FINE if unit > TICKS_MAX else unit * math.ceil(TICKS_MIN / unit)


@dataclass(slots=True)
class Clock:
    """Turns decoded timestamps into strictly rising times from 0.

    A track that starts later than the common zero has its first picture held from 0. A step back of up to a second
    is a picture out of order and is dropped; larger steps, and jumps far beyond the planned end, are breaks in the
    timestamps and are closed up.
    """

    zero: Fraction
    planned_end: Fraction
    step: Fraction = Fraction(1, 30)
    last: Fraction | None = None
    dropped: int = 0
    closed_up: int = 0

    def place(self, time: Fraction | None) -> Fraction | None:
        """The picture's time, or `None` when it has to be dropped."""
        if self.last is None:
            self.last = Fraction(0)
            return self.last
        at = self.last + self.step if time is None else time - self.zero
        if self._is_broken(at):
            self.zero += at - (self.last + self.step)
            self.closed_up += 1
            at = self.last + self.step
        if at <= self.last:
            self.dropped += 1
            return None
        self.step, self.last = min(at - self.last, Fraction(1)), at
        return at

    def _is_broken(self, at: Fraction) -> bool:
        last = self.last or Fraction(0)
        return at > max(self.planned_end, last) + JUMP_SECONDS or at < last - STEP_BACK_SECONDS


@dataclass(slots=True)
class Selector:
    """Decides which rungs keep a picture, and whether it is a keyframe on all of them.

    Slower rungs choose among what faster rungs keep, so a picture that the slowest keeps is on every rung: only such
    pictures become keyframes, at or after each multiple of `key_seconds`. Where keyframes are at `keys` instead, every
    rung keeps the picture that is due there, and none that would be too soon before it. At or after each multiple of
    `cut_seconds`, one of `key_seconds`, all choose anew: what is chosen there depends on nothing before it.
    """

    rates_max: Sequence[Fraction]
    key_seconds: Fraction
    keys: Sequence[Fraction] = ()
    cut_seconds: Fraction | None = None
    _due: dict[Fraction, Fraction] = field(default_factory=dict)
    _key_due: Fraction = Fraction(0)
    _cut_due: Fraction = Fraction(0)

    def choose(self, at: Fraction) -> tuple[tuple[bool, ...], bool]:
        """For each rung whether it keeps the picture shown at `at`, and whether it is a keyframe."""
        if self.cut_seconds is not None and at >= self._cut_due:
            self._due.clear()
            self._cut_due = next_due(at, self.cut_seconds, ())
        keeping: dict[Fraction, bool] = {}
        wanted, forced = True, bool(self.keys) and at >= self._key_due
        for rate in sorted(set(self.rates_max), reverse=True):
            wanted = forced or (wanted and at >= self._due.get(rate, Fraction(0)) and self._leaves_room(at, rate))
            keeping[rate] = wanted
            if wanted:
                self._due[rate] = at + EARLY / rate
        key = wanted and at >= self._key_due
        if key:
            self._key_due = next_due(at, self.key_seconds, self.keys)
        return tuple(keeping[rate] for rate in self.rates_max), key

    def _leaves_room(self, at: Fraction, rate: Fraction) -> bool:
        return not self.keys or at + EARLY / rate <= self._key_due


@dataclass(slots=True)
class Cadence:
    """Measures the frame rate of pictures as they pass, in ticks."""

    ticks: int
    first: int | None = None
    last: int = 0
    gaps: Counter[int] = field(default_factory=Counter)

    def add(self, tick: int) -> None:
        """Note one picture."""
        if self.first is None:
            self.first = tick
        else:
            self.gaps[tick - self.last] += 1
        self.last = tick

    @property
    def typical_gap(self) -> int | None:
        """The median distance of two pictures, in ticks."""
        half, seen = self.gaps.total() / 2, 0
        for gap, count in sorted(self.gaps.items()):
            seen += count
            if seen >= half:
                return gap
        return None

    @property
    def rate(self) -> Fraction | None:
        """Pictures per second: the average where it agrees with the typical distance, else the latter's."""
        gap = self.typical_gap
        if gap is None or self.first is None:
            return None
        typical = Fraction(self.ticks, gap)
        average = Fraction(self.gaps.total() * self.ticks, self.last - self.first)
        return usual_rate(average if abs(average / typical - 1) < AGREEING else typical)


def usual_rate(rate: Fraction) -> Fraction:
    """The usual rate that `rate` is within half a permille of, else itself."""
    nearest = min(USUAL_RATES, key=lambda usual: abs(rate / usual - 1))
    return nearest if abs(rate / nearest - 1) < NEAR_USUAL else rate
