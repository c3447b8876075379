"""`FileObjectStore`: an object is one file (files.py) and the one row that names it.

A row and its file are one version; overwriting names another file, so a pinned version is either whole or gone, and
who holds its path never sees other bytes under it. The ETag is the CRC64NVME of the bytes in hexadecimal.

Costs: `stat`, `open`, `sign_read` one point read (10 µs); `put` two syncs and a shared commit; taking a file over reads
it once for its checksums (it is in memory still) and moves it. `list` is a walk along the key index, page by page.
"""

import base64
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import anyio
from anyio import to_thread

from smmu.adapters.embedded.database import Database, Row
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import DATA_MODE, Files, closing_file, new_name, write_at
from smmu.adapters.embedded.intake import Digests
from smmu.adapters.embedded.recovery import forget_garbage
from smmu.domain.tickets import Ticket, seal
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.errors import AlreadyExists, Full, NotFound, Unavailable
from smmu.ports.gateway import PATH
from smmu.ports.objects import Body, LocalFile, ObjectInfo, ObjectStore, ReadLink, Source
from smmu.ports.system import Clock

_PAGE = 200
_READ_NOW_BYTES_MAX = 1 << 16  # copying more than this takes longer than a hop to a thread
_READ_BYTES = 1 << 20
_KEY_BYTES_MAX = 1_024
_AFTER_ALL = chr(0x10FFFF)
_INFO = "SELECT key, version, etag, size, content_type, modified_at FROM objects WHERE key = ?"
_LIST = (
    "SELECT key, version, etag, size, content_type, modified_at FROM objects"
    " WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?"
)


