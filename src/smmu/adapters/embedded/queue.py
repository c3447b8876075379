"""`SqliteQueue`: leases, dead letters and fairness in the tables of schema.py, beside the ledger.

Fairness is decided when a message is sent: it gets a turn, one more than the last of its group that still waits, and
no less than the turn last delivered. Receiving takes the lowest turns. So groups alternate however much one of them
has sent, nobody can wait for ever, and receiving is one walk along an index instead of a search among groups.

Costs: every call but an idle `receive` is one commit (shared, see database.py). An idle receiver sleeps until a message
is sent by this process, and looks four times a second (10 µs each) for other processes' and for what becomes visible.
"""

import secrets
import sqlite3
from collections.abc import Sequence
from functools import partial

import anyio

from smmu.adapters.embedded.database import Database
from smmu.domain.limits import MESSAGE_BYTES_MAX, Limits
from smmu.ports.errors import NotFound
from smmu.ports.queue import Delivery, Message, Queue, Topic, decode_message, encode_message
from smmu.ports.system import Clock

_POLL_SECONDS = 0.25


class SqliteQueue(Queue):
    """The queue of one data folder."""

    def __init__(self, database: Database, clock: Clock, limits: Limits) -> None:
        self._db = database
        self._clock = clock
        self._receives_max = limits.queue_receives_max
        self._bells = {topic: anyio.Event() for topic in Topic}

    async def send(self, messages: Sequence[Message]) -> None:
        """See the port."""
        if messages:
            await self._db.write(partial(_send, [(m, _encode(m)) for m in messages], self._clock.now()))
        for topic in {message.topic for message in messages}:
            self._ring(topic)

    async def receive(
        self, topic: Topic, *, limit: int, lease_seconds: float, wait_seconds: float
    ) -> Sequence[Delivery]:
        """See the port."""
        until = anyio.current_time() + wait_seconds
        while True:
            bell = self._bells[topic]  # before looking: what is sent after the look rings this one
            if self._has(topic):
                claim = _Claim(topic, limit, lease_seconds, self._receives_max, self._clock.now())
                if deliveries := await self._db.write(claim):
                    return deliveries
            left = until - anyio.current_time()
            if left <= 0:
                return ()
            with anyio.move_on_after(min(left, _POLL_SECONDS)):
                await bell.wait()

    async def extend(self, receipt: str, lease_seconds: float) -> None:
        """See the port."""
        now = self._clock.now()
        if not await self._db.write(partial(_move, receipt, now, now + lease_seconds, receipt)):
            raise NotFound("the lease is over")

    async def ack(self, receipt: str) -> None:
        """See the port."""
        await self._db.write(partial(_drop, receipt, self._clock.now()))

    async def nack(self, receipt: str, delay_seconds: float = 0.0) -> None:
        """See the port."""
        now = self._clock.now()
        topic = await self._db.write(partial(_move, receipt, now, now + delay_seconds, None))
        if topic:
            self._ring(Topic(topic))

    async def dead(self, limit: int) -> Sequence[Message]:
        """See the port."""
        rows = self._db.read("SELECT message FROM dead_letters ORDER BY seq LIMIT ?", (limit,))
        return [decode_message(message) for (message,) in rows]

    async def redrive(self, limit: int) -> int:
        """See the port."""
        topics = await self._db.write(partial(_redrive, limit, self._clock.now()))
        for topic in set(topics):
            self._ring(topic)
        return len(topics)

    async def recover(self) -> int:
        """End every lease at once; how many. Only for a process that knows that no receiver is left alive."""
        return await self._db.write(partial(_release, self._clock.now()))

    def _has(self, topic: Topic) -> bool:
        found = self._db.read(
            "SELECT 1 FROM messages WHERE topic = ? AND visible_at <= ? LIMIT 1", (topic, self._clock.now())
        )
        return bool(found)

    def _ring(self, topic: Topic) -> None:
        bell, self._bells[topic] = self._bells[topic], anyio.Event()
        bell.set()


