"""`FileGateway`: brings what arrives at signed URLs to its place on disk, and opens what read tickets name.

Costs of a part: one hop to a thread for each MiB, while the next is being received; one sync of its data; one shared
commit that makes it count. Memory: 2 MiB for each part under way. It refuses by declared length before it reads.

A first part is written at its place in the session's file. A part that is there already, or is on its way already, is
written aside and takes over in one commit when it is whole: the last one to be complete wins, and none is ever torn.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal

from anyio import to_thread

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import Files, new_name
from smmu.adapters.embedded.intake import Digests, Expected, Slot, pour
from smmu.adapters.embedded.objects import FileObjectStore, NewObject, pinned
from smmu.adapters.embedded.parts import (
    OpenSession,
    PartRow,
    find_parts,
    find_session,
    part_of,
    record_part,
    require_open,
    row_id,
)
from smmu.domain.tickets import Ticket, unseal
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.errors import Corrupt, Denied
from smmu.ports.gateway import Gateway, Served
from smmu.ports.system import Clock
from smmu.ports.uploads import StoredPart

Bytes = AsyncIterator[bytes]


class FileGateway(Gateway):
    """The signed URLs of one data folder."""

    def __init__(
        self, database: Database, files: Files, objects: FileObjectStore, clock: Clock, secret: bytes
    ) -> None:
        self._db = database
        self._files = files
        self._objects = objects
        self._clock = clock
        self._secret = secret
        self._placing: set[tuple[str, int]] = set()  # parts on their way to their place: one at a time

    async def receive(self, token: str, length: int | None, body: Bytes) -> StoredPart:
        """See the port."""
        ticket = self._ticket(token, "put")
        session = find_session(self._db, row_id(ticket.storage_id, ticket.key))
        expected = Expected(
            size=ticket.size, size_max=ticket.size_max, checksum=_checksum(ticket.checksum), announced=length
        )
        expected.check_announced()
        if not ticket.storage_id:
            return await self._take_whole(session, body, expected)
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
        return Served(
            info=info, source=await self._objects.open(info.ref), filename=ticket.filename or None
        )

    def _ticket(self, token: str, use: Literal["put", "get"]) -> Ticket:
        ticket = unseal(token, self._secret)
        if ticket is None or ticket.does != use:
            raise Denied("this URL was not signed for that")
        if ticket.expires_at <= self._clock.now():
            raise Denied("the time of this URL is over")
        return ticket

    async def _take_whole(self, session: OpenSession, body: Bytes, expected: Expected) -> StoredPart:
        """A single session's part: it is the object as soon as it is whole."""
        with self._new_file() as (name, file):
            size, digests = await self._write_new(file, body, expected)
            new = NewObject(
                key=session.key,
                version=name,
                size=size,
                content_type=session.content_type,
                at=self._clock.now(),
                checksums=digests.known(),
            )
            ref = await self._objects.name(new, session.id)
        return StoredPart(number=1, size=size, etag=ref.etag)

    async def _take_aside(
        self, session: OpenSession, number: int, body: Bytes, expected: Expected
    ) -> StoredPart:
        with self._new_file() as (name, file):
            size, digests = await self._write_new(file, body, expected)
            return await self._record(part_of(session, number, size, digests, name))

    async def _take_in_place(
        self, session: OpenSession, number: int, body: Bytes, expected: Expected
    ) -> StoredPart:
        path, digests = self._files.incoming(session.id), Digests()
        with _opened(path) as file:
            slot = Slot(file, (number - 1) * session.part_size, digests, shared_path=path)
            size = await pour(body, slot, expected)
            expected.check(size, digests)
            await to_thread.run_sync(slot.sync)
        return await self._record(part_of(session, number, size, digests, None))
