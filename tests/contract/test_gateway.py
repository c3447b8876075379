"""The promises of `ports/gateway.py`: what a signed URL of our own API takes and serves, and nothing else."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import anyio
import pytest

from smmu.domain.values import Algorithm, Checksum
from smmu.ports.checksums import Digest
from smmu.ports.errors import Corrupt, Denied, NotFound
from smmu.ports.gateway import PATH, Served
from smmu.ports.platform import Capability, Platform
from smmu.ports.uploads import PartSlot, Session, SignedPart
from tests.support.delivery import EXACT, content, deliver, gateway_of, in_pieces, send, token_of

NEEDS = frozenset({Capability.SERVES_URLS})

KEY, SOURCE = "media/ada/med_1/job_1-a1/poster.jpg", "raw/ada/upl_1/source"
DATA = bytes(range(256)) * 4
SIZE = len(DATA)


class Untouched(AsyncIterator[bytes]):
    """A body that nobody may read."""

    async def __anext__(self) -> bytes:
        raise AssertionError("nothing should have been read")


@pytest.fixture
async def single(platform: Platform) -> Session:
    return await platform.uploads.begin(SOURCE, method="single", part_size=0, content_type="video/mp4")


@pytest.fixture
async def multipart(platform: Platform) -> Session:
    return await platform.uploads.begin(SOURCE, method="multipart", part_size=SIZE, content_type="video/mp4")


async def sign(
    platform: Platform, session: Session, *slots: PartSlot, seconds: float = 60, checksum: Checksum | None = None
) -> Sequence[SignedPart]:
    expires_at = platform.clock.now() + seconds
    parts = slots or (PartSlot(number=1, size=SIZE),)
    return await platform.uploads.sign(session, parts, expires_at=expires_at, checksum=checksum)


def checksum_of(data: bytes, algorithm: Algorithm) -> Checksum:
    digest = Digest(algorithm)
    digest.update(data)
    return digest.checksum()


# --- receiving


async def test_a_part_that_was_taken_is_listed(platform: Platform, multipart: Session) -> None:
    (part,) = await sign(platform, multipart)
    stored = await deliver(platform, part, DATA)
    assert (stored.number, stored.size) == (1, SIZE)
    assert list(await platform.uploads.list_parts(multipart)) == [stored]


async def test_a_single_part_is_the_object_itself(platform: Platform, single: Session) -> None:
    (part,) = await sign(platform, single)
    assert await platform.objects.stat(SOURCE) is None
    await deliver(platform, part, DATA)
    info = await platform.objects.stat(SOURCE)
    assert info is not None
    assert (info.content_type, await content(platform, SOURCE)) == ("video/mp4", DATA)


async def test_a_body_may_come_without_an_announced_length(platform: Platform, single: Session) -> None:
    (part,) = await sign(platform, single)
    assert (await send(platform, part.url, DATA, None)).size == SIZE


WRONG_LENGTHS = {
    "shorter": (DATA[:-1], EXACT),
    "longer": (DATA + b"x", EXACT),
    "much longer": (DATA * 50, EXACT),
    "empty": (b"", EXACT),
    "shorter than announced": (DATA[:-1], SIZE),
    "longer than announced": (DATA + b"x", SIZE),
    "announced shorter": (DATA, SIZE - 1),
    "announced longer": (DATA, SIZE + 1),
    "shorter and not announced": (DATA[:-1], None),
    "longer and not announced": (DATA + b"x", None),
}


@pytest.mark.parametrize("wrong", WRONG_LENGTHS)
async def test_a_body_of_another_length_is_refused_and_leaves_nothing(
    platform: Platform, single: Session, wrong: str
) -> None:
    (part,) = await sign(platform, single)
    body, announced = WRONG_LENGTHS[wrong]
    with pytest.raises(Corrupt):
        await send(platform, part.url, body, announced)
    assert await platform.objects.stat(SOURCE) is None
    assert list(await platform.uploads.list_parts(single)) == []
    await deliver(platform, part, DATA)


@pytest.mark.parametrize("wrong", WRONG_LENGTHS)
async def test_what_was_there_before_a_refused_part_is_untouched(
    platform: Platform, multipart: Session, wrong: str
) -> None:
    (part,) = await sign(platform, multipart)
    before = await deliver(platform, part, DATA)
    body, announced = WRONG_LENGTHS[wrong]
    with pytest.raises(Corrupt):
        await send(platform, part.url, body[::-1], announced)
    assert list(await platform.uploads.list_parts(multipart)) == [before]
    await platform.uploads.complete(multipart, [before])
    assert await content(platform, SOURCE) == DATA


@pytest.mark.parametrize("announced", [SIZE, None])
async def test_no_more_is_read_than_was_signed(platform: Platform, single: Session, announced: int | None) -> None:
    (part,) = await sign(platform, single)
    given = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield bytes(64)

    async with aclosing(endless()) as body:
        with pytest.raises(Corrupt):
            await gateway_of(platform).receive(token_of(part.url), announced, body)
    assert given <= SIZE // 64 + 1


async def test_an_announced_length_is_refused_before_anything_is_read(platform: Platform, single: Session) -> None:
    (part,) = await sign(platform, single)

    with pytest.raises(Corrupt):
        await gateway_of(platform).receive(token_of(part.url), SIZE + 1, Untouched())


async def test_a_body_that_breaks_off_leaves_nothing(platform: Platform, single: Session) -> None:
    (part,) = await sign(platform, single)

    async def broken() -> AsyncIterator[bytes]:
        yield DATA[:500]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await gateway_of(platform).receive(token_of(part.url), SIZE, broken())
    assert await platform.objects.stat(SOURCE) is None
    await deliver(platform, part, DATA)


@pytest.mark.parametrize("size", [0, 1, SIZE])
async def test_a_part_of_unknown_length_may_have_any_up_to_the_ceiling(
    platform: Platform, multipart: Session, size: int
) -> None:
    (part,) = await sign(platform, multipart, PartSlot(number=1, size=None, size_max=SIZE))
    assert (await deliver(platform, part, DATA[:size])).size == size


@pytest.mark.parametrize("announced", [EXACT, None])
async def test_a_part_of_unknown_length_stays_under_the_ceiling(
    platform: Platform, multipart: Session, announced: int | None
) -> None:
    (part,) = await sign(platform, multipart, PartSlot(number=1, size=None, size_max=SIZE))
    with pytest.raises(Corrupt):
        await send(platform, part.url, DATA + b"x", announced)
    assert list(await platform.uploads.list_parts(multipart)) == []


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_a_signed_checksum_is_enforced(platform: Platform, single: Session, algorithm: Algorithm) -> None:
    (part,) = await sign(platform, single, checksum=checksum_of(DATA, algorithm))
    with pytest.raises(Corrupt):
        await deliver(platform, part, DATA[::-1])
    assert await platform.objects.stat(SOURCE) is None
    await deliver(platform, part, DATA)
    assert await content(platform, SOURCE) == DATA


async def test_a_url_takes_its_own_part_only(platform: Platform, multipart: Session) -> None:
    first, second = await sign(platform, multipart, PartSlot(number=1, size=SIZE), PartSlot(number=2, size=10))
    await deliver(platform, second, DATA[:10])
    with pytest.raises(Corrupt):
        await deliver(platform, second, DATA)
    await deliver(platform, first, DATA)
    assert [(part.number, part.size) for part in await platform.uploads.list_parts(multipart)] == [(1, SIZE), (2, 10)]


async def test_an_expired_url_is_denied(platform: Platform, single: Session) -> None:
    (part,) = await sign(platform, single, seconds=-1)
    with pytest.raises(Denied):
        await deliver(platform, part, DATA)
    assert await platform.objects.stat(SOURCE) is None


async def test_a_url_expires_while_it_is_kept(platform: Platform, single: Session) -> None:
    (part,) = await sign(platform, single, seconds=0.1)
    await anyio.sleep(0.15)
    with pytest.raises(Denied):
        await deliver(platform, part, DATA)


def forgeries(url: str) -> list[str]:
    token = token_of(url)
    payload, _, signature = token.partition(".")
    swapped = payload[:-6] + payload[-6:].swapcase()
    return [
        PATH + forged
        for forged in (
            "",
            ".",
            "a.b",
            payload,
            f".{signature}",
            f"{swapped}.{signature}",
            f"{payload}.{payload}",
            "é.ü",
        )
        if forged != token
    ]


async def test_a_forged_url_is_denied(platform: Platform, single: Session) -> None:
    (part,) = await sign(platform, single)
    for forged in forgeries(part.url):
        with pytest.raises(Denied):
            await send(platform, forged, DATA)
    assert await platform.objects.stat(SOURCE) is None


async def test_a_token_is_looked_at_before_the_body(platform: Platform) -> None:
    with pytest.raises(Denied):
        await gateway_of(platform).receive("a.b", SIZE, Untouched())


@pytest.mark.parametrize("method", ["single", "multipart"])
async def test_nothing_is_taken_when_the_session_was_aborted(
    platform: Platform, single: Session, multipart: Session, method: str
) -> None:
    session = single if method == "single" else multipart
    (part,) = await sign(platform, session)
    await platform.uploads.abort(session)
    with pytest.raises(NotFound):
        await deliver(platform, part, DATA)
    assert await platform.objects.stat(SOURCE) is None


async def test_nothing_is_taken_when_the_session_is_complete(platform: Platform, multipart: Session) -> None:
    (part,) = await sign(platform, multipart)
    ref = await platform.uploads.complete(multipart, [await deliver(platform, part, DATA)])
    with pytest.raises(NotFound):
        await deliver(platform, part, DATA[::-1])
    source = await platform.objects.open(ref)
    assert await source.read(0, SIZE) == DATA


@pytest.mark.parametrize("method", ["single", "multipart"])
async def test_a_session_that_ends_while_bytes_arrive_takes_nothing(
    platform: Platform, single: Session, multipart: Session, method: str
) -> None:
    session = single if method == "single" else multipart
    (part,) = await sign(platform, session)

    async def slow() -> AsyncGenerator[bytes]:
        yield DATA[:500]
        await platform.uploads.abort(session)
        yield DATA[500:]

    async with aclosing(slow()) as body:
        with pytest.raises(NotFound):
            await gateway_of(platform).receive(token_of(part.url), SIZE, body)
    assert list(await platform.uploads.list_parts(session)) == []


async def test_the_same_part_sent_at_once_is_never_torn(platform: Platform, multipart: Session) -> None:
    (part,) = await sign(platform, multipart)
    bodies = [bytes([letter]) * SIZE for letter in b"abcdef"]
    async with anyio.create_task_group() as group:
        for body in bodies:
            group.start_soon(deliver, platform, part, body)
    stored = await platform.uploads.list_parts(multipart)
    await platform.uploads.complete(multipart, stored)
    assert await content(platform, SOURCE) in bodies


async def test_a_body_may_come_in_pieces_of_any_size(platform: Platform, multipart: Session) -> None:
    (part,) = await sign(platform, multipart)

    async def pieces(size: int) -> AsyncIterator[bytes]:
        yield b""
        for piece in in_pieces(DATA, size):
            yield piece
        yield b""

    for size in (1, 100, SIZE):
        stored = await gateway_of(platform).receive(token_of(part.url), SIZE, pieces(size))
        assert stored.size == SIZE


# --- serving


async def served(platform: Platform, url: str) -> Served:
    return await gateway_of(platform).open(token_of(url))


async def test_a_read_link_opens_these_bytes(platform: Platform) -> None:
    ref = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    expires_at = platform.clock.now() + 60
    link = await platform.objects.sign_read(ref, expires_at=expires_at, filename="größe.jpg")
    assert link.expires_at <= expires_at
    assert link.url.startswith(PATH)
    opened = await served(platform, link.url)
    assert (opened.info, opened.filename) == (await platform.objects.stat(KEY), "größe.jpg")
    assert await opened.source.read(0, len(DATA)) == DATA


async def test_a_read_link_without_a_filename_is_no_attachment(platform: Platform) -> None:
    ref = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    link = await platform.objects.sign_read(ref, expires_at=platform.clock.now() + 60)
    assert (await served(platform, link.url)).filename is None


async def test_an_expired_read_link_is_denied(platform: Platform) -> None:
    ref = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    link = await platform.objects.sign_read(ref, expires_at=platform.clock.now())
    with pytest.raises(Denied):
        await served(platform, link.url)


async def test_a_forged_read_link_is_denied(platform: Platform) -> None:
    ref = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    link = await platform.objects.sign_read(ref, expires_at=platform.clock.now() + 60)
    for forged in (link.url[:-5], link.url.replace(".", ".A"), PATH, PATH + "a.b", PATH + "é.ü", PATH + "."):
        with pytest.raises(Denied):
            await served(platform, forged)


async def test_a_read_link_cannot_be_used_for_sending(platform: Platform) -> None:
    ref = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    link = await platform.objects.sign_read(ref, expires_at=platform.clock.now() + 60)
    with pytest.raises(Denied):
        await send(platform, link.url, DATA)
    assert await content(platform, KEY) == DATA


async def test_a_read_link_never_opens_other_bytes(platform: Platform) -> None:
    ref = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    link = await platform.objects.sign_read(ref, expires_at=platform.clock.now() + 60)
    await platform.objects.put(KEY, b"newer", content_type="image/jpeg")
    with pytest.raises(NotFound):
        await served(platform, link.url)
    await platform.objects.delete(KEY)
    with pytest.raises(NotFound):
        await served(platform, link.url)
