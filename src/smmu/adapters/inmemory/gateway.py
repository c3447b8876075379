"""`MemoryGateway`: takes and serves bytes for the paths that the in-memory stores sign.

A part is kept only when all of it has arrived and is exactly what was signed; until then it is in no one's sight.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from anyio.lowlevel import checkpoint

from smmu.adapters.inmemory.objects import MemorySource, etag_of, info_of, pinned, store
from smmu.adapters.inmemory.weather import CALM, Weather
from smmu.adapters.inmemory.world import PartRow, World
from smmu.domain.values import Algorithm, ObjectRef
from smmu.ports.checksums import Digest
from smmu.ports.errors import AlreadyExists, Corrupt, Denied, NotFound
from smmu.ports.gateway import Gateway, Served
from smmu.ports.system import Clock
from smmu.ports.tickets import Ticket, unseal
from smmu.ports.uploads import StoredPart


@dataclass(frozen=True, slots=True)
class MemoryGateway(Gateway):
    """The signed paths of one world."""

    world: World
    clock: Clock
    weather: Weather = CALM

    async def receive(self, token: str, length: int | None, body: AsyncIterator[bytes]) -> StoredPart:
        """Take a part whole."""
        ticket = self._ticket(token, "put")
        await checkpoint()
        keep = self._keep_part if ticket.storage_id else self._keep_object
        self._require_open(ticket)
        data = await _read_whole(ticket, length, body)
        _verify(ticket, data)
        self._require_open(ticket)  # again: it may have ended while the bytes came
        return StoredPart(number=ticket.number, size=len(data), etag=keep(ticket, data))

    async def open(self, token: str) -> Served:
        """Open a pinned version."""
        ticket = self._ticket(token, "get")
        await checkpoint()
        ref = ObjectRef(key=ticket.key, version=ticket.version, etag=ticket.etag, size=ticket.size or 0)
        info = info_of(pinned(self.world, ref))
        return Served(info=info, source=MemorySource(self.world, info.ref), filename=ticket.filename or None)

    def _ticket(self, token: str, use: Literal["put", "get"]) -> Ticket:
        ticket = unseal(token, self.world.secret)
        if ticket is None or ticket.does != use:
            raise Denied("the URL is not signed for this")
        if ticket.expires_at <= self.clock.now():
            raise Denied("the URL has expired")
        return ticket

    def _require_open(self, ticket: Ticket) -> None:
        if ticket.storage_id:
            row = self.world.sessions.get(ticket.storage_id)
            over = row is None or row.state != "open"
        else:
            over = ticket.key in self.world.ended and not self.weather.late_single_puts
        if over:
            raise NotFound("the session is over")

    def _keep_part(self, ticket: Ticket, data: bytes) -> str:
        part = PartRow(data=data, etag=etag_of(data))
        self.world.sessions[ticket.storage_id].parts[ticket.number] = part
        return part.etag

    def _keep_object(self, ticket: Ticket, data: bytes) -> str:
        """Written once: the same bytes again are what is there already."""
        there = self.world.objects.rows.get(ticket.key)
        if there is not None and there.data != data:
            raise AlreadyExists("the object is there already, with other bytes")
        if there is not None:
            return there.ref.etag
        now, content_type = self.clock.now(), ticket.content_type
        return store(self.world, ticket.key, data, content_type=content_type, now=now, sent=True).etag


async def _read_whole(ticket: Ticket, length: int | None, body: AsyncIterator[bytes]) -> bytes:
    """The body, when it has exactly the signed length (or, where that is unknown, no more than the signed ceiling)."""
    bound = ticket.size_max if ticket.size is None else ticket.size
    _agree(length, ticket.size, bound)
    chunks, size = [], 0
    async for chunk in body:
        size += len(chunk)
        if size > bound:
            raise Corrupt(f"the body has more than the {bound} bytes that were signed")
        chunks.append(bytes(chunk))
    _agree(size, ticket.size, bound)
    if length is not None and size != length:
        raise Corrupt(f"the body has {size} bytes, not the {length} that were announced")
    return b"".join(chunks)


def _agree(length: int | None, size: int | None, bound: int) -> None:
    if length is not None and (length > bound or (size is not None and length != size)):
        raise Corrupt(f"{length} bytes, where {'at most ' if size is None else ''}{bound} were signed")


def _verify(ticket: Ticket, data: bytes) -> None:
    if not ticket.checksum:
        return
    algorithm, _, value = ticket.checksum.partition(":")
    digest = Digest(Algorithm(algorithm))
    digest.update(data)
    if digest.checksum().value != value:
        raise Corrupt(f"the {algorithm} checksum of the body is not the one that was signed")
