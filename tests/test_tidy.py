"""The style guide as code. Each rule is tried on a snippet that breaks it, then on the project.

The checks themselves are in tests/support/style.py; docs/design.md says why the rules are what they are.
"""

import ast
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.support import style
from tests.support.source import PROJECT, parse, place, project_files, project_texts, python_files

SOURCES = python_files("src")
TESTS = python_files("tests")
ALL = python_files("src", "tests", "benchmarks", "scripts", "infra", "docs")


def complaints(check: Callable[[ast.Module], Iterable[str]], files: list[Path]) -> list[str]:
    return [f"{place(path)}: {complaint}" for path in files for complaint in check(parse(path))]


def complaints_about(check: Callable[[ast.Module], Iterable[str]], snippet: str) -> list[str]:
    return list(check(ast.parse(snippet)))


def test_there_are_files_to_judge() -> None:
    assert PROJECT / "src" / "smmu" / "__init__.py" in SOURCES
    assert Path(__file__).resolve() in TESTS


# --- size


def test_a_functions_length_counts_its_code_and_not_its_docstring() -> None:
    snippet = 'def f(\n    a,\n):\n    """One.\n\n    Two.\n    """\n    return a\n'
    assert [measured.lines for measured in style.function_lengths(ast.parse(snippet))] == [4]


def test_no_function_is_longer_than_a_view() -> None:
    long = [
        f"{place(path)}: {measured.name} has {measured.lines} lines"
        for path in ALL
        for measured in style.function_lengths(parse(path))
        if measured.lines > style.FUNCTION_LINES_MAX
    ]
    assert long == []


@pytest.mark.parametrize(
    ("numbers", "fraction", "expected"),
    [([], 0.9, 0), ([7], 0.9, 7), (list(range(1, 11)), 0.9, 9), (list(range(1, 12)), 0.9, 10)],
)
def test_a_percentile_is_a_number_that_occurs(numbers: list[int], fraction: float, expected: int) -> None:
    assert style.percentile(numbers, fraction) == expected


def test_most_functions_are_short(record_property: Callable[[str, object], None]) -> None:
    lengths = [measured.lines for path in SOURCES for measured in style.function_lengths(parse(path))]
    median, p90 = statistics.median(lengths or [0]), style.percentile(lengths, 0.9)
    report = f"{len(lengths)} functions in src: median {median} lines, nine in ten within {p90}"
    record_property("function lengths", report)
    print(report)  # noqa: T201 (seen with `pytest -rP`, and when this fails)
    assert median < 10, report
    assert p90 <= 20, report


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ALL}
    assert {name: lines for name, lines in lengths.items() if lines > style.FILE_LINES_MAX} == {}


# --- words


def test_every_module_says_what_it_is_for() -> None:
    assert ast.get_docstring(ast.parse("x = 1")) is None
    silent = [place(path) for path in ALL if not ast.get_docstring(parse(path))]
    assert silent == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"])
def test_an_unfinished_thought_is_seen(word: str) -> None:
    assert list(style.unfinished_words(f"fine\nx = 1  # {word}: later")) == [f"line 2: {word}"]
    assert list(style.unfinished_words(f"mktemp /tmp/{word}{word}")) == []


def test_nothing_is_left_for_later() -> None:
    found = [f"{place(path)}: {word}" for path, text in project_texts() for word in style.unfinished_words(text)]
    assert found == []


@pytest.mark.parametrize("name", ["StoreBase", "UploadManager", "PathHelper", "MediaUtils", "TimeUtil"])
def test_a_class_name_that_says_nothing_is_seen(name: str) -> None:
    assert complaints_about(style.empty_class_names, f"class {name}: ...") == [f"line 1: {name}"]


def test_class_names_say_what_a_thing_is() -> None:
    assert complaints_about(style.empty_class_names, "class Database(BaseModel): ...") == []
    assert complaints(style.empty_class_names, ALL) == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
    assert [place(path) for path in ALL if path.stem in drawers] == []


# --- tests


@pytest.mark.parametrize(
    "snippet",
    [
        "from unittest import mock",
        "from unittest.mock import patch",
        "import unittest.mock",
        "x = MagicMock()",
        "def test_x(mocker): ...",
        "with mock.patch('a.b'): ...",
    ],
)
def test_a_mock_is_seen(snippet: str) -> None:
    assert complaints_about(style.mocks, snippet)


def test_tests_use_fakes_and_never_mocks() -> None:
    assert complaints(style.mocks, TESTS) == []


@pytest.mark.parametrize("name", sorted(style.EVASIONS))
def test_an_evasion_is_seen(name: str) -> None:
    assert complaints_about(style.evasions, f"@{name}\ndef test_x(): ...") == [f"line 1: {name}"]


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    """But for what a stand-in of AWS is known to do wrong: each has its reason there, and must go on failing."""
    differences = PROJECT / "tests" / "support" / "aws" / "differences.py"
    assert complaints(style.evasions, [path for path in TESTS if path != differences]) == []


# --- errors


@pytest.mark.parametrize(
    "handler",
    ["except: raise", "except Exception: pass", "except BaseException: ...", "except Exception: 'why not'"],
)
def test_a_swallowed_error_is_seen(handler: str) -> None:
    assert complaints_about(style.swallowed_errors, f"try: f()\n{handler}")


def test_an_error_that_is_dealt_with_is_fine() -> None:
    assert complaints_about(style.swallowed_errors, "try: f()\nexcept Exception: report()") == []
    assert complaints_about(style.swallowed_errors, "try: f()\nexcept KeyError: pass") == []


def test_no_error_is_swallowed() -> None:
    assert complaints(style.swallowed_errors, ALL) == []


# --- the project as a whole


@pytest.mark.parametrize("name", style.ELSEWHERE)
def test_a_name_of_another_machine_is_seen(name: str) -> None:
    assert list(style.names_of_other_machines(f"x\n{name}y")) == [f"line 2: {name}"]


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [f"{place(path)}: {name}" for path, text in project_texts() for name in style.names_of_other_machines(text)]
    assert found == []


def test_everything_is_text() -> None:
    texts = {path for path, _ in project_texts()}
    assert [place(path) for path in project_files() if path not in texts] == []


def test_a_promise_without_words_is_seen() -> None:
    snippet = "class Clock:\n    '''Time.'''\n    def now(self): ...\n    def _tick(self): ...\ndef f(): ..."
    assert complaints_about(style.undocumented, snippet) == ["line 3: Clock.now", "line 5: f"]


def test_every_promise_of_a_port_is_in_words() -> None:
    assert complaints(style.undocumented, python_files("src/smmu/ports")) == []


def test_an_ignored_rule_without_a_reason_is_seen() -> None:
    toml = '[tool.ruff.lint]\nignore = [\n  "D1",  # a reason\n  "D2",\n]\nper-file-ignores = {"t" = ["S"]}\n'
    assert list(style.uncommented_ignores(toml)) == ["line 4: D2", "line 6: S"]


def test_every_ignored_rule_of_ruff_has_its_reason() -> None:
    assert list(style.uncommented_ignores((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))) == []
