"""`MemoryUploadStore`: upload sessions with S3's limits, and more: exact lengths and checksums are always enforced.

Signed URLs are paths that `gateway.MemoryGateway` answers. Of a single session nothing is kept but its object, and that
it is over when it was aborted.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from anyio.lowlevel import checkpoint

from smmu.adapters.inmemory.objects import pinned, store
from smmu.adapters.inmemory.world import PartRow, SessionRow, World
from smmu.domain.limits import (
    OBJECT_BYTES_MAX,
    PART_BYTES_MAX,
    PART_BYTES_MIN,
    PART_COUNT_MAX,
    SINGLE_PUT_BYTES_MAX,
)
from smmu.domain.values import Checksum, ObjectRef
from smmu.ports.checksums import Digest
from smmu.ports.errors import Corrupt, NotFound
from smmu.ports.gateway import PATH
from smmu.ports.system import Clock
from smmu.ports.tickets import Ticket, seal
from smmu.ports.uploads import PartSlot, Session, SignedPart, StoredPart, UploadStore


@dataclass(frozen=True, slots=True)
class MemoryUploadStore(UploadStore):
    """The sessions of one world. `part_bytes_min` is S3's; tests with small parts lower it."""

    world: World
    clock: Clock
    part_bytes_min: int = PART_BYTES_MIN

    async def begin(
        self, key: str, *, method: Literal["single", "multipart"], part_size: int, content_type: str
    ) -> Session:
        """Open a session."""
        if method == "multipart" and not self.part_bytes_min <= part_size <= PART_BYTES_MAX:
            raise ValueError(f"parts of {part_size} bytes")
        await checkpoint()
        if method == "single":
            return Session(key=key, storage_id="", method=method, content_type=content_type)
        session = Session(key=key, storage_id=f"s{self.world.next_write()}", method=method, part_size=part_size)
        self.world.sessions[session.storage_id] = SessionRow(
            key=key, part_size=part_size, content_type=content_type, begun_at=self.clock.now()
        )
        return session

    async def sign(
        self,
        session: Session,
        parts: Sequence[PartSlot],
        *,
        expires_at: float,
        checksum: Checksum | None = None,
    ) -> Sequence[SignedPart]:
        """Seal a ticket for each part. Whether the session is still open is seen when the part arrives, as on S3."""
        if checksum is not None and session.method != "single":
            raise ValueError("a checksum of the whole object cannot be asked of one part")
        for part in parts:
            _possible(session, part)
        await checkpoint()
        return [self._sign(session, part, expires_at, checksum) for part in parts]

    async def list_parts(self, session: Session) -> Sequence[StoredPart]:
        """What has arrived, measured."""
        await checkpoint()
        if session.method == "single":
            return self._single(session.key)
        row = self.world.sessions.get(session.storage_id)
        if row is None or row.state != "open":
            return []
        return [_stored(number, row.parts[number]) for number in sorted(row.parts)]

    async def complete(self, session: Session, parts: Sequence[StoredPart]) -> ObjectRef:
        """Join the parts into one object, once."""
        numbers = [part.number for part in parts]
        if numbers != sorted(set(numbers)):
            raise ValueError("parts are named once, in order")
        await checkpoint()
        if session.method == "single":
            return self._look(session.key, parts)
        row = self._row(session)
        wanted = tuple((part.number, part.etag) for part in parts)
        if row.ref is not None and row.made_of == wanted:
            return pinned(self.world, row.ref).ref
        if row.state != "open":
            raise NotFound("the session is over")
        row.ref = self._join(row, parts)
        row.state, row.made_of, row.parts = "completed", wanted, {}
        return row.ref

    async def checksum(self, ref: ObjectRef, wanted: Checksum) -> Checksum | None:
        """Computed from the bytes, which are here anyway."""
        await checkpoint()
        digest = Digest(wanted.algorithm)
        digest.update(pinned(self.world, ref).data)
        return digest.checksum()

    async def abort(self, session: Session) -> None:
        """Forget the session and what was sent in it. The object of a completed multipart session stays."""
        await checkpoint()
        if session.method == "single":
            self.world.ended.add(session.key)
            self.world.objects.remove(session.key)
            return
        row = self.world.sessions.get(session.storage_id)
        if row is not None and row.state == "open":
            row.state, row.parts = "aborted", {}

    async def orphans(self, before: float) -> Sequence[Session]:
        """Open multipart sessions. A single one leaves nothing behind but an object, and S3 does not know of it."""
        await checkpoint()
        return [
            Session(key=row.key, storage_id=name, method="multipart", part_size=row.part_size)
            for name, row in self.world.sessions.items()
            if row.state == "open" and row.begun_at < before
        ]

    def _row(self, session: Session) -> SessionRow:
        row = self.world.sessions.get(session.storage_id)
        if row is None:
            raise NotFound("there is no such session")
        return row

    def _sign(self, session: Session, part: PartSlot, expires_at: float, checksum: Checksum | None) -> SignedPart:
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
        url = PATH + seal(ticket, self.world.secret)
        return SignedPart(number=part.number, size=part.size, url=url, expires_at=expires_at)

    def _single(self, key: str) -> Sequence[StoredPart]:
        row = self.world.objects.rows.get(key)
        return [] if row is None else [StoredPart(number=1, size=len(row.data), etag=row.ref.etag)]

    def _look(self, key: str, parts: Sequence[StoredPart]) -> ObjectRef:
        there = self._single(key)
        if not there or list(parts) != list(there):
            raise NotFound("the object is missing or is another one")
        return self.world.objects.rows[key].ref

    def _join(self, row: SessionRow, parts: Sequence[StoredPart]) -> ObjectRef:
        if not parts or any(not _is_there(part, row.parts) for part in parts):
            raise NotFound("a part is missing or is another one")
        if any(part.size < self.part_bytes_min for part in parts[:-1]):
            raise Corrupt(f"a part but the last has fewer than {self.part_bytes_min} bytes")
        pieces = [row.parts[part.number] for part in parts]
        etag = _etag_of_parts(pieces)
        data = b"".join(piece.data for piece in pieces)
        return store(self.world, row.key, data, content_type=row.content_type, now=self.clock.now(), etag=etag)


def _possible(session: Session, part: PartSlot) -> None:
    size = part.size_max if part.size is None else part.size
    single = session.method == "single"
    numbers, bytes_max = (1, SINGLE_PUT_BYTES_MAX) if single else (PART_COUNT_MAX, session.part_size)
    if not (1 <= part.number <= numbers and 0 <= size <= min(bytes_max, OBJECT_BYTES_MAX)):
        raise ValueError(f"a {session.method} session has no part {part.number} of {size} bytes")


def _stored(number: int, part: PartRow) -> StoredPart:
    return StoredPart(number=number, size=len(part.data), etag=part.etag)


def _is_there(part: StoredPart, parts: Mapping[int, PartRow]) -> bool:
    row = parts.get(part.number)
    return row is not None and _stored(part.number, row) == part


def _etag_of_parts(parts: Sequence[PartRow]) -> str:
    """S3's: the MD5 of the parts' MD5s, and how many they were."""
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"
