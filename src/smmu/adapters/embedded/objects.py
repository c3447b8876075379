"""`FileObjectStore`: an object is one file (files.py) and the one row that names it.

A row and its file are one version; overwriting names another file, so a pinned version is either whole or gone, and
who holds its path never sees other bytes under it. The ETag is the CRC64NVME of the bytes in hexadecimal.

Costs: `stat`, `open`, `find` one point read (10 µs); `put` two syncs and a shared commit; taking a file over reads
it once for its checksums (it is in memory still) and moves it. `list` is a walk along the key index, page by page.
"""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial

import anyio
from anyio import to_thread

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import DATA_MODE, Files, closing_file, new_name, write_at
from smmu.adapters.embedded.intake import Digests
from smmu.adapters.embedded.recovery import forget_garbage
from smmu.adapters.embedded.rows import (
    INFO,
    NewObject,
    delete_row,
    end_key,
    find,
    found_at,
    info_of,
    put_row,
    put_row_if_absent,
    require_pinned,
    take_row,
)
from smmu.domain.values import ObjectRef
from smmu.ports.errors import AlreadyExists, Full, Unavailable
from smmu.ports.gateway import PATH
from smmu.ports.objects import Body, Found, LocalFile, ObjectInfo, ObjectStore, ReadLink, Source, check_folder
from smmu.ports.system import Clock
from smmu.ports.tickets import Ticket, seal

_PAGE = 200
_READ_NOW_BYTES_MAX = 1 << 16  # copying more than this takes longer than a hop to a thread
_READ_BYTES = 1 << 20
_KEY_BYTES_MAX = 1_024
_AFTER_ALL = chr(0x10FFFF)
_LIST = f"{INFO} WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?"
_CHANGED_SECONDS = 24 * 3600  # a URL was signed under limits that were changed since, or a clock was set back

Naming = Callable[[sqlite3.Connection], Sequence[str]]
"""Writes the row of a new version; answers which versions it replaces."""
Ending = Callable[[str, float, float, sqlite3.Connection], Sequence[str]]
"""Drops the row of a key; see `end_key`."""


class FileSource(Source):
    """One pinned version. Each read opens the file: it is there exactly as long as the version is."""

    def __init__(self, files: Files, ref: ObjectRef) -> None:
        self._files = files
        self._version = ref.version
        self._size = ref.size

    @property
    def size(self) -> int:
        """See the port."""
        return self._size

    @property
    def local_path(self) -> str:
        """See the port."""
        with translating():
            return self._files.settled(self._version)

    async def read(self, start: int, length: int) -> bytes:
        """See the port."""
        if start < 0 or length < 0:
            raise ValueError(f"a range of {length} bytes from {start}")
        wanted = min(length, max(0, self._size - start))
        if wanted <= _READ_NOW_BYTES_MAX:
            known = _read_known(self._files.place(self._version), start, wanted)
            if known is not None:
                return known
        return await to_thread.run_sync(_read, self.local_path, start, wanted)


