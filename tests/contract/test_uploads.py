"""The promises of `ports/uploads.py`. What a signed URL takes and refuses is in test_gateway.py."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import anyio
import pytest

from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.checksums import Digest, Span, combine
from smmu.ports.errors import AlreadyExists, NotFound
from smmu.ports.platform import Capability, Platform
from smmu.ports.uploads import PartSlot, Session, SignedPart, StoredPart, UploadStore
from tests.support.delivery import content, deliver
from tests.support.platforms import Stage

KEY, OTHER_KEY = "raw/ada/upl_1/source", "raw/ada/upl_2/source"
TAIL = b"the last part is shorter"


@pytest.fixture
def uploads(platform: Platform) -> UploadStore:
    return platform.uploads


@pytest.fixture
async def single(uploads: UploadStore) -> Session:
    return await uploads.begin(KEY, method="single", part_size=0, content_type="video/mp4")


@pytest.fixture
async def multipart(uploads: UploadStore, stage: Stage) -> Session:
    return await uploads.begin(KEY, method="multipart", part_size=stage.part_bytes, content_type="video/mp4")


@pytest.fixture
def bodies(stage: Stage) -> list[bytes]:
    """Two whole parts and a shorter one."""
    return [bytes([letter]) * stage.part_bytes for letter in b"ab"] + [TAIL]


async def sign(platform: Platform, session: Session, slots: Sequence[PartSlot]) -> Sequence[SignedPart]:
    return await platform.uploads.sign(session, slots, expires_at=platform.clock.now() + 60)


async def send(platform: Platform, session: Session, number: int, body: bytes) -> StoredPart:
    (part,) = await sign(platform, session, [PartSlot(number=number, size=len(body))])
    return await deliver(platform, part, body)


async def send_all(platform: Platform, session: Session, bodies: Sequence[bytes]) -> list[StoredPart]:
    return [await send(platform, session, number, body) for number, body in enumerate(bodies, 1)]


def checksum_of(data: bytes, algorithm: Algorithm) -> Checksum:
    digest = Digest(algorithm)
    digest.update(data)
    return digest.checksum()


# --- beginning and signing


async def test_a_session_says_how_it_was_begun(single: Session, multipart: Session, stage: Stage) -> None:
    assert single == Session(key=KEY, storage_id="", method="single", part_size=0, content_type="video/mp4")
    assert multipart.storage_id
    assert multipart == replace(multipart, key=KEY, method="multipart", part_size=stage.part_bytes)


async def test_two_multipart_sessions_of_one_key_are_apart(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    other = await platform.uploads.begin(
        KEY, method="multipart", part_size=multipart.part_size, content_type="video/mp4"
    )
    await send(platform, multipart, 1, bodies[0])
    assert list(await platform.uploads.list_parts(other)) == []
    await platform.uploads.abort(other)
    assert len(await platform.uploads.list_parts(multipart)) == 1


async def test_nothing_is_visible_before_the_session_is_complete(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    parts = await send_all(platform, multipart, bodies)
    assert await platform.objects.stat(KEY) is None
    assert [ref async for ref in platform.objects.list("raw/")] == []
    await platform.uploads.complete(multipart, parts)
    assert await platform.objects.stat(KEY) is not None


async def test_urls_come_in_the_order_asked_for_and_say_what_they_take(platform: Platform, multipart: Session) -> None:
    slots = [PartSlot(number=7, size=10), PartSlot(number=2, size=None, size_max=20)]
    expires_at = platform.clock.now() + 60
    signed = await platform.uploads.sign(multipart, slots, expires_at=expires_at)
    assert [(part.number, part.size) for part in signed] == [(7, 10), (2, None)]
    assert all(part.expires_at <= expires_at for part in signed)
    assert len({part.url for part in signed}) == 2


@pytest.mark.parametrize("again", [TAIL, TAIL[::-1], TAIL[:-1]])
async def test_a_single_object_is_written_once(platform: Platform, single: Session, again: bytes) -> None:
    first = await send(platform, single, 1, TAIL)
    ref = await platform.uploads.complete(single, [first])
    before = await platform.objects.stat(KEY)
    with suppress(AlreadyExists):
        assert await send(platform, single, 1, again) == first
    assert await platform.objects.stat(KEY) == before
    assert await content(platform, KEY) == TAIL
    assert await platform.uploads.complete(single, [first]) == ref


async def test_urls_can_be_asked_for_again(platform: Platform, multipart: Session, bodies: list[bytes]) -> None:
    slot = PartSlot(number=1, size=len(bodies[0]))
    for _ in range(2):
        (part,) = await sign(platform, multipart, [slot])
        await deliver(platform, part, bodies[0])
    assert len(await platform.uploads.list_parts(multipart)) == 1


# --- parts


async def test_parts_are_listed_by_number_as_they_were_measured(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    sent = [await send(platform, multipart, number, bodies[number - 1]) for number in (3, 1, 2)]
    listed = await platform.uploads.list_parts(multipart)
    assert [part.number for part in listed] == [1, 2, 3]
    assert set(listed) == set(sent)
    assert [part.size for part in listed] == [len(body) for body in bodies]


async def test_a_single_session_lists_its_object_as_part_one(platform: Platform, single: Session) -> None:
    assert list(await platform.uploads.list_parts(single)) == []
    stored = await send(platform, single, 1, TAIL)
    assert (stored.number, stored.size) == (1, len(TAIL))
    assert list(await platform.uploads.list_parts(single)) == [stored]


async def test_a_number_that_is_sent_again_replaces_the_part(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    first = await send(platform, multipart, 1, bodies[0])
    second = await send(platform, multipart, 1, bodies[1])
    assert first.etag != second.etag
    assert list(await platform.uploads.list_parts(multipart)) == [second]


async def test_the_same_bytes_have_the_same_etag(platform: Platform, multipart: Session, bodies: list[bytes]) -> None:
    first = await send(platform, multipart, 1, bodies[0])
    assert await send(platform, multipart, 1, bodies[0]) == first


async def test_a_session_that_is_over_lists_nothing(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    await platform.uploads.complete(multipart, await send_all(platform, multipart, bodies))
    assert list(await platform.uploads.list_parts(multipart)) == []


# --- completing


async def test_a_completed_object_is_its_parts_in_order(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    parts = await send_all(platform, multipart, bodies)
    ref = await platform.uploads.complete(multipart, parts)
    whole = b"".join(bodies)
    assert (ref.key, ref.size, await content(platform, KEY)) == (KEY, len(whole), whole)
    info = await platform.objects.stat(KEY)
    assert info is not None
    assert (info.ref, info.content_type) == (ref, "video/mp4")


async def test_a_completed_single_object_is_what_was_sent(platform: Platform, single: Session) -> None:
    ref = await platform.uploads.complete(single, [await send(platform, single, 1, TAIL)])
    source = await platform.objects.open(ref)
    assert await source.read(0, ref.size) == TAIL


@pytest.mark.parametrize("method", ["single", "multipart"])
async def test_completing_again_answers_the_same_object(platform: Platform, stage: Stage, method: str) -> None:
    session, parts = await sent(platform, stage, method)
    first = await platform.uploads.complete(session, parts)
    assert await platform.uploads.complete(session, parts) == first


@pytest.mark.parametrize("method", ["single", "multipart"])
async def test_completing_again_after_the_object_was_deleted_finds_nothing(
    platform: Platform, stage: Stage, method: str
) -> None:
    session, parts = await sent(platform, stage, method)
    await platform.uploads.complete(session, parts)
    await platform.objects.delete(KEY)
    with pytest.raises(NotFound):
        await platform.uploads.complete(session, parts)


async def sent(platform: Platform, stage: Stage, method: str) -> tuple[Session, list[StoredPart]]:
    if method == "single":
        session = await platform.uploads.begin(KEY, method="single", part_size=0, content_type="video/mp4")
    else:
        session = await platform.uploads.begin(
            KEY, method="multipart", part_size=stage.part_bytes, content_type="video/mp4"
        )
    return session, [await send(platform, session, 1, TAIL)]


@pytest.mark.parametrize("method", ["single", "multipart"])
async def test_completing_at_once_makes_one_object(platform: Platform, stage: Stage, method: str) -> None:
    session, parts = await sent(platform, stage, method)
    answers: list[ObjectRef] = []

    async def complete() -> None:
        answers.append(await platform.uploads.complete(session, parts))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(complete)
    assert len(set(answers)) == 1
    assert await content(platform, KEY) == TAIL


async def test_exactly_the_named_parts_are_joined(platform: Platform, multipart: Session, bodies: list[bytes]) -> None:
    parts = await send_all(platform, multipart, bodies)
    await platform.uploads.complete(multipart, [parts[0], parts[2]])
    assert await content(platform, KEY) == bodies[0] + bodies[2]


async def test_a_missing_part_stops_completion_and_leaves_the_session_open(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    parts = await send_all(platform, multipart, bodies[:2])
    missing = StoredPart(number=3, size=len(TAIL), etag=parts[0].etag)
    with pytest.raises(NotFound):
        await platform.uploads.complete(multipart, [*parts, missing])
    assert await platform.objects.stat(KEY) is None
    last = await send(platform, multipart, 3, TAIL)
    await platform.uploads.complete(multipart, [*parts, last])
    assert await content(platform, KEY) == b"".join(bodies)


async def test_a_part_that_was_replaced_is_another_one(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    old = await send(platform, multipart, 1, bodies[0])
    new = await send(platform, multipart, 1, bodies[1])
    with pytest.raises(NotFound):
        await platform.uploads.complete(multipart, [old])
    assert await platform.objects.stat(KEY) is None
    await platform.uploads.complete(multipart, [new])


async def test_completing_a_single_session_before_its_bytes_are_there_finds_nothing(
    platform: Platform, single: Session
) -> None:
    with pytest.raises(NotFound):
        await platform.uploads.complete(single, [StoredPart(number=1, size=len(TAIL), etag="0" * 32)])
    await platform.uploads.complete(single, [await send(platform, single, 1, TAIL)])


async def test_a_single_object_that_was_replaced_is_another_one(platform: Platform, single: Session) -> None:
    old = await send(platform, single, 1, TAIL)
    await platform.objects.put(KEY, TAIL[::-1], content_type="video/mp4")
    with pytest.raises(NotFound):
        await platform.uploads.complete(single, [old])


async def test_the_part_of_a_single_session_is_listed_as_long_as_its_object_is_there(
    platform: Platform, single: Session
) -> None:
    stored = await send(platform, single, 1, TAIL)
    await platform.uploads.complete(single, [stored])
    assert list(await platform.uploads.list_parts(single)) == [stored]
    await platform.objects.delete(KEY)
    assert list(await platform.uploads.list_parts(single)) == []


# --- checksums


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_the_checksum_of_a_single_object_is_of_all_its_bytes(
    platform: Platform, single: Session, algorithm: Algorithm
) -> None:
    ref = await platform.uploads.complete(single, [await send(platform, single, 1, TAIL)])
    found = await platform.uploads.checksum(ref, checksum_of(b"something else", algorithm))
    assert found in allowed(platform, checksum_of(TAIL, algorithm))


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_the_checksum_of_a_joined_object_is_of_all_its_bytes(
    platform: Platform, multipart: Session, bodies: list[bytes], algorithm: Algorithm
) -> None:
    ref = await platform.uploads.complete(multipart, await send_all(platform, multipart, bodies))
    wanted = checksum_of(b"".join(bodies), algorithm)
    assert await platform.uploads.checksum(ref, wanted) in allowed(platform, wanted)


def allowed(platform: Platform, right: Checksum) -> tuple[Checksum | None, ...]:
    """A platform that declares `FULL_CHECKSUMS` tells all; another may leave one untold, and none may be wrong."""
    return (right,) if Capability.FULL_CHECKSUMS in platform.capabilities else (right, None)


@pytest.mark.parametrize("algorithm", [Algorithm.CRC32C, Algorithm.CRC64NVME])
def test_the_checksums_of_spans_combine_without_their_bytes(algorithm: Algorithm) -> None:
    pieces = [b"one", b"", b"two" * 1000, b"3"]
    spans = [Span(checksum_of(piece, algorithm), len(piece)) for piece in pieces]
    assert combine(spans) == checksum_of(b"".join(pieces), algorithm)


def test_sha256_of_several_spans_cannot_be_combined() -> None:
    span = Span(checksum_of(b"one", Algorithm.SHA256), 3)
    assert combine([span]) == span.checksum
    assert combine([span, span]) is None


# --- aborting and orphans


async def test_an_aborted_session_holds_nothing(platform: Platform, multipart: Session, bodies: list[bytes]) -> None:
    parts = await send_all(platform, multipart, bodies)
    for _ in range(2):
        await platform.uploads.abort(multipart)
    assert list(await platform.uploads.list_parts(multipart)) == []
    assert await platform.objects.stat(KEY) is None
    with pytest.raises(NotFound):
        await platform.uploads.complete(multipart, parts)


async def test_an_aborted_single_session_loses_its_object(platform: Platform, single: Session) -> None:
    stored = await send(platform, single, 1, TAIL)
    for _ in range(2):
        await platform.uploads.abort(single)
    assert await platform.objects.stat(KEY) is None
    with pytest.raises(NotFound):
        await platform.uploads.complete(single, [stored])


async def test_aborting_leaves_other_sessions_alone(platform: Platform, single: Session) -> None:
    other = await platform.uploads.begin(OTHER_KEY, method="single", part_size=0, content_type="video/mp4")
    await send(platform, other, 1, TAIL)
    await platform.uploads.abort(single)
    assert await content(platform, OTHER_KEY) == TAIL


async def test_a_completed_multipart_object_survives_an_abort(
    platform: Platform, multipart: Session, bodies: list[bytes]
) -> None:
    ref = await platform.uploads.complete(multipart, await send_all(platform, multipart, bodies))
    await platform.uploads.abort(multipart)
    info = await platform.objects.stat(KEY)
    assert info is not None
    assert info.ref == ref


async def test_orphans_are_the_sessions_that_nobody_ended(
    platform: Platform, stage: Stage, multipart: Session, bodies: list[bytes]
) -> None:
    sessions = [
        await platform.uploads.begin(key, method="multipart", part_size=stage.part_bytes, content_type="video/mp4")
        for key in ("raw/ada/upl_2/source", "raw/ada/upl_3/source")
    ]
    await platform.uploads.abort(sessions[0])
    await platform.uploads.complete(sessions[1], await send_all(platform, sessions[1], bodies[:1]))
    await send(platform, multipart, 1, bodies[0])
    (orphan,) = await platform.uploads.orphans(platform.clock.now() + 1)
    assert orphan.part_size in {multipart.part_size, 0}
    assert replace(orphan, part_size=multipart.part_size) == multipart


async def test_a_young_session_is_no_orphan(platform: Platform, multipart: Session) -> None:
    assert multipart.storage_id
    assert list(await platform.uploads.orphans(platform.clock.now() - 60)) == []


async def test_an_orphan_can_be_aborted_as_it_is_listed(platform: Platform, multipart: Session) -> None:
    assert multipart.storage_id
    for orphan in await platform.uploads.orphans(platform.clock.now() + 1):
        await platform.uploads.abort(orphan)
    assert list(await platform.uploads.orphans(platform.clock.now() + 1)) == []


@pytest.mark.parametrize("order", [(1, 0), (0, 0)])
async def test_parts_out_of_order_are_a_bug(
    platform: Platform, multipart: Session, bodies: list[bytes], order: tuple[int, int]
) -> None:
    parts = await send_all(platform, multipart, bodies)
    with pytest.raises(ValueError, match=r"\w"):
        await platform.uploads.complete(multipart, [parts[number] for number in order])
    assert await platform.objects.stat(KEY) is None


async def test_completing_with_no_parts_finds_nothing(platform: Platform, multipart: Session) -> None:
    with pytest.raises(NotFound):
        await platform.uploads.complete(multipart, [])
