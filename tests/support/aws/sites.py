"""Where tests find AWS: moto in this process, LocalStack beside it, or a real account.

Each opens empty buckets; all but LocalStack, which is there for its S3, empty queues and tables too.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smmu.adapters.aws.account import Clients, Resources, open_clients
from tests.support.aws import live, localstack, moto
from tests.support.aws.resources import make, make_buckets
from tests.support.limits import LIMITS

Site = tuple[Clients, Resources]


@asynccontextmanager
async def at_moto() -> AsyncIterator[Site]:
    """Quick and forgetful; takes any signature."""
    async with open_clients(moto.account()) as clients:
        yield clients, await make(clients, LIMITS)


@asynccontextmanager
async def at_localstack() -> AsyncIterator[Site]:
    """Checks what is sent."""
    async with open_clients(localstack.account()) as clients:
        yield clients, await make_buckets(clients)


@asynccontextmanager
async def at_aws() -> AsyncIterator[Site]:
    """The real one."""
    async with open_clients(live.account()) as clients, live.empty(clients) as named:
        yield clients, named
