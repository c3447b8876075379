"""The names of the product's environment variables, and the refusal of names that are not among them.

It needs nothing but the standard library, so that whoever has no settings to read does not pay for reading them.
"""

import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

PREFIX, SEPARATOR = "SMMU_", "__"
_CLOSE = 0.8  # of 1: nearer than this, it was probably meant
DATA = "smmu-data"  # where the embedded platform keeps everything unless told otherwise

CLIENTS = frozenset({"SMMU_URL", "SMMU_TOKEN"})  # read by the commands that talk to a server


class SettingsError(Exception):
    """A setting is missing, wrong or unknown. Its message is one sentence that names the variable."""


def variable(path: Iterable[str]) -> str:
    """The name of the variable that sets the field at `path`."""
    return PREFIX + SEPARATOR.join(step.upper() for step in path)


def refuse_strays(environment: Mapping[str, str], tree: type[Any]) -> None:
    """Raise `SettingsError` for the first variable with our prefix that sets nothing in `tree`."""
    known = {variable(path) for path in leaves(tree)} | CLIENTS
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=_CLOSE)
            advice = f"did you mean {close[0]}?" if close else "remove it."
            raise SettingsError(f"{name} is not a setting: {advice}")


def leaves(tree: type[Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every field of a tree of models and dataclasses that has no fields of its own."""
    for name, annotation in _fields(tree):
        branches = [kind for kind in (annotation, *get_args(annotation)) if _is_branch(kind)]
        if not branches:
            yield (*path, name)
        for branch in branches:
            yield from leaves(branch, (*path, name))


def _fields(tree: type[Any]) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(tree):
        yield from ((field.name, field.type) for field in dataclasses.fields(tree))
    else:
        yield from ((name, info.annotation) for name, info in tree.model_fields.items())


def _is_branch(kind: object) -> bool:
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "model_fields"))
