"""A narrowed account: nothing is asked with the process's own credentials but for a session, which renews itself.

What such a session may do is in tests/infra/test_narrowing.py.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from smmu.adapters.aws.account import Clients, Resources, open_clients
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.sessions import Narrowed
from smmu.adapters.embedded.system import SystemClock
from smmu.domain.job import Job
from smmu.domain.keys import attempt_prefix, owner_segment
from smmu.ports.errors import Denied
from smmu.ports.ledger import Put
from smmu.ports.platform import Scope
from smmu.ports.records import Key
from tests.support.aws.accounting import operation
from tests.support.aws.moto import account
from tests.support.aws.trail import Trail, trail
from tests.support.records import a_job

ROLE = "arn:aws:iam::123456789012:role/smmu-dev-transcode-session"
OWNER = "auth0|ada"
NARROWED = Narrowed(role=ROLE, scope=Scope(owner=OWNER, job_id="job_1", attempt=2))
OWN = "AKIAPROCESSITSELF"
KEY = f"{attempt_prefix(OWNER, 'med_1', 'job_1', 2)}plan-1.json"
BEGUN = ["sts:AssumeRole"]


@asynccontextmanager
async def acting(narrowed: Narrowed = NARROWED) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        known = replace(account(), credentials=(OWN, "a-secret-that-is-none"), narrowed=narrowed)
        yield await stack.enter_async_context(open_clients(known))


def operations(seen: Trail, key_id: str) -> list[str]:
    return [one.operation for one in seen.of(key_id)]


async def work(clients: Clients, resources: Resources) -> None:
    """A request to each of the services that a worker asks."""
    clock = SystemClock()
    ledger = DynamoLedger(clients, resources, clock)
    await ledger.commit([Put(value=a_job(f"job_{clock.now()}", owner=OWNER), expect=0)])
    await S3ObjectStore(clients, resources, clock).put(KEY, b"{}", content_type="application/json")


async def test_opening_it_asks_nobody_anything() -> None:
    with trail() as seen:
        async with acting():
            pass
    assert seen.seen == []


async def test_a_session_is_begun_with_its_tags_and_everything_else_is_done_in_it(resources: Resources) -> None:
    with trail() as seen:
        async with acting() as narrowed:
            await work(narrowed, resources)
    assert operations(seen, OWN) == BEGUN
    (begun,) = seen.of(OWN)
    assert begun.tags == {"owner": owner_segment(OWNER), "job": "job_1", "attempt": "2"}
    others = [one for one in seen.seen if one.key_id != OWN]
    assert {one.key_id[:4] for one in others} == {"ASIA"}
    assert {one.operation for one in others} == {"dynamodb:PutItem", "s3:PutObject"}
    assert all(one.token for one in others)


async def test_what_it_signs_is_signed_by_the_session_and_ends_with_it(resources: Resources) -> None:
    clock = SystemClock()
    async with acting() as narrowed:
        store = S3ObjectStore(narrowed, resources, clock)
        ref = await store.put(KEY, b"{}", content_type="application/json")
        link = await store.sign_read(ref, expires_at=clock.now() + 86_400)
    query = parse_qs(urlsplit(link.url).query)
    assert "X-Amz-Security-Token" in query
    assert link.expires_at <= clock.now() + 3_600


async def test_a_session_that_is_about_to_end_is_followed_by_another(resources: Resources) -> None:
    """Long tasks outlive an hour. Here the first session has ten minutes left when it begins."""
    first: list[bytes] = [_session("ASIASHORT", SystemClock().now() + 600)]

    def ends_soon(environ: dict[str, Any]) -> bytes | None:
        return first.pop() if first and operation(environ) == "sts:AssumeRole" else None

    with trail(ends_soon) as seen:
        async with acting() as narrowed:
            for _ in range(3):
                await work(narrowed, resources)
    assert operations(seen, OWN) == BEGUN * 2
    assert len(seen.of(OWN)[1].tags) == 3
    last = seen.seen[-1]
    assert last.key_id not in (OWN, "ASIASHORT")


async def test_a_session_that_does_not_end_soon_is_kept(resources: Resources) -> None:
    with trail() as seen:
        async with acting() as narrowed:
            for _ in range(3):
                await narrowed.s3.list_object_versions(Bucket=resources.processed_bucket, Prefix="media/")
    assert operations(seen, OWN) == BEGUN


async def test_a_role_that_may_not_be_assumed_is_denied(resources: Resources) -> None:
    def refuse(environ: dict[str, Any]) -> tuple[str, bytes] | None:
        return ("403 Forbidden", _REFUSAL) if operation(environ) == "sts:AssumeRole" else None

    with trail(refuse) as seen:
        async with acting() as narrowed:
            with pytest.raises(Denied):
                await DynamoLedger(narrowed, resources, SystemClock()).load(Key(Job, OWNER, "job_1"))
    assert {one.key_id for one in seen.seen} == {OWN}


_REFUSAL = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"


def _session(key_id: str, ends: float) -> bytes:
    """What STS answers to AssumeRole."""
    expiration = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        f"<Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    ).encode()
