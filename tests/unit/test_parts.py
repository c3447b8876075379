"""How a file is cut: every byte is in exactly one part, and the storage's bounds hold at any size."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.errors import Code, Reason
from smmu.domain.limits import GIB, MIB, OBJECT_BYTES_MAX, PART_BYTES_MAX, PART_BYTES_MIN, PART_COUNT_MAX, TIB, Limits
from smmu.domain.parts import PartLayout, check_completion, check_signing, layout, missing

LIMITS = Limits()
SIZES = st.one_of(
    st.integers(min_value=1, max_value=OBJECT_BYTES_MAX),
    st.builds(
        lambda unit, count, more: min(OBJECT_BYTES_MAX, max(1, unit * count + more)),
        st.sampled_from((1, MIB, 16 * MIB, 100 * MIB, GIB, 5 * GIB)),
        st.integers(min_value=1, max_value=10_000),
        st.integers(min_value=-1, max_value=1),
    ),
)
SMALL = Limits(single_bytes_max=1, part_bytes_preferred=PART_BYTES_MIN)


def places(reasons: tuple[Reason, ...]) -> list[tuple[Code, str]]:
    return [(reason.code, reason.pointer) for reason in reasons]


def count_of(cut: PartLayout) -> int:
    assert cut.part_count is not None
    return cut.part_count


@pytest.mark.parametrize(
    ("size", "method", "part_size", "part_count"),
    [
        (1, "single", 1, 1),
        (100 * MIB, "single", 100 * MIB, 1),
        (100 * MIB + 1, "multipart", 16 * MIB, 7),
        (10_000 * 16 * MIB, "multipart", 16 * MIB, 10_000),
        (10_000 * 16 * MIB + 1, "multipart", 17 * MIB, 9_412),
        (1 * TIB, "multipart", 105 * MIB, 9_987),
        (OBJECT_BYTES_MAX, "multipart", 5 * GIB, 10_000),
        (OBJECT_BYTES_MAX - 1, "multipart", 5 * GIB, 10_000),
    ],
)
def test_a_file_is_cut_so(size: int, method: str, part_size: int, part_count: int) -> None:
    cut = layout(size, LIMITS)
    assert (cut.method, cut.part_size, cut.part_count, cut.number_max) == (method, part_size, part_count, part_count)


@pytest.mark.parametrize("size", [0, -1, OBJECT_BYTES_MAX + 1])
def test_what_cannot_be_stored_cannot_be_cut(size: int) -> None:
    with pytest.raises(ValueError, match="cannot be one object"):
        layout(size, LIMITS)


@given(SIZES)
def test_the_parts_are_the_file(size: int) -> None:
    cut = layout(size, LIMITS)
    count = count_of(cut)
    sizes = {number: cut.size_of(number) for number in (1, max(1, count // 2), count)}
    last = sizes[count]
    assert last is not None
    assert cut.offset_of(count) + last == size
    assert (count - 1) * cut.part_size + last == size
    assert 1 <= last <= cut.part_size
    assert all(found == cut.part_size for number, found in sizes.items() if number < count)


@given(st.integers(min_value=1, max_value=2_000 * MIB))
def test_each_part_begins_where_the_one_before_ends(size: int) -> None:
    cut = layout(size, LIMITS)
    spans = [(cut.offset_of(n), cut.offset_of(n) + (cut.size_of(n) or 0)) for n in range(1, count_of(cut) + 1)]
    assert all(before[1] == after[0] for before, after in pairwise(spans))


@given(SIZES)
def test_the_bounds_of_the_storage_hold(size: int) -> None:
    cut = layout(size, LIMITS)
    assert count_of(cut) <= PART_COUNT_MAX
    if cut.method == "multipart":
        assert cut.part_size % MIB == 0
        assert max(PART_BYTES_MIN, LIMITS.part_bytes_preferred) <= cut.part_size <= PART_BYTES_MAX
    else:
        assert cut.part_size == size <= LIMITS.single_bytes_max


@given(SIZES)
def test_parts_are_no_larger_than_they_must_be(size: int) -> None:
    cut = layout(size, LIMITS)
    if cut.method == "multipart" and cut.part_size > LIMITS.part_bytes_preferred:
        assert (cut.part_size - MIB) * PART_COUNT_MAX < size


@given(st.integers(min_value=PART_BYTES_MIN, max_value=PART_BYTES_MAX), st.integers(min_value=1, max_value=TIB))
def test_a_preferred_size_that_is_no_whole_mebibyte_is_rounded_up(preferred: int, size: int) -> None:
    cut = layout(size, Limits(part_bytes_preferred=preferred, single_bytes_max=1))
    assert cut.method == "single" or (cut.part_size % MIB == 0 and preferred <= cut.part_size <= PART_BYTES_MAX)


def test_an_unknown_size_is_cut_up_to_its_ceiling() -> None:
    cut = layout(None, LIMITS)
    assert (cut.method, cut.size, cut.part_count, cut.part_size, cut.number_max) == (
        "multipart",
        None,
        None,
        16 * MIB,
        320,
    )
    assert cut.size_of(1) is None
    assert cut.offset_of(2) == 16 * MIB


@pytest.mark.parametrize("number", [0, -1, 8])
def test_there_is_no_other_part(number: int) -> None:
    with pytest.raises(ValueError, match="there is no part"):
        layout(100 * MIB + 1, LIMITS).offset_of(number)


# --- what has arrived


@given(st.integers(min_value=1, max_value=60 * PART_BYTES_MIN), st.data())
def test_what_is_missing_is_what_did_not_arrive_whole(size: int, data: st.DataObject) -> None:
    cut = layout(size, SMALL)
    everything = {number: cut.size_of(number) or 0 for number in range(1, count_of(cut) + 1)}
    lost = data.draw(st.sets(st.sampled_from(sorted(everything))))
    short = data.draw(st.sets(st.sampled_from(sorted(everything))))
    stored = {n: found - (n in short) for n, found in everything.items() if n not in lost}
    assert missing(cut, everything) == ()
    assert missing(cut, stored) == tuple(sorted(lost | short))


def test_of_an_unknown_size_all_but_the_last_part_must_be_full() -> None:
    cut = layout(None, LIMITS)
    full = cut.part_size
    assert missing(cut, {}) == (1,)
    assert missing(cut, {1: 5}) == ()
    assert missing(cut, {1: full, 2: full, 3: 1}) == ()
    assert missing(cut, {1: full, 3: 1}) == (2,)
    assert missing(cut, {1: full - 1, 2: 1}) == (1,)
    assert missing(cut, {1: full + 1}) == (1,)
    assert missing(cut, {1: 0}) == (1,)


# --- what a client lists


def test_a_complete_list_is_accepted() -> None:
    assert check_completion([1, 2, 3, 4, 5, 6, 7], layout(100 * MIB + 1, LIMITS)) == ()
    assert check_completion([1], layout(5, LIMITS)) == ()
    assert check_completion([1, 2], layout(None, LIMITS)) == ()


@pytest.mark.parametrize(
    ("numbers", "pointer"),
    [
        ([1, 2, 3, 4, 5, 6], "/parts"),
        ([], "/parts"),
        ([1, 1, 2, 3, 4, 5, 6], "/parts/1/number"),
        ([2, 1, 3, 4, 5, 6, 7], "/parts/0/number"),
        ([1, 2, 3, 4, 5, 7], "/parts/5/number"),
    ],
)
def test_an_incomplete_list_is_refused_where_it_is_wrong(numbers: list[int], pointer: str) -> None:
    assert places(check_completion(numbers, layout(100 * MIB + 1, LIMITS))) == [(Code.INVALID_PART, pointer)]


def test_a_list_for_an_unknown_size_needs_a_part() -> None:
    assert places(check_completion([], layout(None, LIMITS))) == [(Code.INVALID_PART, "/parts")]


def test_every_number_out_of_range_is_named() -> None:
    cut = layout(100 * MIB + 1, LIMITS)
    assert places(check_completion([1, 2, 3, 4, 5, 6, 7, 8], cut)) == [(Code.INVALID_PART, "/parts/7/number")]
    assert places(check_signing([0, 3, 8], cut, LIMITS)) == [
        (Code.INVALID_PART, "/numbers/0"),
        (Code.INVALID_PART, "/numbers/2"),
    ]


def test_parts_are_signed_in_any_order_and_bounded_number() -> None:
    cut = layout(TIB, LIMITS)
    assert check_signing([7, 3, 7], cut, LIMITS) == ()
    assert places(check_signing([], cut, LIMITS)) == [(Code.INVALID_PART, "/numbers")]
    assert places(check_signing(range(1, 1_002), cut, LIMITS)) == [(Code.INVALID_PART, "/numbers")]
