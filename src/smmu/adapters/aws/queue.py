"""`SqsQueue`: a standard SQS queue for each topic that somebody receives, and one for their dead letters.

IAM: `sqs:SendMessage` for who sends; `sqs:ReceiveMessage`, `DeleteMessage`, `ChangeMessageVisibility` for who receives;
the last three on the dead letters, and the first on every queue, for who redrives. A batch needs no action of its own.

A message's body is its JSON. `MessageGroupId` is the owner: on a standard queue that makes SQS fair, it keeps no order.
Costs ($0.40 for a million requests): a request for each 10 messages sent (and for each 64 KB), one to receive up to
10, one for each end or extension of a lease. An idle receiver asks three times a minute, 130,000 times a month.

Where SQS differs from what one would expect of a queue:

- Leases and delays are whole seconds: rounded up. A delay is at most 900 seconds: a longer one is cut, so a receiver
  that finds its record not yet ready gives the message back (`nack`) or lets the sweeper remind it.
- SQS takes a late acknowledgement as long as nobody else got the message. So leases are remembered here, by this
  process's clock, and what comes late is not sent at all. A receipt is good in the process that received it.
- Long polling is in whole seconds. SQS does not notice that a poll's connection is gone: for up to 20 seconds after a
  waiting `receive` was cancelled, a message may be leased to nobody. It comes again when its lease ends.
- A message of a topic that has no queue is for nobody in this deployment. It is dropped.
- Looking at dead letters leases them for a moment, so two who look at once see a part each, and who dies while looking
  hides them for half a minute. They come oldest first among those that were looked at.
"""

import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.errors import code_of, translating
from smmu.adapters.aws.pauses import pauses
from smmu.domain.limits import MESSAGE_BYTES_MAX, QUEUE_LEASE_SECONDS_MAX
from smmu.ports.errors import NotFound, Unavailable
from smmu.ports.queue import Delivery, Message, Queue, Topic, decode_message, encode_message
from smmu.ports.system import Clock

Entry = dict[str, Any]

_BATCH = 10
_POLL_SECONDS_MAX = 20
_DELAY_SECONDS_MAX = 900
_LOOKING_SECONDS = 30
_GROUP = re.compile(r"[!-~]{1,128}")
_OVER = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})  # the last: after 12 hours


@dataclass(frozen=True, slots=True)
class _Lease:
    url: str
    until: float


@dataclass(frozen=True, slots=True)
class _Letter:
    message: Message
    receipt: str
    sent_at: int


