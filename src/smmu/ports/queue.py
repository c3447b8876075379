"""`Queue`: at-least-once delivery under a lease, with dead letters. It promises no order and no single delivery."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Protocol

import msgspec

from smmu.domain.quick import quick


class Topic(StrEnum):
    """What a message is about, and so who receives it."""

    JOBS = "jobs"  # a job wants to be dispatched
    RUNS = "runs"  # a run wants to be advanced (in-process orchestrators)
    TASKS = "tasks"  # a light task wants a worker (in-process orchestrators)
    HEAVY_TASKS = "heavy_tasks"  # a heavy one does


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A small note that something wants attention; the record it names is the truth.

    `group` is the owner, for fairness. `delay_seconds` keeps it invisible for a while after it is sent.
    """

    id: str
    topic: Topic
    body: Mapping[str, str | int]
    group: str
    delay_seconds: float = 0.0


_encode = msgspec.json.Encoder().encode


@cache
def _decoder() -> msgspec.json.Decoder[Message]:
    """Built when first used, as those of records are."""
    return msgspec.json.Decoder(Message)


def encode_message(message: Message) -> bytes:
    """The stored form, and the one that travels: JSON."""
    return _encode(message)


def decode_message(data: bytes | str) -> Message:
    """The message of a stored form. Raises `msgspec.ValidationError` when it is not one (we have a bug)."""
    return _decoder().decode(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message under a lease. `receives` counts deliveries of it, this one included."""

    message: Message
    receipt: str
    receives: int = field(default=1)


class Queue(Protocol):
    """One queue for all topics. Owners are served fairly: a thousand messages of one do not delay another's first."""

    @abstractmethod
    async def send(self, messages: Sequence[Message]) -> None:
        """Store messages durably. Sending the same id again may deliver it twice. Raises `Full`, `Unavailable`."""

    @abstractmethod
    async def receive(
        self, topic: Topic, *, limit: int, lease_seconds: float, wait_seconds: float
    ) -> Sequence[Delivery]:
        """Up to `limit` messages, invisible to others until their lease ends; waits up to `wait_seconds` for one.

        A message received `queue_receives_max` times without an `ack` goes to the dead letters instead.
        """

    @abstractmethod
    async def extend(self, receipt: str, lease_seconds: float) -> None:
        """Prolong a lease from now. Raises `NotFound` when it is over."""

    @abstractmethod
    async def ack(self, receipt: str) -> None:
        """Done: the message is gone. A receipt whose lease is over is ignored."""

    @abstractmethod
    async def nack(self, receipt: str, delay_seconds: float = 0.0) -> None:
        """Not done: make it visible again after a delay. A receipt whose lease is over is ignored."""

    @abstractmethod
    async def dead(self, limit: int) -> Sequence[Message]:
        """Dead letters, oldest first; they stay."""

    @abstractmethod
    async def redrive(self, limit: int) -> int:
        """Send up to `limit` dead letters again, without the delay they once had; how many."""