Naming = Callable[[sqlite3.Connection], Sequence[str]]
"""Writes the row of a new version; answers which versions it replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObject:
    """What a row of a new version says. `checksums` has both CRCs at least."""

    key: str
    version: str
    size: int
    content_type: str
    at: float
    checksums: Mapping[Algorithm, Checksum]
    made_of: str | None = None

    @property
    def ref(self) -> ObjectRef:
        """What pins it."""
        return ObjectRef(
            key=self.key, version=self.version, etag=etag_of(self.checksums[Algorithm.CRC64NVME]), size=self.size
        )


class FileSource(Source):
    """One pinned version. Each read opens the file: it is there exactly as long as the version is."""

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._size = size

    @property
    def size(self) -> int:
        """See the port."""
        return self._size

    @property
    def local_path(self) -> str | None:
        """See the port."""
        return self._path

    async def read(self, start: int, length: int) -> bytes:
        """See the port."""
        if start < 0 or length < 0:
            raise ValueError(f"a range of {length} bytes from {start}")
        wanted = min(length, max(0, self._size - start))
        if wanted <= _READ_NOW_BYTES_MAX and (known := _read_known(self._path, start, wanted)) is not None:
            return known
        return await to_thread.run_sync(_read, self._path, start, wanted)


class FileObjectStore(ObjectStore):
    """The objects of one data folder."""

    def __init__(self, database: Database, files: Files, clock: Clock, secret: bytes) -> None:
        self._db = database
        self._files = files
        self._clock = clock
        self._secret = secret
        # Apart from other work on threads: writers of parts may be waiting there for a lock that our caller holds.
        self._removers = anyio.CapacityLimiter(4)

    async def stat(self, key: str) -> ObjectInfo | None:
        """See the port."""
        rows = self._db.read(_INFO, (key,))
        return _info(rows[0]) if rows else None

    async def open(self, ref: ObjectRef) -> Source:
        """See the port."""
        pinned(self._db, ref)
        return FileSource(self.path(ref), ref.size)

    def path(self, ref: ObjectRef) -> str:
        """Where the file of a version is."""
        with translating():
            return str(self._files.settled(ref.version))

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
            return await self.name(new, partial(_insert if if_absent else put_row, new))

    async def name(self, new: NewObject, work: Naming) -> ObjectRef:
        """Make a file in `incoming` the newest version of its key: `work` writes the row, and more if it likes."""
        with anyio.CancelScope(shield=True):  # bounded as commits are; what happened must be known here
            replaced = await self._db.write(work)
        with suppress(OSError):  # it is named, so it exists: who opens it settles it then
            self._files.settle(new.version)
        await self._remove(replaced)
        return new.ref

    async def delete(self, key: str) -> None:
        """See the port."""
        await self._remove(await self._db.write(partial(drop_row, key)))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """See the port."""
        last = ""
        while page := self._db.read(_LIST, (prefix, prefix + _AFTER_ALL, last, _PAGE)):
            for row in page:
                yield _info(row)
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

    async def _remove(self, versions: Sequence[str]) -> None:
        """Remove files that no row names any more. What fails of it is in `garbage`, and `recover_files` does it."""
        with suppress(Full, Unavailable), translating():
            for version in versions:
                await to_thread.run_sync(self._files.remove, version, limiter=self._removers)
            if versions:
                await self._db.write(partial(forget_garbage, versions))


def etag_of(crc64nvme: Checksum) -> str:
    """The ETag of bytes with this checksum."""
    return base64.b64decode(crc64nvme.value).hex()


def pinned(database: Database, ref: ObjectRef) -> ObjectInfo:
    """What is known of a pinned version. Raises `NotFound` when its key holds another one, or nothing."""
    rows = database.read(f"{_INFO} AND version = ? AND etag = ?", (ref.key, ref.version, ref.etag))
    if not rows:
        raise NotFound("the object is gone, or has been overwritten")
    return _info(rows[0])


def put_row(new: NewObject, connection: sqlite3.Connection) -> list[str]:
    """Name a version; which versions it replaces."""
    replaced = drop_row(new.key, connection)
    checksums = (new.checksums.get(algorithm) for algorithm in Algorithm)
    connection.execute(
        "INSERT INTO objects (key, version, etag, size, content_type, modified_at, made_of,"
        " crc64nvme, crc32c, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(new.key, new.version, new.ref.etag, new.size, new.content_type, new.at, new.made_of),
            *(checksum.value if checksum else None for checksum in checksums),
        ),
    )
    return replaced


def drop_row(key: str, connection: sqlite3.Connection) -> list[str]:
    """Forget an object; which versions are garbage now."""
    rows = connection.execute("DELETE FROM objects WHERE key = ? RETURNING version", (key,)).fetchall()
    connection.executemany("INSERT INTO garbage VALUES (?)", rows)
    return [version for (version,) in rows]


def _insert(new: NewObject, connection: sqlite3.Connection) -> list[str]:
    if connection.execute("SELECT 1 FROM objects WHERE key = ?", (new.key,)).fetchall():
        raise AlreadyExists(f"there is an object at {new.key}")
    return put_row(new, connection)


def _info(row: Row) -> ObjectInfo:
    key, version, etag, size, content_type, modified_at = row
    ref = ObjectRef(key=key, version=version, etag=etag, size=size)
    return ObjectInfo(ref=ref, content_type=content_type, modified_at=modified_at)


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
    """The bytes, if the kernel has all of them in memory; else `None`, without having waited for the disk."""
    buffer = bytearray(length)
    with translating(), closing_file(os.open(path, os.O_RDONLY | os.O_CLOEXEC)) as file:
        try:
            done = os.preadv(file, [buffer], start, os.RWF_NOWAIT)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
                return None
            raise
    return bytes(buffer) if done == length else None


def _read(path: str, start: int, length: int) -> bytes:
    with translating(), closing_file(os.open(path, os.O_RDONLY | os.O_CLOEXEC)) as file:
        return os.pread(file, length, start)


def _check_key(key: str) -> None:
    """Keys name no files here, but what is strange in one is a bug wherever it is."""
    segments = key.split("/")
    if not all(segments) or {".", ".."} & {*segments} or "\0" in key or len(key.encode()) > _KEY_BYTES_MAX:
        raise ValueError(f"not a key: {key!r}")
