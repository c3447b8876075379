"""Times, choices and keyframes in exact arithmetic, over drawn timestamps."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media.cadence import JUMP_SECONDS, Cadence, Clock, Selector, ticks_per_second

SIXTY, THIRTY = Fraction(60), Fraction(30)
gaps = st.lists(st.fractions(Fraction(1, 240), Fraction(3), max_denominator=1000), min_size=1, max_size=200)


def times(drawn: list[Fraction]) -> list[Fraction]:
    return [sum(drawn[:count], Fraction(0)) for count in range(len(drawn))]


@given(gaps)
def test_slower_rungs_keep_a_part_of_what_faster_ones_keep_and_keyframes_are_on_all(drawn: list[Fraction]) -> None:
    selector = Selector([SIXTY, THIRTY, THIRTY], Fraction(2))
    for at in times(drawn):
        (fast, slow, lowest), key = selector.choose(at)
        assert fast or not slow
        assert slow == lowest
        assert lowest or not key


@given(gaps)
def test_a_keyframe_is_the_first_picture_of_the_slowest_rung_in_its_two_seconds(drawn: list[Fraction]) -> None:
    selector = Selector([SIXTY, THIRTY], Fraction(2))
    cells = set()
    for at in times(drawn):
        (_, slow), key = selector.choose(at)
        if slow:
            assert key == (at // 2 not in cells)
            cells.add(at // 2)


@pytest.mark.parametrize(
    ("rate", "cap", "kept"),
    [(30, 30, 30), (60, 30, 30), (50, 30, 25), (Fraction(30000, 1001), 30, 30), (120, 60, 60), (144, 60, 48), (24, 30, 24)],
)  # fmt: skip
def test_rates_are_divided_evenly(rate: Fraction, cap: int, kept: int) -> None:
    selector = Selector([Fraction(cap)], Fraction(2))
    chosen = [selector.choose(Fraction(index) / rate)[0][0] for index in range(int(rate * 10) + 1)]
    assert sum(chosen) / 10 == pytest.approx(kept, abs=0.2)


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
def test_times_rounded_to_milliseconds_lose_no_picture(rate: int) -> None:
    selector = Selector([Fraction(rate)], Fraction(2))
    assert all(selector.choose(Fraction(round(1000 * index / rate), 1000))[0][0] for index in range(500))


@given(st.lists(st.fractions(-5, 50, max_denominator=90000), min_size=1, max_size=60))
def test_a_clock_only_goes_forward_from_zero(drawn: list[Fraction]) -> None:
    clock = Clock(zero=Fraction(0), planned_end=Fraction(20))
    placed = [at for at in map(clock.place, drawn) if at is not None]
    assert placed[0] == 0
    assert all(before < after for before, after in pairwise(placed))
    assert len(placed) + clock.dropped == len(drawn)
    assert all(after <= max(Fraction(20), before) + JUMP_SECONDS for before, after in pairwise(placed))


def test_a_jump_far_beyond_the_end_is_closed_up_and_a_pause_is_kept() -> None:
    clock = Clock(zero=Fraction(100), planned_end=Fraction(60), step=Fraction(1, 25))
    found = [clock.place(Fraction(time)) for time in (100, 101, 130, 95_000, 95_001)]
    assert found == [0, 1, 30, 31, 32]
    assert clock.closed_up == 1


@pytest.mark.parametrize(
    ("time_base", "ticks"),
    [
        (Fraction(1, 90000), 90000), (Fraction(1, 30000), 30000), (Fraction(1, 600), 10200), (Fraction(1, 1000), 10000),
        (Fraction(1001, 30000), 30000), (Fraction(1, 10_000_000), 90000), (None, 90000),
    ],
)  # fmt: skip
def test_a_timescale_holds_the_sources_timestamps_exactly(time_base: Fraction | None, ticks: int) -> None:
    assert ticks_per_second(time_base) == ticks


@pytest.mark.parametrize(
    ("rate", "jitter"), [(Fraction(30000, 1001), 0), (Fraction(24), 1), (Fraction(60), 1), (Fraction(25), 0)]
)
def test_a_rate_is_measured_through_jitter(rate: Fraction, jitter: int) -> None:
    cadence = Cadence(ticks=1000 if jitter else 90000)
    for index in range(300):
        cadence.add(round(index / rate * cadence.ticks))
    assert cadence.rate == rate


def test_one_picture_has_no_rate() -> None:
    cadence = Cadence(ticks=1000)
    cadence.add(0)
    assert cadence.rate is None
