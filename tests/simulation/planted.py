"""Bugs that are planted on purpose, each by leaving out what the real code does. Whoever never fails proves nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from smmu.domain.media import Media
from smmu.domain.task import Task
from smmu.ports.ledger import Change, Ledger, Page, Put, Query, V
from smmu.ports.queue import Delivery, Message, Queue, Topic
from smmu.ports.records import Key, Stored, T, key_of
from tests.simulation.history import WatchedWorld


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug: what stands between the product and its adapters, and who is missing."""

    name: str
    ledger: Callable[[Ledger, WatchedWorld], Ledger] = field(default=lambda ledger, _: ledger)
    queue: Callable[[Queue], Queue] = field(default=lambda queue: queue)
    without: frozenset[str] = frozenset()
    hints: bool = True  # whether the check that sees lost messages at once is made


@dataclass(frozen=True, slots=True)
class LedgerBehind(Ledger):
    """A ledger that changes what is committed before it reaches the real one."""

    real: Ledger
    world: WatchedWorld

    def changed(
        self, changes: Sequence[Change], messages: Sequence[Message]
    ) -> tuple[Sequence[Change], Sequence[Message]]:
        return changes, messages

    async def load(self, key: Key[T]) -> Stored[T] | None:
        return await self.real.load(key)

    async def query(self, query: Query[V]) -> Page[V]:
        return await self.real.query(query)

    async def commit(self, changes: Sequence[Change], messages: Sequence[Message] = ()) -> None:
        await self.real.commit(*self.changed(changes, messages))

    async def counters(self, owner: str) -> Mapping[str, int]:
        return await self.real.counters(owner)

    async def due(self, now: float, limit: int) -> Sequence[Key[Any]]:
        return await self.real.due(now, limit)

    async def outgoing(self, limit: int) -> Sequence[Message]:
        return await self.real.outgoing(limit)

    async def mark_sent(self, message_ids: Sequence[str]) -> None:
        await self.real.mark_sent(message_ids)

    def over(self, change: Change) -> Change:
        """The same write, whatever version is there."""
        if not isinstance(change, Put):
            return change
        there = self.world.history.newest.get(key_of(change.value))
        return replace(change, expect=there.version if there else 0)


class DroppingLedger(LedgerBehind):
    """A job is stored; the message that it wants to be dispatched is not."""

    def changed(
        self, changes: Sequence[Change], messages: Sequence[Message]
    ) -> tuple[Sequence[Change], Sequence[Message]]:
        return changes, [message for message in messages if not message.id.endswith(":created")]


class UnfencedLedger(LedgerBehind):
    """A worker writes its task whoever has claimed it since."""

    def changed(
        self, changes: Sequence[Change], messages: Sequence[Message]
    ) -> tuple[Sequence[Change], Sequence[Message]]:
        unfenced = (isinstance(change, Put) and isinstance(change.value, Task) for change in changes)
        return [self.over(change) if it else change for change, it in zip(changes, unfenced, strict=True)], messages


class OverwritingLedger(LedgerBehind):
    """A manifest is published whatever has happened to its job and media since they were read."""

    def changed(
        self, changes: Sequence[Change], messages: Sequence[Message]
    ) -> tuple[Sequence[Change], Sequence[Message]]:
        publishes = any(
            isinstance(change, Put) and isinstance(change.value, Media) and change.value.manifest for change in changes
        )
        return [self.over(change) for change in changes] if publishes else changes, messages


@dataclass(frozen=True, slots=True)
class HastyQueue(Queue):
    """A message is acknowledged as soon as it is received, before its work."""

    real: Queue

    async def receive(
        self, topic: Topic, *, limit: int, lease_seconds: float, wait_seconds: float
    ) -> Sequence[Delivery]:
        taken = await self.real.receive(topic, limit=limit, lease_seconds=lease_seconds, wait_seconds=wait_seconds)
        for delivery in taken:
            await self.real.ack(delivery.receipt)
        return taken

    async def send(self, messages: Sequence[Message]) -> None:
        await self.real.send(messages)

    async def extend(self, receipt: str, lease_seconds: float) -> None:
        await self.real.extend(receipt, lease_seconds)

    async def ack(self, receipt: str) -> None:
        await self.real.ack(receipt)

    async def nack(self, receipt: str, delay_seconds: float = 0.0) -> None:
        await self.real.nack(receipt, delay_seconds)

    async def dead(self, limit: int) -> Sequence[Message]:
        return await self.real.dead(limit)

    async def redrive(self, limit: int) -> int:
        return await self.real.redrive(limit)


SOUND = Planted("nothing")
BUGS = (
    Planted("the outbox message dropped", ledger=DroppingLedger),
    Planted("the fencing condition left out", ledger=UnfencedLedger),
    Planted("publish unconditional", ledger=OverwritingLedger),
    Planted("the queue acknowledged before the work", queue=HastyQueue),
    Planted("the sweeper off", without=frozenset({"sweeper"})),
)
