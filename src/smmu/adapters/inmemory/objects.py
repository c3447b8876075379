"""`MemoryObjectStore`: whole objects with versions. A pinned version that is no longer the newest cannot be read.

That is stricter than a bucket with versioning, on purpose: who reads what was overwritten has a bug, and sees it here.
Links are paths that `MemoryGateway` answers. Bodies on disk are read in one go and left where they are.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from anyio.lowlevel import checkpoint

from smmu.adapters.inmemory.world import ObjectRow, World
from smmu.domain.limits import LIST_PAGE_MAX
from smmu.domain.values import ObjectRef
from smmu.ports.errors import AlreadyExists, NotFound
from smmu.ports.gateway import PATH
from smmu.ports.objects import Body, Found, LocalFile, ObjectInfo, ObjectStore, ReadLink, Source, check_folder
from smmu.ports.system import Clock
from smmu.ports.tickets import Ticket, seal


def etag_of(data: bytes) -> str:
    """The ETag that S3 gives to bytes that were sent in one piece."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def store(
    world: World, key: str, data: bytes, *, content_type: str, now: float, etag: str | None = None, sent: bool = False
) -> ObjectRef:
    """Make these bytes the newest version at `key`."""
    ref = ObjectRef(key=key, version=f"v{world.next_write()}", etag=etag or etag_of(data), size=len(data))
    world.objects.put(key, ObjectRow(data=data, ref=ref, content_type=content_type, modified_at=now, sent=sent))
    return ref


def pinned(world: World, ref: ObjectRef) -> ObjectRow:
    """The row of exactly this version."""
    row = world.objects.rows.get(ref.key)
    if row is None or (row.ref.version, row.ref.etag) != (ref.version, ref.etag):
        raise NotFound(f"the pinned version of {ref.key} is gone")
    return row


def info_of(row: ObjectRow) -> ObjectInfo:
    """What the store tells of an object."""
    return ObjectInfo(ref=row.ref, content_type=row.content_type, modified_at=row.modified_at)


@dataclass(frozen=True, slots=True)
class MemorySource(Source):
    """One pinned version. Every read looks whether it is still there."""

    world: World
    ref: ObjectRef

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.ref.size

    @property
    def local_path(self) -> str | None:
        """There are no files here."""
        return None

    async def read(self, start: int, length: int) -> bytes:
        """A slice of the bytes."""
        if start < 0 or length < 0:
            raise ValueError(f"a range of {length} bytes from {start}")
        await checkpoint()
        return pinned(self.world, self.ref).data[start : start + length]


@dataclass(frozen=True, slots=True)
class MemoryObjectStore(ObjectStore):
    """The objects of one world."""

    world: World
    clock: Clock

    async def stat(self, key: str) -> ObjectInfo | None:
        """What is at a key."""
        await checkpoint()
        row = self.world.objects.rows.get(key)
        return None if row is None else info_of(row)

    async def open(self, ref: ObjectRef) -> MemorySource:
        """The pinned version."""
        await checkpoint()
        pinned(self.world, ref)
        return MemorySource(self.world, ref)

    async def find(self, key: str) -> Found | None:
        """What is at a key, opened."""
        await checkpoint()
        row = self.world.objects.rows.get(key)
        return None if row is None else Found(row.ref, MemorySource(self.world, row.ref))

    async def put(self, key: str, body: Body, *, content_type: str, if_absent: bool = False) -> ObjectRef:
        """Store a copy of the body."""
        data = _copy(body)
        await checkpoint()
        if if_absent and key in self.world.objects.rows:
            raise AlreadyExists(f"there is an object at {key}")
        return store(self.world, key, data, content_type=content_type, now=self.clock.now())

    async def delete(self, key: str) -> None:
        """Remove it. If it was sent to a signed URL, that URL takes nothing any more."""
        await checkpoint()
        row = self.world.objects.rows.get(key)
        if row is not None and row.sent:
            self.world.ended.add(key)
        self.world.objects.remove(key)

    async def delete_all(self, folder: str) -> None:
        """One after the other, so that it may be broken off on the way."""
        check_folder(folder)
        async for ref in self.list(folder):
            await self.delete(ref.key)

    def list(self, prefix: str) -> AsyncIterator[ObjectRef]:
        """Page by page, so that what changes meanwhile may or may not be seen, as in a bucket."""
        return _Listing(self.world, prefix)

    async def sign_read(self, ref: ObjectRef, *, expires_at: float, filename: str | None = None) -> ReadLink:
        """A link with a ticket in it. That the object exists is not looked at, as S3 does not look."""
        await checkpoint()
        ticket = Ticket(
            does="get",
            key=ref.key,
            expires_at=expires_at,
            version=ref.version,
            etag=ref.etag,
            size=ref.size,
            filename=filename or "",
        )
        return ReadLink(url=PATH + seal(ticket, self.world.secret), expires_at=expires_at)


def _copy(body: Body) -> bytes:
    """Read on the event loop: a thread would let virtual time run away."""
    return Path(body.path).read_bytes() if isinstance(body, LocalFile) else bytes(body)


@dataclass(slots=True)
class _Listing(AsyncIterator[ObjectRef]):
    """An iterator rather than an async generator: leaving it half-way leaves nothing to close."""

    world: World
    prefix: str
    last: str | None = None
    page: Iterator[ObjectRef] = field(default_factory=lambda: iter(()))

    async def __anext__(self) -> ObjectRef:
        ref = next(self.page, None)
        if ref is None:
            await checkpoint()
            keys = list(islice(self.world.objects.after(self.prefix, self.last), LIST_PAGE_MAX))
            self.page = iter([self.world.objects.rows[key].ref for key in keys])
            ref = next(self.page, None)
        if ref is None:
            raise StopAsyncIteration
        self.last = ref.key
        return ref
