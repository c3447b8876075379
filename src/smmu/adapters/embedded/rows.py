"""Rows of objects: what each key holds, and which keys take nothing more.

An object that is sent whole has no session to be opened or closed: its signed ticket is all of it, and its key takes
one object, once. The row of the object says that the key is taken, from the commit that makes it. When the session is
aborted, or its object is deleted, a row in `ended` stays in its place for as long as a URL of it may live, so that a
late PUT finds it over instead of finding a free key.
"""

import base64
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from smmu.adapters.embedded.database import Database, Row
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.errors import AlreadyExists, NotFound
from smmu.ports.objects import ObjectInfo

SENT = "single"  # `made_of` of an object that one PUT has made
INFO = "SELECT key, version, etag, size, content_type, modified_at FROM objects"
_NOT_PINNED = "the object is gone, or has been overwritten"
_ENDED = "SELECT 1 FROM ended WHERE key = ?"


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


def etag_of(crc64nvme: Checksum) -> str:
    """The ETag of bytes with this checksum."""
    return base64.b64decode(crc64nvme.value).hex()


def info_of(row: Row) -> ObjectInfo:
    """What a row of `INFO` says."""
    key, version, etag, size, content_type, modified_at = row
    ref = ObjectRef(key=key, version=version, etag=etag, size=size)
    return ObjectInfo(ref=ref, content_type=content_type, modified_at=modified_at)


def find(database: Database, key: str) -> ObjectInfo | None:
    """What a key holds."""
    rows = database.read(f"{INFO} WHERE key = ?", (key,))
    return info_of(rows[0]) if rows else None


def pinned(database: Database, ref: ObjectRef) -> ObjectInfo:
    """What is known of a pinned version. Raises `NotFound` when its key holds another one, or nothing."""
    found = find(database, ref.key)
    if found is None or found.ref.version != ref.version:
        raise NotFound(_NOT_PINNED)
    return found


def require_pinned(database: Database, ref: ObjectRef) -> None:
    """Raise `NotFound` when the key of a pinned version holds another one, or nothing."""
    if not database.read("SELECT 1 FROM objects WHERE key = ? AND version = ?", (ref.key, ref.version)):
        raise NotFound(_NOT_PINNED)


def found_at(database: Database, key: str) -> ObjectRef | None:
    """What pins the version that a key holds."""
    rows = database.read("SELECT version, etag, size FROM objects WHERE key = ?", (key,))
    if not rows:
        return None
    version, etag, size = rows[0]
    return ObjectRef(key=key, version=version, etag=etag, size=size)


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


def put_row_if_absent(new: NewObject, connection: sqlite3.Connection) -> list[str]:
    """Name the first version of a key. Raises `AlreadyExists` when there is one."""
    if _there(new.key, connection):
        raise AlreadyExists(f"there is an object at {new.key}")
    return put_row(new, connection)


def drop_row(key: str, connection: sqlite3.Connection) -> list[str]:
    """Forget an object; which versions are garbage now."""
    rows = connection.execute("DELETE FROM objects WHERE key = ? RETURNING version", (key,)).fetchall()
    connection.executemany("INSERT INTO garbage VALUES (?)", rows)
    return [version for (version,) in rows]


# --- objects that are sent whole


def require_not_ended(database: Database, key: str) -> None:
    """Raise `NotFound` when the single session of a key is over."""
    _require_none(database.read(_ENDED, (key,)))


def take_row(new: NewObject, connection: sqlite3.Connection) -> ObjectRef:
    """Name the object that a PUT has brought; the one that is there already, when it has the same bytes.

    Raises `NotFound` when the session is over, `AlreadyExists` when other bytes are there.
    """
    _require_none(connection.execute(_ENDED, (new.key,)).fetchall())
    there = _there(new.key, connection)
    if not there:
        put_row(new, connection)
        return new.ref
    if (there[0].etag, there[0].size) != (new.ref.etag, new.ref.size):
        raise AlreadyExists("the file is there already, and it is another one")
    return there[0]


def end_key(key: str, now: float, forgotten: float, connection: sqlite3.Connection) -> list[str]:
    """Take nothing more at this key, and forget its object; which versions are garbage now.

    Ends from before the time `forgotten`, which no URL outlives, are forgotten with it.
    """
    connection.execute("DELETE FROM ended WHERE at < ?", (forgotten,))
    connection.execute("INSERT OR REPLACE INTO ended (key, at) VALUES (?, ?)", (key, now))
    return drop_row(key, connection)


def delete_row(key: str, now: float, forgotten: float, connection: sqlite3.Connection) -> list[str]:
    """As `drop_row`; if the object was sent whole, its key takes nothing more."""
    sent = connection.execute("SELECT 1 FROM objects WHERE key = ? AND made_of = ?", (key, SENT)).fetchall()
    return end_key(key, now, forgotten, connection) if sent else drop_row(key, connection)


def _require_none(ends: list[Row]) -> None:
    if ends:
        raise NotFound("the upload is over")


def _there(key: str, connection: sqlite3.Connection) -> list[ObjectRef]:
    return [info_of(row).ref for row in connection.execute(f"{INFO} WHERE key = ?", (key,)).fetchall()]
