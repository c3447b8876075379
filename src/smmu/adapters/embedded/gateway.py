"""`FileGateway`: brings what arrives at signed URLs to its place on disk, and opens what read tickets name.

Costs of a part: one hop to a thread for each MiB, while the next is being received; one sync of its data; one shared
commit that makes it count. Memory: 2 MiB for each part under way. It refuses by declared length before it reads.

A first part is written at its place in the session's file. A part that is there already, or is on its way already, is
written aside and takes over in one commit when it is whole: the last one to be complete wins, and none is ever torn.
"""

import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
from anyio import to_thread

from smmu.adapters.embedded.database import Database, Work
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import Files, closing_file, new_name
from smmu.adapters.embedded.intake import Digests, Expected, Slot, pour
from smmu.adapters.embedded.objects import FileObjectStore
from smmu.adapters.embedded.parts import (
    OpenSession,
    PartRow,
    find_parts,
    find_session,
    part_of,
    record_in_place,
    record_part,
)
from smmu.adapters.embedded.rows import SENT, NewObject, pinned, require_not_ended
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.errors import Denied
from smmu.ports.gateway import Gateway, Served
from smmu.ports.system import Clock
from smmu.ports.tickets import Ticket, unseal
from smmu.ports.uploads import StoredPart

Bytes = AsyncIterator[bytes]


class FileGateway(Gateway):
    """The signed URLs of one data folder."""

    def __init__(self, database: Database, files: Files, objects: FileObjectStore, clock: Clock, secret: bytes) -> None:
        self._db = database
        self._files = files
        self._objects = objects
        self._clock = clock
        self._secret = secret
        self._placing: set[tuple[str, int]] = set()  # parts on their way to their place: one at a time

    async def receive(self, token: str, length: int | None, body: Bytes) -> StoredPart:
        """See the port."""
        ticket = self._ticket(token, "put")
        expected = Expected(
            size=ticket.size, size_max=ticket.size_max, checksum=_checksum(ticket.checksum), announced=length
        )
        if not ticket.storage_id:
            return await self._take_whole(ticket, body, expected)
        session = find_session(self._db, ticket.storage_id)
        expected.check_announced()
        slot = (session.id, ticket.number)
        if slot in self._placing or find_parts(self._db, *slot):
            return await self._take_aside(session, ticket.number, body, expected)
        self._placing.add(slot)
        try:
            return await self._take_in_place(session, ticket.number, body, expected)
        finally:
            self._placing.remove(slot)

    async def open(self, token: str) -> Served:
        """See the port."""
        ticket = self._ticket(token, "get")
        ref = ObjectRef(key=ticket.key, version=ticket.version, etag=ticket.etag, size=ticket.size or 0)
        info = pinned(self._db, ref)
        return Served(info=info, source=await self._objects.open(info.ref), filename=ticket.filename or None)

    def _ticket(self, token: str, use: Literal["put", "get"]) -> Ticket:
        ticket = unseal(token, self._secret)
        if ticket is None or ticket.does != use:
            raise Denied("this URL was not signed for that")
        if ticket.expires_at <= self._clock.now():
            raise Denied("the time of this URL is over")
        return ticket

    async def _take_whole(self, ticket: Ticket, body: Bytes, expected: Expected) -> StoredPart:
        """A single session's part: it is the object as soon as it is whole."""
        require_not_ended(self._db, ticket.key)
        expected.check_announced()
        name = new_name()
        size, digests = await self._write_new(name, body, expected)
        new = NewObject(
            key=ticket.key,
            version=name,
            size=size,
            content_type=ticket.content_type,
            at=self._clock.now(),
            checksums=digests.known(),
            made_of=SENT,
        )
        with self._files.unless_refused(name):
            ref = await self._objects.take(new)
        return StoredPart(number=1, size=size, etag=ref.etag)

    async def _take_aside(self, session: OpenSession, number: int, body: Bytes, expected: Expected) -> StoredPart:
        name = new_name()
        size, digests = await self._write_new(name, body, expected)
        with self._files.unless_refused(name):
            part = part_of(session, number, size, digests, name)
            return await self._record(part, partial(record_part, part))

    async def _take_in_place(self, session: OpenSession, number: int, body: Bytes, expected: Expected) -> StoredPart:
        path, digests = self._files.incoming(session.id), Digests()
        with closing_file(_open(path)) as file:
            slot = Slot(file, (number - 1) * session.part_size, digests, shared_path=path)
            size = await pour(body, slot, expected)
            expected.check(size, digests)
            await to_thread.run_sync(slot.sync)
        part = part_of(session, number, size, digests, None)
        return await self._record(part, partial(record_in_place, part, session.assemblies))

    async def _write_new(self, name: str, body: Bytes, expected: Expected) -> tuple[int, Digests]:
        """Bring the stream to a file of its own, durable, or leave nothing."""
        digests = Digests(expected.checksum)
        try:
            with closing_file(self._create(name)) as file:
                slot = Slot(file, 0, digests)
                size = await pour(body, slot, expected)
                expected.check(size, digests)
                await to_thread.run_sync(slot.sync)
            await to_thread.run_sync(self._sync_folder)
        except BaseException:
            with anyio.CancelScope(shield=True):  # bounded by the removing of one file
                await to_thread.run_sync(self._files.remove_incoming, name)
            raise
        return size, digests

    async def _record(self, part: PartRow, work: Work[list[str]]) -> StoredPart:
        with anyio.CancelScope(shield=True):  # bounded as every commit is; whether it counts must be known here
            replaced = await self._db.write(work)
            for name in replaced:
                await to_thread.run_sync(self._files.remove_incoming, name)
        return part.stored()

    def _create(self, name: str) -> int:
        with translating():
            return self._files.create(name)

    def _sync_folder(self) -> None:
        with translating():
            self._files.sync_folder()


def _checksum(text: str) -> Checksum | None:
    algorithm, _, value = text.partition(":")
    return Checksum(algorithm=Algorithm(algorithm), value=value) if text else None


def _open(path: Path) -> int:
    with translating():
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
