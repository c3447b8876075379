"""`SqliteLedger`: records, counters and the outbox in the tables of schema.py; one commit is one savepoint.

Costs: a load is a point read on the event loop (about 10 µs and the decoding). A commit waits for one disk sync, which
it shares with whatever else is being committed. A filtered query may scan the owner's records, so it runs on a thread.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from smmu.adapters.embedded.database import Database
from smmu.domain.limits import COMMIT_BYTES_MAX, COMMIT_CHANGES_MAX, RECORD_BYTES_MAX
from smmu.ports.errors import Conflict, LimitReached
from smmu.ports.ledger import Change, Count, Ledger, Page, Put, Query, V
from smmu.ports.queue import Message, decode_message, encode_message
from smmu.ports.records import (
    HOME,
    Key,
    Stored,
    T,
    decode,
    encode,
    kind_of,
    record_id,
    state_of,
)

Where = tuple[str, str, str]  # table, owner, id
Values = tuple[Any, ...]

_AFTER_ALL = chr(0x10FFFF)  # sorts after every character an id can have, in UTF-8 as in Python
_TABLES: Mapping[Any, str] = {kind: table.value for kind, table in HOME.items()}  # SQLite is slow to take an enum
_KIND_OF_TABLE: Mapping[str, Any] = {table: kind for kind, table in _TABLES.items()}
_INSERT = (
    "INSERT INTO records (version, state, kind, due_at, value, tbl, owner, id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_UPDATE = (
    "UPDATE records SET version = ?, state = ?, kind = ?, due_at = ?, value = ?"
    " WHERE tbl = ? AND owner = ? AND id = ? AND version = ?"
)
_COUNT = (
    "INSERT INTO counters (owner, name, value) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET value = value + excluded.value"
)
_GROW = "UPDATE counters SET value = value + ? WHERE owner = ? AND name = ? AND value + ? <= ?"
_COUNTERS = "SELECT name, value FROM counters WHERE owner = ?"
_REMOVE = "DELETE FROM records WHERE tbl = ? AND owner = ? AND id = ? AND version = ?"


class SqliteLedger(Ledger):
    """The ledger of one data folder."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def load(self, key: Key[T]) -> Stored[T] | None:
        """See the port."""
        rows = self._db.read("SELECT version, value FROM records WHERE tbl = ? AND owner = ? AND id = ?", _where(key))
        return Stored(decode(key.type, rows[0][1]), rows[0][0]) if rows else None

    async def query(self, query: Query[V]) -> Page[V]:
        """See the port."""
        sql, values = _select(query)
        filtered = query.state is not None or query.kind is not None
        rows = await self._db.read_long(sql, values) if filtered else self._db.read(sql, values)
        page = rows[: query.limit]
        items = tuple(Stored(decode(query.type, value), version) for _, version, value in page)
        return Page(items=items, cursor=page[-1][0] if len(rows) > query.limit else None)

    async def commit(self, changes: Sequence[Change], messages: Sequence[Message] = ()) -> None:
        """See the port. More or larger than the limits, or one record twice, is a bug: `ValueError`."""
        await self._db.write(_prepared(changes, messages).run)

    async def counters(self, owner: str) -> Mapping[str, int]:
        """See the port."""
        return dict(self._db.read(_COUNTERS, (owner,)))

    async def due(self, now: float, limit: int) -> Sequence[Key[Any]]:
        """See the port. This one does not lag."""
        rows = self._db.read(
            "SELECT tbl, owner, id FROM records WHERE due_at <= ? ORDER BY due_at LIMIT ?", (now, limit)
        )
        return [Key(_KIND_OF_TABLE[table], owner, id_) for table, owner, id_ in rows]

    async def outgoing(self, limit: int) -> Sequence[Message]:
        """See the port."""
        rows = self._db.read("SELECT message FROM outbox ORDER BY seq LIMIT ?", (limit,))
        return [decode_message(message) for (message,) in rows]

    async def mark_sent(self, message_ids: Sequence[str]) -> None:
        """See the port."""
        ids = [(id_,) for id_ in message_ids]
        if ids:
            await self._db.write(partial(_forget, ids))


