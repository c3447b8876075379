"""`SqsQueue` on SQS's bad days."""

from collections import Counter

import pytest

from smmu.adapters.aws.queue import SqsQueue
from smmu.adapters.inmemory.system import FixedClock
from smmu.ports.errors import NotFound, Throttled, Unavailable
from smmu.ports.queue import Delivery, Topic
from tests.support.aws.faults import Body, Fault, Forward, Weather, answer_lost, refused
from tests.support.records import a_message

TRIES = 4  # the SDK's
SENDS = 6  # ours
OVER = [refused(code) for code in ("ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue")]


def taken_but(*names: str, by_sender: bool = False) -> Fault:
    """A batch of which the entries of these ids are not taken."""

    def taken_in_part(body: Body, forward: Forward) -> tuple[int, Body]:
        taken = [entry for entry in body["Entries"] if entry["Id"] not in names]
        failed = [{"Id": name, "SenderFault": by_sender, "Code": "InternalError"} for name in names]
        status, answer = forward({**body, "Entries": taken}) if taken else (200, {"Successful": []})
        return status, {**answer, "Failed": failed}

    return taken_in_part


async def all_of(queue: SqsQueue) -> list[Delivery]:
    found: list[Delivery] = []
    while got := await queue.receive(Topic.JOBS, limit=10, lease_seconds=30, wait_seconds=0):
        found += got
    return found


async def test_what_a_batch_left_out_is_sent_again_alone(queue: SqsQueue, sky: Weather) -> None:
    names = [f"m{number}" for number in range(4)]
    sky.planned["SendMessageBatch"] = [taken_but("1", "3"), taken_but("3")]
    await queue.send([a_message(name) for name in names])
    assert [len(body["Entries"]) for body in sky.asked("SendMessageBatch")] == [4, 2, 1]
    assert Counter(delivery.message.id for delivery in await all_of(queue)) == Counter(names)


async def test_what_is_left_out_again_and_again_is_told(queue: SqsQueue, sky: Weather) -> None:
    sky.planned["SendMessageBatch"] = [taken_but("0")] * SENDS
    with pytest.raises(Unavailable):
        await queue.send([a_message()])


async def test_what_a_queue_refuses_for_good_is_our_bug(queue: SqsQueue, sky: Weather) -> None:
    sky.planned["SendMessageBatch"] = [taken_but("0", by_sender=True)]
    with pytest.raises(ValueError, match="does not take"):
        await queue.send([a_message()])


async def test_a_batch_whose_answer_was_lost_is_sent_twice(queue: SqsQueue, sky: Weather) -> None:
    sky.planned["SendMessageBatch"] = [answer_lost]
    await queue.send([a_message()])
    assert [delivery.message.id for delivery in await all_of(queue)] == ["m1", "m1"]


async def test_a_throttled_receiver_tries_again(queue: SqsQueue, sky: Weather) -> None:
    await queue.send([a_message()])
    sky.planned["ReceiveMessage"] = [refused("ThrottlingException")]
    assert len(await all_of(queue)) == 1


async def test_a_receiver_that_stays_throttled_is_told(queue: SqsQueue, sky: Weather) -> None:
    sky.planned["ReceiveMessage"] = [refused("RequestThrottled")] * TRIES
    with pytest.raises(Throttled):
        await all_of(queue)


async def test_a_delivery_whose_answer_was_lost_comes_when_its_lease_ends(
    queue: SqsQueue, clock: FixedClock, sky: Weather
) -> None:
    await queue.send([a_message()])
    sky.planned["ReceiveMessage"] = [answer_lost]
    assert await all_of(queue) == []
    clock.advance(30)
    assert [delivery.receives for delivery in await all_of(queue)] == [2]


@pytest.mark.parametrize("over", OVER)
async def test_a_lease_that_only_the_service_knows_to_be_over_is_over(
    queue: SqsQueue, sky: Weather, over: Fault
) -> None:
    await queue.send([a_message("m1"), a_message("m2"), a_message("m3")])
    held = [delivery.receipt for delivery in await all_of(queue)]
    sky.planned["ChangeMessageVisibility"] = [over, over]
    sky.planned["DeleteMessage"] = [over]
    with pytest.raises(NotFound):
        await queue.extend(held[0], 30)
    await queue.nack(held[1])
    await queue.ack(held[2])


async def test_a_receipt_that_is_late_is_not_even_sent(queue: SqsQueue, clock: FixedClock, sky: Weather) -> None:
    await queue.send([a_message()])
    (held,) = await all_of(queue)
    clock.advance(30)
    sky.requests.clear()
    await queue.ack(held.receipt)
    await queue.nack(held.receipt)
    with pytest.raises(NotFound):
        await queue.extend(held.receipt, 30)
    assert sky.actions == []


async def test_a_letter_that_could_not_be_sent_again_is_still_dead(
    queue: SqsQueue, clock: FixedClock, sky: Weather
) -> None:
    await queue.send([a_message()])
    for _ in range(3):
        (held,) = await all_of(queue)
        await queue.nack(held.receipt)
    assert await all_of(queue) == []
    sky.planned["SendMessageBatch"] = [taken_but("0", by_sender=True)]
    with pytest.raises(ValueError, match="does not take"):
        await queue.redrive(10)
    assert await queue.dead(10) == []
    clock.advance(30)
    assert await queue.dead(10) == [a_message()]
