"""The pipeline algebra: a job's way of working as a value, which can be run here or compiled to another language.

A pipeline works on a *document* (a JSON object). Each step reads paths of it (dotted keys, "" for the whole) and puts
what it gives under one key. Semantics, the same on every platform (compare Amazon States Language, JSONPath):

- `Task`      asks a worker to do something; `gives` names the key for its output (`None`: the output is dropped).
              A failure is matched, by name, against `retry` in order; each rule counts its own tries. Where the
              document has true at the path `extra`, a failure that is not tried again is no end: the task gives
              {"error", "message"} in the place of its output.
- `Sequence`  one after the other, each on the document the one before left.
- `Parallel`  every branch on a copy of the document, at once; gives the list of what the branches `yields`.
              The first failure fails it.
- `Map`       `body` once for each element of the list at `items`, on a document of its own: what the map `takes`, and
              the element under the key `each`. At most `concurrency` at once; gives the list of `yields`, in order.
- `Choice`    the first rule whose test holds; `otherwise` when none does; without that, nothing happens.
- `Catch`     when `body` fails with a matching error, `handler` runs on the document that `body` began with, plus the
              error under `gives` as {"error", "message"}.
- `Fail`      ends the run with an error.

What a task or a map takes and is not there fails it with `internal`. A map's body sees nothing that the map does not
take: where it runs elsewhere, only that travels, once for each element.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

ANY = "*"  # matches every error


class Weight(StrEnum):
    """Light tasks decide (in Lambda on AWS), heavy ones execute (in ECS)."""

    LIGHT = "light"
    HEAVY = "heavy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again after one of `errors`, at most `times` more, waiting `seconds` × `backoff`ⁿ, capped."""

    errors: tuple[str, ...]
    times: int
    seconds: float = 1.0
    backoff: float = 2.0
    seconds_max: float = 60.0

    def matches(self, error: str) -> bool:
        """Whether this rule is about `error`."""
        return ANY in self.errors or error in self.errors

    def delay(self, used: int) -> float:
        """Seconds to wait before the next try when `used` of the tries of this rule have been used."""
        return min(self.seconds * self.backoff**used, self.seconds_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Do one thing. `takes` maps parameter names to paths of the document.

    `extra` is a path; where it leads to true, nothing but the task's own output is lost when it fails.
    """

    name: str
    does: str
    takes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    gives: str | None = None
    weight: Weight = Weight.LIGHT
    seconds_max: int = 300
    retry: tuple[Retry, ...] = ()
    extra: str | None = None

    def __post_init__(self) -> None:
        """Refuse an extra one whose failure would be nowhere, or where it is looked whether it is extra."""
        if self.extra is not None and (self.gives is None or f"{self.extra}.".startswith(f"{self.gives}.")):
            raise ValueError(f"{self.name} is extra by {self.extra} and gives {self.gives}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One step after the other."""

    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Branches at once."""

    name: str
    branches: tuple["Step", ...]
    yields: str = ""
    gives: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """One body for each element of a list. `takes` maps keys of the body's document to paths of the map's own."""

    name: str
    items: str
    each: str
    body: "Step"
    takes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    concurrency: int = 0
    yields: str = ""
    gives: str | None = None


class Test(StrEnum):
    """What a choice can ask of a value."""

    EQUALS = "equals"
    LESS = "less"
    PRESENT = "present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When the value at `path` passes `test`, go `then`."""

    path: str
    test: Test
    value: str | int | float | bool | None = None
    then: "Step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The first rule that holds."""

    name: str
    rules: tuple[Rule, ...]
    otherwise: "Step | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What to do when a step fails."""

    name: str
    body: "Step"
    errors: tuple[str, ...]
    handler: "Step"
    gives: str = "error"

    def matches(self, error: str) -> bool:
        """Whether this handler is for `error`."""
        return ANY in self.errors or error in self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """End the run with an error: fixed, or `again`, the one caught under the key `again`."""

    name: str
    error: str = ""
    message: str = ""
    again: str | None = None


Step = Task | Sequence | Parallel | Map | Choice | Catch | Fail

MISSING = object()


def look_up(document: Any, path: str) -> Any:  # noqa: ANN401 - documents are JSON
    """The value at a dotted path ("" is the whole document), or `MISSING`."""
    value = document
    for key in path.split(".") if path else ():
        if not isinstance(value, Mapping) or key not in value:
            return MISSING
        value = value[key]
    return value


def with_value(document: Mapping[str, Any], key: str | None, value: Any) -> Mapping[str, Any]:  # noqa: ANN401
    """The document with `value` under `key`; unchanged when there is no key."""
    return document if key is None else {**document, key: value}


def holds(rule: Rule, document: Mapping[str, Any]) -> bool:
    """Whether a choice's rule holds. A missing value passes no test; 1 and 1.0 are equal, 1 and true are not."""
    value = look_up(document, rule.path)
    if value is MISSING:
        return False
    if rule.test is Test.PRESENT:
        return True
    if rule.test is Test.EQUALS:
        alike = type(value) is type(rule.value) or _are_numbers(value, rule.value)
        return alike and bool(value == rule.value)
    return _are_numbers(value, rule.value) and value < rule.value


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
