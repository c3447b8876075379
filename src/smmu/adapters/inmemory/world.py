"""What is durable in memory: everything that survives when all adapter objects are dropped ("the process crashed").

Adapters are views of a `World` and keep nothing of their own; several sets of them may share one. Records and
messages are kept encoded, so that nothing a caller holds can alias what is stored. The world refuses nothing: the
adapters hold the rules.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import anyio

from smmu.domain.values import ObjectRef
from smmu.ports.queue import Topic
from smmu.ports.records import Key, Table, Value

Row = TypeVar("Row")

_SECRET = b"the in-memory platform's own, good for one process"
_WAIT_SECONDS_MIN = 0.001  # rounding of a clock must not turn a wait into a spin


@dataclass(slots=True)
class Shelf(Generic[Row]):
    """Rows by key, which can be walked in key order."""

    rows: dict[str, Row] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def put(self, key: str, row: Row) -> None:
        """Write a row."""
        if key not in self.rows:
            insort(self.order, key)
        self.rows[key] = row

    def remove(self, key: str) -> None:
        """Remove a row, if there is one."""
        if self.rows.pop(key, None) is not None:
            del self.order[bisect_left(self.order, key)]

    def after(self, prefix: str, key: str | None) -> Iterator[str]:
        """Keys that start with `prefix`, upwards, from behind `key`."""
        start = bisect_left(self.order, prefix)
        at = start if key is None else max(start, bisect_right(self.order, key))
        while at < len(self.order) and self.order[at].startswith(prefix):
            yield self.order[at]
            at += 1

    def before(self, prefix: str, key: str | None) -> Iterator[str]:
        """Keys that start with `prefix`, downwards, from before `key`."""
        end = len(self.order) if key is None else bisect_left(self.order, key)
        start = bisect_left(self.order, prefix)
        for at in range(end - 1, start - 1, -1):
            if self.order[at].startswith(prefix):
                yield self.order[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A record. `listed_at` is when the index of what is due knows of this write."""

    data: bytes
    version: int
    state: str
    kind: str
    due_at: float | None
    listed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """The newest version of an object. `sent`: a single session's PUT has made it."""

    data: bytes
    ref: ObjectRef
    content_type: str
    modified_at: float
    sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part that has arrived."""

    data: bytes
    etag: str


@dataclass(slots=True, kw_only=True)
class SessionRow:
    """A multipart session. `parts` are dropped when it is over; `made_of` and `ref` remember what it became."""

    key: str
    part_size: int
    content_type: str
    begun_at: float
    state: Literal["open", "completed", "aborted"] = "open"
    parts: dict[int, PartRow] = field(default_factory=dict)
    made_of: tuple[tuple[int, str], ...] = ()
    ref: ObjectRef | None = None


@dataclass(slots=True, kw_only=True)
class MessageRow:
    """A message in the queue. While it is leased, `visible_at` is the end of the lease."""

    data: bytes
    group: str
    visible_at: float
    receives: int = 0
    receipt: str | None = None


@dataclass(slots=True)
class Bell:
    """Wakes who waits for it, in whatever set of adapters they are."""

    _event: anyio.Event | None = None

    def ring(self) -> None:
        """Wake everyone who waits now."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self, seconds: float) -> None:
        """Wait for the next ring, but not longer than that."""
        self._event = self._event or anyio.Event()
        with anyio.move_on_after(max(seconds, _WAIT_SECONDS_MIN)):
            await self._event.wait()


@dataclass(slots=True)
class World:
    """The durable state of one in-memory platform. `ended` has the keys whose single session is over."""

    secret: bytes = _SECRET
    writes: int = 0
    records: dict[tuple[Table, str], Shelf[RecordRow]] = field(default_factory=dict)
    due: dict[Key[Value], RecordRow] = field(default_factory=dict)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    outbox: dict[str, bytes] = field(default_factory=dict)
    queue: dict[Topic, dict[int, MessageRow]] = field(default_factory=dict)
    served: dict[tuple[Topic, str], int] = field(default_factory=dict)
    dead: dict[int, bytes] = field(default_factory=dict)
    bells: dict[Topic, Bell] = field(default_factory=dict)
    objects: Shelf[ObjectRow] = field(default_factory=Shelf)
    sessions: dict[str, SessionRow] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    words: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)  # by owner and media

    def next_write(self) -> int:
        """A number that no other write has."""
        self.writes += 1
        return self.writes

    def shelf(self, table: Table, owner: str) -> Shelf[RecordRow]:
        """One owner's records of one table."""
        return self.records.setdefault((table, owner), Shelf())

    def bell(self, topic: Topic) -> Bell:
        """The bell that rings when something of that topic has become visible."""
        return self.bells.setdefault(topic, Bell())
