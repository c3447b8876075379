"""`domain/pipeline.py` and `domain/catalogue.py` as values: paths, retries, names that identify places."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain import catalogue
from smmu.domain.errors import Code
from smmu.domain.limits import Limits
from smmu.domain.pipeline import (
    ANY,
    MISSING,
    Catch,
    Fail,
    Retry,
    Sequence,
    Task,
    look_up,
    with_value,
)
from smmu.ports.errors import DEATHS
from tests.support.pipelines import all_steps

DOCUMENT = {"a": {"b": [1, 2], "c": None}, "d": False}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", DOCUMENT),
        ("a.b", [1, 2]),
        ("a.c", None),
        ("d", False),
        ("x", MISSING),
        ("a.x", MISSING),
        ("a.b.0", MISSING),
        ("d.e", MISSING),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path: str, value: Any) -> None:
    assert look_up(DOCUMENT, path) == value


def test_a_value_is_put_without_touching_the_document() -> None:
    before = {"a": 1}
    assert with_value(before, "b", 2) == {"a": 1, "b": 2}
    assert with_value(before, None, 2) == before == {"a": 1}


@given(st.floats(0.1, 100), st.floats(1, 4), st.floats(1, 1_000))
def test_waits_grow_up_to_their_cap(seconds: float, backoff: float, cap: float) -> None:
    rule = Retry(errors=(ANY,), times=9, seconds=seconds, backoff=backoff, seconds_max=cap)
    delays = [rule.delay(used) for used in range(9)]
    assert delays == sorted(delays)
    assert delays[0] == min(seconds, cap)
    assert max(delays) <= cap


@pytest.mark.parametrize(("errors", "matches"), [(("red",), True), (("blue",), False), ((ANY,), True), ((), False)])
def test_rules_match_by_name(errors: tuple[str, ...], matches: bool) -> None:  # noqa: FBT001
    assert Retry(errors=errors, times=1).matches("red") is matches
    assert Catch(name="c", body=Fail(name="f"), errors=errors, handler=Fail(name="f")).matches("red") is matches


@pytest.mark.parametrize(("extra", "gives"), [("a", None), ("a", "a"), ("a.b", "a")])
def test_whether_a_task_is_extra_is_said_elsewhere_than_in_what_it_gives(extra: str, gives: str | None) -> None:
    with pytest.raises(ValueError, match="is extra by"):
        Task(name="t", does="work", gives=gives, extra=extra)


PRODUCT = tuple(all_steps(catalogue.pipeline(Limits())))


def test_every_death_of_a_worker_is_tried_again() -> None:
    matched = {error for rule in catalogue.RETRIES for error in rule.errors}
    assert matched >= DEATHS
    assert Code.WORLD_UNAVAILABLE in matched


def test_no_refusal_of_a_file_is_tried_again() -> None:
    for step in PRODUCT:
        if isinstance(step, Task) and step.does != catalogue.RECORD_FAILURE:
            assert not any(rule.matches(Code.REJECTED_CORRUPT) for rule in step.retry)


def test_every_task_of_the_product_has_an_end_in_time() -> None:
    tasks = [step for step in PRODUCT if isinstance(step, Task)]
    assert {task.does for task in tasks} == {
        catalogue.INSPECT,
        catalogue.RENDER,
        catalogue.REVEAL,
        catalogue.PUBLISH,
        catalogue.RECORD_FAILURE,
    }
    assert all(0 < task.seconds_max < Limits().job_seconds_max for task in tasks)


def test_names_within_the_product_tell_places_apart() -> None:
    named = [step.name for step in PRODUCT if not isinstance(step, Sequence)]
    assert len(set(named)) == len(named)
    assert not any(mark in name for name in named for mark in ".[]/")
