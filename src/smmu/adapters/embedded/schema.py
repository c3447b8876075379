"""The tables, as steps in order. A step that was ever released is never changed: a new one is added behind it.

`records` has its rows apart from their key (no WITHOUT ROWID): values of 1–4 KiB would not fit the cells of an index
tree and would cost an overflow page each.

`messages.turn` is the place of a message in a fair order (see queue.py); `turns` has the turn last delivered.
`objects` names the one file that an object is; a file that no row names does not exist (see files.py). `made_of` is a
digest of the multipart session and the parts it was completed from, or says that a single PUT has made it. `garbage`
names files whose object is gone and that are still to be removed. A multipart session has a row while it takes bytes.
`ended` has the keys whose single session was over at that time (see rows.py). `words` is what search.py looks in.
"""

import sqlite3

from smmu.ports.errors import Corrupt

_FIRST = """
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    tbl TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL,
    version INTEGER NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL, due_at REAL, value BLOB NOT NULL
);
CREATE UNIQUE INDEX records_key ON records (tbl, owner, id);
CREATE INDEX records_due ON records (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE counters (
    owner TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (owner, name)
) WITHOUT ROWID;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, message BLOB NOT NULL);
CREATE INDEX outbox_id ON outbox (id);

CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, grp TEXT NOT NULL, turn INTEGER NOT NULL, visible_at REAL NOT NULL,
    receipt TEXT, receives INTEGER NOT NULL DEFAULT 0, message BLOB NOT NULL
);
CREATE INDEX messages_turn ON messages (topic, turn, visible_at);
CREATE INDEX messages_group ON messages (topic, grp, turn);
CREATE TABLE turns (topic TEXT PRIMARY KEY, turn INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE dead_letters (seq INTEGER PRIMARY KEY AUTOINCREMENT, message BLOB NOT NULL);

CREATE TABLE objects (
    key TEXT PRIMARY KEY, version TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
    content_type TEXT NOT NULL, modified_at REAL NOT NULL,
    crc64nvme TEXT NOT NULL, crc32c TEXT NOT NULL, sha256 TEXT, made_of TEXT
);
CREATE TABLE garbage (version TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, part_size INTEGER NOT NULL, content_type TEXT NOT NULL,
    begun_at REAL NOT NULL, assemblies INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sessions_begun ON sessions (begun_at);
CREATE TABLE parts (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, crc64nvme TEXT NOT NULL, crc32c TEXT NOT NULL, aside TEXT,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
"""

_SINGLES_WITHOUT_ROWS = """
DELETE FROM sessions WHERE id = key;
CREATE TABLE ended (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX ended_at ON ended (at);
"""

_WORDS = """
CREATE TABLE words (
    owner TEXT NOT NULL, word TEXT NOT NULL, media TEXT NOT NULL, PRIMARY KEY (owner, word, media)
) WITHOUT ROWID;
CREATE INDEX words_media ON words (owner, media);
"""

STEPS: tuple[str, ...] = (_FIRST, _SINGLES_WITHOUT_ROWS, _WORDS)


def migrate(connection: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Bring the database to the newest form, in one transaction. Refuses one that a newer program has made."""
    if _version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _take(connection, steps)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _take(connection: sqlite3.Connection, steps: tuple[str, ...]) -> None:
    done = _version(connection)  # again: another process may have been first
    if done > len(steps):
        raise Corrupt(f"the data was written by a newer smmu (form {done}; this one knows {len(steps)})")
    for step in steps[done:]:
        for statement in filter(str.strip, step.split(";")):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(steps)}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
