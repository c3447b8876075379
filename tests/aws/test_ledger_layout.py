"""Where `DynamoLedger` keeps what, what that costs, and how a message leaves by the jobs table's stream."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiobotocore.session import AioSession

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.rows import SHARDS, message_in, shard_of, shards
from smmu.adapters.inmemory.system import FixedClock
from smmu.domain.job import Job
from smmu.domain.keys import owner_segment
from smmu.domain.limits import RECORD_BYTES_MAX
from smmu.domain.task import Task
from smmu.domain.upload import State, Upload
from smmu.ports.errors import Conflict
from smmu.ports.ledger import Change, Count, Put, Query, Remove
from smmu.ports.queue import Message
from smmu.ports.records import IdempotencyKey, Key, Value, key_of
from tests.support.aws.faults import Weather
from tests.support.aws.moto import account
from tests.support.records import NOW, OTHER, OWNER, a_job, a_key, a_message, a_task, an_event, an_upload, one_of_each

FIRST = Put(value=a_job(), expect=0)
EVERYTHING = [Put(value=value, expect=0) for value in one_of_each()]
DAY = 86_400


async def items_of(clients: Clients, table: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await clients.dynamodb.scan(TableName=table))["Items"]
    return items


async def keys_of(clients: Clients, table: str) -> set[tuple[str, str]]:
    keys = await clients.dynamodb.describe_table(TableName=table)
    partition, sort = (part["AttributeName"] for part in keys["Table"]["KeySchema"])
    return {(item[partition]["S"], item[sort]["S"]) for item in await items_of(clients, table)}


# --- keys


async def test_records_of_a_kind_are_beside_their_owners_others(
    ledger: DynamoLedger, clients: Clients, resources: Resources
) -> None:
    await ledger.commit([*EVERYTHING, Count(owner=OWNER, deltas={"bytes": 1})], [a_message("m1")])
    assert await keys_of(clients, resources.jobs_table) == {
        (OWNER, "job_1"),
        (OWNER, "#task#job_1/a1/job[body].0.inspect"),
        (OWNER, "#run#job_1-a1"),
        (OWNER, "#event#job_1/0000000001"),
        ("m1", "#outbox"),
    }
    assert await keys_of(clients, resources.uploads_table) == {
        (OWNER, "upl_1"),
        (OWNER, "#key#k1"),
        (OWNER, "#counters"),
    }
    assert await keys_of(clients, resources.media_table) == {(OWNER, "med_1")}


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("prefix", ["", "#", "#task#", "j", "!"])
async def test_no_list_of_jobs_has_anything_else(ledger: DynamoLedger, prefix: str, newest: bool) -> None:  # noqa: FBT001
    """Not even where an owner is called as a message is."""
    await ledger.commit([*EVERYTHING, Put(value=a_job(owner="m1"), expect=0)], [a_message("m1")])
    for owner in (OWNER, "m1"):
        page = await ledger.query(Query(type=Job, owner=owner, prefix=prefix, newest=newest))
        assert [stored.value.id for stored in page.items] == (["job_1"] if prefix in ("", "j") else [])


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("after", ["", "!", "#task#", "job_", "job_1", "zzz", "\U0001f600"])
async def test_a_list_goes_on_from_wherever_it_is_told_to(
    ledger: DynamoLedger,
    sky: Weather,
    after: str,
    newest: bool,  # noqa: FBT001
) -> None:
    """DynamoDB refuses to start outside of what is asked for, or at its end; the stand-in does not mind."""
    names = ["job_0", "job_1", "job_2"]
    await ledger.commit([Put(value=a_job(name), expect=0) for name in names] + EVERYTHING[2:])
    for prefix in ("", "job_", "job_1", "zebra"):
        sky.requests.clear()
        query = Query(type=Job, owner=OWNER, prefix=prefix, after=after, newest=newest)
        found = [stored.value.id for stored in (await ledger.query(query)).items]
        behind = [name for name in names if name.startswith(prefix) and (name < after if newest else name > after)]
        assert found == (behind[::-1] if newest else behind)
        starts = [body["ExclusiveStartKey"]["jobId"]["S"] for _, body in sky.requests if "ExclusiveStartKey" in body]
        assert all(start.startswith(prefix or ("j", "z", "\U0001f600")) for start in starts)
        assert not (newest and prefix in starts)


@pytest.mark.parametrize("name", ["", "#task#job_1/a1/job[body].0.inspect", "#outbox", "!", "x" * 1_025, "é" * 513])
async def test_what_can_be_no_id_is_nothing(ledger: DynamoLedger, sky: Weather, name: str) -> None:
    await ledger.commit(EVERYTHING, [a_message("m1")])
    sky.requests.clear()
    assert await ledger.load(Key(Job, OWNER, name)) is None
    with pytest.raises(Conflict):
        await ledger.commit([Remove(key=Key(Job, OWNER, name), expect=1)])
    with pytest.raises(ValueError, match="takes no record"):
        await ledger.commit([Put(value=a_job(name), expect=0)])
    assert sky.actions == []


async def test_an_idempotency_key_may_begin_with_anything(ledger: DynamoLedger) -> None:
    names = ["!", "#counters", "~" * 255]
    await ledger.commit([Put(value=a_key(name), expect=0) for name in names])
    page = await ledger.query(Query(type=IdempotencyKey, owner=OWNER))
    assert [stored.value.key for stored in page.items] == names


async def test_tasks_are_listed_by_their_jobs(ledger: DynamoLedger) -> None:
    others = [a_task(job_id="job_10"), a_task(attempt=10), a_task(owner=OTHER)]
    await ledger.commit([Put(value=task, expect=0) for task in (a_task(), *others)])
    page = await ledger.query(Query(type=Task, owner=OWNER, prefix="job_1/a1/"))
    assert [stored.value for stored in page.items] == [a_task()]


# --- what nobody needs any more


@pytest.mark.parametrize(
    ("value", "due_at", "forgotten_at"),
    [
        (a_key(), NOW, NOW + DAY),
        (an_upload(), NOW + 100, None),
        (an_upload(state=State.REJECTED), NOW + 100, None),
        (an_upload(state=State.COMPLETED), None, NOW + 90 * DAY),
    ],
    ids=["a key", "an open upload", "an upload to clean", "a completed upload"],
)
async def test_only_what_is_settled_says_when_it_may_be_deleted(  # noqa: PLR0917
    ledger: DynamoLedger,
    clients: Clients,
    resources: Resources,
    value: Value,
    due_at: float | None,
    forgotten_at: float | None,
) -> None:
    await ledger.commit([Put(value=value, expect=0, due_at=due_at)])
    (item,) = await items_of(clients, resources.uploads_table)
    assert item.get("expiresAt") == (None if forgotten_at is None else {"N": str(int(forgotten_at))})


# --- what waits


def test_waiting_work_is_spread_evenly() -> None:
    places = [shard_of("due", f"ada/job_{number}") for number in range(400)]
    assert {places.count(shard) // 50 for shard in shards("due")} == {2}, [places.count(s) for s in shards("due")]
    assert len(shards("due")) == SHARDS


async def test_due_work_of_all_shards_is_merged_and_read_to_the_end(ledger: DynamoLedger) -> None:
    jobs = [a_job(f"job_{number:02}", owner=f"o{number}") for number in range(40)]
    await ledger.commit([Put(value=job, expect=0, due_at=float(-n)) for n, job in enumerate(jobs)])
    assert list(await ledger.due(0.0, 1_000_000)) == [key_of(job) for job in jobs[::-1]]
    assert list(await ledger.due(0.0, 3)) == [key_of(job) for job in jobs[:-4:-1]]


async def test_due_work_of_every_type_is_named_rightly(ledger: DynamoLedger) -> None:
    await ledger.commit([Put(value=value, expect=0, due_at=1.0) for value in one_of_each()])
    assert set(await ledger.due(1.0, 100)) == {key_of(value) for value in one_of_each()}


@pytest.mark.parametrize("owner", ["auth0|ada", "ada@acme.example", "é" * 200, ".", "*"])
async def test_an_owner_is_a_partition_as_in_keys_and_is_named_as_it_is_where_work_waits(
    ledger: DynamoLedger, clients: Clients, resources: Resources, owner: str
) -> None:
    """So one tag gives rights to both: `sessions.py`."""
    job = a_job(owner=owner)
    await ledger.commit([Put(value=job, expect=0, due_at=1.0), Count(owner=owner, deltas={"bytes": 1})])
    assert await keys_of(clients, resources.jobs_table) == {(owner_segment(owner), "job_1")}
    assert await keys_of(clients, resources.uploads_table) == {(owner_segment(owner), "#counters")}
    assert list(await ledger.due(1.0, 10)) == [key_of(job)]
    assert [stored.value for stored in (await ledger.query(Query(type=Job, owner=owner))).items] == [job]


async def test_messages_are_in_order_when_the_clock_goes_back(ledger: DynamoLedger, clock: FixedClock) -> None:
    await ledger.commit([], [a_message("m1"), a_message("m2")])
    clock.advance(-100)
    await ledger.commit([], [a_message("m3")])
    assert [message.id for message in await ledger.outgoing(10)] == ["m1", "m2", "m3"]


# --- limits of the tables that others do not have


async def test_a_message_is_no_larger_than_an_item(ledger: DynamoLedger) -> None:
    large = a_message(body={"x": "y" * RECORD_BYTES_MAX})
    with pytest.raises(ValueError, match="at most"):
        await ledger.commit([FIRST], [large])
    assert await ledger.load(key_of(a_job())) is None


async def test_an_item_as_large_as_a_record_may_be_is_taken(ledger: DynamoLedger) -> None:
    event = an_event(data={"x": "y" * (RECORD_BYTES_MAX - 200)})
    await ledger.commit([Put(value=event, expect=0)])
    assert await ledger.load(key_of(event)) is not None


# --- costs


@pytest.mark.parametrize(
    ("changes", "messages", "requests"),
    [
        ([FIRST], [], ["PutItem"]),
        ([Count(owner=OWNER, deltas={"bytes": 1})], [], ["TransactWriteItems"]),
        ([], [a_message()], ["PutItem"]),
        ([FIRST, Count(owner=OWNER, deltas={})], [], ["PutItem"]),
        ([FIRST, Count(owner=OWNER, deltas={"bytes": 1})], [a_message()], ["TransactWriteItems"]),
        ([Count(owner=OWNER, deltas={})], [], []),
    ],
    ids=["a record", "a count", "a message", "a record and nothing", "all three", "nothing"],
)
async def test_a_commit_is_one_request_and_a_transaction_only_where_it_must_be(
    ledger: DynamoLedger, sky: Weather, changes: list[Change], messages: list[Message], requests: list[str]
) -> None:
    await ledger.commit(changes, messages)
    assert sky.actions == requests


async def test_a_removal_alone_and_every_way_of_reading_is_one_request(ledger: DynamoLedger, sky: Weather) -> None:
    await ledger.commit([FIRST])
    await ledger.load(key_of(a_job()))
    await ledger.query(Query(type=Job, owner=OWNER, state="failed"))
    await ledger.counters(OWNER)
    await ledger.commit([Remove(key=key_of(a_job()), expect=1)])
    await ledger.mark_sent([f"m{number}" for number in range(25)])
    assert sky.actions == ["PutItem", "GetItem", "Query", "GetItem", "DeleteItem", "BatchWriteItem"]


async def test_records_are_read_as_they_were_last_written(ledger: DynamoLedger, sky: Weather) -> None:
    await ledger.load(Key(Upload, OWNER, "upl_1"))
    await ledger.query(Query(type=Job, owner=OWNER))
    await ledger.counters(OWNER)
    assert [body.get("ConsistentRead") for _, body in sky.requests] == [True, True, True]


# --- the stream


@pytest.fixture
async def streams() -> AsyncIterator[Any]:
    known = account()
    assert known.credentials is not None
    key_id, secret = known.credentials
    made = AioSession().create_client(
        "dynamodbstreams",
        region_name=known.region,
        endpoint_url=known.endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
    )
    async with made as client:
        yield client


async def test_the_stream_of_the_jobs_table_brings_each_message_once_and_nothing_else(
    ledger: DynamoLedger, clients: Clients, resources: Resources, streams: Any
) -> None:
    messages = [a_message("m1", delay_seconds=1.5), a_message("m2", group=OTHER)]
    await ledger.commit([FIRST, Put(value=a_task(), expect=0)], messages)
    await ledger.mark_sent(["m1"])
    table = await clients.dynamodb.describe_table(TableName=resources.jobs_table)
    arn = table["Table"]["LatestStreamArn"]
    shard = (await streams.describe_stream(StreamArn=arn))["StreamDescription"]["Shards"][0]["ShardId"]
    start = await streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = (await streams.get_records(ShardIterator=start["ShardIterator"]))["Records"]
    assert [record["eventName"] for record in records] == ["INSERT"] * 4 + ["REMOVE"]
    assert [found for record in records if (found := message_in(record)) is not None] == messages


def test_a_record_as_a_function_gets_it_has_its_message() -> None:
    record = {
        "eventID": "1",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"userId": {"S": "m1"}, "jobId": {"S": "#outbox"}},
            "NewImage": {
                "userId": {"S": "m1"},
                "jobId": {"S": "#outbox"},
                "message": {"S": '{"id":"m1","topic":"jobs","body":{"job_id":"job_1","n":1},"group":"ada"}'},
                "work": {"S": "outbox#1"},
                "workAt": {"N": "1750000000.000001"},
            },
            "SequenceNumber": "111",
            "StreamViewType": "NEW_IMAGE",
        },
    }
    assert message_in(record) == a_message()
