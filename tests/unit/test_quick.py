"""Quick classes (domain/quick.py) are frozen dataclasses in everything but what making one costs."""

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, InitVar, dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.quick import quick, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    name: str
    size: int = 1
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("less than nothing")


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    name: str
    size: int = 1
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("less than nothing")


@quick
@dataclass(frozen=True, slots=True)
class Placed:
    first: int
    second: int = 2
    third: int = field(default=3, kw_only=True)


GIVEN = st.fixed_dictionaries(
    {"name": st.text()}, optional={"size": st.integers(min_value=0), "words": st.lists(st.text())}
)
CHANGES = st.fixed_dictionaries({}, optional={"name": st.text(), "size": st.integers(min_value=0)})


@given(given=GIVEN, changes=CHANGES)
def test_a_quick_class_says_what_the_usual_one_says(given: dict[str, Any], changes: dict[str, Any]) -> None:
    one, other = Quick(**given), Usual(**given)
    assert type(one) is Quick
    assert dataclasses.asdict(one) == dataclasses.asdict(other)
    assert repr(one) == repr(other).replace("Usual", "Quick")
    assert one == Quick(**given)
    changed = replace(one, **changes)
    assert type(changed) is Quick
    assert dataclasses.asdict(changed) == dataclasses.asdict(dataclasses.replace(other, **changes))
    assert dataclasses.replace(one, **changes) == changed
    assert dataclasses.asdict(one) == dataclasses.asdict(other)


def test_values_are_hashed_compared_copied_and_pickled_as_ever() -> None:
    one = Placed(1)
    assert hash(one) == hash(Placed(1, 2, third=3))
    assert {one, Placed(1)} == {one}
    assert one != Placed(2)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_what_may_be_given_by_its_place_is_what_dataclasses_says() -> None:
    assert Placed(4, 5, third=6) == Placed(first=4, second=5, third=6)


def test_what_is_made_for_each_value_is_made_for_each() -> None:
    assert Quick(name="a").words is not Quick(name="a").words


@pytest.mark.parametrize(
    ("cls", "places", "names"),
    [
        (Quick, (), {}),
        (Quick, ("a",), {}),
        (Quick, (), {"name": "a", "colour": "red"}),
        (Placed, (1, 2, 3), {}),
    ],
)
def test_arguments_that_do_not_fit_are_refused(cls: type[Any], places: tuple[Any, ...], names: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        cls(*places, **names)


def test_a_field_that_there_is_not_cannot_be_replaced() -> None:
    unknown: Any = {"colour": "red"}
    with pytest.raises(AttributeError):
        replace(Quick(name="a"), **unknown)


@pytest.mark.parametrize("made", [Quick(name="a"), replace(Quick(name="b"), name="a"), Placed(1)])
def test_nobody_changes_a_value(made: Any) -> None:
    name = dataclasses.fields(made)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(made, name, "b")
    with pytest.raises(FrozenInstanceError):
        delattr(made, name)
    with pytest.raises((FrozenInstanceError, TypeError, AttributeError)):
        made.colour = "red"


@dataclass(frozen=True, slots=True)
class Seeded:
    name: str
    seed: InitVar[int] = 3


@dataclass(frozen=True, slots=True)
class Counted:
    name: str
    size: int = field(default=3, init=False)


@pytest.mark.parametrize("cls", [Seeded, Counted])
def test_a_class_whose_arguments_are_not_its_fields_is_refused(cls: type[Any]) -> None:
    with pytest.raises(TypeError, match="init-only variables, or fields that are no arguments"):
        quick(cls)


def test_what_may_not_be_is_refused_when_it_is_made_and_when_it_is_changed() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        Quick(name="a", size=-1)
    with pytest.raises(ValueError, match="less than nothing"):
        replace(Quick(name="a"), size=-1)
