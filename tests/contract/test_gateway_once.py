"""The promises of `ports/gateway.py` on single sessions: their object is written once, and never after their end."""

import anyio
import pytest

from smmu.ports.errors import AlreadyExists, NotFound
from smmu.ports.platform import Capability, Platform
from smmu.ports.uploads import PartSlot, Session, SignedPart, StoredPart
from tests.support.delivery import content, deliver

NEEDS = frozenset({Capability.SERVES_URLS})

SOURCE = "raw/ada/upl_1/source"
DATA = bytes(range(256)) * 4


@pytest.fixture
async def single(platform: Platform) -> Session:
    return await platform.uploads.begin(SOURCE, method="single", part_size=0, content_type="video/mp4")


async def sign(platform: Platform, session: Session, seconds: float = 60) -> SignedPart:
    slot = PartSlot(number=1, size=len(DATA))
    (part,) = await platform.uploads.sign(session, [slot], expires_at=platform.clock.now() + seconds)
    return part


@pytest.mark.parametrize("complete", ["complete", "not yet complete"])
async def test_the_same_bytes_again_answer_as_the_first_did(platform: Platform, single: Session, complete: str) -> None:
    part, other = [await sign(platform, single, seconds) for seconds in (60, 50)]
    first = await deliver(platform, part, DATA)
    if complete == "complete":
        await platform.uploads.complete(single, [first])
    before = await platform.objects.stat(SOURCE)
    assert [await deliver(platform, url, DATA) for url in (part, other)] == [first, first]
    assert await platform.objects.stat(SOURCE) == before


@pytest.mark.parametrize("complete", ["complete", "not yet complete"])
async def test_other_bytes_are_refused_and_change_nothing(platform: Platform, single: Session, complete: str) -> None:
    part = await sign(platform, single)
    first = await deliver(platform, part, DATA)
    if complete == "complete":
        await platform.uploads.complete(single, [first])
    before = await platform.objects.stat(SOURCE)
    with pytest.raises(AlreadyExists):
        await deliver(platform, part, DATA[::-1])
    assert (await platform.objects.stat(SOURCE), await content(platform, SOURCE)) == (before, DATA)


async def test_of_many_that_send_at_once_one_makes_the_object(platform: Platform, single: Session) -> None:
    part = await sign(platform, single)
    answers: list[StoredPart | None] = []

    async def attempt(body: bytes) -> None:
        try:
            answers.append(await deliver(platform, part, body))
        except AlreadyExists:
            answers.append(None)

    async with anyio.create_task_group() as group:
        for number in range(9):
            group.start_soon(attempt, DATA if number % 3 else DATA[::-1])
    assert await platform.uploads.list_parts(single) == [part for part in {*answers} if part is not None]
    assert await content(platform, SOURCE) in (DATA, DATA[::-1])
    assert {None, *answers} == {*answers}


async def test_nothing_is_taken_when_the_object_was_deleted(platform: Platform, single: Session) -> None:
    part = await sign(platform, single)
    await deliver(platform, part, DATA)
    await platform.objects.delete(SOURCE)
    with pytest.raises(NotFound):
        await deliver(platform, part, DATA)
    assert await platform.objects.stat(SOURCE) is None
