"""Values that cannot be wrong: ids, checksums; and numbers in words."""

import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.limits import GIB, KIB, MIB, OBJECT_BYTES_MAX
from smmu.domain.values import CHANCE_BYTES, JOB, MEDIA, TASK, UPLOAD, Algorithm, Checksum, derived_id, is_id, make_id
from smmu.domain.words import in_bytes

PREFIXES = st.sampled_from((UPLOAD, JOB, MEDIA, TASK))
CHANCE = st.binary(min_size=CHANCE_BYTES, max_size=CHANCE_BYTES)
TIMES = st.floats(min_value=0, max_value=4e10)


@given(PREFIXES, TIMES, CHANCE)
def test_an_id_is_one(prefix: str, now: float, chance: bytes) -> None:
    made = make_id(prefix, now, chance)
    assert is_id(prefix, made)
    assert not any(is_id(other, made) for other in (UPLOAD, JOB, MEDIA, TASK) if other != prefix)


@given(TIMES, TIMES, CHANCE, CHANCE)
def test_ids_sort_by_creation(first: float, second: float, chance: bytes, other: bytes) -> None:
    if int(first * 1000) < int(second * 1000):
        assert make_id(JOB, first, chance) < make_id(JOB, second, other)


@given(CHANCE, CHANCE)
def test_ids_of_one_instant_differ_by_chance(chance: bytes, other: bytes) -> None:
    assert (make_id(JOB, 1.0, chance) == make_id(JOB, 1.0, other)) == (_fives(chance) == _fives(other))


def _fives(chance: bytes) -> list[int]:
    """What an id takes of its chance."""
    return [byte & 31 for byte in chance]


@pytest.mark.parametrize("size", [0, CHANCE_BYTES - 1, CHANCE_BYTES + 1])
def test_an_id_needs_the_right_amount_of_chance(size: int) -> None:
    with pytest.raises(ValueError, match="bytes of chance"):
        make_id(JOB, 1.0, bytes(size))


def test_a_derived_id_is_a_function_of_its_parts() -> None:
    assert derived_id(TASK, "job_1", "video") == derived_id(TASK, "job_1", "video")
    assert derived_id(TASK, "job_1", "video") != derived_id(TASK, "job_1", "poster")
    assert derived_id(TASK, "ab", "c") != derived_id(TASK, "a", "bc")
    assert is_id(TASK, derived_id(TASK, "x"))


@pytest.mark.parametrize(
    "text", ["", "job_", "job", "job_" + "0" * 25, "job_" + "0" * 27, "job_" + "i" * 26, "JOB_" + "0" * 26]
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_id(JOB, text)


def test_a_line_break_after_an_id_is_not_overlooked() -> None:
    assert is_id(JOB, "job_" + "0" * 26)
    assert not is_id(JOB, "job_" + "0" * 26 + "\n")


@pytest.mark.parametrize(
    ("algorithm", "size"), [(Algorithm.CRC64NVME, 8), (Algorithm.CRC32C, 4), (Algorithm.SHA256, 32)]
)
def test_a_checksum_has_the_bytes_of_its_algorithm(algorithm: Algorithm, size: int) -> None:
    value = base64.b64encode(bytes(size)).decode()
    assert Checksum(algorithm=algorithm, value=value).value == value
    with pytest.raises(ValueError, match="bytes, not"):
        Checksum(algorithm=algorithm, value=base64.b64encode(bytes(size + 1)).decode())


@pytest.mark.parametrize("value", ["AAAA!A==", "é", "AAAAA", "0123abcd\n"])
def test_a_checksum_is_base_64(value: str) -> None:
    with pytest.raises(ValueError, match="checksum"):
        Checksum(algorithm=Algorithm.CRC32C, value=value)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (KIB, "1 KiB"),
        (1536 * MIB, "1.5 GiB"),
        (5 * GIB - 1, "4.9 GiB"),
        (OBJECT_BYTES_MAX, "48.8 TiB"),
        (2**60, "1048576 TiB"),
    ],
)
def test_bytes_are_told_in_words(size: int, words: str) -> None:
    assert in_bytes(size) == words


@given(st.lists(st.integers(min_value=0, max_value=2**60), min_size=2))
def test_more_bytes_are_never_told_as_less(sizes: list[int]) -> None:
    units = ("bytes", "byte", "KiB", "MiB", "GiB", "TiB")
    told = [in_bytes(size).split() for size in sorted(sizes)]
    ranks = [(max(0, units.index(unit) - 1), float(number)) for number, unit in told]
    assert all(low <= high for low, high in pairwise(ranks))
