"""Which rungs a video gets, at which size, rate and bits."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.ladder import NEAR, STEPS, better, decisions, fitted, rungs, shorts
from smmu.domain.options import RUNGS
from tests.support.strategies import RATES, SIDES

HIGHEST = STEPS[-1].short
STANDARD = {step.short for step in STEPS}


def of_square(source: int) -> tuple[int, ...]:
    return shorts((source, source), None)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (1080, (1080, 720, 480, 360, 240)),
        (1200, (1080, 720, 480, 360, 240)),
        (700, (700, 480, 360, 240)),
        (250, (240,)),
        (200, (200,)),
        (2160, (2160, 1440, 1080, 720, 480, 360, 240)),
        (4320, (2160, 1440, 1080, 720, 480, 360, 240)),
        (847, (720, 480, 360, 240)),
        (848, (848, 720, 480, 360, 240)),
        (701, (700, 480, 360, 240)),
        (481, (480, 360, 240)),
        (239, (238,)),
        (3, (2,)),
        (2, (2,)),
        (1, (2,)),
    ],
)
def test_the_rungs_of_a_source(source: int, expected: tuple[int, ...]) -> None:
    assert of_square(source) == expected


@given(SIDES)
def test_there_is_a_rung_for_every_source_and_none_is_enlarged(source: int) -> None:
    found = of_square(source)
    assert found
    assert all(short <= max(2, source) and short % 2 == 0 for short in found)
    assert all(high > low for high, low in pairwise(found))


@given(SIDES)
def test_the_top_rung_is_close_to_the_source(source: int) -> None:
    top = of_square(source)[0]
    assert top >= min(HIGHEST, source // 2 * 2) or top >= source * NEAR
    assert STANDARD & set(range(1, source + 1)) <= set(of_square(source))


@given(SIDES, SIDES)
def test_rungs_are_even_and_keep_the_aspect_within_one_pixel(width: int, height: int) -> None:
    for rung in rungs((width, height), None):
        ratio = min(Fraction(1), Fraction(min(rung.width, rung.height), min(width, height)))
        assert rung.width % 2 == rung.height % 2 == 0
        assert abs(rung.width - width * ratio) <= 1
        assert abs(rung.height - height * ratio) <= 1
        assert rung.width <= max(2, width)
        assert rung.height <= max(2, height)
        assert (rung.width < rung.height) <= (width < height)


@given(SIDES, SIDES)
def test_a_portrait_gets_what_a_landscape_gets(width: int, height: int) -> None:
    lying = [(rung.name, rung.width, rung.height) for rung in rungs((width, height), None)]
    standing = [(rung.name, rung.height, rung.width) for rung in rungs((height, width), None)]
    assert lying == standing


@given(SIDES, SIDES, RATES)
def test_the_ladder_is_monotone_on_one_keyframe_grid(width: int, height: int, rate: Fraction) -> None:
    made = rungs((width, height), rate)
    for high, low in pairwise(made):
        assert high.width >= low.width
        assert high.height >= low.height
        assert high.bitrate_bps_max > low.bitrate_bps_max
        assert high.crf <= low.crf
        assert high.frame_rate_max >= low.frame_rate_max
    assert {rung.keyframe_seconds for rung in made} == {Fraction(2)}
    assert {rung.segment_seconds for rung in made} == {Fraction(6)}
    assert len({rung.name for rung in made}) == len(made)


@given(SIDES, RATES)
def test_small_rungs_play_at_30_frames_at_most_and_all_at_60(short: int, rate: Fraction) -> None:
    for rung in rungs((8192, short), rate):
        cap = 30 if min(rung.width, rung.height) <= 432 else 60
        assert cap * Fraction(3, 4) <= rung.frame_rate_max <= cap


@pytest.mark.parametrize(
    ("rate", "small", "large"),
    [
        ("24000/1001", "30", "60"),
        ("30", "30", "60"),
        ("60000/1001", "30000/1001", "60"),
        ("50", "25", "60"),
        ("120", "30", "60"),
        ("100", "25", "50"),
        ("31", "30", "60"),
        ("61", "61/3", "60"),
    ],
)
def test_a_fast_source_is_divided_whole_where_that_stays_near_the_cap(rate: str, small: str, large: str) -> None:
    made = {rung.name: rung.frame_rate_max for rung in rungs((1280, 720), Fraction(rate))}
    assert made["720p"] == Fraction(large)
    assert made["240p"] == (Fraction(small) if Fraction(small) >= Fraction(45, 2) else 30)


def test_the_caps_are_the_tables_and_between_them_in_proportion() -> None:
    assert {rung.name: (rung.bitrate_bps_max, rung.crf) for rung in rungs((3840, 2160), None)} == {
        "2160p": (16_000_000, 21),
        "1440p": (9_000_000, 21),
        "1080p": (6_000_000, 22),
        "720p": (3_000_000, 22),
        "480p": (1_400_000, 23),
        "360p": (800_000, 23),
        "240p": (400_000, 23),
    }
    assert 2_700_000 < rungs((1000, 700), None)[0].bitrate_bps_max < 3_000_000
    assert rungs((2, 2), None)[0].bitrate_bps_max == 100_000


def test_a_better_rung_has_a_lower_crf_and_a_higher_cap() -> None:
    for rung in rungs((1920, 1080), None):
        found = better(rung)
        assert (found.crf, found.bitrate_bps_max) == (rung.crf - 2, rung.bitrate_bps_max * 3 // 2)
        assert replace(found, crf=rung.crf, bitrate_bps_max=rung.bitrate_bps_max) == rung


@pytest.mark.parametrize(
    ("size", "short", "expected"),
    [((1920, 1080), 480, (854, 480)), ((853, 481), 480, (852, 480)), ((701, 700), 700, (700, 700))],
)
def test_a_size_is_fitted_to_a_short_side(size: tuple[int, int], short: int, expected: tuple[int, int]) -> None:
    assert fitted(size, short) == expected


def test_every_rung_that_may_be_asked_for_is_a_standard_one() -> None:
    assert tuple(step.short for step in STEPS) == RUNGS


def test_every_choice_has_its_reason() -> None:
    told = {(one.subject, one.choice): one.reason for one in decisions((1280, 720), None)}
    assert told["1080p", "skipped"] == "the source's short side is 720"
    assert told["720p", "made"] == "a standard rung within the source's 720"
    assert {(one.subject, one.choice): one.reason for one in decisions((1600, 1200), None)}["1200p", "skipped"] == (
        "the source's own size: 1080p is within 15 % of it"
    )
    assert ("700p", "made") in {(one.subject, one.choice) for one in decisions((900, 700), None)}
    assert ("4320p", "skipped") in {(one.subject, one.choice) for one in decisions((7680, 4320), None)}


@pytest.mark.parametrize(
    ("size", "rate", "top", "reason"),
    [
        ((5120, 2160), None, "1440p", "5120 × 2160 is more than level 5.2 of H.264 has"),
        ((2160, 5120), None, "1440p", "2160 × 5120 is more than level 5.2 of H.264 has"),
        ((7680, 3840), Fraction(30), "2160p", ""),
        ((7680, 3840), Fraction(60), "1440p",
         "4320 × 2160 at 60 pictures a second is more than level 5.2 of H.264 has"),
        ((4096, 2160), Fraction(60), "2160p", ""),
    ],
)  # fmt: skip
def test_the_ladder_ends_where_level_5_2_does(
    size: tuple[int, int], rate: Fraction | None, top: str, reason: str
) -> None:
    assert rungs(size, rate)[0].name == top
    told = {one.subject: one.reason for one in decisions(size, rate) if one.choice == "skipped"}
    assert told.get("2160p", "") == reason


@given(SIDES, SIDES, st.one_of(st.none(), RATES))
def test_no_rung_is_beyond_level_5_2(width: int, height: int, rate: Fraction | None) -> None:
    for rung in rungs((width, height), rate):
        blocks = -(-rung.width // 16) * -(-rung.height // 16)
        assert blocks <= 36_864
        assert blocks * rung.frame_rate_max <= 2_073_600


@given(SIDES, SIDES)
def test_a_wide_rung_has_the_bits_of_one_with_as_many_pixels(width: int, height: int) -> None:
    for rung in rungs((width, height), None):
        alike = [step.bitrate_bps_max for step in STEPS if step.short**2 * 16 // 9 <= rung.width * rung.height]
        assert rung.bitrate_bps_max >= max(alike, default=100_000)


def test_a_ribbon_is_not_starved() -> None:
    (ribbon,) = rungs((3840, 90), None)
    assert 800_000 < ribbon.bitrate_bps_max < 1_400_000


@given(SIDES, SIDES, st.one_of(st.none(), RATES))
def test_what_is_made_is_what_the_decisions_say(width: int, height: int, rate: Fraction | None) -> None:
    told = list(decisions((width, height), rate))
    assert len({one.subject for one in told}) == len(told)
    assert {one.subject for one in told if one.choice == "made"} == {rung.name for rung in rungs((width, height), rate)}
