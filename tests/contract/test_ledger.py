"""The promises of `ports/ledger.py`; those of lists are in test_ledger_lists.py."""

from collections.abc import Sequence

import anyio
import pytest

from smmu.domain.job import Job
from smmu.domain.limits import COMMIT_CHANGES_MAX, RECORD_BYTES_MAX
from smmu.domain.upload import Upload
from smmu.ports.errors import Conflict, LimitReached, WorldError
from smmu.ports.ledger import Change, Count, Ledger, Put, Remove
from smmu.ports.platform import Platform
from smmu.ports.queue import Message
from smmu.ports.records import Key, Stored, Value, key_of
from tests.support.records import OTHER, OWNER, a_job, a_message, an_event, an_upload, one_of_each

FIRST = Put(value=a_job(), expect=0)


@pytest.fixture
def ledger(platform: Platform) -> Ledger:
    return platform.ledger


async def stored(ledger: Ledger, value: Value) -> Stored[Value] | None:
    return await ledger.load(key_of(value))


# --- records and versions


@pytest.mark.parametrize("value", one_of_each(), ids=lambda value: type(value).__name__)
async def test_a_record_comes_back_equal_to_what_was_put(ledger: Ledger, value: Value) -> None:
    await ledger.commit([Put(value=value, expect=0)])
    assert await stored(ledger, value) == Stored(value, 1)


async def test_what_was_never_put_is_none(ledger: Ledger) -> None:
    assert await stored(ledger, a_job()) is None


async def test_another_owners_record_is_none(ledger: Ledger) -> None:
    await ledger.commit([FIRST])
    assert await ledger.load(Key(Job, OTHER, "job_1")) is None


async def test_the_same_id_in_another_table_is_another_record(ledger: Ledger) -> None:
    await ledger.commit([FIRST])
    assert await ledger.load(Key(Upload, OWNER, "job_1")) is None


async def test_versions_count_the_writes_of_a_record(ledger: Ledger) -> None:
    for version in range(3):
        await ledger.commit([Put(value=a_job(progress=version), expect=version)])
        assert await stored(ledger, a_job()) == Stored(a_job(progress=version), version + 1)


@pytest.mark.parametrize("expect", [0, 1, 3])
async def test_a_put_that_expects_another_version_is_a_conflict(ledger: Ledger, expect: int) -> None:
    await ledger.commit([FIRST])
    await ledger.commit([Put(value=a_job(progress=1), expect=1)])
    with pytest.raises(Conflict):
        await ledger.commit([Put(value=a_job(progress=2), expect=expect)])
    assert await stored(ledger, a_job()) == Stored(a_job(progress=1), 2)


async def test_a_put_that_expects_a_version_of_what_is_not_there_is_a_conflict(ledger: Ledger) -> None:
    with pytest.raises(Conflict):
        await ledger.commit([Put(value=a_job(), expect=1)])
    assert await stored(ledger, a_job()) is None


async def test_a_removed_record_is_gone_and_begins_again_at_version_one(ledger: Ledger) -> None:
    await ledger.commit([FIRST])
    await ledger.commit([Remove(key=key_of(a_job()), expect=1)])
    assert await stored(ledger, a_job()) is None
    await ledger.commit([FIRST])
    assert await stored(ledger, a_job()) == Stored(a_job(), 1)


@pytest.mark.parametrize("expect", [2, 7])
async def test_a_remove_that_expects_another_version_is_a_conflict(ledger: Ledger, expect: int) -> None:
    await ledger.commit([FIRST])
    with pytest.raises(Conflict):
        await ledger.commit([Remove(key=key_of(a_job()), expect=expect)])
    assert await stored(ledger, a_job()) == Stored(a_job(), 1)


@pytest.mark.parametrize("expect", [0, 1])
async def test_removing_what_is_not_there_is_a_conflict(ledger: Ledger, expect: int) -> None:
    with pytest.raises(Conflict):
        await ledger.commit([Remove(key=key_of(a_job()), expect=expect)])


async def test_what_a_caller_does_to_its_value_afterwards_changes_nothing(ledger: Ledger) -> None:
    data = {"state": "queued"}
    event = an_event(data=data)
    await ledger.commit([Put(value=event, expect=0)])
    data["state"] = "changed"
    assert await stored(ledger, event) == Stored(an_event(data={"state": "queued"}), 1)


async def test_two_loads_share_nothing(ledger: Ledger) -> None:
    await ledger.commit([Put(value=an_event(), expect=0)])
    first, second = await stored(ledger, an_event()), await stored(ledger, an_event())
    assert first is not None
    assert second is not None
    assert first.value is not second.value


# --- commits


