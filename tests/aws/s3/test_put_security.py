"""A signed PUT of a whole file takes what was signed and nothing else; what is refused leaves nothing behind."""

from collections.abc import Mapping
from urllib.parse import quote

import httpx
import pytest

from smmu.domain.values import Algorithm, Checksum
from smmu.ports.checksums import Digest
from smmu.ports.uploads import SignedPart
from tests.aws.s3.conftest import KEY, Shop
from tests.support import raw_http
from tests.support.delivery import put, request

DATA = bytes(range(256)) * 4
SIZE = len(DATA)
OK, FORBIDDEN, MET_ANOTHER, BAD = 200, 403, 412, 400


def checksum_of(data: bytes, algorithm: Algorithm) -> Checksum:
    digest = Digest(algorithm)
    digest.update(data)
    return digest.checksum()


async def send(part: SignedPart, body: bytes = DATA, **changes: str | None) -> httpx.Response:
    """Send it, but for `changes` of headers, which are replaced or (`None`) left out."""
    told: Mapping[str, str | None] = {**part.headers, **changes}
    return await put(part.url, body, {name: value for name, value in told.items() if value is not None})


async def test_what_was_signed_is_taken(shop: Shop) -> None:
    answer = await send(await shop.sign(await shop.single(), SIZE))
    assert answer.status_code == OK, answer.text
    info = await shop.objects.stat(KEY)
    assert info is not None
    assert (info.content_type, info.ref.size) == ("video/mp4", SIZE)
    assert await (await shop.objects.open(info.ref)).read(0, SIZE) == DATA


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_a_signed_checksum_that_is_right_is_taken_and_told(shop: Shop, algorithm: Algorithm) -> None:
    session, wanted = await shop.single(), checksum_of(DATA, algorithm)
    answer = await send(await shop.sign(session, SIZE, checksum=wanted))
    assert answer.status_code == OK, answer.text
    ref = await shop.uploads.complete(session, await shop.uploads.list_parts(session))
    assert await shop.uploads.checksum(ref, wanted) == wanted


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_bytes_of_another_checksum_are_refused(shop: Shop, algorithm: Algorithm) -> None:
    part = await shop.sign(await shop.single(), SIZE, checksum=checksum_of(DATA, algorithm))
    assert (await send(part, DATA[::-1])).status_code == BAD
    assert await shop.is_empty()


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("instead", [None, DATA[::-1]])
async def test_a_checksum_that_is_left_out_or_replaced_is_refused(
    shop: Shop, algorithm: Algorithm, instead: bytes | None
) -> None:
    part = await shop.sign(await shop.single(), SIZE, checksum=checksum_of(DATA, algorithm))
    value = None if instead is None else checksum_of(instead, algorithm).value
    answer = await send(part, instead or DATA, **{f"x-amz-checksum-{algorithm}": value})
    assert answer.status_code == FORBIDDEN
    assert await shop.is_empty()


@pytest.mark.parametrize("name", ["X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Credential"])
async def test_a_url_that_was_changed_is_refused(shop: Shop, name: str) -> None:
    part = await shop.sign(await shop.single(), SIZE)
    old = httpx.URL(part.url).params[name]
    last = {"X-Amz-Date": "Z"}.get(name, "")  # what must stay for it to be a date at all
    digit = old.removesuffix(last)[-1]
    new = old.removesuffix(digit + last) + ("1" if digit == "0" else "0") + last
    changed = part.url.replace(f"{name}={quote(old, safe='')}", f"{name}={quote(new, safe='')}")
    assert changed != part.url
    assert (await put(changed, DATA, part.headers)).status_code in {FORBIDDEN, BAD}
    assert await shop.is_empty()


async def test_a_url_without_its_signature_is_refused(shop: Shop) -> None:
    part = await shop.sign(await shop.single(), SIZE)
    url = part.url.partition("&X-Amz-Signature")[0]
    assert (await put(url, DATA, part.headers)).status_code in {FORBIDDEN, BAD}
    assert await shop.is_empty()


async def test_an_address_without_any_authority_is_refused(shop: Shop) -> None:
    part = await shop.sign(await shop.single(), SIZE)
    assert (await put(part.url.partition("?")[0], DATA, part.headers)).status_code == FORBIDDEN
    assert await shop.is_empty()


@pytest.mark.parametrize("seconds", [-1, -3600])
async def test_an_expired_url_is_refused(shop: Shop, seconds: float) -> None:
    assert (await send(await shop.sign(await shop.single(), SIZE, seconds=seconds))).status_code == FORBIDDEN
    assert await shop.is_empty()


@pytest.mark.parametrize(
    "changes",
    [
        {"content-type": None},
        {"content-type": "text/html"},
        {"if-none-match": None},
        {"if-none-match": '"0123"'},
    ],
    ids=str,
)
async def test_a_signed_header_that_is_left_out_or_changed_is_refused(
    shop: Shop, changes: dict[str, str | None]
) -> None:
    answer = await send(await shop.sign(await shop.single(), SIZE), DATA, **changes)
    assert answer.status_code == FORBIDDEN, answer.text
    assert await shop.is_empty()


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
async def test_another_method_is_refused(shop: Shop, method: str) -> None:
    part = await shop.sign(await shop.single(), SIZE)
    await shop.objects.put("raw/other", DATA, content_type="video/mp4")
    answer = await request(method, part.url, DATA if method == "POST" else b"", part.headers)
    assert answer.status_code in {FORBIDDEN, 405}
    assert [ref.key async for ref in shop.objects.list("")] == ["raw/other"]


async def test_another_key_is_refused(shop: Shop) -> None:
    part = await shop.sign(await shop.single(), SIZE)
    for key in ("raw/eve/upl_1/source", "media/ada/med_1/manifest.json", f"{KEY}2"):
        assert (await put(part.url.replace(KEY, key), DATA, part.headers)).status_code == FORBIDDEN
    assert await shop.is_empty()


@pytest.mark.parametrize("body", [DATA[:-1], DATA + b"x", DATA * 50, b""], ids=len)
async def test_a_body_of_another_length_is_refused(shop: Shop, body: bytes) -> None:
    assert (await send(await shop.sign(await shop.single(), SIZE), body)).status_code == FORBIDDEN
    assert await shop.is_empty()


async def test_a_body_that_is_shorter_than_its_announcement_is_never_stored(shop: Shop) -> None:
    part = await shop.sign(await shop.single(), SIZE)
    assert await raw_http.put(part.url, DATA[:-1], part.headers, announced=SIZE) != OK
    assert await shop.is_empty()


async def test_of_a_body_that_is_longer_than_its_announcement_the_rest_is_never_stored(shop: Shop) -> None:
    part = await shop.sign(await shop.single(), SIZE)
    await raw_http.put(part.url, DATA + b"more", part.headers, announced=SIZE)
    assert [ref.size async for ref in shop.objects.list("")] in ([], [SIZE])


@pytest.mark.parametrize("body", [DATA, DATA[::-1]], ids=["the same bytes", "other bytes"])
async def test_a_second_put_is_refused_and_changes_nothing(shop: Shop, body: bytes) -> None:
    session = await shop.single()
    parts = [await shop.sign(session, SIZE, seconds=seconds) for seconds in (60, 50)]
    assert (await send(parts[0])).status_code == OK
    before = await shop.objects.stat(KEY)
    for part in parts:
        assert (await send(part, body)).status_code == MET_ANOTHER
    assert await shop.objects.stat(KEY) == before
