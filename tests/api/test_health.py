"""What operators see, and what pages of other origins may do."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from smmu.adapters.inmemory.ledger import MemoryLedger
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.entrypoints.api.health import ledger_answers
from smmu.entrypoints.api.metrics import Meter
from smmu.ports.errors import Denied
from smmu.ports.records import Key
from tests.support.service import a_service, begun, completed, is_problem

PAGE = "https://app.example.com"
LINE = re.compile(r'[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? [0-9.e+-]+')


class Unlisted(MemoryLedger):
    """A ledger whose lists are not for the API."""

    async def due(self, _now: float, _limit: int) -> Sequence[Key[Any]]:
        raise Denied("only the sweeper may")


async def test_a_healthy_service_says_so(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_who_looks_at_the_root_is_shown_what_there_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.content) == (307, b"")
    shown = await client.get(answer.headers["location"])
    assert "/media/upload/init" in shown.json()["paths"]


async def test_a_service_that_misses_something_is_not_ready() -> None:
    async def not_yet() -> Sequence[str]:
        return ["the engine is not there"]

    async with a_service(ready=not_yet).client(None) as client:
        is_problem(await client.get("/readyz"), 503, "world_unavailable")
        assert (await client.get("/healthz")).status_code == 200


async def test_being_ready_costs_one_read_and_no_right_to_list() -> None:
    service = a_service()
    ledger = Unlisted(service.world, service.clock)
    system = replace(service.system, platform=replace(service.system.platform, ledger=ledger))
    assert await ledger_answers(system)() == ()


async def test_what_is_counted_is_shown(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await completed(client)
    await client.get("/jobs/job_1")
    await client.get("/nowhere/at/all")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'smmu_http_requests_total{method="POST",route="/media/upload/init",status="201"} 2' in lines
    assert 'smmu_http_requests_total{method="GET",route="/jobs/{id}",status="404"} 1' in lines
    assert 'smmu_http_requests_total{method="-",route="-",status="404"} 1' in lines
    assert 'smmu_events_total{event="job_created"} 2' in lines
    assert "smmu_uploads_completed_total 2" in lines
    assert all(line.startswith("# TYPE smmu_") or LINE.fullmatch(line) for line in lines)
    assert answer.text.endswith("\n")


def test_what_lines_measure_is_written_as_prometheus_reads_it() -> None:
    meter = Meter()
    meter.event("orphan_aborted", parts=3, bytes=10)
    meter.event("job_succeeded", kind='a "quoted"\nline\\', seconds=0.5)
    meter.event("job_succeeded", kind="image", seconds=1)
    meter.event("job_failed", fault="", code="internal")
    assert [line for line in meter.text().splitlines() if "events_total" not in line] == [
        "# TYPE smmu_http_requests_total counter",
        "# TYPE smmu_job_seconds_count counter",
        'smmu_job_seconds_count{kind="a \\"quoted\\"\\nline\\\\"} 1',
        'smmu_job_seconds_count{kind="image"} 1',
        "# TYPE smmu_job_seconds_sum counter",
        'smmu_job_seconds_sum{kind="a \\"quoted\\"\\nline\\\\"} 0.5',
        'smmu_job_seconds_sum{kind="image"} 1',
        "# TYPE smmu_jobs_failed_total counter",
        "smmu_jobs_failed_total 1",
        "# TYPE smmu_jobs_succeeded_total counter",
        'smmu_jobs_succeeded_total{kind="a \\"quoted\\"\\nline\\\\"} 1',
        'smmu_jobs_succeeded_total{kind="image"} 1',
        "# TYPE smmu_orphan_bytes_total counter",
        "smmu_orphan_bytes_total 10",
        "# TYPE smmu_orphan_parts_total counter",
        "smmu_orphan_parts_total 3",
        "# TYPE smmu_orphans_total counter",
        "smmu_orphans_total 1",
    ]


def test_a_meter_passes_lines_on() -> None:
    behind = MemoryTelemetry()
    meter = Meter(behind)
    meter.event("job_failed", code="internal")
    meter.flush()
    assert behind.named("job_failed") == [{"code": "internal"}]


# --- pages of other origins


@pytest.mark.parametrize("path", ["/media/upload/init", "/jobs/job_1", "/blobs/x.y"])
async def test_a_page_that_is_let_in_may_ask_first(path: str) -> None:
    asks = {
        "origin": PAGE,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization, content-type, idempotency-key, uppy-auth-token",
    }
    async with a_service(origins=[PAGE]).client(None) as client:
        answer = await client.options(path, headers=asks)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "idempotency-key" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "3000"


async def test_a_page_that_is_let_in_may_read_what_it_needs_even_of_an_error() -> None:
    async with a_service(origins=[PAGE]).client() as client:
        upload = await begun(client)
        put = await client.put(upload["parts"][0]["url"], content=b"x", headers={"origin": PAGE})
        lost = await client.get("/nowhere", headers={"origin": PAGE})
        fine = await client.get("/jobs", headers={"origin": PAGE})
    for answer in (put, lost, fine):
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert {"ETag", "Location"} <= set(answer.headers["access-control-expose-headers"].split(", "))


async def test_other_pages_are_not_let_in() -> None:
    async with a_service(origins=[PAGE]).client() as client:
        answer = await client.get("/jobs", headers={"origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in answer.headers


async def test_everyones_page_gets_no_credentials() -> None:
    async with a_service(origins=["*"]).client() as client:
        answer = await client.get("/jobs", headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_no_page_is_let_in_unless_it_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/jobs", headers={"origin": PAGE})
    assert "access-control-allow-origin" not in answer.headers