def _select(query: Query[V]) -> tuple[str, list[Any]]:
    if query.limit < 1:
        raise ValueError("a page holds at least one record")
    where = ["tbl = ?", "owner = ?"]
    values: list[Any] = [_TABLES[query.type], query.owner]
    for condition, value in (
        ("id >= ?", query.prefix or None),
        ("id < ?", query.prefix + _AFTER_ALL if query.prefix else None),
        ("id < ?" if query.newest else "id > ?", query.after),
        ("state = ?", query.state),
        ("kind = ?", query.kind),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    order = "DESC" if query.newest else "ASC"
    sql = f"SELECT id, version, value FROM records WHERE {' AND '.join(where)} ORDER BY id {order} LIMIT ?"  # noqa: S608 - made of the constants above; every value is bound
    return sql, [*values, query.limit + 1]


def _where(key: Key[T]) -> Where:
    return _TABLES[key.type], key.owner, key.id


@dataclass(slots=True)
class _Commit:
    """Everything of a commit that can be decided before its transaction, as the rows that statements take."""

    inserts: list[Values] = field(default_factory=list)
    updates: list[Values] = field(default_factory=list)
    removals: list[Values] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    notes: list[Values] = field(default_factory=list)
    size: int = 0

    def add(self, change: Change) -> Where:
        """Take a change in; what it names."""
        if isinstance(change, Put):
            return self._put(change)
        if isinstance(change, Count):
            self.counts.append(change)
            return "", change.owner, ""
        where = _where(change.key)
        self.removals.append((*where, change.expect))
        return where

    def note(self, message: Message) -> None:
        data = encode_message(message)
        self.size += len(data)
        self.notes.append((message.id, data))

    def run(self, connection: sqlite3.Connection) -> None:
        """Records before counters: of two reasons to fail, `Conflict` goes first."""
        for statement, rows in ((_INSERT, self.inserts), (_UPDATE, self.updates), (_REMOVE, self.removals)):
            if rows and connection.executemany(statement, rows).rowcount != len(rows):
                raise Conflict("a record is not at the version that was seen any more")
        for count in self.counts:
            _count(count, connection)
        if self.notes:
            connection.executemany("INSERT INTO outbox (id, message) VALUES (?, ?)", self.notes)

    def _put(self, put: Put) -> Where:
        value, data = put.value, encode(put.value)
        if len(data) > RECORD_BYTES_MAX:
            raise ValueError(f"a record has at most {RECORD_BYTES_MAX} bytes")
        self.size += len(data)
        where = (_TABLES[type(value)], value.owner, record_id(value))
        row = (put.expect + 1, state_of(value), kind_of(value), put.due_at, data, *where)
        if put.expect:
            self.updates.append((*row, put.expect))
        else:
            self.inserts.append(row)
        return where


def _prepared(changes: Sequence[Change], messages: Sequence[Message]) -> _Commit:
    if len(changes) + len(messages) > COMMIT_CHANGES_MAX:
        raise ValueError(f"a commit has at most {COMMIT_CHANGES_MAX} changes and messages")
    commit = _Commit()
    if len({commit.add(change) for change in changes}) < len(changes):
        raise ValueError("a commit names no record twice")
    for message in messages:
        commit.note(message)
    if commit.size > COMMIT_BYTES_MAX:
        raise ValueError(f"a commit has at most {COMMIT_BYTES_MAX} bytes")
    return commit


def _count(count: Count, connection: sqlite3.Connection) -> None:
    free = []
    for name, delta in count.deltas.items():
        bound = count.at_most.get(name)
        if bound is None or delta <= 0:
            free.append((count.owner, name, delta))
        else:
            _grow((count.owner, name), delta, bound, connection)
    if free:
        connection.executemany(_COUNT, free)


def _grow(counter: tuple[str, str], delta: int, bound: int, connection: sqlite3.Connection) -> None:
    """Counted if the bound holds, in one statement: reading the counter afterwards would take as long again."""
    if connection.execute(_GROW, (delta, *counter, delta, bound)).rowcount:
        return
    found = connection.execute("SELECT value FROM counters WHERE owner = ? AND name = ?", counter).fetchall()
    after = delta + sum(value for (value,) in found)
    if after > bound:
        raise LimitReached(f"{counter[1]} would be {after}, and at most {bound} is allowed", counter[1])
    connection.execute(_COUNT, (*counter, delta))


def _forget(ids: list[tuple[str]], connection: sqlite3.Connection) -> None:
    connection.executemany("DELETE FROM outbox WHERE id = ?", ids)
