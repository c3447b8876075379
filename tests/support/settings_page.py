"""Writes docs/settings.md from the tree of settings. `python -m tests.support.settings_page` does it again."""

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from smmu.bootstrap.settings import SMALL_SECONDS_AT_HOME, Settings
from smmu.bootstrap.speech import MODELS
from smmu.bootstrap.variables import CLIENTS, DATA, leaves, variable
from smmu.domain.limits import GIB, KIB, MIB, TIB, Limits
from smmu.entrypoints.cli.options import Token, Url

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """# Settings

Variables of the environment, read once at the start. None has to be set, but for those of the platform `aws`: there
all without a default are needed, `…_IDENTITY__…` by the API alone. One that is unknown, wrong or contradicts
another is refused by name (exit status 2), so that a misspelt setting does not look as if it held. Written from
`src/smmu/bootstrap/settings.py` and `src/smmu/domain/limits.py`; `tests/test_settings_page.py` fails when this page is
stale. To write it again: `python -m tests.support.settings_page`.
"""
_ELSEWHERE: dict[tuple[str, ...], str] = {
    ("platform", "data"): f"`{DATA}`",
    ("platform", "kind"): "`embedded`",
    ("workers", "heavy"): "one for each core",
    ("speech", "models"): f"`{MODELS}`",
    ("limits", "small_seconds_max"): f"`{SMALL_SECONDS_AT_HOME}`; on AWS `0`",
}
_UNITS = (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB))
_HEADING, _FIELD = re.compile(r"    # (.+)"), re.compile(r"    (\w+): ")


def page() -> str:
    """The whole page."""
    service = [_row(path) for path in dict.fromkeys(leaves(Settings)) if path[0] != "limits"]
    clients = [f"| `{name}` | {_help_of(name)} | |" for name in sorted(CLIENTS)]
    sections = [
        _section("The service", service),
        _section("Commands that talk to a server", clients),
        "## Limits\n\nA limit has its unit in its name; the relations between them are checked.\n",
        *(_section(f"{heading[0].upper()}{heading[1:]}", rows, level=3) for heading, rows in _limits()),
    ]
    return "\n".join([HEAD, *sections])


def _section(name: str, rows: list[str], *, level: int = 2) -> str:
    columns = ["| variable | what it says | default |", "|---|---|---|"]
    if level > 2:
        columns = ["| variable | default |", "|---|---|"]
    return "\n".join([f"{'#' * level} {name}", "", *columns, *rows, ""])


def _row(path: tuple[str, ...]) -> str:
    field = _field(Settings, path)
    default = _ELSEWHERE.get(path) or _shown(field.default)
    assert field.description, f"{path} is not documented"
    return f"| `{variable(path)}` | {' '.join(field.description.split())} | {default} |"


def _field(tree: type[BaseModel], path: tuple[str, ...]) -> FieldInfo:
    """The field at a path; the kind of a branch is described where the branch is."""
    field = tree.model_fields[path[0]]
    if len(path) == 1 or path[1:] == ("kind",):
        return field
    branches = [kind for kind in (field.annotation, *get_args(field.annotation)) if hasattr(kind, "model_fields")]
    return next(_field(branch, path[1:]) for branch in branches if path[1] in branch.model_fields)


def _shown(default: Any) -> str:
    if default in (None, PydanticUndefined):
        return ""
    return f"`{json.dumps(default)}`"


def _help_of(name: str) -> str:
    options = [get_args(option)[1] for option in (Url, Token)]
    return str(next(option.help for option in options if option.envvar == name))


def _limits() -> Iterator[tuple[str, list[str]]]:
    """The limits under the headings that they have in the source."""
    defaults: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(Limits)}
    heading, rows = "", list[str]()
    for line in inspect.getsource(Limits).splitlines():
        if found := _HEADING.match(line):
            if rows:
                yield heading, rows
            heading, rows = found[1], []
        elif (found := _FIELD.match(line)) and found[1] in defaults:
            path = ("limits", found[1])
            default = _ELSEWHERE.get(path) or _number(found[1], defaults[found[1]])
            rows.append(f"| `{variable(path)}` | {default} |")
    yield heading, rows


def _number(name: str, value: float) -> str:
    unit = next((f"{value // size} {word}" for word, size in _UNITS if value % size == 0), None)
    return f"`{value}`" + (f" ({unit})" if "bytes" in name and unit else "")


if __name__ == "__main__":
    PAGE.write_text(page())
