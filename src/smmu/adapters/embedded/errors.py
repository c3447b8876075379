"""How SQLite and the file system fail, said in the ports' words. Nothing else in this family names their errors.

It refuses to guess: what it does not know is left as it is, because it is our bug and not the world's.
"""

import errno
import sqlite3
from contextlib import AbstractContextManager

from smmu.ports.errors import Corrupt, Denied, Full, NotFound, Unavailable, WorldError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PRIMARY = 0xFF  # SQLite's extended result codes keep the kind in their lowest byte

_SQLITE: dict[int, tuple[type[WorldError], str]] = {
    sqlite3.SQLITE_FULL: (Full, "there is no room left for the database"),
    sqlite3.SQLITE_CORRUPT: (Corrupt, "the database is damaged"),
    sqlite3.SQLITE_NOTADB: (Corrupt, "the database file is not a database"),
    sqlite3.SQLITE_BUSY: (Unavailable, "the database is busy"),
    sqlite3.SQLITE_LOCKED: (Unavailable, "the database is busy"),
    sqlite3.SQLITE_IOERR: (Unavailable, "the database could not be read or written"),
    sqlite3.SQLITE_CANTOPEN: (Unavailable, "the database could not be opened"),
    sqlite3.SQLITE_READONLY: (Unavailable, "the database cannot be written"),
    sqlite3.SQLITE_NOMEM: (Unavailable, "there is no memory left for the database"),
    sqlite3.SQLITE_INTERRUPT: (Unavailable, "the database was interrupted"),
}


class _Translating:
    """A class and not a generator: it is around every statement, and most of them take no longer than a generator."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise what the error is in our words, if it is one of theirs."""
        if isinstance(error, (sqlite3.Error, OSError)) and (said := translated(error)) is not error:
            raise said from error


_TRANSLATING = _Translating()


def translating() -> AbstractContextManager[None]:
    """Turn what SQLite and the file system raise into `ports.errors`; a bug passes through as it is."""
    return _TRANSLATING


def translated(error: sqlite3.Error | OSError) -> Exception:
    """What an error is in our words; itself when it is our bug."""
    if isinstance(error, OSError):
        return _of_file_system(error)
    known = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY)
    return known[0](f"{known[1]}: {error}") if known else error


def _of_file_system(error: OSError) -> WorldError:
    if error.errno in _NO_ROOM:
        return Full(f"there is no room left on the disk: {error.strerror}")
    if isinstance(error, FileNotFoundError):
        return NotFound("the file is gone")
    if isinstance(error, PermissionError):
        return Denied(f"the file may not be touched: {error.strerror}")
    return Unavailable(f"the disk failed: {error.strerror or error}")
