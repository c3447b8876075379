"""`MemoryLedger`: records as encoded bytes, with the limits of DynamoDB items and transactions.

A commit is encoded first, then checked whole, then applied without a pause: no one sees half of it. What breaks a limit
of the storage is a bug of the caller (`ValueError`), as on every platform.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from anyio.lowlevel import checkpoint

from smmu.adapters.inmemory.weather import CALM, Weather
from smmu.adapters.inmemory.world import RecordRow, Shelf, World
from smmu.domain.limits import (
    COMMIT_BYTES_MAX,
    COMMIT_CHANGES_MAX,
    MESSAGE_BYTES_MAX,
    RECORD_BYTES_MAX,
)
from smmu.ports.errors import Conflict, LimitReached
from smmu.ports.ledger import Change, Count, Ledger, Page, Put, Query, Remove, V
from smmu.ports.queue import Message, decode_message, encode_message
from smmu.ports.records import (
    HOME,
    Key,
    Stored,
    T,
    Value,
    decode,
    encode,
    key_of,
    kind_of,
    state_of,
)
from smmu.ports.system import Clock


@dataclass(frozen=True, slots=True)
class _Write:
    """One record's change as it will be stored; no row removes it."""

    key: Key[Value]
    expect: int
    row: RecordRow | None


@dataclass(frozen=True, slots=True)
class MemoryLedger(Ledger):
    """The ledger of one world. `weather` may make `due` lag and pages short."""

    world: World
    clock: Clock
    weather: Weather = CALM

    async def load(self, key: Key[T]) -> Stored[T] | None:
        """The record, decoded afresh."""
        await checkpoint()
        row = self._shelf(key).rows.get(key.id)
        return None if row is None else Stored(decode(key.type, row.data), row.version)

    async def query(self, query: Query[V]) -> Page[V]:
        """A page. In bad weather it is cut before it is filtered, as DynamoDB does."""
        await checkpoint()
        shelf = self.world.shelf(HOME[query.type], query.owner)
        walk = shelf.before if query.newest else shelf.after
        wanted = _limit(query.limit)
        looked_at = self.weather.page(wanted)
        items: list[Stored[V]] = []
        cursor: str | None = None
        for number, key in enumerate(walk(query.prefix, query.after)):
            if len(items) == wanted or number == looked_at:
                return Page(items=tuple(items), cursor=cursor)
            row, cursor = shelf.rows[key], key
            if _matches(row, query):
                items.append(Stored(decode(query.type, row.data), row.version))
        return Page(items=tuple(items), cursor=None)

    async def commit(self, changes: Sequence[Change], messages: Sequence[Message] = ()) -> None:
        """All or nothing. Both kinds of refusal at once: `Conflict`, so that a repeated commit finds its own writes."""
        writes = [self._write(change) for change in changes if not isinstance(change, Count)]
        counts = [change for change in changes if isinstance(change, Count)]
        notes = {message.id: encode_message(message) for message in messages}
        _within_limits(writes, counts, [encode_message(message) for message in messages])
        await checkpoint()
        for write in writes:
            self._check_version(write)
        for count in counts:
            self._check_bounds(count)
        self._apply(writes, counts, notes)

    async def counters(self, owner: str) -> Mapping[str, int]:
        """A copy of the owner's counters."""
        await checkpoint()
        return dict(self.world.counters.get(owner, {}))

    async def due(self, now: float, limit: int) -> Sequence[Key[Value]]:
        """What is due and known to be."""
        await checkpoint()
        known_at = self.clock.now()
        ready = [
            (row.due_at, key.table, key.owner, key.id, key)
            for key, row in self.world.due.items()
            if row.due_at is not None and row.due_at <= now and row.listed_at <= known_at
        ]
        return [key for *_, key in heapq.nsmallest(limit, ready)]

    async def outgoing(self, limit: int) -> Sequence[Message]:
        """The outbox, oldest first."""
        await checkpoint()
        return [decode_message(data) for data in islice(self.world.outbox.values(), limit)]

    async def mark_sent(self, message_ids: Sequence[str]) -> None:
        """Forget them."""
        await checkpoint()
        for name in message_ids:
            self.world.outbox.pop(name, None)

    def _write(self, change: Put | Remove) -> _Write:
        if isinstance(change, Remove):
            return _Write(change.key, change.expect, None)
        row = RecordRow(
            data=encode(change.value),
            version=change.expect + 1,
            state=state_of(change.value),
            kind=kind_of(change.value),
            due_at=change.due_at,
            listed_at=self.clock.now() + self.weather.due_lag(),
        )
        return _Write(key_of(change.value), change.expect, row)

    def _check_version(self, write: _Write) -> None:
        row = self._shelf(write.key).rows.get(write.key.id)
        version = 0 if row is None else row.version
        if version != write.expect or (row is None and write.row is None):
            raise Conflict(f"{write.key.table} {write.key.id} has version {version}, not {write.expect}")

    def _check_bounds(self, count: Count) -> None:
        held = self.world.counters.get(count.owner, {})
        for field, delta in count.deltas.items():
            bound = count.at_most.get(field)
            if delta > 0 and bound is not None and held.get(field, 0) + delta > bound:
                raise LimitReached(f"{field} would pass {bound}", field)

    def _apply(self, writes: list[_Write], counts: list[Count], notes: Mapping[str, bytes]) -> None:
        for write in writes:
            self._store(write)
        for count in counts:
            held = self.world.counters.setdefault(count.owner, {})
            for field, delta in count.deltas.items():
                held[field] = held.get(field, 0) + delta
        self.world.outbox.update(notes)

    def _store(self, write: _Write) -> None:
        shelf = self._shelf(write.key)
        self.world.due.pop(write.key, None)
        if write.row is None:
            shelf.remove(write.key.id)
            return
        shelf.put(write.key.id, write.row)
        if write.row.due_at is not None:
            self.world.due[write.key] = write.row

    def _shelf(self, key: Key[T]) -> Shelf[RecordRow]:
        return self.world.shelf(key.table, key.owner)


def _matches(row: RecordRow, query: Query[V]) -> bool:
    return (query.state is None or row.state == query.state) and (query.kind is None or row.kind == query.kind)


def _limit(limit: int) -> int:
    if limit < 1:
        raise ValueError(f"a page of {limit} records")
    return limit


def _within_limits(writes: list[_Write], counts: list[Count], notes: list[bytes]) -> None:
    rows = [write.row.data for write in writes if write.row is not None]
    _at_most(len(writes) + len(counts) + len(notes), COMMIT_CHANGES_MAX, "changes and messages")
    _at_most(max(map(len, rows), default=0), RECORD_BYTES_MAX, "bytes of a record")
    _at_most(max(map(len, notes), default=0), MESSAGE_BYTES_MAX, "bytes of a message")
    _at_most(sum(map(len, rows)) + sum(map(len, notes)), COMMIT_BYTES_MAX, "bytes of a commit")
    _once(write.key for write in writes)
    _once(count.owner for count in counts)


def _at_most(number: int, limit: int, what: str) -> None:
    if number > limit:
        raise ValueError(f"{number} {what}: the storage takes {limit}")


def _once(names: Iterable[object]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(f"named twice in one commit: {twice[0]}")
