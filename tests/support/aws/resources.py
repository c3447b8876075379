"""Makes what a deployment is made of, as its infrastructure does, under names that no other test has."""

import json
import secrets

from smmu.adapters.aws.account import Clients, Resources
from smmu.domain.limits import Limits
from smmu.ports.queue import Topic


async def make(
    clients: Clients, limits: Limits, topics: tuple[Topic, ...] = tuple(Topic), *, prefix: str = "smmu"
) -> Resources:
    """Buckets, tables and queues of one new deployment. `topics` are those that get a queue."""
    prefix = f"{prefix}-{secrets.token_hex(6)}"
    raw, processed = await _bucket(clients, f"{prefix}-raw-media"), await _bucket(clients, f"{prefix}-processed-media")
    dead = await _queue(clients, f"{prefix}-jobs-dlq", {})
    redrive = await _redrive(clients, dead, limits)
    return Resources(
        raw_bucket=raw,
        processed_bucket=processed,
        jobs_table=await _table(clients, f"{prefix}-jobs", "jobId", stream=True),
        uploads_table=await _forgetful(clients, await _table(clients, f"{prefix}-upload-sessions", "uploadId")),
        media_table=await _table(clients, f"{prefix}-media", "mediaId"),
        queues={topic: await _queue(clients, f"{prefix}-{topic}", redrive) for topic in topics},
        dead_letters=dead,
        models_bucket=await _bucket(clients, f"{prefix}-models"),
        signing_key=await _signing_key(clients),
    )


async def make_buckets(clients: Clients) -> Resources:
    """Buckets alone, for tests of storage."""
    prefix = f"smmu-{secrets.token_hex(6)}"
    raw, processed = await _bucket(clients, f"{prefix}-raw-media"), await _bucket(clients, f"{prefix}-processed-media")
    return Resources(raw_bucket=raw, processed_bucket=processed)


async def _bucket(clients: Clients, name: str) -> str:
    await clients.s3.create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": clients.s3.meta.region_name}
    )
    await clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


async def _queue(clients: Clients, name: str, attributes: dict[str, str]) -> str:
    made = await clients.sqs.create_queue(QueueName=name, Attributes=attributes)
    return str(made["QueueUrl"])


async def _redrive(clients: Clients, dead: str, limits: Limits) -> dict[str, str]:
    known = await clients.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": known["Attributes"]["QueueArn"], "maxReceiveCount": limits.queue_receives_max}
    return {"RedrivePolicy": json.dumps(policy)}


async def _signing_key(clients: Clients) -> str:
    told = await clients.kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    arn: str = told["KeyMetadata"]["Arn"]
    return arn


async def _forgetful(clients: Clients, table: str) -> str:
    """A table whose items may say when they are to be deleted."""
    expiry = {"Enabled": True, "AttributeName": "expiresAt"}
    await clients.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)
    return table


async def _table(clients: Clients, name: str, sort_key: str, *, stream: bool = False) -> str:
    """Keys, the sparse index of what waits for somebody, and a stream where messages leave from."""
    attributes = [("userId", "S"), (sort_key, "S"), ("work", "S"), ("workAt", "N")]
    projected = ["message", "owner"] if stream else ["owner"]
    await clients.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": known, "AttributeType": kind} for known, kind in attributes],
        KeySchema=_keys("userId", sort_key),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "work",
                "KeySchema": _keys("work", "workAt"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": projected},
            },
        ],
        StreamSpecification={"StreamEnabled": stream, **({"StreamViewType": "NEW_IMAGE"} if stream else {})},
    )
    return name


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
