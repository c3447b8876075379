"""Bytes in and out at signed addresses, on platforms that serve their own."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from smmu.adapters.inmemory.system import FixedClock
from smmu.domain.values import ObjectRef
from smmu.entrypoints.api.ranges import Span, Unsatisfiable, span_of
from tests.support.service import CLIP, Service, a_service, begun, is_problem, sent

TEXT = bytes(range(256)) * 4


@pytest.fixture
async def anonymous(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The address is all the permission there is."""
    async with service.client(None) as client:
        yield client


async def stored(service: Service, content_type: str = "image/png", filename: str | None = None) -> str:
    """A signed address of some bytes."""
    objects = service.system.platform.objects
    ref = await objects.put("media/ada/x", TEXT, content_type=content_type)
    link = await objects.sign_read(ref, expires_at=service.clock.now() + 60, filename=filename)
    return link.url


# --- in


async def test_a_part_is_taken_and_answered_with_its_etag(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    upload = await begun(client)
    answer = await anonymous.put(upload["parts"][0]["url"], content=CLIP)
    assert (answer.status_code, answer.content) == (200, b"")
    seen = (await client.get(f"/media/upload/{upload['upload_id']}")).json()
    assert answer.headers["etag"] == f'"{seen["parts"][0]["etag"]}"'
    assert seen["missing"] == []


@pytest.mark.parametrize("data", [CLIP[:-1], CLIP + b"x", b"", CLIP * 2_000])
async def test_bytes_that_were_not_signed_leave_nothing(
    service: Service, client: httpx.AsyncClient, data: bytes
) -> None:
    upload = await begun(client)
    is_problem(await client.put(upload["parts"][0]["url"], content=data), 422, "invalid_part")
    assert len(service.world.objects.rows) == 0


async def test_a_part_of_no_announced_length_is_measured(client: httpx.AsyncClient) -> None:
    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(data), 300):
            yield data[at : at + 300]

    upload = await begun(client)
    url = upload["parts"][0]["url"]
    is_problem(await client.put(url, content=pieces(CLIP[:-1])), 422, "invalid_part")
    assert (await client.put(url, content=pieces(CLIP))).status_code == 200


async def test_a_checksum_that_was_signed_is_enforced(client: httpx.AsyncClient) -> None:
    checksum = {"algorithm": "crc32c", "value": "AAAAAA=="}
    upload = await begun(client, checksum=checksum)
    is_problem(await client.put(upload["parts"][0]["url"], content=CLIP), 422, "invalid_part")


@pytest.mark.parametrize("token", ["x", "x.y", "e30.e30", "é.è", "a" * 5_000, "%00"])
async def test_a_forged_address_is_refused_both_ways(anonymous: httpx.AsyncClient, token: str) -> None:
    for method in ("PUT", "GET"):
        found = is_problem(await anonymous.request(method, f"/blobs/{token}"), 403, "url_refused")
        assert found["instance"] == "/blobs"


async def test_an_address_is_for_one_use_only(service: Service, client: httpx.AsyncClient) -> None:
    upload = await begun(client)
    is_problem(await client.get(upload["parts"][0]["url"]), 403, "url_refused")
    is_problem(await client.put(await stored(service), content=b"x"), 403, "url_refused")


async def test_an_address_whose_time_is_over_is_refused() -> None:
    clock = FixedClock()
    service = a_service(clock=clock)
    async with service.client() as client:
        upload, url = await begun(client), await stored(service)
        clock.advance(901)
        is_problem(await client.put(upload["parts"][0]["url"], content=CLIP), 403, "url_refused")
        is_problem(await client.get(url), 403, "url_refused")


async def test_nothing_is_taken_for_an_upload_that_is_over(client: httpx.AsyncClient) -> None:
    upload = await sent(client)
    await client.delete(f"/media/upload/{upload['upload_id']}")
    is_problem(await client.put(upload["parts"][0]["url"], content=CLIP), 404, "not_found")


async def test_a_file_is_sent_once_and_may_be_sent_again_as_it_is(client: httpx.AsyncClient) -> None:
    upload = await begun(client)
    url = upload["parts"][0]["url"]
    answers = [await client.put(url, content=CLIP) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    is_problem(await client.put(url, content=CLIP[::-1]), 412, "already_sent")
    done = await client.post("/media/upload/complete", json={"upload_id": upload["upload_id"]})
    assert done.status_code == 202
    assert (await client.put(url, content=CLIP)).status_code == 200
    is_problem(await client.put(url, content=CLIP[::-1]), 412, "already_sent")


async def test_a_refused_sender_of_little_may_go_on_and_of_much_is_cut_off(client: httpx.AsyncClient) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 65_536

    little = await client.put("/blobs/x.y", content=pieces(3))
    much = await client.put("/blobs/x.y", content=pieces(100))
    assert (little.status_code, much.status_code) == (403, 403)
    assert "connection" not in little.headers
    assert much.headers["connection"] == "close"


# --- out


async def test_bytes_are_served_as_what_they_are_and_never_as_a_page(
    service: Service, anonymous: httpx.AsyncClient
) -> None:
    answer = await anonymous.get(await stored(service))
    assert (answer.status_code, answer.content) == (200, TEXT)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(TEXT))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"].startswith("private")
    assert "content-disposition" not in answer.headers
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["last-modified"].endswith("GMT")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "image/svg+xml",
        "IMAGE/SVG+XML; charset=utf-8",
        "application/xhtml+xml",
        "application/pdf",
        "application/octet-stream",
        "text/javascript",
        "application/dash+xml",
    ],
)
async def test_what_a_browser_could_execute_is_only_saved(
    service: Service, anonymous: httpx.AsyncClient, content_type: str
) -> None:
    answer = await anonymous.get(await stored(service, content_type))
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-type"] == content_type


