"""A real AWS account, when the environment names a region, for what no stand-in can prove (`make test-live`).

`SMMU_LIVE_REGION`; credentials as the SDK finds them. The first test makes buckets, tables and queues whose names begin
with `smmu-live-`; each begins with them empty; the end of the tests removes them. Nothing else in the account is touched.
`SMMU_LIVE_ENDPOINT` is for trying these tests themselves on a stand-in. Costs: a few cents, and some minutes.
"""

import atexit
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from smmu.adapters.aws.account import Account, Clients, Resources, open_clients
from tests.support.aws.resources import make
from tests.support.limits import LIMITS

_REGION, _ENDPOINT = "SMMU_LIVE_REGION", "SMMU_LIVE_ENDPOINT"
_PREFIX = "smmu-live"
_made: list[Resources] = []


def is_present() -> bool:
    """Whether an account is named, and nobody else empties what is made: workers of pytest-xdist would."""
    return bool(os.environ.get(_REGION)) and "PYTEST_XDIST_WORKER" not in os.environ


def account() -> Account:
    """The account."""
    return Account(region=os.environ[_REGION], endpoint=os.environ.get(_ENDPOINT))


@asynccontextmanager
async def empty(clients: Clients) -> AsyncIterator[Resources]:
    """What is made for these tests, empty."""
    if not _made:
        _made.append(await make(clients, LIMITS, prefix=_PREFIX))
        for table in _tables(_made[0]):
            await clients.dynamodb.get_waiter("table_exists").wait(TableName=table)
        atexit.register(anyio.run, remove)
    named = _made[0]
    for bucket in _buckets(named):
        await clear_bucket(clients, bucket)
    for table in _tables(named):
        await clear_table(clients, table)
    for queue in _queues(named):
        await clear_queue(clients, queue)
    yield named


async def remove() -> None:
    """Remove all that was made."""
    if not _made:
        return
    async with open_clients(account()) as clients:
        while _made:
            named = _made.pop()
            for bucket in _buckets(named):
                await clear_bucket(clients, bucket)
                await clients.s3.delete_bucket(Bucket=bucket)
            for table in _tables(named):
                await clients.dynamodb.delete_table(TableName=table)
            for queue in _queues(named):
                await clients.sqs.delete_queue(QueueUrl=queue)


def _buckets(named: Resources) -> tuple[str, ...]:
    return named.raw_bucket, named.processed_bucket


def _tables(named: Resources) -> tuple[str, ...]:
    return named.jobs_table, named.uploads_table, named.media_table


def _queues(named: Resources) -> tuple[str, ...]:
    return (*named.queues.values(), named.dead_letters)


async def clear_bucket(clients: Clients, bucket: str) -> None:
    """Remove every version, every mark of a deletion and every open upload."""
    async for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            await clients.s3.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
    async for page in clients.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            await clients.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


async def clear_table(clients: Clients, table: str) -> None:
    """Remove every item."""
    described: dict[str, Any] = await clients.dynamodb.describe_table(TableName=table)
    names = [key["AttributeName"] for key in described["Table"]["KeySchema"]]
    async for page in clients.dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            await clients.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in names})


async def clear_queue(clients: Clients, queue: str) -> None:
    """Remove every message that can be seen. (A purge may be asked for once a minute, and takes one.)"""
    while True:
        found = await clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        if not found.get("Messages"):
            return
        for message in found["Messages"]:
            await clients.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
