"""The promises of `ports/queue.py`. Leases are as short as a stage keeps; in virtual time they take none."""

from collections import Counter
from collections.abc import Sequence

import anyio
import pytest

from smmu.domain.limits import MESSAGE_BYTES_MAX
from smmu.ports.errors import NotFound
from smmu.ports.platform import Platform
from smmu.ports.queue import Delivery, Message, Queue, Topic
from tests.support.limits import LIMITS
from tests.support.platforms import Stage
from tests.support.records import OTHER, OWNER, a_message

LONG = 30.0
MOMENT = 0.1


@pytest.fixture
def queue(platform: Platform) -> Queue:
    return platform.queue


@pytest.fixture
def tick(stage: Stage) -> float:
    """The shortest lease, and the shortest delay, in seconds."""
    return stage.tick_seconds


async def receive(queue: Queue, *, limit: int = 10, lease: float = LONG, wait: float = 0.0) -> Sequence[Delivery]:
    return await queue.receive(Topic.JOBS, limit=limit, lease_seconds=lease, wait_seconds=wait)


async def receive_one(queue: Queue, *, lease: float = LONG, wait: float = 0.0) -> Delivery:
    (delivery,) = await receive(queue, limit=1, lease=lease, wait=wait)
    return delivery


async def all_ids(queue: Queue) -> list[str]:
    found = []
    while deliveries := await receive(queue):
        found += [delivery.message.id for delivery in deliveries]
    return found


async def let_it_die(queue: Queue, *messages: Message) -> None:
    """Receive messages as often as is allowed, without ever acknowledging one."""
    for message in messages:
        await queue.send([message])
        for _ in range(LIMITS.queue_receives_max):
            await queue.nack((await receive_one(queue)).receipt)
        assert await receive(queue) in ([], ())


# --- sending and receiving


async def test_a_message_comes_as_it_was_sent(queue: Queue) -> None:
    message = a_message(body={"job_id": "job_é", "n": -3}, delay_seconds=0.0)
    await queue.send([message])
    delivery = await receive_one(queue)
    assert (delivery.message, delivery.receives) == (message, 1)


async def test_an_empty_queue_answers_at_once_when_nobody_wants_to_wait(queue: Queue) -> None:
    with anyio.fail_after(1):
        assert len(await receive(queue)) == 0


async def test_sending_nothing_is_fine(queue: Queue) -> None:
    await queue.send([])
    assert len(await receive(queue)) == 0


async def test_no_more_come_than_asked_for_and_none_is_lost(queue: Queue, tick: float) -> None:
    names = [f"m{number}" for number in range(25)]
    await queue.send([a_message(name) for name in names])
    assert len(await receive(queue, limit=1, lease=tick)) == 1
    await anyio.sleep(tick + MOMENT)
    first = await receive(queue, limit=7)
    assert 1 <= len(first) <= 7
    assert Counter([delivery.message.id for delivery in first] + await all_ids(queue)) == Counter(names)


async def test_a_topic_holds_its_own_messages_only(queue: Queue) -> None:
    await queue.send([a_message("m1", topic=Topic.RUNS), a_message("m2")])
    assert await all_ids(queue) == ["m2"]
    (delivery,) = await queue.receive(Topic.RUNS, limit=10, lease_seconds=LONG, wait_seconds=0)
    assert delivery.message.id == "m1"


async def test_an_id_that_is_sent_again_comes_at_least_once(queue: Queue) -> None:
    await queue.send([a_message()])
    await queue.send([a_message()])
    assert 1 <= len(await all_ids(queue)) <= 2


async def test_a_message_that_no_queue_takes_is_a_bug(queue: Queue) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        await queue.send([a_message("m1"), a_message("m2", body={"x": "y" * MESSAGE_BYTES_MAX})])
    assert len(await receive(queue)) == 0


# --- waiting


async def test_who_waits_is_woken_by_a_send(queue: Queue) -> None:
    async with anyio.create_task_group() as group:

        async def send_later() -> None:
            await anyio.sleep(0.05)
            await queue.send([a_message()])

        group.start_soon(send_later)
        started = anyio.current_time()
        assert (await receive_one(queue, wait=20)).message == a_message()
        assert anyio.current_time() - started < 2


