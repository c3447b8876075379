"""The style guide as pure checks: source in, complaints out. tests/test_tidy.py runs them on the project.

They read syntax trees and text; they neither import nor run what they judge.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 400

# Words that may not stand in the project are put together here, so that they do not stand here either.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
ELSEWHERE = (
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/opt/" + "wheels",
    "/opt/" + "pypi",
    "pypi." + "org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "index" + "-url",
)
EMPTY_SUFFIX = re.compile(r"(Base|Manager|Helper|Util)s?$")
MOCKS = {"MagicMock", "AsyncMock", "Mock", "mocker"}
EVASIONS = {
    "pytest.mark.skip",
    "pytest.mark.skipif",
    "pytest.mark.xfail",
    "pytest.skip",
    "pytest.xfail",
    "pytest.importorskip",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Measured(NamedTuple):
    """A function and its length in lines, its docstring and decorators not counted."""

    name: str
    line: int
    lines: int


def function_lengths(tree: ast.Module) -> list[Measured]:
    functions = (node for node in ast.walk(tree) if isinstance(node, Function))
    return [Measured(node.name, node.lineno, _lines(node) - _docstring_lines(node)) for node in functions]


def percentile(numbers: list[int], fraction: float) -> int:
    """The smallest number that at least this fraction of them do not exceed; 0 for none."""
    ordered = sorted(numbers)
    return ordered[max(0, -int(-len(ordered) * fraction // 1) - 1)] if ordered else 0


def unfinished_words(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if found := UNFINISHED.search(line):
            yield f"line {number}: {found.group()}"


def names_of_other_machines(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        yield from (f"line {number}: {name}" for name in ELSEWHERE if name in line)


def empty_class_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and EMPTY_SUFFIX.search(node.name):
            yield f"line {node.lineno}: {node.name}"


def mocks(tree: ast.Module) -> Iterator[str]:
    """Imports from unittest.mock, and the names of mocks however they were come by."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("unittest", "mock")):
            yield f"line {node.lineno}: from {node.module}"
        elif isinstance(node, ast.Import) and any("mock" in alias.name.split(".") for alias in node.names):
            yield f"line {node.lineno}: import of mock"
        elif isinstance(node, ast.Name | ast.arg) and (name := _named(node)) in MOCKS:
            yield f"line {node.lineno}: {name}"
        elif isinstance(node, ast.Attribute) and dotted_ends(node, "mock", "patch"):
            yield f"line {node.lineno}: mock.patch"


def evasions(tree: ast.Module) -> Iterator[str]:
    """Skips and expected failures: a test that does not run says nothing, and looks as if it did."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := ast.unparse(node)) in EVASIONS:
            yield f"line {node.lineno}: {name}"


def swallowed_errors(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield f"line {node.lineno}: except without a class"
        elif ast.unparse(node.type) in {"Exception", "BaseException"} and all(map(_does_nothing, node.body)):
            yield f"line {node.lineno}: except {ast.unparse(node.type)} that does nothing"


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public functions, classes and their public methods without a docstring."""
    yield from _undocumented(tree, "")


def uncommented_ignores(toml: str) -> Iterator[str]:
    """Entries of ruff's ignore lists in a pyproject.toml whose line has no comment behind it."""
    lint = tomllib.loads(toml)["tool"]["ruff"]["lint"]
    lists = [lint.get("ignore", []), *lint.get("per-file-ignores", {}).values()]
    lines = toml.splitlines()
    for code in (code for codes in lists for code in codes):
        bare = re.compile(rf'"{re.escape(code)}"(?!,?\s+# \S)')
        yield from (f"line {number}: {code}" for number, line in enumerate(lines, 1) if bare.search(line))


def dotted_ends(node: ast.Attribute, owner: str, name: str) -> bool:
    return node.attr == name and ast.unparse(node.value).rpartition(".")[2] == owner


def _lines(node: ast.stmt | ast.expr) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstring_lines(node: Documented) -> int:
    return _lines(node.body[0]) if ast.get_docstring(node) is not None else 0


def _named(node: ast.Name | ast.arg) -> str:
    return node.id if isinstance(node, ast.Name) else node.arg


def _does_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass | ast.Continue) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _undocumented(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, Documented) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield f"line {node.lineno}: {prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node, f"{node.name}.")
