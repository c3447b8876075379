"""One trace from a request to the worker's lines, over a whole deployment: API, functions, state machine, containers."""

import json
from pathlib import Path

import pytest

from smmu.adapters.aws.orchestrator import traced
from tests.support.aws.cloud import Cloud
from tests.support.aws.emf import problems
from tests.support.media import photo
from tests.support.told import TRACE_ID, TRACEPARENT, lines_of, processed


def test_xray_is_told_of_a_trace_in_its_own_form() -> None:
    sampled = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"
    assert traced(TRACEPARENT) == {"traceHeader": sampled}
    assert traced(f"{TRACEPARENT[:-1]}0") == {"traceHeader": sampled.removesuffix(";Sampled=1")}
    assert traced("") == {}


@pytest.mark.slow
@pytest.mark.served
@pytest.mark.timeout(240)
async def test_a_trace_is_followed_from_the_request_to_the_workers_lines(cloud: Cloud, tmp_path: Path) -> None:
    taken = photo(tmp_path / "photo.jpg", size=(64, 48))
    job_id = await processed(cloud.url, cloud.token("tracy"), taken, completes=TRACEPARENT)
    api, functions = (cloud.folder / f"{name}.log" for name in ("api", "functions"))
    told = {
        "api": await lines_of(job_id, api.read_text, {"job_created"}),
        "functions": await lines_of(job_id, functions.read_text, {"job_dispatched", "job_succeeded"}),
        "workers": await lines_of(job_id, lambda: _said(cloud), {"task_started", "task_ended"}),
    }
    traces = {(name, line["traceId"]) for name, lines in told.items() for line in lines}
    assert traces == {(name, TRACE_ID) for name in told}
    assert {"dispatch", "perform"} <= {line["component"] for line in told["functions"]}
    assert {line["event"] for line in told["workers"]} == {"task_started", "task_ended"}
    measuring = [line for lines in told.values() for line in lines if "_aws" in line]
    assert {"job_seconds", "task_wait_seconds", "uploads_completed"} <= {name for line in measuring for name in line}
    assert [problem for line in measuring for problem in problems(json.dumps(line))] == []
    arn = cloud.named.state_machine.replace(":stateMachine:", ":execution:")
    run = cloud.client("stepfunctions").describe_execution(executionArn=f"{arn}:{job_id}-a1")
    assert json.loads(run["input"]) == {"owner": "tracy", "job_id": job_id, "attempt": 1, "trace": TRACEPARENT}


def _said(cloud: Cloud) -> str:
    return "\n".join(container.said for container in cloud.containers.known.values())
