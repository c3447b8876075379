"""What a policy allows, evaluated as IAM's documentation says, as far as this product's policies are written.

No stand-in evaluates policies. This is allowing statements, `*` and `?` in actions and resources, variables that are
tags of the session, and the conditions of infra/; what it does not know it refuses to judge. Source: IAM user guide,
"JSON policy elements reference" and "Policy evaluation logic". Whether IAM agrees only an account can show.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_WILD = {"*": ".*", "?": "."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as IAM sees it: what, on which resource, and the context's keys, those of its principal included."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


def allows(statements: Iterable[Mapping[str, Any]], asked: Asked) -> bool:
    """Whether any statement allows it."""
    return any(_fits(one, asked) for one in statements)


def tagged(tags: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """What a session's tags are in a request's context."""
    return {f"aws:PrincipalTag/{name}": [value] for name, value in tags.items()}


def listed(told: str | Sequence[str]) -> list[str]:
    """A policy's value, which may be one or a list."""
    return [told] if isinstance(told, str) else list(told)


def _fits(statement: Mapping[str, Any], asked: Asked) -> bool:
    assert statement.get("Effect", "Allow") == "Allow", statement
    known = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
    assert set(statement) <= known, statement
    return (
        any(_like(pattern, asked.action, {}) for pattern in listed(statement["Action"]))
        and any(_like(pattern, asked.resource, asked.context) for pattern in listed(statement.get("Resource", "*")))
        and all(
            _holds(operator, key, listed(values), asked.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, key: str, values: list[str], context: Mapping[str, Sequence[str]]) -> bool:
    there = context.get(key, ())
    if operator == "Null":
        return values == [str(not there).lower()]
    name = operator.removeprefix("ForAllValues:")
    compare = _OPERATORS[name]
    met = [any(compare(value, one, context) for value in values) for one in there]
    return all(met) if name != operator else len(met) == 1 and met[0]


def _equal(value: str, there: str, context: Mapping[str, Sequence[str]]) -> bool:
    return _filled(value, context, plain=str, filler=str) == there


def _like(pattern: str, there: str, context: Mapping[str, Sequence[str]]) -> bool:
    filled = _filled(pattern, context, plain=_wild, filler=re.escape)
    return filled is not None and re.fullmatch(filled, there, re.DOTALL) is not None


def _wild(text: str) -> str:
    return "".join(_WILD.get(one, re.escape(one)) for one in text)


def _filled(
    text: str, context: Mapping[str, Sequence[str]], *, plain: Callable[[str], str], filler: Callable[[str], str]
) -> str | None:
    """The text with its variables' values, each part as it is to be read; `None`, which matches nothing, without one."""
    parts = _VARIABLE.split(text)
    values = [context.get(name, ()) for name in parts[1::2]]
    if any(len(value) != 1 for value in values):
        return None
    filled = [plain(part) for part in parts]
    filled[1::2] = [filler(value[0]) for value in values]
    return "".join(filled)


_OPERATORS: Mapping[str, Callable[[str, str, Mapping[str, Sequence[str]]], bool]] = {
    "StringEquals": _equal,
    "StringLike": _like,
}
