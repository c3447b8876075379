"""A whole deployment for all tests that need one; and a new ledger and queue, with the weather between them and us."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from smmu.adapters.aws.account import Clients, Resources, open_clients
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.queue import SqsQueue
from smmu.adapters.inmemory.system import FixedClock
from tests.support.aws.cloud import Cloud, deployed
from tests.support.aws.faults import Weather, weather
from tests.support.aws.moto import account, keep_time
from tests.support.aws.resources import make
from tests.support.limits import LIMITS


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with deployed(tmp_path_factory.mktemp("deployed")) as opened:
        yield opened


@pytest.fixture
def clock() -> Iterator[FixedClock]:
    clock = FixedClock()
    with keep_time(clock):
        yield clock


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_clients(account()))


@pytest.fixture
async def resources(clients: Clients) -> Resources:
    return await make(clients, LIMITS)


@pytest.fixture
def ledger(clients: Clients, resources: Resources, clock: FixedClock) -> DynamoLedger:
    return DynamoLedger(clients, resources, clock)


@pytest.fixture
def queue(clients: Clients, resources: Resources, clock: FixedClock) -> SqsQueue:
    return SqsQueue(clients, resources, clock, look_seconds=0)


@pytest.fixture
def sky(ledger: DynamoLedger, queue: SqsQueue) -> Iterator[Weather]:  # noqa: ARG001 - what they are made of is made before
    """Fair, until a test plans something else."""
    with weather() as today:
        yield today
