"""A signed part, and a signed read, are bound to session, number, length, version and time."""

import httpx
import pytest
from botocore.exceptions import ClientError

from smmu.domain.values import Algorithm
from smmu.ports.errors import Corrupt, NotFound
from smmu.ports.uploads import Session, StoredPart
from tests.aws.s3.conftest import KEY, Shop
from tests.aws.s3.test_put_security import checksum_of
from tests.support.delivery import put, request

PART = bytes(range(256)) * (5 << 12)
TAIL = b"the last part is shorter"
OK, FORBIDDEN = 200, 403


async def send(shop: Shop, session: Session, number: int, body: bytes) -> StoredPart:
    part = await shop.sign(session, len(body), number=number)
    answer = await put(part.url, body, part.headers)
    assert answer.status_code == OK, answer.text
    return StoredPart(number=number, size=len(body), etag=answer.headers["etag"].strip('"'))


async def test_parts_that_were_signed_become_the_object(shop: Shop) -> None:
    session = await shop.multipart()
    parts = [await send(shop, session, number, body) for number, body in ((1, PART), (2, TAIL))]
    assert list(await shop.uploads.list_parts(session)) == parts
    ref = await shop.uploads.complete(session, parts)
    source = await shop.objects.open(ref)
    assert await source.read(len(PART) - 5, 99) == PART[-5:] + TAIL


async def test_a_part_needs_no_header_but_its_length(shop: Shop) -> None:
    """A browser's uploader sends none."""
    assert (await shop.sign(await shop.multipart(), 5)).headers == {}


@pytest.mark.parametrize("body", [TAIL[:-1], TAIL + b"x", b""], ids=len)
async def test_a_part_of_another_length_is_refused(shop: Shop, body: bytes) -> None:
    session = await shop.multipart()
    part = await shop.sign(session, len(TAIL))
    assert (await put(part.url, body, part.headers)).status_code == FORBIDDEN
    assert list(await shop.uploads.list_parts(session)) == []


async def test_a_url_takes_no_other_part_session_or_time(shop: Shop) -> None:
    session, other = await shop.multipart(), await shop.multipart()
    part = await shop.sign(session, len(TAIL), number=1)
    late = await shop.sign(session, len(TAIL), number=1, seconds=-1)
    for url in (
        part.url.replace("partNumber=1", "partNumber=2"),
        part.url.replace(session.storage_id, other.storage_id),
        part.url.partition("&partNumber")[0] + part.url[part.url.index("&X-Amz-Signature") :],
        late.url,
    ):
        assert url != part.url
        assert (await put(url, TAIL, part.headers)).status_code == FORBIDDEN
    assert list(await shop.uploads.list_parts(session)) == []
    assert list(await shop.uploads.list_parts(other)) == []
    assert await shop.is_empty()


@pytest.mark.parametrize("end", ["aborted", "completed"])
async def test_nothing_is_taken_when_the_session_is_over(shop: Shop, end: str) -> None:
    session = await shop.multipart()
    part = await shop.sign(session, len(TAIL))
    sent = await send(shop, session, 1, TAIL)
    if end == "aborted":
        await shop.uploads.abort(session)
    else:
        await shop.uploads.complete(session, [sent])
    before = await shop.objects.stat(KEY)
    assert (await put(part.url, TAIL[::-1], part.headers)).status_code == 404
    assert await shop.objects.stat(KEY) == before


async def test_a_part_that_is_too_small_is_refused_in_completing(shop: Shop) -> None:
    session = await shop.multipart()
    parts = [await send(shop, session, number, TAIL) for number in (1, 2)]
    with pytest.raises(Corrupt):
        await shop.uploads.complete(session, parts)
    assert await shop.is_empty()


async def test_parts_out_of_order_are_refused_by_the_storage_too(shop: Shop) -> None:
    session = await shop.multipart()
    parts = [await send(shop, session, number, PART) for number in (1, 2)]
    named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts[::-1]]
    with pytest.raises(ClientError, match="InvalidPartOrder"):
        await shop.s3.complete_multipart_upload(
            Bucket=shop.bucket, Key=KEY, UploadId=session.storage_id, MultipartUpload={"Parts": named}
        )
    assert await shop.is_empty()


async def test_parts_of_another_size_than_was_said_are_not_made_an_object(shop: Shop) -> None:
    session = await shop.multipart()
    sent = await send(shop, session, 1, TAIL)
    with pytest.raises((NotFound, ClientError)):
        await shop.uploads.complete(session, [StoredPart(number=1, size=sent.size + 1, etag=sent.etag)])
    assert await shop.is_empty()


async def test_a_whole_object_in_parts_has_the_checksum_that_the_storage_computed(shop: Shop) -> None:
    session = await shop.multipart()
    parts = [await send(shop, session, number, body) for number, body in ((1, PART), (2, TAIL))]
    ref = await shop.uploads.complete(session, parts)
    wanted = checksum_of(PART + TAIL, Algorithm.CRC64NVME)
    assert await shop.uploads.checksum(ref, wanted) == wanted


# --- reading


async def get(url: str, **headers: str) -> httpx.Response:
    return await request("GET", url, headers=headers)


async def test_a_signed_read_opens_its_version_by_ranges_and_as_an_attachment(shop: Shop) -> None:
    key = "media/ada/med_1/größe 1.jpg"
    ref = await shop.objects.put(key, PART[:999], content_type="image/jpeg")
    await shop.objects.put(key, b"newer", content_type="image/jpeg")
    link = await shop.objects.sign_read(ref, expires_at=shop.clock.now() + 60, filename="größe.jpg")
    answer = await get(link.url, range="bytes=10-19")
    assert (answer.status_code, answer.content) == (206, PART[10:20])
    assert answer.headers["content-type"] == "image/jpeg"
    assert (
        answer.headers["content-disposition"]
        == "attachment; filename=\"gr__e.jpg\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.jpg"
    )


async def test_a_signed_read_opens_nothing_else(shop: Shop) -> None:
    key = "media/ada/med_1/poster.jpg"
    ref, other = [await shop.objects.put(key, data, content_type="image/jpeg") for data in (b"one", b"two")]
    until = shop.clock.now() + 60
    link = await shop.objects.sign_read(ref, expires_at=until)
    late = await shop.objects.sign_read(ref, expires_at=shop.clock.now() - 1)
    for url in (
        link.url.replace(ref.version, other.version),
        link.url.replace(f"&versionId={ref.version}", ""),
        link.url.replace("poster", "source"),
        late.url,
    ):
        assert url != link.url
        assert (await get(url)).status_code == FORBIDDEN
    for method in ("PUT", "DELETE"):
        assert (await request(method, link.url)).status_code == FORBIDDEN
    assert (await get(link.url)).content == b"one"


async def test_a_signed_read_of_what_was_deleted_finds_nothing(shop: Shop) -> None:
    ref = await shop.objects.put("media/a", b"one", content_type="image/jpeg")
    link = await shop.objects.sign_read(ref, expires_at=shop.clock.now() + 60)
    await shop.objects.delete("media/a")
    assert (await get(link.url)).status_code == 404
