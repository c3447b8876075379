"""`Ledger`: the truth about uploads, jobs and media, and the messages that follow from it (an outbox)."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from smmu.domain.quick import quick
from smmu.ports.queue import Message
from smmu.ports.records import Key, Stored, T, Value

V = TypeVar("V", bound=Value)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write `value` if its record still has version `expect` (0: if there is none). `due_at`: when to look at it."""

    value: Value
    expect: int
    due_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Remove the record if it still has version `expect`."""

    key: Key[Any]
    expect: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Add `deltas` to the counters of `owner`, if each of `at_most` still holds afterwards.

    Only a counter that grows is held to its bound: what shrinks is always allowed.
    """

    owner: str
    deltas: Mapping[str, int]
    at_most: Mapping[str, int] = field(default_factory=dict)


Change = Put | Remove | Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[V]):
    """A list of one owner's records of one type, by id. `prefix` of the id; `newest` first or oldest first."""

    type: type[V]
    owner: str
    prefix: str = ""
    state: str | None = None
    kind: str | None = None
    after: str | None = None
    limit: int = 100
    newest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[V]):
    """Records in id order. `cursor` continues after them (`Query.after`); `None` when there are no more.

    A page may be shorter than the limit, even empty, and still have a cursor.
    """

    items: tuple[Stored[V], ...]
    cursor: str | None


class Ledger(Protocol):
    """Records with versions. Reads see the newest committed write. Every call may be repeated."""

    @abstractmethod
    async def load(self, key: Key[T]) -> Stored[T] | None:
        """The record, or `None`. Another owner's record is `None` too."""

    @abstractmethod
    async def query(self, query: Query[V]) -> Page[V]:
        """A page of records of one owner, in id order."""

    @abstractmethod
    async def commit(self, changes: Sequence[Change], messages: Sequence[Message] = ()) -> None:
        """Make all changes durable and all messages outgoing, or nothing of it.

        At most `COMMIT_CHANGES_MAX` changes and messages together, no record (nor one owner's counters) named twice,
        nothing larger than a storage takes: else we have a bug (`ValueError`). Raises `Conflict` when the version of a
        `Put` or `Remove` has moved on, `LimitReached` when a `Count` would pass a bound, `Full` when there is no room;
        of the first two `Conflict`, so that a repeated commit finds its own writes. After `Unavailable` the effect may
        or may not be there: load and see. The version after a `Put` is `expect + 1`.
        """

    @abstractmethod
    async def counters(self, owner: str) -> Mapping[str, int]:
        """The owner's counters; one that was never counted is absent."""

    @abstractmethod
    async def due(self, now: float, limit: int) -> Sequence[Key[Any]]:
        """Records whose `due_at` is not after `now`, the longest overdue first. May lag; the reader decides again."""

    @abstractmethod
    async def outgoing(self, limit: int) -> Sequence[Message]:
        """Committed messages that were not marked sent, oldest first. May hold one that was sent but not marked."""

    @abstractmethod
    async def mark_sent(self, message_ids: Sequence[str]) -> None:
        """Forget outgoing messages; unknown ids are fine."""
