"""What only files can get wrong: crash windows, late writers, full disks, memory, and who may read them."""

import errno
import os
import resource
import stat
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

import pytest

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import Files, new_name
from smmu.adapters.embedded.intake import Digests, Expected, Slot, pour
from smmu.adapters.embedded.platform import open_platform, token_secret
from smmu.adapters.embedded.secret import secret_at
from smmu.domain.limits import MIB, Limits
from smmu.domain.values import Algorithm, Checksum
from smmu.ports.errors import Corrupt, Denied, Full, NotFound, Unavailable
from smmu.ports.objects import LocalFile
from smmu.ports.platform import Platform
from smmu.ports.uploads import Session
from tests.support.delivery import chunks, content, gateway_of
from tests.support.sessions import KEY, PART, A, B, C, names, send, token

ANOTHER_FILE_SYSTEM = next(filter(Path.is_dir, (Path("/dev/shm"), Path(gettempdir()))))


def open_to_others(folder: Path) -> set[str]:
    return {path.name for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077}


# --- crash windows


async def test_an_object_that_was_named_and_not_moved_is_found(folder: Path, platform: Platform) -> None:
    ref = await platform.objects.put(KEY, b"bytes", content_type="x/y")
    place = folder / "objects" / ref.version[:2] / ref.version
    place.rename(folder / "incoming" / ref.version)
    assert await content(platform, KEY) == b"bytes"
    assert names(folder, "incoming") == set()


async def test_what_a_crash_left_is_made_right_by_the_next_start(folder: Path) -> None:
    async with open_platform(str(folder), Limits(), exclusive=True) as platform:
        ref = await platform.objects.put(KEY, b"bytes", content_type="x/y")
        session = await platform.uploads.begin("raw/x", method="multipart", part_size=PART, content_type="x/y")
        await send(platform, session, 1, A)
        await send(platform, session, 1, B)
    (folder / "objects" / ref.version[:2] / ref.version).rename(folder / "incoming" / ref.version)
    (folder / "incoming" / new_name()).write_bytes(b"named by nobody")
    garbage = new_name()
    (folder / "objects" / garbage[:2] / garbage).write_bytes(b"its object is gone")
    database = Database(str(folder / "smmu.db"))
    await database.write(lambda connection: connection.execute("INSERT INTO garbage VALUES (?)", (garbage,)).rowcount)
    await database.close()
    async with open_platform(str(folder), Limits(), exclusive=True) as platform:
        assert names(folder, "objects") == {ref.version}
        assert len(names(folder, "incoming")) == 2  # the session's file, and the part that was sent again
        stored = await platform.uploads.list_parts(session)
        await platform.uploads.complete(session, stored)
        assert await content(platform, "raw/x") == B
        assert names(folder, "incoming") == set()


async def test_nothing_is_tidied_up_while_another_process_has_the_folder_open(folder: Path) -> None:
    async with open_platform(str(folder), Limits(), exclusive=True):
        pass  # it was served once
    async with open_platform(str(folder), Limits(), exclusive=False):
        stranger = folder / "incoming" / new_name()
        stranger.write_bytes(b"being received")
        async with open_platform(str(folder), Limits(), exclusive=True):
            assert stranger.exists()


async def test_overwriting_and_deleting_leave_no_file(folder: Path, platform: Platform) -> None:
    await platform.objects.put(KEY, b"1", content_type="x/y")
    ref = await platform.objects.put(KEY, b"2", content_type="x/y")
    assert names(folder, "objects") == {ref.version}
    await platform.objects.delete(KEY)
    assert names(folder, "objects") == set()


async def test_a_pinned_source_ends_when_its_object_is_overwritten(platform: Platform) -> None:
    source = await platform.objects.open(await platform.objects.put(KEY, b"1", content_type="x/y"))
    await platform.objects.put(KEY, b"2", content_type="x/y")
    with pytest.raises(NotFound):
        await source.read(0, 1)