async def test_who_waits_is_woken_when_a_message_becomes_visible(queue: Queue, tick: float) -> None:
    started = anyio.current_time()
    await queue.send([a_message(delay_seconds=tick)])
    assert (await receive_one(queue, wait=20)).message.id == "m1"
    assert 0.9 * tick < anyio.current_time() - started < tick + 2


async def test_who_waits_is_woken_when_a_lease_ends(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    await receive_one(queue, lease=tick)
    assert (await receive_one(queue, wait=20)).receives == 2


async def test_who_waits_is_woken_by_a_nack(queue: Queue) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue)
    async with anyio.create_task_group() as group:
        group.start_soon(queue.nack, held.receipt)
        assert (await receive_one(queue, wait=20)).message.id == "m1"


async def test_nobody_waits_longer_than_asked(queue: Queue) -> None:
    started = anyio.current_time()
    assert len(await receive(queue, wait=0.1)) == 0
    assert 0.09 < anyio.current_time() - started < 2


async def test_a_waiting_receiver_can_be_cancelled_and_takes_nothing_with_it(queue: Queue) -> None:
    with anyio.move_on_after(0.05):
        await receive(queue, wait=20)
    await queue.send([a_message()])
    assert (await receive_one(queue)).receives == 1


async def test_a_delayed_message_is_invisible_until_then(queue: Queue, tick: float) -> None:
    await queue.send([a_message(delay_seconds=tick)])
    assert len(await receive(queue)) == 0
    await anyio.sleep(tick + MOMENT)
    assert len(await receive(queue)) == 1


# --- leases


async def test_a_leased_message_is_invisible_to_others(queue: Queue) -> None:
    await queue.send([a_message()])
    await receive_one(queue)
    assert len(await receive(queue)) == 0


async def test_receivers_at_once_never_share_a_message(queue: Queue) -> None:
    names = [f"m{number}" for number in range(12)]
    await queue.send([a_message(name) for name in names])
    taken: list[str] = []

    async def take() -> None:
        while deliveries := await receive(queue, limit=2):
            taken.extend(delivery.message.id for delivery in deliveries)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(take)
    assert sorted(taken) == sorted(names)


