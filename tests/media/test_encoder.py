"""Encoders that run beside each other share the cores out by their pixels, and get no more threads than that."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media.encoder import THREADS_MAX, threads_for

pytestmark = pytest.mark.media


@given(
    pixels=st.lists(st.integers(2, 4096 * 2304), min_size=1, max_size=12),
    cores=st.integers(1, 8),
)
def test_every_encoder_has_a_thread_and_together_they_fill_the_cores(pixels: list[int], cores: int) -> None:
    threads = [threads_for(Fraction(each, sum(pixels)), cores) for each in pixels]
    assert all(1 <= each <= THREADS_MAX for each in threads)
    assert sum(threads) >= min(cores, len(pixels))
    assert sum(threads) <= cores * 3 / 2 + len(pixels)
    assert [each for _, each in sorted(zip(pixels, threads, strict=True))] == sorted(threads)


def test_one_encoder_alone_has_half_as_many_again_as_there_are_cores() -> None:
    assert [threads_for(Fraction(1), cores) for cores in (1, 2, 4, 8, 64)] == [2, 3, 6, 12, THREADS_MAX]


def test_the_largest_rung_of_a_usual_ladder_has_most_of_them() -> None:
    shorts = [1080, 720, 480, 360, 240]
    pixels = [short * short * 16 // 9 for short in shorts]
    assert [threads_for(Fraction(each, sum(pixels)), 2) for each in pixels] == [2, 1, 1, 1, 1]
    assert [threads_for(Fraction(each, sum(pixels)), 8) for each in pixels] == [7, 3, 1, 1, 1]
