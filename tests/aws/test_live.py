"""What the tests of a real account make, empty and remove, tried on the stand-in."""

import pytest

from smmu.adapters.aws.account import Clients
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.queue import SqsQueue
from smmu.adapters.inmemory.system import FixedClock
from smmu.ports.ledger import Put
from smmu.ports.queue import Topic
from smmu.ports.records import key_of
from tests.support.aws import live, moto
from tests.support.records import a_job, a_message


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    account = moto.account()
    monkeypatch.setenv("SMMU_LIVE_REGION", account.region)
    monkeypatch.setenv("SMMU_LIVE_ENDPOINT", str(account.endpoint))
    for variable, value in zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), account.credentials or (), strict=True):
        monkeypatch.setenv(variable, value)


async def test_each_test_finds_nothing_of_the_one_before_and_the_end_leaves_nothing(
    clients: Clients, clock: FixedClock
) -> None:
    async with live.empty(clients) as first:
        await clients.s3.put_object(Bucket=first.raw_bucket, Key="raw/a", Body=b"x")
        await clients.s3.create_multipart_upload(Bucket=first.raw_bucket, Key="raw/b")
        await DynamoLedger(clients, first, clock).commit([Put(value=a_job(), expect=0)], [a_message()])
        await SqsQueue(clients, first, clock).send([a_message()])
    async with live.empty(clients) as second:
        assert second == first
        ledger, queue = DynamoLedger(clients, second, clock), SqsQueue(clients, second, clock)
        assert await ledger.load(key_of(a_job())) is None
        assert list(await ledger.outgoing(10)) == []
        assert list(await queue.receive(Topic.JOBS, limit=1, lease_seconds=1, wait_seconds=0)) == []
        assert "Versions" not in await clients.s3.list_object_versions(Bucket=second.raw_bucket)
    await live.remove()
    assert first.raw_bucket not in [known["Name"] for known in (await clients.s3.list_buckets())["Buckets"]]
    assert first.jobs_table not in (await clients.dynamodb.list_tables())["TableNames"]
    assert first.dead_letters not in (await clients.sqs.list_queues()).get("QueueUrls", [])