class FileObjectStore(ObjectStore):
    """The objects of one data folder. `url_seconds`: for how long a URL may live."""

    def __init__(self, database: Database, files: Files, clock: Clock, secret: bytes, url_seconds: float) -> None:
        self._db = database
        self._files = files
        self._clock = clock
        self._secret = secret
        self._remembered_seconds = url_seconds + _CHANGED_SECONDS
        # Apart from other work on threads: writers of parts may be waiting there for a lock that our caller holds.
        self._removers = anyio.CapacityLimiter(4)

    async def stat(self, key: str) -> ObjectInfo | None:
        """See the port."""
        return find(self._db, key)

    async def open(self, ref: ObjectRef) -> FileSource:
        """See the port."""
        require_pinned(self._db, ref)
        return FileSource(self._files, ref)

    async def find(self, key: str) -> Found | None:
        """See the port."""
        ref = found_at(self._db, key)
        return Found(ref, FileSource(self._files, ref)) if ref else None

    async def put(self, key: str, body: Body, *, content_type: str, if_absent: bool = False) -> ObjectRef:
        """See the port."""
        _check_key(key)
        if if_absent and await self.stat(key):
            raise AlreadyExists(f"there is an object at {key}")
        name = new_name()
        size, digests = await to_thread.run_sync(_bring, self._files, name, body)
        new = NewObject(
            key=key,
            version=name,
            size=size,
            content_type=content_type,
            at=self._clock.now(),
            checksums=digests.known(),
        )
        with self._files.unless_refused(name):
            return await self.name(new, partial(put_row_if_absent if if_absent else put_row, new))

    async def name(self, new: NewObject, work: Naming) -> ObjectRef:
        """Make a file in `incoming` the newest version of its key: `work` writes the row, and more if it likes."""
        with anyio.CancelScope(shield=True):  # bounded as commits are; what happened must be known here
            replaced = await self._db.write(work)
        with suppress(OSError):  # it is named, so it exists: who opens it settles it then
            self._files.settle(new.version)
        await self._remove(replaced)
        return new.ref

    async def take(self, new: NewObject) -> ObjectRef:
        """Make a file in `incoming` the one object that its key ever has, if it is the first; which one that is."""
        with anyio.CancelScope(shield=True):  # as above
            there = await self._db.write(partial(take_row, new))
        with suppress(OSError):
            if there.version == new.version:
                self._files.settle(new.version)
            else:
                self._files.remove_incoming(new.version)
        return there

    async def delete(self, key: str) -> None:
        """See the port."""
        await self._remove(await self._db.write(self._ending(delete_row, key)))

    async def delete_all(self, folder: str) -> None:
        """See the port."""
        check_folder(folder)
        last = ""
        while page := self._db.read(_LIST, (folder, folder + _AFTER_ALL, last, _PAGE)):
            works = [self._ending(delete_row, key) for key, *_ in page]
            await self._remove(await self._db.write(partial(_each, works)))
            last = page[-1][0]

    async def end(self, key: str) -> None:
        """Delete what was sent to a key, and let nothing more be sent to it."""
        await self._remove(await self._db.write(self._ending(end_key, key)))

    async def list(self, prefix: str) -> AsyncIterator[ObjectRef]:
        """See the port."""
        last = ""
        while page := self._db.read(_LIST, (prefix, prefix + _AFTER_ALL, last, _PAGE)):
            for row in page:
                yield info_of(row).ref
            last = page[-1][0]

    async def sign_read(self, ref: ObjectRef, *, expires_at: float, filename: str | None = None) -> ReadLink:
        """See the port."""
        ticket = Ticket(
            does="get",
            key=ref.key,
            version=ref.version,
            etag=ref.etag,
            size=ref.size,
            expires_at=expires_at,
            filename=filename or "",
        )
        return ReadLink(url=PATH + seal(ticket, self._secret), expires_at=expires_at)

    def _ending(self, work: Ending, key: str) -> Naming:
        now = self._clock.now()
        return partial(work, key, now, now - self._remembered_seconds)

    async def _remove(self, versions: Sequence[str]) -> None:
        """Remove files that no row names any more. What fails of it is in `garbage`, and `recover_files` does it."""
        with suppress(Full, Unavailable), translating():
            for version in versions:
                await to_thread.run_sync(self._files.remove, version, limiter=self._removers)
            if versions:
                await self._db.write(partial(forget_garbage, versions))


def _each(works: Sequence[Naming], connection: sqlite3.Connection) -> Sequence[str]:
    return [version for work in works for version in work(connection)]


def _bring(files: Files, name: str, body: Body) -> tuple[int, Digests]:
    """Bring the bytes to `incoming`, durable, whoever had them before; or leave nothing."""
    digests = Digests()
    try:
        with translating():
            size = (
                _take(files, name, body, digests) if isinstance(body, LocalFile) else _write(files, name, body, digests)
            )
            files.sync_folder()
    except BaseException:
        files.remove_incoming(name)
        raise
    return size, digests


def _write(files: Files, name: str, body: bytes, digests: Digests) -> int:
    with closing_file(files.create(name)) as file:
        write_at(file, [body], 0)
        digests.update([body])
        os.fsync(file)
    return len(body)


def _take(files: Files, name: str, body: LocalFile, digests: Digests) -> int:
    files.take_over(body.path, name)
    with closing_file(os.open(files.incoming(name), os.O_RDONLY | os.O_CLOEXEC)) as file:
        size = 0
        while chunk := os.pread(file, _READ_BYTES, size):
            digests.update([chunk])
            size += len(chunk)
        os.fchmod(file, DATA_MODE)
        os.fsync(file)
    return size


def _read_known(path: str, start: int, length: int) -> bytes | None:
    """The bytes, if they are in their place and in the kernel's memory; else `None`. It never waits for the disk."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    buffer = bytearray(length)
    try:
        done = os.preadv(file, [buffer], start, os.RWF_NOWAIT)
    except OSError:
        return None
    finally:
        os.close(file)
    return bytes(buffer) if done == length else None


def _read(path: str, start: int, length: int) -> bytes:
    with translating(), closing_file(os.open(path, os.O_RDONLY | os.O_CLOEXEC)) as file:
        return os.pread(file, length, start)


def _check_key(key: str) -> None:
    """Keys name no files here, but what is strange in one is a bug wherever it is."""
    segments = key.split("/")
    if not all(segments) or {".", ".."} & {*segments} or "\0" in key or len(key.encode()) > _KEY_BYTES_MAX:
        raise ValueError(f"not a key: {key!r}")