@pytest.mark.parametrize(
    ("asked", "expected", "content_range"),
    [
        ("bytes=0-3", TEXT[:4], "bytes 0-3/1024"),
        ("bytes=1000-", TEXT[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", TEXT[1000:], "bytes 1000-1023/1024"),
        ("bytes=-5000", TEXT, "bytes 0-1023/1024"),
        ("bytes=1023-9999", TEXT[1023:], "bytes 1023-1023/1024"),
    ],
)
async def test_a_range_is_served(
    service: Service, anonymous: httpx.AsyncClient, asked: str, expected: bytes, content_range: str
) -> None:
    answer = await anonymous.get(await stored(service), headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, expected)
    assert answer.headers["content-range"] == content_range
    assert answer.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
async def test_bytes_that_there_are_not(service: Service, anonymous: httpx.AsyncClient, asked: str) -> None:
    answer = await anonymous.get(await stored(service), headers={"range": asked})
    is_problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=5-3", "bytes=-", "lines=1-2", "bytes=a-b", "bytes"])
async def test_a_range_that_makes_no_sense_or_is_several_gets_everything(
    service: Service, anonymous: httpx.AsyncClient, asked: str
) -> None:
    answer = await anonymous.get(await stored(service), headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, TEXT)


async def test_a_range_of_another_version_gets_everything(service: Service, anonymous: httpx.AsyncClient) -> None:
    url = await stored(service)
    known = (await anonymous.get(url)).headers
    for only_if, status in ((known["etag"], 206), (known["last-modified"], 206), ('"other"', 200), ("W/x", 200)):
        answer = await anonymous.get(url, headers={"range": "bytes=0-3", "if-range": only_if})
        assert answer.status_code == status


async def test_bytes_that_the_client_has_are_not_sent_again(service: Service, anonymous: httpx.AsyncClient) -> None:
    url = await stored(service)
    tag = (await anonymous.get(url)).headers["etag"]
    answer = await anonymous.get(url, headers={"if-none-match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_head_tells_everything_but_the_bytes(service: Service, anonymous: httpx.AsyncClient) -> None:
    url = await stored(service)
    whole, part = await anonymous.head(url), await anonymous.head(url, headers={"range": "bytes=0-9"})
    assert (whole.status_code, whole.content, whole.headers["content-length"]) == (200, b"", "1024")
    assert (part.status_code, part.content, part.headers["content-length"]) == (206, b"", "10")


async def test_a_name_makes_an_attachment(service: Service, anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get(await stored(service, filename="日本.png"))
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"__.png\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.png"
    )


async def test_an_overwritten_file_is_not_the_one_that_was_signed(
    service: Service, anonymous: httpx.AsyncClient
) -> None:
    url = await stored(service)
    await service.system.platform.objects.put("media/ada/x", b"other", content_type="image/png")
    is_problem(await anonymous.get(url), 404, "not_found")


async def test_an_empty_file_is_served_empty(service: Service, anonymous: httpx.AsyncClient) -> None:
    objects = service.system.platform.objects
    ref: ObjectRef = await objects.put("media/ada/empty", b"", content_type="image/png")
    url = (await objects.sign_read(ref, expires_at=service.clock.now() + 60)).url
    answer = await anonymous.get(url)
    assert (answer.status_code, answer.content) == (200, b"")
    is_problem(await anonymous.get(url, headers={"range": "bytes=0-"}), 416, "range_not_satisfiable")


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        (None, 10, None),
        ("", 10, None),
        ("bytes=2-4", 10, Span(start=2, end=5)),
        ("bytes=0-0", 1, Span(start=0, end=1)),
        ("bytes= 3- ", 10, Span(start=3, end=10)),
        ("bytes=" + "9" * 30 + "-", 10, None),
    ],
)
def test_ranges_are_plain_arithmetic(header: str | None, size: int, expected: Any) -> None:
    assert span_of(header, size) == expected


def test_a_range_of_nothing_cannot_be_satisfied() -> None:
    with pytest.raises(Unsatisfiable):
        span_of("bytes=0-", 0)
