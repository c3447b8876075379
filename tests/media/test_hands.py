"""Hands work beside whoever gives out the work, who never gets far ahead of them."""

import threading
from functools import partial

import pytest

from smmu.adapters.media.hands import Hands


def test_every_piece_is_heard_of_once() -> None:
    heard: list[int] = []
    with Hands[int](2, heard.append) as hands:
        for number in range(20):
            hands.give(partial(int, number))
    assert sorted(heard) == list(range(20))


def test_all_hands_work_at_once() -> None:
    """Each piece waits for the other: with one hand this would not end."""
    both = threading.Barrier(2)
    heard: list[int] = []
    with Hands[int](2, heard.append) as hands:
        for _ in range(4):
            hands.give(lambda: both.wait(30))
    assert sorted(heard) == [0, 0, 1, 1]


def test_whoever_gives_waits_while_all_hands_are_busy() -> None:
    """What is given out and not heard of is never more than there are hands."""
    given = heard = 0

    def hear(_: None) -> None:
        nonlocal heard
        heard += 1

    with Hands[None](2, hear) as hands:
        for _ in range(10):
            hands.give(lambda: None)
            given += 1
            assert given - heard <= 2


@pytest.mark.parametrize("number", [0, 3, 5])
def test_what_a_piece_raises_is_raised(number: int) -> None:
    def piece(which: int) -> None:
        if which == number:
            raise MemoryError

    def give_all() -> None:
        with Hands[None](2, lambda _: None) as hands:
            for which in range(6):
                hands.give(partial(piece, which))

    with pytest.raises(MemoryError):
        give_all()


def test_a_mistake_of_the_giver_ends_the_hands() -> None:
    def give_one() -> None:
        with Hands[None](2, lambda _: None) as hands:
            hands.give(lambda: None)
            raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        give_one()
    assert [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")] == []