WRONG: dict[str, tuple[Change, type[WorldError]]] = {
    "a put": (Put(value=an_upload(), expect=5), Conflict),
    "a remove": (Remove(key=Key(Upload, OWNER, "upl_9"), expect=1), Conflict),
    "a count": (Count(owner=OTHER, deltas={"bytes": 2}, at_most={"bytes": 1}), LimitReached),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("first", [True, False])
async def test_a_commit_with_one_wrong_change_does_nothing_of_it(ledger: Ledger, wrong: str, first: bool) -> None:  # noqa: FBT001
    change, error = WRONG[wrong]
    right: list[Change] = [FIRST, Count(owner=OWNER, deltas={"bytes": 1})]
    with pytest.raises(error):
        await ledger.commit([change, *right] if first else [*right, change], [a_message()])
    assert await stored(ledger, a_job()) is None
    assert await ledger.counters(OWNER) == {}
    assert await ledger.outgoing(10) == []


async def test_a_commit_does_all_of_it(ledger: Ledger) -> None:
    await ledger.commit([Put(value=an_upload(), expect=0)])
    changes: list[Change] = [FIRST, Remove(key=key_of(an_upload()), expect=1), Count(owner=OWNER, deltas={"bytes": 1})]
    await ledger.commit(changes, [a_message()])
    assert await stored(ledger, a_job()) == Stored(a_job(), 1)
    assert await stored(ledger, an_upload()) is None
    assert await ledger.counters(OWNER) == {"bytes": 1}
    assert list(await ledger.outgoing(10)) == [a_message()]


async def test_a_conflict_is_told_before_a_bound_so_that_a_repeated_commit_finds_its_own_writes(ledger: Ledger) -> None:
    changes: list[Change] = [Count(owner=OWNER, deltas={"bytes": 1}, at_most={"bytes": 1}), FIRST]
    await ledger.commit(changes)
    with pytest.raises(Conflict):
        await ledger.commit(changes)
    assert await ledger.counters(OWNER) == {"bytes": 1}


async def test_a_commit_may_have_as_many_changes_and_messages_as_the_limit(ledger: Ledger) -> None:
    half = COMMIT_CHANGES_MAX // 2
    changes: list[Change] = [Put(value=an_event(seq), expect=0) for seq in range(half)]
    await ledger.commit(changes, [a_message(f"m{number}") for number in range(half)])
    assert len(await ledger.outgoing(COMMIT_CHANGES_MAX)) == half


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ([Put(value=an_event(seq), expect=0) for seq in range(COMMIT_CHANGES_MAX)], [a_message()]),
        ([Put(value=a_job(), expect=0), Put(value=a_job(progress=1), expect=0)], []),
        ([Put(value=a_job(), expect=0), Remove(key=key_of(a_job()), expect=0)], []),
        ([Count(owner=OWNER, deltas={"bytes": 1}), Count(owner=OWNER, deltas={"bytes": 1})], []),
        ([Put(value=an_event(data={"x": "y" * RECORD_BYTES_MAX}), expect=0)], []),
    ],
    ids=["too many", "put twice", "put and removed", "counted twice", "too large a record"],
)
async def test_a_commit_that_no_storage_takes_is_a_bug(
    ledger: Ledger, changes: Sequence[Change], messages: Sequence[Message]
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        await ledger.commit(changes, messages)
    assert await stored(ledger, a_job()) is None
    assert await stored(ledger, an_event()) is None
    assert await ledger.counters(OWNER) == {}


async def test_a_commit_of_nothing_is_fine(ledger: Ledger) -> None:
    await ledger.commit([])


async def test_of_many_commits_on_one_record_exactly_one_wins(ledger: Ledger) -> None:
    await ledger.commit([FIRST])
    winners = []

    async def attempt(number: int) -> None:
        try:
            await ledger.commit([Put(value=a_job(progress=number), expect=1), Count(owner=OWNER, deltas={"wins": 1})])
            winners.append(number)
        except Conflict:
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(attempt, number)
    assert len(winners) == 1
    assert await stored(ledger, a_job()) == Stored(a_job(progress=winners[0]), 2)
    assert await ledger.counters(OWNER) == {"wins": 1}


# --- counters


async def test_a_counter_that_was_never_counted_is_absent(ledger: Ledger) -> None:
    await ledger.commit([Count(owner=OWNER, deltas={"bytes": 1})])
    assert await ledger.counters(OWNER) == {"bytes": 1}
    assert await ledger.counters(OTHER) == {}


async def test_deltas_add_up(ledger: Ledger) -> None:
    for delta in (5, -2, 4):
        await ledger.commit([Count(owner=OWNER, deltas={"bytes": delta, "uploads": 1})])
    assert await ledger.counters(OWNER) == {"bytes": 7, "uploads": 3}


async def test_a_counter_may_reach_its_bound_and_not_pass_it(ledger: Ledger) -> None:
    await ledger.commit([Count(owner=OWNER, deltas={"bytes": 10}, at_most={"bytes": 10})])
    with pytest.raises(LimitReached) as refusal:
        await ledger.commit([Count(owner=OWNER, deltas={"uploads": 1, "bytes": 1}, at_most={"bytes": 10})])
    assert refusal.value.field == "bytes"
    assert await ledger.counters(OWNER) == {"bytes": 10}


async def test_what_shrinks_is_always_allowed(ledger: Ledger) -> None:
    await ledger.commit([Count(owner=OWNER, deltas={"bytes": 10})])
    await ledger.commit([Count(owner=OWNER, deltas={"bytes": -1}, at_most={"bytes": 5})])
    await ledger.commit([Count(owner=OWNER, deltas={"bytes": 0, "uploads": 1}, at_most={"bytes": 5, "uploads": 5})])
    assert await ledger.counters(OWNER) == {"bytes": 9, "uploads": 1}


async def test_a_bound_holds_under_concurrency(ledger: Ledger) -> None:
    async def take() -> None:
        try:
            await ledger.commit([Count(owner=OWNER, deltas={"uploads": 1}, at_most={"uploads": 3})])
        except LimitReached:
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(take)
    assert await ledger.counters(OWNER) == {"uploads": 3}


# --- what is due


async def test_what_is_due_comes_longest_overdue_first(ledger: Ledger) -> None:
    times = {"job_1": 30.0, "job_2": 10.0, "job_3": 20.0}
    await ledger.commit([Put(value=a_job(name), expect=0, due_at=at) for name, at in times.items()])
    assert [key.id for key in await ledger.due(30.0, 10)] == ["job_2", "job_3", "job_1"]
    assert [key.id for key in await ledger.due(30.0, 2)] == ["job_2", "job_3"]


async def test_what_is_due_later_is_not_listed(ledger: Ledger) -> None:
    await ledger.commit([Put(value=a_job(), expect=0, due_at=10.0)])
    assert await ledger.due(9.999, 10) == []
    assert list(await ledger.due(10.0, 10)) == [key_of(a_job())]


async def test_what_is_due_is_of_every_owner_and_type(ledger: Ledger) -> None:
    values = (a_job(owner=OTHER), an_upload())
    await ledger.commit([Put(value=value, expect=0, due_at=1.0) for value in values])
    assert set(await ledger.due(1.0, 10)) == {key_of(value) for value in values}


async def test_the_newest_write_decides_when_a_record_is_due(ledger: Ledger) -> None:
    await ledger.commit([Put(value=a_job(), expect=0, due_at=1.0)])
    await ledger.commit([Put(value=a_job(), expect=1, due_at=5.0)])
    assert await ledger.due(4.0, 10) == []
    await ledger.commit([Put(value=a_job(), expect=2)])
    assert await ledger.due(9.0, 10) == []


async def test_a_removed_record_is_never_due(ledger: Ledger) -> None:
    await ledger.commit([Put(value=a_job(), expect=0, due_at=1.0)])
    await ledger.commit([Remove(key=key_of(a_job()), expect=1)])
    assert await ledger.due(9.0, 10) == []


# --- the outbox


async def test_outgoing_messages_come_oldest_first_and_whole(ledger: Ledger) -> None:
    messages = [a_message("m2", delay_seconds=1.5), a_message("m1"), a_message("m3", group=OTHER)]
    for message in messages:
        await ledger.commit([], [message])
    assert list(await ledger.outgoing(10)) == messages
    assert list(await ledger.outgoing(2)) == messages[:2]


async def test_messages_of_one_commit_keep_their_order(ledger: Ledger) -> None:
    messages = [a_message(f"m{number}") for number in (3, 1, 2)]
    await ledger.commit([], messages)
    assert list(await ledger.outgoing(10)) == messages


async def test_what_is_marked_sent_is_forgotten_and_asking_changes_nothing(ledger: Ledger) -> None:
    await ledger.commit([], [a_message("m1"), a_message("m2")])
    assert len(await ledger.outgoing(10)) == len(await ledger.outgoing(10)) == 2
    await ledger.mark_sent(["m1"])
    assert [message.id for message in await ledger.outgoing(10)] == ["m2"]


async def test_marking_what_is_not_there_is_fine(ledger: Ledger) -> None:
    await ledger.commit([], [a_message("m1")])
    for _ in range(2):
        await ledger.mark_sent(["m1", "m9"])
    await ledger.mark_sent([])
    assert await ledger.outgoing(10) == []
