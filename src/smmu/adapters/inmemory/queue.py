"""`MemoryQueue`: leases on the given clock, dead letters, and fairness by group, with the limits of SQS.

Nobody polls: who waits is woken by a send, or when the next message becomes visible. In calm weather messages come in
the order in which they were sent, group by group; no caller may rely on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import anyio
from anyio.lowlevel import checkpoint

from smmu.adapters.inmemory.weather import CALM, Weather
from smmu.adapters.inmemory.world import MessageRow, World
from smmu.domain.limits import MESSAGE_BYTES_MAX, QUEUE_LEASE_SECONDS_MAX
from smmu.ports.errors import NotFound
from smmu.ports.queue import Delivery, Message, Queue, Topic, decode_message, encode_message
from smmu.ports.system import Clock


@dataclass(frozen=True, slots=True)
class MemoryQueue(Queue):
    """The queue of one world. A message is dead after `receives_max` deliveries without an `ack`."""

    world: World
    clock: Clock
    receives_max: int
    weather: Weather = CALM

    async def send(self, messages: Sequence[Message]) -> None:
        """Store them all at once; in bad weather some of them twice, or late."""
        encoded = [(message, encode_message(message)) for message in messages]
        if any(len(data) > MESSAGE_BYTES_MAX for _, data in encoded):
            raise ValueError(f"a message has more than {MESSAGE_BYTES_MAX} bytes")
        await checkpoint()
        for message, data in encoded:
            for _ in range(2 if self.weather.happens(self.weather.queue_duplicates) else 1):
                self._store(message, data, message.delay_seconds)

    async def receive(
        self, topic: Topic, *, limit: int, lease_seconds: float, wait_seconds: float
    ) -> Sequence[Delivery]:
        """Up to `limit` messages, taking turns between groups."""
        _lease(lease_seconds)
        until = anyio.current_time() + wait_seconds
        await checkpoint()
        while True:
            taken = self._take(topic, limit, lease_seconds)
            left = until - anyio.current_time()
            if taken or left <= 0:
                return taken
            await self.world.bell(topic).wait(min(left, self._seconds_until_visible(topic, left)))

    async def extend(self, receipt: str, lease_seconds: float) -> None:
        """Prolong a lease that still holds."""
        _lease(lease_seconds)
        await checkpoint()
        found = self._leased(receipt)
        if found is None:
            raise NotFound("the lease is over")
        found[1].visible_at = self.clock.now() + lease_seconds

    async def ack(self, receipt: str) -> None:
        """Remove the message if the lease still holds."""
        await checkpoint()
        found = self._leased(receipt)
        if found is not None:
            self._rows(found[0]).pop(_number(receipt))

    async def nack(self, receipt: str, delay_seconds: float = 0.0) -> None:
        """End the lease early, if it still holds."""
        await checkpoint()
        found = self._leased(receipt)
        if found is not None:
            topic, row = found
            row.receipt, row.visible_at = None, self.clock.now() + delay_seconds
            self.world.bell(topic).ring()

    async def dead(self, limit: int) -> Sequence[Message]:
        """The first of the dead letters."""
        await checkpoint()
        return [decode_message(data) for data in list(self.world.dead.values())[:limit]]

    async def redrive(self, limit: int) -> int:
        """Send the oldest dead letters again, as if they were new."""
        await checkpoint()
        numbers = list(self.world.dead)[:limit]
        for number in numbers:
            data = self.world.dead.pop(number)
            self._store(decode_message(data), data, 0.0)
        return len(numbers)

    def _rows(self, topic: Topic) -> dict[int, MessageRow]:
        return self.world.queue.setdefault(topic, {})

    def _store(self, message: Message, data: bytes, delay_seconds: float) -> None:
        visible_at = self.clock.now() + delay_seconds + self.weather.queue_delay()
        row = MessageRow(data=data, group=message.group, visible_at=visible_at)
        self._rows(message.topic)[self.world.next_write()] = row
        self.world.bell(message.topic).ring()

    def _take(self, topic: Topic, limit: int, lease_seconds: float) -> list[Delivery]:
        self._bury(topic)
        now = self.clock.now()
        taken = []
        for number in self._in_turn(topic, now, limit):
            row = self._rows(topic)[number]
            row.receives += 1
            receipt = f"{topic}:{number}:{row.receives}"
            row.receipt, row.visible_at = receipt, now + lease_seconds
            self.world.served[topic, row.group] = self.world.next_write()
            message = decode_message(row.data)
            taken.append(Delivery(message=message, receipt=receipt, receives=row.receives))
        return taken

    def _bury(self, topic: Topic) -> None:
        rows, now = self._rows(topic), self.clock.now()
        spent = [n for n, row in rows.items() if row.visible_at <= now and row.receives >= self.receives_max]
        for number in spent:
            self.world.dead[self.world.next_write()] = rows.pop(number).data

    def _in_turn(self, topic: Topic, now: float, limit: int) -> list[int]:
        """Visible messages: of each group the first, then of each the second; who was served longest ago first."""
        waiting: dict[str, list[int]] = {}
        for number, row in self._rows(topic).items():
            if row.visible_at <= now:
                waiting.setdefault(row.group, []).append(number)
        groups = sorted(waiting, key=lambda group: self.world.served.get((topic, group), 0))
        turns = sorted(
            (turn, place, number)
            for place, group in enumerate(groups)
            for turn, number in enumerate(self._shuffled(waiting[group]))
        )
        return [number for _, _, number in turns[:limit]]

    def _shuffled(self, numbers: Iterable[int]) -> list[int]:
        if not self.weather.happens(self.weather.queue_reorders):
            return list(numbers)
        return sorted(numbers, key=lambda _: self.weather.chance())

    def _seconds_until_visible(self, topic: Topic, otherwise: float) -> float:
        times = (row.visible_at for row in self._rows(topic).values())
        return min(times, default=self.clock.now() + otherwise) - self.clock.now()

    def _leased(self, receipt: str) -> tuple[Topic, MessageRow] | None:
        topic = Topic(receipt.partition(":")[0])
        row = self._rows(topic).get(_number(receipt))
        if row is None or row.receipt != receipt or row.visible_at <= self.clock.now():
            return None
        return topic, row


def _number(receipt: str) -> int:
    return int(receipt.split(":")[1])


def _lease(seconds: float) -> None:
    if not 0 < seconds <= QUEUE_LEASE_SECONDS_MAX:
        raise ValueError(f"a lease of {seconds} seconds")
