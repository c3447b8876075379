"""What a `Choice` state can ask: whether a path is there, how a value compares, and whether it may be a list."""

from smmu.adapters.aws.asl_parts import Facts
from smmu.adapters.aws.asl_tasks import State, Where
from smmu.domain.pipeline import Map, Rule, Task, Test


def condition(rule: Rule, where: Where, facts: Facts) -> State | None:
    """A rule's condition; `None` for one that never holds."""
    variable = {"Variable": where.doc(rule.path)}
    present = {**variable, "IsPresent": True}
    if rule.test is Test.PRESENT:
        return present
    comparison = _less(rule.value) if rule.test is Test.LESS else _equal(rule.value)
    if comparison is None:
        return None
    return {"And": [*([] if facts.has(rule.path) else [present]), variable | comparison]}


def _less(value: object) -> State | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"NumericLessThan": value} if is_number else None


def _equal(value: object) -> State:
    if value is None:
        return {"IsNull": True}
    if isinstance(value, bool):
        return {"BooleanEquals": value}
    return {"StringEquals" if isinstance(value, str) else "NumericEquals": value}


def is_a_list(path: str, *, sure: bool) -> list[State]:
    """As nearly as a choice can tell: it knows no test for lists, and none for objects."""
    there = [] if sure else [{"Variable": path, "IsPresent": True}]
    return there + [{"Variable": path, kind: False} for kind in ("IsNull", "IsBoolean", "IsNumeric", "IsString")]


def needs(step: Task | Map, where: Where, facts: Facts) -> tuple[list[State], str]:
    """The conditions under which all that a step takes is there, as far as that is not sure, and what to say if not."""
    unsure = [path for path in dict.fromkeys(step.takes.values()) if not facts.has(path)]
    message = f"{step.name} needs {', '.join(unsure)}, which is not there."
    return [{"Variable": where.doc(path), "IsPresent": True} for path in unsure], message
