"""Machines come in the sizes that Fargate has, and are never smaller than what was asked for."""

from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.aws.sizes import size_for
from smmu.domain.limits import GIB, MIB

_FARGATE = {
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}


@given(st.integers(1, 16), st.integers(0, 500 * GIB))
def test_a_size_is_one_that_fargate_has_and_large_enough(cores: int, memory_bytes: int) -> None:
    cpu, memory = (int(text) for text in size_for(cores, memory_bytes))
    assert memory in _FARGATE[cpu]
    assert cpu >= cores * 1024
    assert memory * MIB >= min(memory_bytes, 119 * GIB)


def test_a_small_task_gets_a_small_machine() -> None:
    assert size_for(1, 1536 * MIB) == ("1024", "2048")
    assert size_for(4, 1536 * MIB) == ("4096", "8192")