class SqsQueue(Queue):
    """The queues of one deployment.

    `look_seconds`: how long to wait for more dead letters. SQS asks all of its servers only when one waits.
    """

    def __init__(self, clients: Clients, resources: Resources, clock: Clock, *, look_seconds: int = 1) -> None:
        self._sqs = clients.sqs
        self._queues = resources.queues
        self._dead_letters = resources.dead_letters
        self._clock = clock
        self._look_seconds = look_seconds
        self._leases: dict[str, _Lease] = {}

    async def send(self, messages: Sequence[Message]) -> None:
        """See the port. Raises `ValueError` for a message that is too large, before any is sent."""
        await self._send([(message, _entry(message, message.delay_seconds)) for message in messages])

    async def receive(
        self, topic: Topic, *, limit: int, lease_seconds: float, wait_seconds: float
    ) -> Sequence[Delivery]:
        """See the port. At most 10 at once. Raises `ValueError` for a lease that SQS has not."""
        url, seconds = self._queues[topic], _lease_seconds(lease_seconds)
        until = anyio.current_time() + wait_seconds
        while True:
            left = until - anyio.current_time()
            poll = max(0, min(int(left), _POLL_SECONDS_MAX))
            found = await self._poll(url, limit, lease_seconds=seconds, poll_seconds=poll)
            left = until - anyio.current_time()
            if found or left <= 0:
                return self._deliveries(found, url, seconds)
            if left < 1:
                await anyio.sleep(left)

    async def extend(self, receipt: str, lease_seconds: float) -> None:
        """See the port."""
        seconds = _lease_seconds(lease_seconds)
        held = self._held(receipt)
        if held is None or not await self._change(held.url, receipt, seconds):
            raise NotFound("the lease is over")
        self._leases[receipt] = _Lease(held.url, self._clock.now() + seconds)

    async def ack(self, receipt: str) -> None:
        """See the port."""
        held = self._held(receipt)
        if held is None:
            return
        with translating("a message"):
            try:
                await self._sqs.delete_message(QueueUrl=held.url, ReceiptHandle=receipt)
            except ClientError as error:
                _require_over(error)
        self._leases.pop(receipt, None)

    async def nack(self, receipt: str, delay_seconds: float = 0.0) -> None:
        """See the port. A delay is at most 12 hours."""
        held = self._held(receipt)
        if held is None:
            return
        await self._change(held.url, receipt, min(math.ceil(delay_seconds), QUEUE_LEASE_SECONDS_MAX))
        self._leases.pop(receipt, None)

    async def dead(self, limit: int) -> Sequence[Message]:
        """See the port."""
        async with self._letters(limit) as letters:
            return [letter.message for letter in letters]

    async def redrive(self, limit: int) -> int:
        """See the port. One that is sent and then cannot be removed stays, and may be sent again."""
        async with self._letters(limit) as letters:
            sent = list(letters)
            await self._send([(letter.message, _entry(letter.message, 0)) for letter in sent])
            for letter in sent:
                with translating("a dead letter"):
                    await self._sqs.delete_message(QueueUrl=self._dead_letters, ReceiptHandle=letter.receipt)
                letters.remove(letter)
        return len(sent)

    # --- sending

    async def _send(self, entries: Sequence[tuple[Message, Entry]]) -> None:
        for topic, url in self._queues.items():
            for batch in _batches([entry for message, entry in entries if message.topic is topic]):
                await self._send_batch(url, batch)

    async def _send_batch(self, url: str, batch: Sequence[Entry]) -> None:
        """A batch may be taken in part: only what was not is sent again."""
        left, failures = {str(number): entry for number, entry in enumerate(batch)}, []
        for pause in (*pauses(), None):
            with translating("a queue"):
                answer = await self._sqs.send_message_batch(
                    QueueUrl=url, Entries=[{"Id": number, **entry} for number, entry in left.items()]
                )
            failures = answer.get("Failed", [])
            if not failures:
                return
            if any(failure["SenderFault"] for failure in failures):
                raise ValueError(f"a queue does not take a message: {failures}")
            left = {failure["Id"]: left[failure["Id"]] for failure in failures}
            if pause is not None:
                await anyio.sleep(pause)
        raise Unavailable(f"{len(failures)} messages could not be sent: {failures[0].get('Code')}")

    # --- leases

    async def _poll(self, url: str, limit: int, *, lease_seconds: int, poll_seconds: int) -> list[dict[str, Any]]:
        with translating("a queue"):
            answer = await self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(limit, _BATCH),
                VisibilityTimeout=lease_seconds,
                WaitTimeSeconds=poll_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _deliveries(self, found: Sequence[Mapping[str, Any]], url: str, lease_seconds: int) -> list[Delivery]:
        now = self._clock.now()
        for receipt in [receipt for receipt, lease in self._leases.items() if lease.until <= now]:
            del self._leases[receipt]  # of receivers that died with their leases
        for one in found:
            self._leases[one["ReceiptHandle"]] = _Lease(url, now + lease_seconds)
        return [
            Delivery(
                message=decode_message(one["Body"]),
                receipt=one["ReceiptHandle"],
                receives=int(one["Attributes"]["ApproximateReceiveCount"]),
            )
            for one in found
        ]

    def _held(self, receipt: str) -> _Lease | None:
        held = self._leases.get(receipt)
        return held if held is not None and held.until > self._clock.now() else None

    async def _change(self, url: str, receipt: str, seconds: int) -> bool:
        """Make a message visible in so many seconds; whether its lease was still held."""
        with translating("a message"):
            try:
                await self._sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds
                )
            except ClientError as error:
                _require_over(error)
                return False
        return True

    # --- dead letters

    @asynccontextmanager
    async def _letters(self, limit: int) -> AsyncIterator[list[_Letter]]:
        """Dead letters, leased until the block ends. Those that it leaves in the list are visible again then."""
        found: dict[str, _Letter] = {}
        while len(found) < limit:
            got = await self._poll(
                self._dead_letters,
                limit - len(found),
                lease_seconds=_LOOKING_SECONDS,
                poll_seconds=self._look_seconds,
            )
            if not got:
                break
            found |= {one["MessageId"]: _letter(one) for one in got}
        letters = sorted(found.values(), key=lambda letter: letter.sent_at)
        yield letters
        for start in range(0, len(letters), _BATCH):
            await self._give_back(letters[start : start + _BATCH])

    async def _give_back(self, letters: Sequence[_Letter]) -> None:
        """Make them visible; those that this misses are so when their lease ends."""
        entries = [
            {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
            for number, letter in enumerate(letters)
        ]
        with translating("the dead letters"):
            await self._sqs.change_message_visibility_batch(QueueUrl=self._dead_letters, Entries=entries)


def _letter(one: Mapping[str, Any]) -> _Letter:
    sent_at = int(one["Attributes"]["SentTimestamp"])
    return _Letter(decode_message(one["Body"]), one["ReceiptHandle"], sent_at)


def _entry(message: Message, delay_seconds: float) -> Entry:
    body = encode_message(message)
    if len(body) > MESSAGE_BYTES_MAX:
        raise ValueError(f"a message has at most {MESSAGE_BYTES_MAX} bytes")
    return {
        "MessageBody": body.decode(),
        "MessageGroupId": _group(message.group),
        "DelaySeconds": min(math.ceil(delay_seconds), _DELAY_SECONDS_MAX),
    }


def _group(owner: str) -> str:
    """The owner, where SQS takes it as the name of a group."""
    return owner if _GROUP.fullmatch(owner) else sha256(owner.encode()).hexdigest()


def _batches(entries: Sequence[Entry]) -> list[list[Entry]]:
    """In order, each with at most 10 entries and together no more bytes than one message may have."""
    batches: list[list[Entry]] = []
    room = 0
    for entry in entries:
        size = len(entry["MessageBody"].encode())
        if not batches or len(batches[-1]) == _BATCH or size > room:
            batches.append([])
            room = MESSAGE_BYTES_MAX
        batches[-1].append(entry)
        room -= size
    return batches


def _lease_seconds(seconds: float) -> int:
    if not 0 < seconds <= QUEUE_LEASE_SECONDS_MAX:
        raise ValueError(f"a lease of {seconds} seconds")
    return math.ceil(seconds)


def _require_over(error: ClientError) -> None:
    """Raise `error` unless it says that the lease is over."""
    if code_of(error).rpartition(".")[2] not in _OVER:
        raise error
