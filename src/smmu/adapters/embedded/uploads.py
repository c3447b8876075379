"""`FileUploadStore`: sessions and parts as rows (parts.py), bytes as files (files.py).

Costs of a single session: none but its PUT's; it is its signed ticket, and completing it looks at its object (rows.py).
Of a multipart session: `begin` one shared commit and a sync of the folder; signing and listing touch no disk;
`complete` one shared commit, whatever the size, unless parts were sent twice (they are copied to their place) or left
out (everything is copied). Full checksums are combined from those of the parts.

A multipart session ends in one commit, with its object or without. While it is being completed or aborted its file is
locked, so that no batch of a late part is written into what has just become an object.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
from anyio import to_thread

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import Files, new_name, try_lock
from smmu.adapters.embedded.objects import FileObjectStore
from smmu.adapters.embedded.parts import (
    OpenSession,
    PartRow,
    assemble,
    assemble_anew,
    checksums_of,
    choose,
    count_assembly,
    digest_of,
    end_session,
    find_parts,
    find_session,
    finish,
    insert_session,
    is_in_place,
)
from smmu.adapters.embedded.rows import NewObject, found_at
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.checksums import Digest
from smmu.ports.errors import NotFound, Unavailable
from smmu.ports.gateway import PATH
from smmu.ports.system import Clock
from smmu.ports.tickets import Ticket, seal
from smmu.ports.uploads import PartSlot, Session, SignedPart, StoredPart, UploadStore

_LOCK_SECONDS = 30.0
_LOCK_RETRY_SECONDS = 0.002
_READ_BYTES = 1 << 20


class FileUploadStore(UploadStore):
    """The upload sessions of one data folder."""

    def __init__(self, database: Database, files: Files, objects: FileObjectStore, clock: Clock, secret: bytes) -> None:
        self._db = database
        self._files = files
        self._objects = objects
        self._clock = clock
        self._secret = secret
        # Apart from other work on threads: writers of parts may be waiting there for the lock that is held here.
        self._assemblers = anyio.CapacityLimiter(4)

    async def begin(
        self, key: str, *, method: Literal["single", "multipart"], part_size: int, content_type: str
    ) -> Session:
        """See the port."""
        if method == "single":
            return Session(key=key, storage_id="", method=method, content_type=content_type)
        if part_size < 1:
            raise ValueError(f"parts of {part_size} bytes")
        session = Session(key=key, storage_id=new_name(), method=method, part_size=part_size)
        await to_thread.run_sync(_create, self._files, session.storage_id)
        row = OpenSession(
            id=session.storage_id, key=key, part_size=part_size, content_type=content_type, begun_at=self._clock.now()
        )
        await self._db.write(partial(insert_session, row))
        return session

    async def sign(
        self,
        session: Session,
        parts: Sequence[PartSlot],
        *,
        expires_at: float,
        checksum: Checksum | None = None,
    ) -> Sequence[SignedPart]:
        """See the port."""
        if checksum is not None and session.method != "single":
            raise ValueError("only the one part of a single session can have the object's checksum")
        return [self._sign(session, part, expires_at, checksum) for part in parts]

    async def list_parts(self, session: Session) -> Sequence[StoredPart]:
        """See the port."""
        if session.method == "single":
            ref = found_at(self._db, session.key)
            return [_whole(ref)] if ref else []
        return [part.stored() for part in find_parts(self._db, session.storage_id)]

    async def complete(self, session: Session, parts: Sequence[StoredPart]) -> ObjectRef:
        """See the port. Parts named twice or out of order are a bug: `ValueError`."""
        numbers = [part.number for part in parts]
        if numbers != sorted(set(numbers)):
            raise ValueError("parts are named once, in order")
        if session.method == "single":
            return self._look(session, parts)
        if done := self._completed(session, parts):
            return done
        async with self._locked(session.storage_id) as file:
            return self._completed(session, parts) or await self._join(file, session, parts)

    async def checksum(self, ref: ObjectRef, wanted: Checksum) -> Checksum | None:
        """See the port. SHA-256 is known where it was signed; else the file is read once."""
        source = await self._objects.open(ref)
        column = wanted.algorithm.value
        ((value,),) = self._db.read(f"SELECT {column} FROM objects WHERE key = ?", (ref.key,))  # noqa: S608 - a name of ours
        if value is not None:
            return Checksum(algorithm=wanted.algorithm, value=value)
        return await to_thread.run_sync(_digest, source.local_path, wanted.algorithm)

    async def abort(self, session: Session) -> None:
        """See the port."""
        if session.method == "single":
            await self._objects.end(session.key)
            return
        try:
            async with self._locked(session.storage_id):
                await self._end(session.storage_id)
        except NotFound:  # it is over already, or a power cut has taken its file
            await self._end(session.storage_id)

    async def orphans(self, before: float) -> Sequence[Session]:
        """See the port. Single sessions are none: like S3, this store keeps nothing of them but their object."""
        rows = self._db.read("SELECT id, key, part_size FROM sessions WHERE begun_at < ?", (before,))
        return [
            Session(key=key, storage_id=id_, method="multipart", part_size=part_size) for id_, key, part_size in rows
        ]

    def _sign(self, session: Session, part: PartSlot, expires_at: float, checksum: Checksum | None) -> SignedPart:
        _check_slot(session, part)
        ticket = Ticket(
            does="put",
            key=session.key,
            expires_at=expires_at,
            storage_id=session.storage_id,
            number=part.number,
            size=part.size,
            size_max=part.size_max,
            part_size=session.part_size,
            checksum=f"{checksum.algorithm}:{checksum.value}" if checksum else "",
            content_type=session.content_type,
        )
        url = PATH + seal(ticket, self._secret)
        return SignedPart(number=part.number, size=part.size, url=url, expires_at=expires_at)

    async def _end(self, storage_id: str) -> None:
        asides = await self._db.write(partial(end_session, storage_id))
        await self._drop([*asides, storage_id])

    def _look(self, session: Session, parts: Sequence[StoredPart]) -> ObjectRef:
        """The object is there since its PUT, and no other will replace it."""
        ref = found_at(self._db, session.key)
        if ref is None or [*parts] != [_whole(ref)]:
            raise NotFound("the file is missing or is another one")
        return ref

    def _completed(self, session: Session, parts: Sequence[StoredPart]) -> ObjectRef | None:
        rows = self._db.read(
            "SELECT version, etag, size FROM objects WHERE key = ? AND made_of = ?",
            (session.key, digest_of(session, parts)),
        )
        if not rows:
            return None
        version, etag, size = rows[0]
        return ObjectRef(key=session.key, version=version, etag=etag, size=size)

    async def _join(self, file: int, session: Session, wanted: Sequence[StoredPart]) -> ObjectRef:
        row = find_session(self._db, session.storage_id)
        there = find_parts(self._db, row.id)
        parts = choose(there, wanted)
        in_place = is_in_place(row, parts, len(there))
        asides: list[str] = []
        new = NewObject(
            key=row.key,
            version=await (self._assemble if in_place else self._assemble_anew)(file, row, parts),
            size=sum(part.size for part in parts),
            content_type=row.content_type,
            at=self._clock.now(),
            checksums=checksums_of(parts),
            made_of=digest_of(session, wanted),
        )
        ref = await self._objects.name(new, partial(finish, new, row.id, asides))
        await self._drop(asides if new.version == row.id else [*asides, row.id])
        return ref

    async def _assemble(self, file: int, session: OpenSession, parts: Sequence[PartRow]) -> str:
        """Make the session's file the object, which it mostly is; its name."""
        if any(part.aside for part in parts) or os.fstat(file).st_size != sum(part.size for part in parts):
            await self._db.write(partial(count_assembly, session.id, len(parts)))
            await to_thread.run_sync(assemble, self._files, file, session, parts, limiter=self._assemblers)
        return session.id

    async def _assemble_anew(self, file: int, session: OpenSession, parts: Sequence[PartRow]) -> str:
        """Make the object a new file of its own; its name."""
        name = new_name()
        await to_thread.run_sync(assemble_anew, self._files, file, session, parts, name, limiter=self._assemblers)
        return name

    async def _drop(self, names: Sequence[str]) -> None:
        with translating():
            for name in names:
                await to_thread.run_sync(self._files.remove_incoming, name, limiter=self._assemblers)

    @asynccontextmanager
    async def _locked(self, storage_id: str) -> AsyncIterator[int]:
        """The session's file, locked against everybody. Asks again and again, so that no thread stands waiting."""
        with translating():
            file = os.open(self._files.incoming(storage_id), os.O_RDWR | os.O_CLOEXEC)
        try:
            with anyio.move_on_after(_LOCK_SECONDS) as patience:
                while not try_lock(file):  # noqa: ASYNC110 - the other holder may be another process
                    await anyio.sleep(_LOCK_RETRY_SECONDS)
            if patience.cancelled_caught:
                raise Unavailable("the upload is busy")
            yield file
        finally:
            os.close(file)


def _whole(ref: ObjectRef) -> StoredPart:
    """An object as the one part of its single session."""
    return StoredPart(number=1, size=ref.size, etag=ref.etag)


def _check_slot(session: Session, part: PartSlot) -> None:
    size = part.size_max if part.size is None else part.size
    too_large = session.method == "multipart" and size > session.part_size
    if part.number < 1 or (session.method == "single" and part.number > 1) or too_large or size < 0:
        raise ValueError(f"a {session.method} session has no part {part.number} of {size} bytes")


def _create(files: Files, name: str) -> None:
    with translating():
        os.close(files.create(name))
        files.sync_folder()


def _digest(path: str, algorithm: Algorithm) -> Checksum:
    digest = Digest(algorithm)
    with translating(), Path(path).open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return digest.checksum()
