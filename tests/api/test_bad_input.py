"""Everything that a careless or hostile client may send: each is one clear problem, and leaves nothing behind."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.service import Service, a_request, a_service, begun, is_problem

UPLOAD, JOB, MEDIA = (f"{prefix}_{'0' * 26}" for prefix in ("upl", "job", "med"))


@pytest.mark.parametrize(
    "filename",
    [
        "",
        " ",
        ".",
        "..",
        "../x.mp4",
        "..\\x.mp4",
        "/etc/passwd",
        "a\nb.mp4",
        "a\r\nSet-Cookie: x=1",
        "a\x00b.mp4",
        "\x1b[31m.mp4",
        "gpj.\u202e4pm.exe",
        "a" * 256,
        "a" * 5_000 + ".mp4",
        "\U0001f3ac" * 5_000,
        "trailing. ",
    ],
)
async def test_a_name_that_is_no_name(service: Service, client: httpx.AsyncClient, filename: str) -> None:
    answer = await client.post("/media/upload/init", json=a_request(filename=filename))
    assert is_problem(answer, 422, "invalid_filename")["errors"][0]["pointer"] == "/filename"
    assert service.stored() == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/filename"),
        ({"filename": 5}, "/filename"),
        ({"filename": None}, "/filename"),
        ({"filename": ["a"]}, "/filename"),
        (a_request(size="2000"), "/size"),
        (a_request(size=1.5), "/size"),
        (a_request(size=True), "/size"),
        (a_request(size=10**30), "/size"),
        (a_request(size=[1]), "/size"),
        (a_request(content_type=7), "/content_type"),
        (a_request(checksum="abc"), "/checksum"),
        (a_request(checksum={"algorithm": "md5", "value": ""}), "/checksum/algorithm"),
        (a_request(checksum={"algorithm": "sha256"}), "/checksum/value"),
        (a_request(metadata=[]), "/metadata"),
        (a_request(metadata={"a": 1}), "/metadata/a"),
        (a_request(metadata={"a/b~c": None}), "/metadata/a~1b~0c"),
        (a_request(options=[]), "/options"),
        (a_request(owner="grace"), "/owner"),
        ({**a_request(), "x\n" * 3_000: 1}, "/x\n"),
        ([], ""),
        ("text", ""),
        (5, ""),
        (None, ""),
    ],
)
async def test_a_field_of_the_wrong_kind(service: Service, client: httpx.AsyncClient, body: Any, pointer: str) -> None:
    answer = await client.post("/media/upload/init", content=json.dumps(body))
    found = is_problem(answer, 422, "invalid_request")
    assert found["errors"][0]["pointer"].startswith(pointer)
    assert len(found["errors"][0]["pointer"]) <= 200
    assert len(answer.content) < 4_000
    assert service.stored() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nope",
        b"\xff\xfe",
        b'{"filename": "\xff.mp4"}',
        b'{"filename": "\\ud800.mp4"}',
        b"[" * 100_000,
        b'{"filename": "a", "metadata": ' + b'{"a":' * 50_000,
        b'{"filename": "a", "options": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"filename": "a", "size": ' + b"9" * 5_000 + b"}",
        b'{"filename": "a", "filename"}',
        b"filename=a.mp4&size=5",
        b"\x00" * 100,
    ],
    ids=lambda body: body[:20],
)
async def test_a_body_that_is_no_json(service: Service, client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/media/upload/init", content=body)
    is_problem(answer, 400, "malformed_json")
    assert service.stored() == 0


async def test_numbers_that_json_does_not_have(service: Service, client: httpx.AsyncClient) -> None:
    for word in ("NaN", "Infinity", "-Infinity", "1e400"):
        body = f'{{"filename": "a.mp4", "size": {word}}}'.encode()
        answer = await client.post("/media/upload/init", content=body)
        assert answer.status_code in (400, 422)
        is_problem(answer, answer.status_code, answer.json()["code"])
    assert service.stored() == 0


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/media/upload/init", content=b" " * (2 << 20))
    is_problem(answer, 413, "body_too_large")
    assert answer.headers["connection"] == "close"


async def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(client: httpx.AsyncClient) -> None:
    given_out = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given_out
        while given_out < 100 << 20:
            given_out += 1 << 16
            yield b" " * (1 << 16)

    for path in ("/media/upload/init", "/media/upload/complete", f"/media/upload/{UPLOAD}/parts"):
        given_out = 0
        is_problem(await client.post(path, content=endless()), 413, "body_too_large")
        assert given_out < 2 << 20


async def test_ten_thousand_parts_fit_into_a_body(client: httpx.AsyncClient) -> None:
    parts = [{"number": n, "etag": f'"{"0" * 32}"'} for n in range(1, 10_001)]
    answer = await client.post("/media/upload/complete", json={"upload_id": UPLOAD, "parts": parts})
    is_problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"upload_id": 5}, 422, "invalid_request"),
        ({"upload_id": "x" * 500}, 422, "invalid_request"),
        ({"upload_id": "../../etc"}, 404, "not_found"),
        ({"upload_id": "\x00"}, 404, "not_found"),
        ({"upload_id": UPLOAD, "parts": [{"number": "1"}]}, 422, "invalid_request"),
        ({"upload_id": UPLOAD, "parts": {"1": "a"}}, 422, "invalid_request"),
        ({"upload_id": UPLOAD, "checksum": {"algorithm": "crc32c", "value": "?"}}, 422, "invalid_checksum"),
        ({"upload_id": UPLOAD}, 404, "not_found"),
    ],
)
async def test_completing_with_nonsense(client: httpx.AsyncClient, body: Any, status: int, code: str) -> None:
    is_problem(await client.post("/media/upload/complete", json=body), status, code)


@pytest.mark.parametrize("numbers", [[], [0], [-1], [2], [10**18], list(range(1, 1_002))])
async def test_signing_parts_that_there_are_not(client: httpx.AsyncClient, numbers: list[int]) -> None:
    upload = await begun(client)
    answer = await client.post(f"/media/upload/{upload['upload_id']}/parts", json={"numbers": numbers})
    is_problem(answer, 422, "invalid_part")


@pytest.mark.parametrize("body", [{"numbers": ["1"]}, {"numbers": 1}, {"numbers": [10**19]}, {"numbers": [1.0]}, {}])
async def test_signing_parts_of_the_wrong_kind(client: httpx.AsyncClient, body: Any) -> None:
    is_problem(await client.post(f"/media/upload/{UPLOAD}/parts", json=body), 422, "invalid_request")


@pytest.mark.parametrize(
    "path",
    [
        f"/jobs/{MEDIA}",
        "/jobs/%00",
        "/jobs/%ff%fe",
        "/jobs/" + "a" * 5_000,
        "/jobs/..%2f..%2fetc",
        "/media/med_1",
        f"/media/{JOB}",
        f"/media/{MEDIA}/renditions/..%2f..%2fetc",
        f"/media/{MEDIA}/renditions/%00",
        f"/media/upload/{JOB}",
    ],
)
async def test_an_id_that_cannot_be_one_is_just_not_there(client: httpx.AsyncClient, path: str) -> None:
    is_problem(await client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=abc",
        "limit=1e3",
        "limit=99999999999999999999",
        "limit=%D9%A1",
        "state=",
        "state=done",
        "state=running%00",
        "cursor=",
        "cursor=abc",
        "cursor=%00",
        "cursor=" + "A" * 3_000,
        "cursor=WyJ4IiwieSJd",
        "cursor=bnVsbA",
        "kind=" + "k" * 100,
        "kind=%0a",
    ],
)
async def test_a_list_of_nonsense(client: httpx.AsyncClient, query: str) -> None:
    is_problem(await client.get(f"/jobs?{query}"), 422, "invalid_request")


@pytest.mark.parametrize("after", ["abc", "-1", "1.5", "9" * 30, "%00"])
async def test_events_after_nonsense(client: httpx.AsyncClient, after: str) -> None:
    is_problem(await client.get(f"/jobs/{JOB}/events?after={after}"), 422, "invalid_request")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["filename", "size", "content_type", "checksum", "metadata", "options", "numbers", "upload_id"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(FIELDS, ANYTHING, max_size=6),
    path=st.sampled_from(["/media/upload/init", "/media/upload/complete", f"/media/upload/{UPLOAD}/parts"]),
)
async def test_whatever_is_sent_is_taken_or_refused_in_words(body: dict[str, Any], path: str) -> None:
    service = a_service()
    async with service.client() as client:
        content = json.dumps(body).encode("utf-8", errors="surrogatepass")
        answer = await client.post(path, content=content)
    if answer.status_code == 201:
        assert path.endswith("init")
        return
    found = is_problem(answer, answer.status_code, answer.json()["code"])
    assert found["status"] in (400, 404, 413, 415, 422)
    assert service.stored() == 0
    assert service.telemetry.named("bug") == []


async def test_a_body_that_is_not_there_is_said_to_be_missing(client: httpx.AsyncClient) -> None:
    answer = await client.post("/media/upload/init")
    is_problem(answer, 400, "malformed_json")
    assert answer.json()["message"] == "The body is empty: send JSON."