class _Claim:
    """Leases to the next messages of a topic, and to the dead letters what has been received too often."""

    def __init__(self, topic: Topic, limit: int, lease_seconds: float, receives_max: int, now: float) -> None:
        self._topic, self._limit, self._now = topic, limit, now
        self._lease_until, self._receives_max = now + lease_seconds, receives_max

    def __call__(self, connection: sqlite3.Connection) -> list[Delivery]:
        deliveries: list[Delivery] = []
        while len(deliveries) < self._limit:
            rows = connection.execute(
                "SELECT seq, turn, receives, message FROM messages WHERE topic = ? AND visible_at <= ?"
                " ORDER BY turn, visible_at LIMIT ?",
                (self._topic, self._now, self._limit - len(deliveries)),
            ).fetchall()
            if not rows:
                break
            for seq, turn, receives, data in rows:
                if receives >= self._receives_max:
                    _bury(connection, seq, data)
                else:
                    deliveries.append(self._lease(connection, seq, turn, receives + 1, data))
        return deliveries

    def _lease(self, connection: sqlite3.Connection, seq: int, turn: int, receives: int, data: bytes) -> Delivery:
        receipt = f"{seq}:{secrets.token_hex(8)}"
        connection.execute(
            "UPDATE messages SET visible_at = ?, receipt = ?, receives = ? WHERE seq = ?",
            (self._lease_until, receipt, receives, seq),
        )
        connection.execute(
            "INSERT INTO turns VALUES (?, ?) ON CONFLICT DO UPDATE SET turn = max(turn, excluded.turn)",
            (self._topic, turn),
        )
        return Delivery(message=decode_message(data), receipt=receipt, receives=receives)


def _encode(message: Message) -> bytes:
    data = encode_message(message)
    if len(data) > MESSAGE_BYTES_MAX:
        raise ValueError(f"a message has at most {MESSAGE_BYTES_MAX} bytes")
    return data


def _send(messages: list[tuple[Message, bytes]], now: float, connection: sqlite3.Connection) -> None:
    for message, data in messages:
        _insert(connection, message, data, now + message.delay_seconds)


def _insert(connection: sqlite3.Connection, message: Message, data: bytes, visible_at: float) -> None:
    connection.execute(
        "INSERT INTO messages (topic, grp, turn, visible_at, message) VALUES (:topic, :grp,"
        " max(ifnull((SELECT max(turn) + 1 FROM messages WHERE topic = :topic AND grp = :grp), 0),"
        " ifnull((SELECT turn FROM turns WHERE topic = :topic), 0)), :at, :message)",
        {"topic": message.topic, "grp": message.group, "at": visible_at, "message": data},
    )


def _bury(connection: sqlite3.Connection, seq: int, data: bytes) -> None:
    connection.execute("DELETE FROM messages WHERE seq = ?", (seq,))
    connection.execute("INSERT INTO dead_letters (message) VALUES (?)", (data,))


def _move(receipt: str, now: float, visible_at: float, keep: str | None, connection: sqlite3.Connection) -> str | None:
    """Change when a leased message becomes visible; its topic, or `None` when the lease is over."""
    rows = connection.execute(
        "UPDATE messages SET visible_at = ?, receipt = ?"
        " WHERE seq = ? AND receipt = ? AND visible_at > ? RETURNING topic",
        (visible_at, keep, _seq(receipt), receipt, now),
    ).fetchall()
    return str(rows[0][0]) if rows else None


def _drop(receipt: str, now: float, connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM messages WHERE seq = ? AND receipt = ? AND visible_at > ?",
        (_seq(receipt), receipt, now),
    )


def _redrive(limit: int, now: float, connection: sqlite3.Connection) -> list[Topic]:
    rows = connection.execute("SELECT seq, message FROM dead_letters ORDER BY seq LIMIT ?", (limit,)).fetchall()
    messages = [decode_message(data) for _, data in rows]
    for (seq, data), message in zip(rows, messages, strict=True):
        connection.execute("DELETE FROM dead_letters WHERE seq = ?", (seq,))
        _insert(connection, message, data, now)
    return [message.topic for message in messages]


def _release(now: float, connection: sqlite3.Connection) -> int:
    released = connection.execute(
        "UPDATE messages SET visible_at = ?, receipt = NULL WHERE receipt IS NOT NULL AND visible_at > ?",
        (now, now),
    )
    return released.rowcount


def _seq(receipt: str) -> int:
    """The row a receipt is of; 0, which is no row, for what was never a receipt."""
    number, _, _ = receipt.partition(":")
    return int(number) if number.isascii() and number.isdigit() else 0
