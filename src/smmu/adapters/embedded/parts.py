"""Rows of multipart sessions and their parts, and how parts become one file.

Storage of a multipart session: one file with the session's id, in `incoming`. Part n is written at its place in it,
`(n - 1) * part_size`, when it comes for the first time, so that completing moves no bytes. A part that comes again is
a file of its own (`aside`) and counts from the commit that names it; completing copies it to its place. Copying again
after a crash does no harm: the row still says where the part is.

Before completing changes the session's file it counts an assembly. A part that was on its way to its place meanwhile
may have been copied over or cut off, so it is refused when it wants to count, and its sender sends it again.
"""

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import Files, closing_file, copy_into, write_at
from smmu.adapters.embedded.intake import Digests
from smmu.adapters.embedded.rows import NewObject, etag_of, put_row
from smmu.domain.values import Algorithm, Checksum
from smmu.ports.checksums import Span, combine
from smmu.ports.errors import NotFound, Unavailable
from smmu.ports.uploads import Session, StoredPart

_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session that takes bytes."""

    id: str
    key: str
    part_size: int
    content_type: str
    begun_at: float
    assemblies: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part that is durable: in its place, or in the file `aside`."""

    session: str
    number: int
    size: int
    etag: str
    crc64nvme: str
    crc32c: str
    aside: str | None

    def stored(self) -> StoredPart:
        """What callers see of it."""
        return StoredPart(number=self.number, size=self.size, etag=self.etag)

    def span(self, algorithm: Algorithm) -> Span:
        """Its checksum, to be combined."""
        value = self.crc64nvme if algorithm is Algorithm.CRC64NVME else self.crc32c
        return Span(Checksum(algorithm=algorithm, value=value), self.size)


def find_session(database: Database, session_id: str) -> OpenSession:
    """The session. Raises `NotFound` when it is over, or never was."""
    rows = database.read(
        "SELECT id, key, part_size, content_type, begun_at, assemblies FROM sessions WHERE id = ?", (session_id,)
    )
    if not rows:
        raise NotFound("the upload is over")
    names = ("id", "key", "part_size", "content_type", "begun_at", "assemblies")
    return OpenSession(**dict(zip(names, rows[0], strict=True)))


def find_parts(database: Database, session_id: str, number: int | None = None) -> list[PartRow]:
    """The parts of a session by number, or the one of that number."""
    rows = database.read(
        "SELECT number, size, etag, crc64nvme, crc32c, aside FROM parts"
        " WHERE session = :session AND (:number IS NULL OR number = :number) ORDER BY number",
        {"session": session_id, "number": number},
    )
    return [
        PartRow(session=session_id, number=n, size=size, etag=etag, crc64nvme=crc64, crc32c=crc32, aside=aside)
        for n, size, etag, crc64, crc32, aside in rows
    ]


def part_of(session: OpenSession, number: int, size: int, digests: Digests, aside: str | None) -> PartRow:
    """The row of a part that has just come."""
    known = digests.known()
    crc64 = known[Algorithm.CRC64NVME]
    return PartRow(
        session=session.id,
        number=number,
        size=size,
        etag=etag_of(crc64),
        crc64nvme=crc64.value,
        crc32c=known[Algorithm.CRC32C].value,
        aside=aside,
    )


def insert_session(session: OpenSession, connection: sqlite3.Connection) -> None:
    """Begin it."""
    connection.execute(
        "INSERT INTO sessions (id, key, part_size, content_type, begun_at) VALUES (?, ?, ?, ?, ?)",
        (session.id, session.key, session.part_size, session.content_type, session.begun_at),
    )


def record_part(part: PartRow, connection: sqlite3.Connection) -> list[str]:
    """Make a part count; which file aside it replaces. Raises `NotFound` when the session is over."""
    require_open(part.session, connection)
    replaced = connection.execute(
        "DELETE FROM parts WHERE session = ? AND number = ? RETURNING aside", (part.session, part.number)
    ).fetchall()
    connection.execute(
        "INSERT INTO parts (session, number, size, etag, crc64nvme, crc32c, aside) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (part.session, part.number, part.size, part.etag, part.crc64nvme, part.crc32c, part.aside),
    )
    return [aside for (aside,) in replaced if aside]


def record_in_place(part: PartRow, assemblies: int, connection: sqlite3.Connection) -> list[str]:
    """As `record_part`, for one in its place: `assemblies` is how many there had been when it began to come."""
    counted = connection.execute("SELECT assemblies FROM sessions WHERE id = ?", (part.session,)).fetchall()
    if counted and counted[0][0] != assemblies:
        raise Unavailable("the upload was about to be completed while this part came: send it again")
    return record_part(part, connection)


