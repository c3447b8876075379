"""The table of platforms that the contract suite runs on. A new platform is one more row here, and nothing else.

A stage says how a platform is set up for tests and what it declares of its measures; the tests themselves never ask
what a platform is.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import trio.testing

from smmu.adapters.aws.account import open_clients
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.queue import SqsQueue
from smmu.adapters.aws.uploads import S3UploadStore
from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.embedded.system import SystemClock
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.domain.limits import PART_BYTES_MIN, Limits
from smmu.ports.platform import Capability, Platform
from smmu.ports.system import Clock
from tests.support.aws.moto import account
from tests.support.aws.resources import make
from tests.support.labour import GRACE, command, work

LIMITS = Limits(queue_receives_max=3)


@asynccontextmanager
async def in_memory(folder: Path) -> AsyncIterator[Platform]:
    tasks = InlineTaskRunner(grace_seconds=GRACE)
    async with tasks.working(partial(work, folder)):
        yield memory_platform(LIMITS, tasks=tasks, part_bytes_min=1)


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Platform]:
    # A task that does not listen costs every test that has one its grace.
    labour = partial(command, folder)
    async with open_platform(str(folder), LIMITS, exclusive=True, command=labour, grace_seconds=GRACE) as platform:
        yield platform


@asynccontextmanager
async def aws(folder: Path, clock: Clock | None = None) -> AsyncIterator[Platform]:
    """A deployment of its own for each test, as a stand-in of AWS has it. Its tasks are done here."""
    tasks, clock = InlineTaskRunner(grace_seconds=GRACE), clock or SystemClock()
    async with open_clients(account()) as clients, tasks.working(partial(work, folder)):
        resources = await make(clients, LIMITS)
        uploads = S3UploadStore(clients, resources, clock)
        yield replace(
            memory_platform(LIMITS, clock=clock, tasks=tasks),
            name="aws",
            capabilities=_AWS,
            uploads=uploads,
            objects=S3ObjectStore(clients, resources, clock),
            ledger=DynamoLedger(clients.dynamodb, resources, clock),
            queue=SqsQueue(clients.sqs, resources, clock, look_seconds=0),
            forms=uploads,
            gateway=None,
        )


def on_asyncio() -> Any:
    return "asyncio"


def on_trio_in_virtual_time() -> Any:
    return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


@dataclass(frozen=True, slots=True)
class Stage:
    """One way to run the suite, and what it measures.

    `part_bytes` is the size of a part, all the same and large enough for the platform. `tick_seconds` is the shortest
    lease, and the shortest delay, that its queue keeps.
    """

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Platform]]
    backend: Callable[[], Any]
    capabilities: frozenset[Capability]
    part_bytes: int = 1_000
    tick_seconds: float = 0.15


_LOCAL = {Capability.SERVES_URLS, Capability.STARTS_TASKS, Capability.FULL_CHECKSUMS}
_MEMORY = frozenset(_LOCAL)
_EMBEDDED = frozenset(_LOCAL | {Capability.DURABLE, Capability.LOCAL_FILES})

# S3 knows all CRC-64/NVME checksums; the stand-in makes them up, so it declares no FULL_CHECKSUMS.
_AWS = frozenset({Capability.STARTS_TASKS, Capability.DURABLE, Capability.KEEPS_VERSIONS, Capability.POST_FORMS})

STAGES = (
    Stage("inmemory", in_memory, on_asyncio, _MEMORY),
    Stage("inmemory-in-virtual-time", in_memory, on_trio_in_virtual_time, _MEMORY),
    Stage("embedded", embedded, on_asyncio, _EMBEDDED),
    Stage("aws", aws, on_asyncio, _AWS, part_bytes=PART_BYTES_MIN, tick_seconds=1.0),
)
