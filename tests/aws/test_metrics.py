"""Metrics in lines, held to the rules of CloudWatch's embedded metric format."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.aws.metrics import DEPLOYMENT, NAMESPACE, EmbeddedMetrics
from smmu.adapters.embedded.lines import JsonLines, LineWriter
from smmu.adapters.embedded.system import SystemClock
from smmu.domain.happenings import HAPPENINGS
from tests.support.aws.emf import problems


def lines_of(name: str, fields: Mapping[str, object]) -> str:
    stream = io.StringIO()
    told = JsonLines(SystemClock(), component="x", writer=LineWriter(stream), extras=EmbeddedMetrics("smmu-dev"))
    told.event(name, **fields)
    told.flush()
    return stream.getvalue()


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        field: st.text(max_size=20)
        if field in {by for kind in HAPPENINGS.values() for by in kind.by}
        else st.integers(0, 2**40) | st.floats(0, 1e6)
        for kind in HAPPENINGS.values()
        for field in (*kind.by, *(metric.of for metric in kind.metrics if metric.of))
    },
)


@given(st.sampled_from(sorted(name for name, kind in HAPPENINGS.items() if kind.metrics)), FIELDS)
def test_every_line_with_metrics_is_one_that_cloudwatch_reads(name: str, fields: dict[str, object]) -> None:
    line = lines_of(name, fields)
    assert "_aws" not in json.loads(line) or problems(line) == []


def test_a_line_is_counted_for_its_deployment_and_divided_where_the_table_says_so() -> None:
    line = json.loads(lines_of("job_succeeded", {"job_id": "job_1", "kind": "video", "seconds": 2.5}))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": NAMESPACE,
        "Dimensions": [[DEPLOYMENT], [DEPLOYMENT, "kind"]],
        "Metrics": [{"Name": "jobs_succeeded", "Unit": "Count"}, {"Name": "job_seconds", "Unit": "Seconds"}],
    }
    assert (line["deployment"], line["kind"], line["jobs_succeeded"], line["job_seconds"]) == (
        "smmu-dev",
        "video",
        1,
        2.5,
    )
    assert line["jobId"] == "job_1"


def test_a_line_that_measures_nothing_is_no_metric() -> None:
    assert "_aws" not in json.loads(lines_of("run_failed", {"job_id": "job_1"}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"jobs_failed": "one"}, "jobs_failed"),
        ({"deployment": ""}, "deployment"),
        ({"_aws": {"Timestamp": 1, "CloudWatchMetrics": []}}, "no milliseconds"),
    ],
)
def test_a_line_that_breaks_a_rule_is_seen(change: dict[str, Any], problem: str) -> None:
    good = json.loads(lines_of("job_failed", {"fault": "file"}))
    assert problems(json.dumps(good)) == []
    assert problem in problems(json.dumps({**good, **change}))
