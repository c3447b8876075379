"""`MemoryGateway`: takes and serves bytes for the paths that the in-memory stores sign.

A part is kept only when all of it has arrived and is exactly what was signed; until then it is in no one's sight.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from anyio.lowlevel import checkpoint

from smmu.adapters.inmemory.objects import MemorySource, etag_of, info_of, pinned, store
from smmu.adapters.inmemory.uploads import session_name
from smmu.adapters.inmemory.weather import CALM, Weather
from smmu.adapters.inmemory.world import PartRow, SessionRow, World
from smmu.domain.tickets import Ticket, unseal
from smmu.domain.values import Algorithm, ObjectRef
from smmu.ports.checksums import Digest
from smmu.ports.errors import Corrupt, Denied, NotFound
from smmu.ports.gateway import Gateway, Served
from smmu.ports.system import Clock
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
        self._session(ticket)
        data = await _read_whole(ticket, length, body)
        _verify(ticket, data)
        row = self._session(ticket)  # again: it may have ended while the bytes came
        part = PartRow(data=data, etag=etag_of(data))
        if row.method == "single":
            store(self.world, row.key, data, content_type=row.content_type, now=self.clock.now())
        else:
            row.parts[ticket.number] = part
        return StoredPart(number=ticket.number, size=len(data), etag=part.etag)

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

    def _session(self, ticket: Ticket) -> SessionRow:
        row = self.world.sessions.get(session_name(ticket.storage_id, ticket.key))
        if row is None:
            raise NotFound("there is no such session")
        late = row.method == "single" and self.weather.late_single_puts
        if row.state != "open" and not late:
            raise NotFound("the session is over")
        return row


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
