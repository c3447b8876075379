"""Parts that come twice, late, at once, or while their session ends; and senders that go away."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from smmu.domain.values import ObjectRef
from smmu.ports.errors import Corrupt, Full, NotFound, Unavailable
from smmu.ports.platform import Platform
from smmu.ports.uploads import Session
from tests.support.delivery import chunks, content, gateway_of
from tests.support.sessions import KEY, PART, A, B, C, SlowBody, file_of, names, send, token


async def test_a_part_that_comes_again_counts_only_when_it_is_whole(
    folder: Path, platform: Platform, session: Session
) -> None:
    first = await send(platform, session, 1, A)
    with pytest.raises(Corrupt):
        await gateway_of(platform).receive(await token(platform, session, 1), None, chunks([B[:500]]))
    assert await platform.uploads.list_parts(session) == [first]
    second = await send(platform, session, 1, B)
    assert await platform.uploads.list_parts(session) == [second]
    await platform.uploads.complete(session, [second])
    assert await content(platform, KEY) == B
    assert names(folder, "incoming") == set()


async def test_of_two_senders_of_one_part_the_last_to_be_whole_wins(platform: Platform, session: Session) -> None:
    slow, put = SlowBody(A), await token(platform, session, 1)
    async with anyio.create_task_group() as group:
        group.start_soon(gateway_of(platform).receive, put, PART, slow.stream())
        await slow.begun.wait()
        await send(platform, session, 1, B)
        slow.go_on.set()
    (stored,) = await platform.uploads.list_parts(session)
    await platform.uploads.complete(session, [stored])
    assert await content(platform, KEY) == A


async def test_a_part_still_on_its_way_does_not_reach_the_completed_object(
    folder: Path, platform: Platform, session: Session
) -> None:
    parts = [await send(platform, session, 1, A), await send(platform, session, 2, B)]
    slow, put = SlowBody(C), await token(platform, session, 3)
    refused = []

    async def send_late() -> None:
        with pytest.raises(NotFound):
            await gateway_of(platform).receive(put, PART, slow.stream())
        refused.append(put)

    async with anyio.create_task_group() as group:
        group.start_soon(send_late)
        await slow.begun.wait()
        ref = await platform.uploads.complete(session, parts)
        slow.go_on.set()
    assert refused
    assert file_of(await platform.objects.open(ref)) == A + B
    assert names(folder, "incoming") == set()


async def test_a_part_on_its_way_when_completing_failed_half_way_is_to_be_sent_again(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, put = SlowBody(A), await token(platform, session, 1)
    refused: list[str] = []

    async def send_slowly() -> None:
        with pytest.raises(Unavailable, match="again"):
            await gateway_of(platform).receive(put, PART, slow.stream())
        refused.append(put)

    async with anyio.create_task_group() as group:
        group.start_soon(send_slowly)
        await slow.begun.wait()
        aside = await send(platform, session, 1, B)
        monkeypatch.setattr("smmu.adapters.embedded.uploads.finish", power_cut)
        with pytest.raises(Unavailable, match="power"):
            await platform.uploads.complete(session, [aside])
        monkeypatch.undo()
        slow.go_on.set()
    assert refused
    assert await platform.uploads.list_parts(session) == [aside]
    await platform.uploads.complete(session, [aside])
    assert await content(platform, KEY) == B


def power_cut(*_: object) -> None:
    raise Unavailable("the power is gone")


async def test_a_part_that_was_to_be_left_out_is_there_when_completing_failed(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [await send(platform, session, number, body) for number, body in enumerate((A, B), 1)]
    monkeypatch.setattr("smmu.adapters.embedded.uploads.finish", power_cut)
    with pytest.raises(Unavailable, match="power"):
        await platform.uploads.complete(session, parts[:1])
    monkeypatch.undo()
    await platform.uploads.complete(session, parts)
    assert await content(platform, KEY) == A + B


async def test_no_room_to_complete_leaves_every_part(
    platform: Platform, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [await send(platform, session, number, body) for number, body in enumerate((A, B), 1)]
    monkeypatch.setattr("smmu.adapters.embedded.uploads.finish", no_room)
    with pytest.raises(Full):
        await platform.uploads.complete(session, parts)
    monkeypatch.undo()
    assert await platform.uploads.list_parts(session) == parts
    await platform.uploads.complete(session, parts)
    assert await content(platform, KEY) == A + B


def no_room(*_: object) -> None:
    raise Full("there is no room")


async def test_an_abort_ends_parts_on_their_way(folder: Path, platform: Platform, session: Session) -> None:
    slow, put = SlowBody(A), await token(platform, session, 1)

    async def send_late() -> None:
        with pytest.raises(NotFound):
            await gateway_of(platform).receive(put, PART, slow.stream())

    async with anyio.create_task_group() as group:
        group.start_soon(send_late)
        await slow.begun.wait()
        await platform.uploads.abort(session)
        slow.go_on.set()
    assert names(folder, "incoming") == set()


async def test_many_completions_at_once_make_one_object(platform: Platform, session: Session) -> None:
    parts = [await send(platform, session, 1, A), await send(platform, session, 2, B)]
    refs: list[ObjectRef] = []

    async def complete() -> None:
        refs.append(await platform.uploads.complete(session, parts))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(complete)
    assert len(refs) == 8
    assert len(set(refs)) == 1
    assert await content(platform, KEY) == A + B


async def test_parts_that_are_left_out_leave_no_hole(folder: Path, platform: Platform, session: Session) -> None:
    parts = [await send(platform, session, number, body) for number, body in enumerate((A, B, C), 1)]
    replaced = await send(platform, session, 3, A[:10])
    ref = await platform.uploads.complete(session, [parts[1], replaced])
    assert await content(platform, KEY) == B + A[:10]
    assert names(folder, "objects") == {ref.version}
    assert names(folder, "incoming") == set()


async def test_a_sender_that_goes_away_leaves_no_file(folder: Path, platform: Platform) -> None:
    single = await platform.uploads.begin(KEY, method="single", part_size=0, content_type="x/y")
    put, slow = await token(platform, single, 1), SlowBody(A)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(gateway_of(platform).receive, put, PART, slow.stream())
            await slow.begun.wait()
            assert len(names(folder, "incoming")) == 1
            scope.cancel()
    assert names(folder, "incoming") == set()


async def test_an_error_of_the_sender_reaches_the_caller_as_it_is(platform: Platform, session: Session) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield A[:10]
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        await gateway_of(platform).receive(await token(platform, session, 1), PART, broken())
    assert await platform.uploads.list_parts(session) == []