def count_assembly(session_id: str, parts: int, connection: sqlite3.Connection) -> None:
    """The session's file is about to be changed. Raises `Unavailable` when it has other than so many parts by now."""
    rows = connection.execute("SELECT count(*) FROM parts WHERE session = ?", (session_id,)).fetchall()
    if rows[0][0] != parts:
        raise Unavailable("a part came while the upload was being completed: complete it again")
    connection.execute("UPDATE sessions SET assemblies = assemblies + 1 WHERE id = ?", (session_id,))


def require_open(session_id: str, connection: sqlite3.Connection) -> None:
    """Raise `NotFound` when the session is over."""
    if not connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session_id,)).fetchall():
        raise NotFound("the upload is over")


def end_session(session_id: str, connection: sqlite3.Connection) -> list[str]:
    """End a session, if it is open; which files aside nobody needs any more."""
    asides = connection.execute(
        "SELECT aside FROM parts WHERE session = ? AND aside IS NOT NULL", (session_id,)
    ).fetchall()
    connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
    return [aside for (aside,) in asides]


def finish(new: NewObject, session_id: str, asides: list[str], connection: sqlite3.Connection) -> list[str]:
    """Name the object and end its session, at once. Puts the files aside that nobody needs any more in `asides`."""
    require_open(session_id, connection)
    asides[:] = end_session(session_id, connection)  # set, not added to: this may run twice
    return put_row(new, connection)


def choose(rows: Sequence[PartRow], wanted: Sequence[StoredPart]) -> list[PartRow]:
    """The rows of exactly the wanted parts. Raises `NotFound` when one is missing or is another one."""
    there = {row.number: row for row in rows}
    chosen = [there.get(part.number) for part in wanted]
    for part, row in zip(wanted, chosen, strict=True):
        if row is None or row.stored() != part:
            raise NotFound(f"part {part.number} is missing or is another one")
    if not chosen:
        raise NotFound("there are no parts")
    return [row for row in chosen if row is not None]


def digest_of(session: Session, wanted: Sequence[StoredPart]) -> str:
    """What `NewObject.made_of` says of an object: which session and which parts."""
    named = [session.storage_id, *(f"{part.number} {part.size} {part.etag}" for part in wanted)]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()


def checksums_of(parts: Sequence[PartRow]) -> dict[Algorithm, Checksum]:
    """The checksums of the whole, from those of the parts."""
    found = {
        algorithm: combine(part.span(algorithm) for part in parts)
        for algorithm in (Algorithm.CRC64NVME, Algorithm.CRC32C)
    }
    return {algorithm: checksum for algorithm, checksum in found.items() if checksum is not None}


def is_in_place(session: OpenSession, parts: Sequence[PartRow], there: int) -> bool:
    """Whether the places of these parts, one behind the other, are the object, and there are no others."""
    *before, _ = parts
    return (
        len(parts) == there
        and all(part.size == session.part_size for part in before)
        and all(part.number == place for place, part in enumerate(parts, start=1))
    )


def assemble(files: Files, file: int, session: OpenSession, parts: Sequence[PartRow]) -> None:
    """Make the session's file the object: bring in what is aside, and cut off what is not wanted."""
    size = sum(part.size for part in parts)
    with translating():
        asides = [part for part in parts if part.aside]
        for part in asides:
            copy_into(file, (part.number - 1) * session.part_size, files.incoming(str(part.aside)))
        if too_long := os.fstat(file).st_size > size:
            os.ftruncate(file, size)
        if asides or too_long:
            os.fdatasync(file)


def assemble_anew(files: Files, file: int, session: OpenSession, parts: Sequence[PartRow], name: str) -> None:
    """Make the object a new file, where the parts' places are not one behind the other: some are left out."""
    with translating():
        with closing_file(files.create(name)) as new:
            offset = 0
            for part in parts:
                if part.aside:
                    copy_into(new, offset, files.incoming(part.aside))
                else:
                    _copy_range(file, (part.number - 1) * session.part_size, new, offset, part.size)
                offset += part.size
            os.fsync(new)
        files.sync_folder()


def _copy_range(source: int, start: int, target: int, offset: int, length: int) -> None:
    for done in range(0, length, _COPY_BYTES):
        chunk = os.pread(source, min(_COPY_BYTES, length - done), start + done)
        write_at(target, [chunk], offset + done)
