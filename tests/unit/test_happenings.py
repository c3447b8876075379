"""The table of what operators are told, and the code that tells it, say the same."""

import ast
from collections.abc import Iterator

from smmu.domain.happenings import HAPPENINGS, Level, divided, kind_of, measured
from tests.support.source import parse, python_files


def told(tree: ast.Module) -> Iterator[str]:
    """The codes of all lines that a module tells by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event":
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_a_line_that_is_told_is_seen() -> None:
    assert list(told(ast.parse('self.telemetry.event("bug", stack=x)\nf("other")'))) == ["bug"]


def test_every_line_that_is_told_is_in_the_table_and_no_other() -> None:
    assert {name for path in python_files("src") for name in told(parse(path))} == set(HAPPENINGS)


def test_a_metric_has_one_unit_and_is_divided_by_no_id() -> None:
    metrics = {(metric.name, metric.unit) for kind in HAPPENINGS.values() for metric in kind.metrics}
    assert len({name for name, _ in metrics}) == len(metrics)
    assert {field for kind in HAPPENINGS.values() for field in kind.by if "id" in field.split("_")} == set()


def test_what_is_missing_or_no_number_measures_nothing() -> None:
    fields = {"parts": "many", "bytes": 3}
    assert [(one.metric.name, one.value) for one in measured("orphan_aborted", fields)] == [
        ("orphans", 1),
        ("orphan_bytes", 3),
    ]
    assert divided("task_ended", {"does": "render", "error": ""}) == {"does": "render"}


def test_what_the_table_does_not_have_is_told_and_not_counted() -> None:
    assert kind_of("somebody_elses").level is Level.INFO
    assert list(measured("somebody_elses", {"bytes": 1})) == []
