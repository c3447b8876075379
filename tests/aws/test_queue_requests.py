"""What `SqsQueue` asks of SQS: batches, whole seconds, groups, and nothing for nobody."""

import math

import anyio
import pytest

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.queue import SqsQueue
from smmu.domain.limits import MESSAGE_BYTES_MAX, QUEUE_LEASE_SECONDS_MAX
from smmu.ports.queue import Topic
from tests.support.aws.faults import Weather
from tests.support.records import a_message


async def receive(queue: SqsQueue, *, lease: float = 30.0, wait: float = 0.0) -> None:
    await queue.receive(Topic.JOBS, limit=100, lease_seconds=lease, wait_seconds=wait)


async def test_messages_are_sent_ten_at_a_time_and_in_no_more_bytes_than_a_batch_takes(
    queue: SqsQueue, sky: Weather
) -> None:
    small = [a_message(f"m{number}") for number in range(21)]
    large = [a_message(f"l{number}", body={"x": "y" * (MESSAGE_BYTES_MAX // 3)}) for number in range(3)]
    await queue.send([*small, *large])
    batches = [body["Entries"] for body in sky.asked("SendMessageBatch")]
    assert [len(batch) for batch in batches] == [10, 10, 3, 1]
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in batch) for batch in batches]
    assert max(sizes) <= MESSAGE_BYTES_MAX


async def test_a_message_of_a_topic_that_nobody_receives_goes_nowhere(
    clients: Clients, resources: Resources, queue: SqsQueue, sky: Weather
) -> None:
    jobs_only = Resources(queues={Topic.JOBS: resources.queues[Topic.JOBS]}, dead_letters=resources.dead_letters)
    there = SqsQueue(clients, jobs_only, queue._clock)
    await there.send([a_message("m1", topic=Topic.RUNS), a_message("m2")])
    (body,) = sky.asked("SendMessageBatch")
    assert [entry["MessageBody"].count("m2") for entry in body["Entries"]] == [1]


@pytest.mark.parametrize(("delay", "sent"), [(0.0, 0), (0.2, 1), (2.0, 2), (900.0, 900), (5_000.0, 900)])
async def test_a_delay_is_in_whole_seconds_and_no_longer_than_sqs_has(
    queue: SqsQueue, sky: Weather, delay: float, sent: int
) -> None:
    await queue.send([a_message(delay_seconds=delay)])
    (body,) = sky.asked("SendMessageBatch")
    assert [entry["DelaySeconds"] for entry in body["Entries"]] == [sent]


@pytest.mark.parametrize("lease", [0.5, 1.0, 44.1, float(QUEUE_LEASE_SECONDS_MAX)])
async def test_a_lease_is_in_whole_seconds_and_never_shorter_than_asked(
    queue: SqsQueue, sky: Weather, lease: float
) -> None:
    await receive(queue, lease=lease)
    (body,) = sky.asked("ReceiveMessage")
    assert (body["VisibilityTimeout"], body["MaxNumberOfMessages"]) == (math.ceil(lease), 10)


@pytest.mark.parametrize("lease", [0.0, -1.0, QUEUE_LEASE_SECONDS_MAX + 1.0])
async def test_a_lease_that_sqs_has_not_is_a_bug(queue: SqsQueue, lease: float) -> None:
    with pytest.raises(ValueError, match="lease"):
        await receive(queue, lease=lease)
    with pytest.raises(ValueError, match="lease"):
        await queue.extend("receipt", lease)


async def test_who_waits_polls_as_long_as_sqs_lets_one(queue: SqsQueue, sky: Weather) -> None:
    with anyio.move_on_after(0.3):
        await receive(queue, wait=60)
    await receive(queue, wait=1.2)
    assert [body["WaitTimeSeconds"] for body in sky.asked("ReceiveMessage")] == [20, 1, 0]


@pytest.mark.parametrize("owner", ["ada", "auth0|5f7c8ec7c33c6c004bbafe82", "x" * 128])
async def test_an_owner_is_the_group_of_its_messages(queue: SqsQueue, sky: Weather, owner: str) -> None:
    await queue.send([a_message(group=owner)])
    (body,) = sky.asked("SendMessageBatch")
    assert [entry["MessageGroupId"] for entry in body["Entries"]] == [owner]


@pytest.mark.parametrize("owner", ["Ada Lovelace", "é", "x" * 129, ""])
async def test_an_owner_that_sqs_cannot_spell_is_a_group_by_its_digest(
    queue: SqsQueue, sky: Weather, owner: str
) -> None:
    await queue.send([a_message(group=owner), a_message("m2", group="other ")])
    (body,) = sky.asked("SendMessageBatch")
    first, second = (entry["MessageGroupId"] for entry in body["Entries"])
    assert len(first) == len(second) == 64
    assert first != second
