"""The promises of `ports/objects.py`; those of signed links are in test_gateway.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from smmu.ports.errors import AlreadyExists, NotFound
from smmu.ports.objects import LocalFile, ObjectStore
from smmu.ports.platform import Capability, Platform

DATA = bytes(range(256)) * 10
KEY = "media/ada/med_1/job_1-a1/poster.jpg"


@pytest.fixture
def objects(platform: Platform) -> ObjectStore:
    return platform.objects


async def put(objects: ObjectStore, key: str = KEY, data: bytes = DATA) -> None:
    await objects.put(key, data, content_type="image/jpeg")


async def listed(objects: ObjectStore, prefix: str) -> list[str]:
    return [ref.key async for ref in objects.list(prefix)]


async def content(objects: ObjectStore, key: str = KEY) -> bytes | None:
    info = await objects.stat(key)
    if info is None:
        return None
    source = await objects.open(info.ref)
    return await source.read(0, source.size)


# --- writing


@pytest.mark.parametrize("data", [DATA, b"", b"\x00"])
async def test_an_object_comes_back_as_it_was_put(objects: ObjectStore, data: bytes) -> None:
    await put(objects, data=data)
    assert await content(objects) == data


async def test_what_put_answers_pins_what_was_put(platform: Platform) -> None:
    before = platform.clock.now()
    ref = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    info = await platform.objects.stat(KEY)
    assert info is not None
    assert (ref.key, ref.size, info.ref, info.content_type) == (KEY, len(DATA), ref, "image/jpeg")
    assert before - 2 <= info.modified_at <= platform.clock.now() + 2


async def test_where_nothing_was_put_is_nothing(objects: ObjectStore) -> None:
    assert (await objects.stat(KEY), await objects.find(KEY)) == (None, None)


@pytest.mark.parametrize("data", [DATA, b""])
async def test_what_is_found_is_the_newest_version_opened(objects: ObjectStore, data: bytes) -> None:
    await put(objects, data=b"before")
    ref = await objects.put(KEY, data, content_type="image/jpeg")
    found = await objects.find(KEY)
    assert found is not None
    assert (found.ref, found.source.size, await found.source.read(0, len(data) + 1)) == (ref, len(data), data)


async def test_what_was_found_is_pinned(platform: Platform) -> None:
    objects = platform.objects
    await put(objects)
    found = await objects.find(KEY)
    assert found is not None
    await put(objects, data=b"other bytes")
    if Capability.KEEPS_VERSIONS in platform.capabilities:
        assert await found.source.read(0, len(DATA)) == DATA
    else:
        with pytest.raises(NotFound):
            await found.source.read(0, len(DATA))


async def test_a_second_put_replaces_the_first(objects: ObjectStore) -> None:
    await put(objects)
    await put(objects, data=b"newer")
    assert await content(objects) == b"newer"


async def test_different_bytes_have_different_references(objects: ObjectStore) -> None:
    first = await objects.put(KEY, b"one", content_type="image/jpeg")
    second = await objects.put(KEY, b"two", content_type="image/jpeg")
    assert (first.version, first.etag) != (second.version, second.etag)


async def test_a_put_that_must_be_the_first_is(objects: ObjectStore) -> None:
    await objects.put(KEY, DATA, content_type="image/jpeg", if_absent=True)
    assert await content(objects) == DATA


async def test_a_put_that_must_be_the_first_changes_nothing_when_it_is_not(objects: ObjectStore) -> None:
    await put(objects)
    with pytest.raises(AlreadyExists):
        await objects.put(KEY, b"newer", content_type="image/png", if_absent=True)
    info = await objects.stat(KEY)
    assert info is not None
    assert (await content(objects), info.content_type) == (DATA, "image/jpeg")


async def test_of_many_that_must_be_the_first_exactly_one_is(objects: ObjectStore) -> None:
    winners = []

    async def attempt(number: int) -> None:
        try:
            await objects.put(KEY, f"writer {number}".encode(), content_type="image/jpeg", if_absent=True)
            winners.append(number)
        except AlreadyExists:
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(attempt, number)
    assert len(winners) == 1
    assert await content(objects) == f"writer {winners[0]}".encode()


async def test_a_finished_file_can_be_taken_over(objects: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "finished"
    path.write_bytes(DATA)
    ref = await objects.put(KEY, LocalFile(str(path)), content_type="image/jpeg")
    assert (ref.size, await content(objects)) == (len(DATA), DATA)


async def test_a_finished_file_that_may_not_be_taken_over_is_left_alone(objects: ObjectStore, tmp_path: Path) -> None:
    await put(objects)
    path = tmp_path / "finished"
    path.write_bytes(b"newer")
    with pytest.raises(AlreadyExists):
        await objects.put(KEY, LocalFile(str(path)), content_type="image/jpeg", if_absent=True)
    assert await content(objects) == DATA
    assert path.read_bytes() == b"newer"


async def test_a_reader_sees_the_old_object_or_the_new_one(objects: ObjectStore) -> None:
    whole = [bytes([letter]) * 50_000 for letter in b"abc"]
    await put(objects, data=whole[0])
    seen = []

    async def read() -> None:
        for _ in range(10):
            try:
                seen.append(await content(objects))
            except NotFound:  # it was overwritten between the look and the read
                await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for data in whole:
            group.start_soon(put, objects, KEY, data)
            group.start_soon(read)
    assert set(seen) <= set(whole)
    assert await content(objects) in whole


# --- reading


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (0, 10_000), (100, 50), (2_550, 100), (2_559, 1), (2_560, 1), (9_999, 9), (5, 0)]
)
async def test_a_range_ends_where_the_object_ends(objects: ObjectStore, start: int, length: int) -> None:
    source = await objects.open(await objects.put(KEY, DATA, content_type="image/jpeg"))
    assert source.size == len(DATA)
    assert await source.read(start, length) == DATA[start : start + length]


async def test_a_local_path_holds_exactly_these_bytes(platform: Platform) -> None:
    source = await platform.objects.open(await platform.objects.put(KEY, DATA, content_type="image/jpeg"))
    if Capability.LOCAL_FILES in platform.capabilities:
        assert source.local_path is not None
        assert await anyio.Path(source.local_path).read_bytes() == DATA
    else:
        assert source.local_path is None


async def test_a_version_that_was_overwritten_is_kept_or_cannot_be_opened(platform: Platform) -> None:
    old = await platform.objects.put(KEY, DATA, content_type="image/jpeg")
    await put(platform.objects, data=b"newer")
    if Capability.KEEPS_VERSIONS in platform.capabilities:
        assert await (await platform.objects.open(old)).read(0, len(DATA)) == DATA
    else:
        with pytest.raises(NotFound):
            await platform.objects.open(old)


async def test_a_version_that_was_deleted_cannot_be_opened(objects: ObjectStore) -> None:
    old = await objects.put(KEY, DATA, content_type="image/jpeg")
    await objects.delete(KEY)
    with pytest.raises(NotFound):
        await objects.open(old)


async def test_an_open_source_never_reads_what_its_object_was_overwritten_with(platform: Platform) -> None:
    source = await platform.objects.open(await platform.objects.put(KEY, DATA, content_type="image/jpeg"))
    await put(platform.objects, data=DATA[::-1])
    if Capability.KEEPS_VERSIONS in platform.capabilities:
        assert await source.read(0, 10) == DATA[:10]
    else:
        with pytest.raises(NotFound):
            await source.read(0, 10)


async def test_an_open_source_notices_that_its_object_was_deleted(objects: ObjectStore) -> None:
    source = await objects.open(await objects.put(KEY, DATA, content_type="image/jpeg"))
    await objects.delete(KEY)
    with pytest.raises(NotFound):
        await source.read(0, 10)


# --- deleting and listing


async def test_a_deleted_object_is_gone(objects: ObjectStore) -> None:
    await put(objects)
    await put(objects, data=b"newer")
    await objects.delete(KEY)
    assert await objects.stat(KEY) is None
    assert await listed(objects, "media/") == []


async def test_deleting_what_is_not_there_is_fine(objects: ObjectStore) -> None:
    for _ in range(2):
        await objects.delete(KEY)


async def test_a_whole_folder_is_deleted_and_nothing_beside_it(objects: ObjectStore) -> None:
    for key in ("m/a/1", "m/a/b/2", "m/a", "m/a-1", "m/ab/1", "m/A/1"):
        await put(objects, key)
        await put(objects, key, data=b"newer")
    for _ in range(2):
        await objects.delete_all("m/a/")
        assert await listed(objects, "m/") == ["m/A/1", "m/a", "m/a-1", "m/ab/1"]


@pytest.mark.parametrize("named", ["", "/", "m", "m/a"])
async def test_only_a_folder_is_deleted_whole(objects: ObjectStore, named: str) -> None:
    await put(objects, "m/a/1")
    with pytest.raises(ValueError, match="is no folder"):
        await objects.delete_all(named)
    assert await listed(objects, "m/") == ["m/a/1"]


async def test_a_deleted_key_can_be_used_again(objects: ObjectStore) -> None:
    await put(objects)
    await objects.delete(KEY)
    await objects.put(KEY, b"newer", content_type="image/jpeg", if_absent=True)
    assert await content(objects) == b"newer"


async def test_a_list_holds_what_starts_with_the_prefix_in_key_order(objects: ObjectStore) -> None:
    for key in ("m/b", "m/a/2", "m/a/10", "m/a", "m", "n/a", "m/a-1", "m/A"):
        await put(objects, key)
    assert await listed(objects, "m/a") == ["m/a", "m/a-1", "m/a/10", "m/a/2"]
    assert await listed(objects, "m/a/") == ["m/a/10", "m/a/2"]
    assert await listed(objects, "x") == []


async def test_a_prefix_of_keys_is_no_pattern(objects: ObjectStore) -> None:
    for key in ("a_b/1", "axb/1", "a%/1"):
        await put(objects, key)
    assert await listed(objects, "a_") == ["a_b/1"]
    assert await listed(objects, "a%") == ["a%/1"]


async def test_a_list_pins_what_put_pinned(objects: ObjectStore) -> None:
    await put(objects, data=b"older")
    ref = await objects.put(KEY, DATA, content_type="image/jpeg")
    assert [listed async for listed in objects.list("media/")] == [ref]


async def test_what_is_listed_can_be_deleted_on_the_way(objects: ObjectStore) -> None:
    for number in range(5):
        await put(objects, f"m/{number}", b"x")
    async for ref in objects.list("m/"):
        await objects.delete(ref.key)
    assert await listed(objects, "m/") == []


async def test_a_list_can_be_left_early(objects: ObjectStore) -> None:
    for number in range(3):
        await put(objects, f"m/{number}", b"x")
    listing: AsyncIterator[object] = objects.list("m/")
    assert await anext(listing) is not None