async def test_when_a_lease_ends_the_message_comes_again_and_is_counted(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    first = await receive_one(queue, lease=tick)
    await anyio.sleep(tick + MOMENT)
    second = await receive_one(queue)
    assert (second.message, second.receives) == (first.message, 2)


async def test_a_prolonged_lease_lasts_from_now(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue, lease=tick)
    await anyio.sleep(tick / 2)
    await queue.extend(held.receipt, 2 * tick)
    await anyio.sleep(tick)
    assert len(await receive(queue)) == 0
    await anyio.sleep(tick + MOMENT)
    assert len(await receive(queue)) == 1


async def test_a_lease_can_be_shortened(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue)
    await queue.extend(held.receipt, tick)
    assert (await receive_one(queue, wait=20)).receives == 2


async def test_a_lease_that_is_over_cannot_be_prolonged(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue, lease=tick)
    await anyio.sleep(tick + MOMENT)
    with pytest.raises(NotFound):
        await queue.extend(held.receipt, LONG)
    again = await receive_one(queue)
    with pytest.raises(NotFound):
        await queue.extend(held.receipt, LONG)
    await queue.ack(again.receipt)
    with pytest.raises(NotFound):
        await queue.extend(again.receipt, LONG)


async def test_an_acknowledged_message_is_gone(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue, lease=tick)
    for _ in range(2):
        await queue.ack(held.receipt)
    await anyio.sleep(tick + MOMENT)
    assert len(await receive(queue)) == 0
    assert len(await queue.dead(10)) == 0


async def test_a_late_acknowledgement_is_ignored(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue, lease=tick)
    await anyio.sleep(tick + MOMENT)
    await queue.ack(held.receipt)
    again = await receive_one(queue)
    await queue.ack(held.receipt)
    await queue.extend(again.receipt, LONG)


async def test_a_message_that_is_given_back_comes_again_at_once(queue: Queue) -> None:
    await queue.send([a_message()])
    await queue.nack((await receive_one(queue)).receipt)
    assert (await receive_one(queue)).receives == 2


async def test_a_message_can_be_given_back_for_later(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    await queue.nack((await receive_one(queue)).receipt, tick)
    assert len(await receive(queue)) == 0
    await anyio.sleep(tick + MOMENT)
    assert (await receive_one(queue)).receives == 2


async def test_what_was_given_back_is_no_longer_held(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue)
    await queue.nack(held.receipt, tick)
    await queue.ack(held.receipt)
    with pytest.raises(NotFound):
        await queue.extend(held.receipt, LONG)
    assert (await receive_one(queue, wait=20)).receives == 2


async def test_giving_back_late_is_ignored(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    held = await receive_one(queue, lease=tick)
    await anyio.sleep(tick + MOMENT)
    again = await receive_one(queue)
    await queue.nack(held.receipt)
    assert len(await receive(queue)) == 0
    await queue.extend(again.receipt, LONG)


# --- dead letters


async def test_a_message_received_too_often_goes_to_the_dead_letters(queue: Queue, tick: float) -> None:
    await queue.send([a_message()])
    for number in range(LIMITS.queue_receives_max):
        delivery = await receive_one(queue, lease=tick, wait=5)
        assert delivery.receives == number + 1
    await anyio.sleep(tick + MOMENT)
    assert len(await receive(queue)) == 0
    assert list(await queue.dead(10)) == [a_message()]


async def test_the_last_delivery_can_still_be_acknowledged(queue: Queue) -> None:
    await queue.send([a_message()])
    for _ in range(LIMITS.queue_receives_max - 1):
        await queue.nack((await receive_one(queue)).receipt)
    await queue.ack((await receive_one(queue)).receipt)
    assert len(await receive(queue)) == 0
    assert len(await queue.dead(10)) == 0


async def test_dead_letters_come_oldest_first_and_stay(queue: Queue) -> None:
    await let_it_die(queue, a_message("m2"), a_message("m1"), a_message("m3"))
    for _ in range(2):
        assert [message.id for message in await queue.dead(10)] == ["m2", "m1", "m3"]
    assert [message.id for message in await queue.dead(2)] == ["m2", "m1"]


async def test_redriven_letters_are_sent_again_as_if_new(queue: Queue) -> None:
    await let_it_die(queue, a_message("m1"), a_message("m2"))
    assert await queue.redrive(1) == 1
    assert [message.id for message in await queue.dead(10)] == ["m2"]
    delivery = await receive_one(queue)
    assert (delivery.message, delivery.receives) == (a_message("m1"), 1)
    assert await queue.redrive(10) == 1
    assert await queue.redrive(10) == 0
    assert len(await queue.dead(10)) == 0


async def test_a_redriven_letter_comes_at_once(queue: Queue, tick: float) -> None:
    await queue.send([a_message(delay_seconds=tick)])
    for _ in range(LIMITS.queue_receives_max):
        await queue.nack((await receive_one(queue, wait=5)).receipt)
    assert len(await receive(queue)) == 0
    await queue.redrive(1)
    assert (await receive_one(queue)).receives == 1


async def test_a_message_that_is_dying_holds_up_nobody(queue: Queue) -> None:
    await queue.send([a_message("m1")])
    for _ in range(LIMITS.queue_receives_max):
        await queue.nack((await receive_one(queue)).receipt)
    await queue.send([a_message("m2")])
    assert (await receive_one(queue)).message.id == "m2"


# --- fairness


async def test_many_messages_of_one_owner_do_not_delay_anothers_first(queue: Queue) -> None:
    await queue.send([a_message(f"m{number}") for number in range(50)])
    await queue.send([a_message("first", group=OTHER)])
    taken = [(await receive_one(queue)).message.group for _ in range(3)]
    assert OTHER in taken


async def test_owners_take_turns(queue: Queue) -> None:
    for group in (OWNER, OTHER, "hedy"):
        await queue.send([a_message(f"{group}{number}", group=group) for number in range(4)])
    taken = [(await receive_one(queue)).message.group for _ in range(6)]
    assert Counter(taken) == {OWNER: 2, OTHER: 2, "hedy": 2}
