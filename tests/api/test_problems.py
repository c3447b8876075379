"""Problem documents: what everyone is told when something is refused, fails, or is our fault."""

import json
from collections.abc import Callable

import httpx
import pytest

from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.domain.errors import REJECTIONS, Code, Reason, Refused
from smmu.entrypoints.api.problems import (
    HTTP_STATUS,
    STATUS,
    STATUS_OF_STORED,
    HttpCode,
    HttpRefusal,
    Problems,
)
from smmu.ports import errors
from tests.support.service import Service, is_problem


def test_every_code_has_its_status() -> None:
    assert set(STATUS) == set(Code) == set(STATUS_OF_STORED)
    assert set(HTTP_STATUS) == set(HttpCode)
    assert {STATUS[code] for code in REJECTIONS} == {422}
    assert all(400 <= status < 600 for status in (*STATUS.values(), *HTTP_STATUS.values()))


def test_codes_of_http_are_no_codes_of_the_domain() -> None:
    assert not {str(code) for code in HttpCode} & {str(code) for code in Code}


@pytest.mark.parametrize("code", list(Code))
def test_every_refusal_becomes_a_whole_document(code: Code) -> None:
    error = Refused(Reason(code=code, message="One.", pointer="/a"), Reason(code=code, message="Two.", pointer="/b"))
    answer = Problems(MemoryTelemetry()).answer(error, {"path": "/x"})
    found = json.loads(bytes(answer.body))
    assert (found["status"], found["code"], found["instance"]) == (STATUS[code], code, "/x")
    assert found["detail"] == found["message"] == "One. Two."
    assert [(e["pointer"], e["message"]) for e in found["errors"]] == [("/a", "One."), ("/b", "Two.")]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Throttled("secret"), 503, "world_unavailable"),
        (errors.Unavailable("secret"), 503, "world_unavailable"),
        (errors.Conflict("secret"), 503, "world_unavailable"),
        (errors.Full("secret"), 507, "disk_full"),
        (errors.Corrupt("secret"), 500, "internal"),
        (errors.NotFound("secret"), 500, "internal"),
        (errors.Denied("secret"), 500, "internal"),
        (ZeroDivisionError("secret"), 500, "internal"),
        (HttpRefusal(HttpCode.URL_REFUSED, "No."), 403, "url_refused"),
    ],
)
def test_the_world_and_bugs_tell_nothing_of_what_is_inside(error: Exception, status: int, code: str) -> None:
    answer = Problems(MemoryTelemetry()).answer(error, {"path": "/x"})
    assert (answer.status_code, json.loads(bytes(answer.body))["code"]) == (status, code)
    assert b"secret" not in answer.body
    assert (b"retry-after" in dict(answer.raw_headers)) == (status in (503, 507))


async def test_a_bug_answers_a_request_id_under_which_its_trace_is_logged(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(service.system.platform.ledger), "counters", _breaks)
    monkeypatch.setattr(type(service.system.platform.ledger), "load", _breaks)
    found = is_problem(await client.get("/jobs/job_" + "0" * 26), 500, "internal")
    assert "a very secret thing" not in json.dumps(found)
    (bug,) = service.telemetry.named("bug")
    assert bug["request_id"] == found["request_id"]
    assert "a very secret thing" in str(bug["stack"])


async def test_what_the_world_did_is_logged_in_its_own_words_and_answered_in_ours(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise errors.Unavailable("a very secret thing")

    monkeypatch.setattr(type(service.system.platform.ledger), "load", away)
    sent = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    found = is_problem(await client.get("/jobs/job_" + "0" * 26, headers=sent), 503, "world_unavailable")
    assert "a very secret thing" not in json.dumps(found)
    (told,) = service.telemetry.named("world_failed")
    assert (told["request_id"], told["trace_id"]) == (found["request_id"], "a" * 32)
    assert "a very secret thing" in str(told["error"])


async def _breaks(*_: object) -> None:
    raise RuntimeError("a very secret thing")


async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient) -> None:
    is_problem(await client.get("/nowhere"), 404, "not_found")
    is_problem(await client.get("/jobs/"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/media/upload/upl_1", "DELETE, GET"),
        ("POST", "/jobs", "GET"),
        ("GET", "/blobs/x.y", None),
        ("POST", "/blobs/x.y", "GET, HEAD, PUT"),
        ("TRACE", "/media", "GET"),
    ],
)
async def test_a_wrong_method_names_the_right_ones(
    client: httpx.AsyncClient, method: str, path: str, allowed: str | None
) -> None:
    answer = await client.request(method, path)
    if allowed is None:
        is_problem(answer, 403, "url_refused")
        return
    is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


async def test_a_busy_world_says_when_to_come_back(
    service: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(service.system.platform.ledger), "query", _raising(errors.Throttled("no")))
    answer = await client.get("/jobs")
    is_problem(answer, 503, "world_unavailable")
    assert int(answer.headers["retry-after"]) > 0


def _raising(error: Exception) -> Callable[..., object]:
    async def call(*_: object) -> None:
        raise error

    return call