# --- no room


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond `size`, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_no_room_for_a_part_is_full_and_leaves_nothing(folder: Path, platform: Platform) -> None:
    session = await platform.uploads.begin(KEY, method="multipart", part_size=4 * MIB, content_type="x/y")
    put = await token(platform, session, 1, 4 * MIB)
    with files_of_at_most(2 * MIB), pytest.raises(Full):
        await gateway_of(platform).receive(put, None, chunks([bytes(MIB)] * 4))
    assert await platform.uploads.list_parts(session) == []
    await gateway_of(platform).receive(put, None, chunks([bytes(MIB)] * 4))
    single = await platform.uploads.begin("raw/x", method="single", part_size=0, content_type="x/y")
    put = await token(platform, single, 1, 4 * MIB)
    with files_of_at_most(2 * MIB), pytest.raises(Full):
        await gateway_of(platform).receive(put, None, chunks([bytes(MIB)] * 4))
    with files_of_at_most(2 * MIB), pytest.raises(Full):
        await platform.objects.put("x", bytes(4 * MIB), content_type="x/y")
    assert names(folder, "incoming") == {session.storage_id}


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, Full),
        (errno.EDQUOT, Full),
        (errno.EFBIG, Full),
        (errno.ENOENT, NotFound),
        (errno.EACCES, Denied),
        (errno.EIO, Unavailable),
    ],
)
def test_errors_of_the_file_system_are_translated(number: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught, translating():
        raise OSError(number, os.strerror(number))
    assert isinstance(caught.value.__cause__, OSError)


# --- memory, local files, secrets


class SlowSlot(Slot):
    """A disk slower than the sender. Notes how much of what was read is not yet written."""

    ahead = most = 0

    def write(self, batch: list[bytes]) -> None:
        time.sleep(0.005)  # noqa: TID251 - on a thread, as a slow disk is
        self.ahead -= sum(map(len, batch))


async def test_a_slow_disk_slows_its_sender_and_memory_stays_flat() -> None:
    slot = SlowSlot(-1, 0, Digests())

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64 * 16):
            slot.ahead += MIB // 16
            slot.most = max(slot.most, slot.ahead)
            yield bytes(MIB // 16)

    assert await pour(endless(), slot, Expected(size=64 * MIB, size_max=0)) == 64 * MIB
    assert slot.most <= 3 * MIB


async def test_the_smallest_pieces_are_taken_together(platform: Platform, session: Session) -> None:
    body = os.urandom(PART)
    stored = await gateway_of(platform).receive(
        await token(platform, session, 1), None, chunks(bytes([byte]) for byte in body)
    )
    await platform.uploads.complete(session, [stored])
    assert await content(platform, KEY) == body


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_finished_file_is_taken_over(
    folder: Path, platform: Platform, tmp_path: Path, *, elsewhere: bool
) -> None:
    source = (ANOTHER_FILE_SYSTEM if elsewhere else tmp_path) / f"smmu-{new_name()}"
    source.write_bytes(A)
    ref = await platform.objects.put(KEY, LocalFile(str(source)), content_type="x/y")
    assert not source.exists()
    assert await content(platform, KEY) == A
    assert ref.size == PART
    assert names(folder, "incoming") == set()


async def test_checksums_are_known_of_parts_sent_out_of_order(platform: Platform, session: Session) -> None:
    stored = {number: await send(platform, session, number, body) for number, body in ((3, C[:7]), (1, A), (2, B))}
    ref = await platform.uploads.complete(session, [stored[1], stored[2], stored[3]])
    for algorithm in Algorithm:
        digests = Digests(Checksum(algorithm=Algorithm.SHA256, value="A" * 43 + "="))
        digests.update([A, B, C[:7]])
        wanted = digests.get(algorithm)
        assert wanted is not None
        assert await platform.uploads.checksum(ref, wanted) == wanted


def test_a_secret_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    path, found = tmp_path / "secret", []
    threads = [threading.Thread(target=lambda: found.append(secret_at(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]


def test_a_secret_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(Corrupt, match="remove it"):
        secret_at(tmp_path / "secret")


async def test_nobody_else_may_look_into_the_data_folder(folder: Path, platform: Platform) -> None:
    await platform.objects.put(KEY, A, content_type="x/y")
    assert len(token_secret(str(folder))) == 32
    assert open_to_others(folder) == set()


def test_a_name_that_is_not_ours_reaches_no_path(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for name in ("../../etc/passwd", "", "a" * 31, "A" * 32, "a" * 32 + "\n"):
        with pytest.raises(ValueError, match="not a name"):
            files.incoming(name)
    files.close()


@pytest.mark.parametrize("key", ["/etc/passwd", "a/../b", "", "a//b", "a/.", "x\0y", "é" * 513])
async def test_a_strange_key_is_a_bug(platform: Platform, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await platform.objects.put(key, b"", content_type="x/y")
