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

import pytest
import trio.testing

from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.queue import SqsQueue
from smmu.adapters.aws.search import DynamoSearchIndex
from smmu.adapters.aws.secrets import KmsSecrets
from smmu.adapters.aws.uploads import S3UploadStore
from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.embedded.system import SystemClock
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.domain.limits import PART_BYTES_MIN
from smmu.ports.platform import Capability, Platform
from smmu.ports.system import Clock
from tests.support.aws.sites import Site, at_aws, at_localstack, at_moto
from tests.support.labour import GRACE, command, work
from tests.support.limits import LIMITS


@asynccontextmanager
async def in_memory(folder: Path) -> AsyncIterator[Platform]:
    tasks = InlineTaskRunner(grace_seconds=GRACE)
    async with tasks.working(partial(work, folder)):
        yield memory_platform(LIMITS, tasks=tasks, part_bytes_min=1)


@asynccontextmanager
async def aws(
    site: Callable[[], AbstractAsyncContextManager[Site]],
    folder: Path,
    clock: Clock | None = None,
    *,
    part_bytes_min: int = PART_BYTES_MIN,
) -> AsyncIterator[Platform]:
    """AWS as it is found at a site, for each test buckets, tables and queues of its own; tasks are done here.

    A site that has no more than buckets lends them to the ports in memory.
    """
    tasks, clock = InlineTaskRunner(grace_seconds=GRACE), clock or SystemClock()
    async with site() as (clients, resources), tasks.working(partial(work, folder)):
        uploads = S3UploadStore(clients, resources, clock, part_bytes_min=part_bytes_min)
        inner = memory_platform(LIMITS, clock=clock, tasks=tasks)
        if resources.jobs_table:
            ledger = DynamoLedger(clients, resources, clock)
            queue = SqsQueue(clients, resources, clock, look_seconds=0)
            search, secrets = DynamoSearchIndex(clients, resources), KmsSecrets(clients, resources)
            inner = replace(inner, ledger=ledger, queue=queue, search=search, secrets=secrets)
        yield replace(
            inner,
            name="aws",
            capabilities=_AWS,
            uploads=uploads,
            objects=S3ObjectStore(clients, resources, clock),
            forms=uploads,
            gateway=None,
        )


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Platform]:
    # A task that does not listen costs every test that has one its grace.
    labour = partial(command, folder)
    async with open_platform(str(folder), LIMITS, exclusive=True, command=labour, grace_seconds=GRACE) as platform:
        yield platform


def on_asyncio() -> Any:
    return "asyncio"


def on_trio_in_virtual_time() -> Any:
    return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


@dataclass(frozen=True, slots=True)
class Stage:
    """One way to run the suite, and what it measures.

    `part_bytes` is the size of a part, all the same and large enough for the platform. `tick_seconds` is the shortest
    lease, and the shortest delay, that its queue keeps. `marks` are set on its tests; `modules`, when given, are the only ones of the suite that it runs.
    """

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Platform]]
    backend: Callable[[], Any]
    capabilities: frozenset[Capability]
    part_bytes: int = 1_000
    tick_seconds: float = 0.15
    marks: tuple[pytest.MarkDecorator, ...] = ()
    modules: frozenset[str] | None = None


_LOCAL = {Capability.SERVES_URLS, Capability.STARTS_TASKS, Capability.FULL_CHECKSUMS}
_MEMORY = frozenset(_LOCAL)
_EMBEDDED = frozenset(_LOCAL | {Capability.DURABLE, Capability.LOCAL_FILES})

# S3 knows all CRC-64/NVME checksums; the stand-in makes them up, so it declares no FULL_CHECKSUMS.
_AWS = frozenset({Capability.DURABLE, Capability.KEEPS_VERSIONS, Capability.POST_FORMS})

_STORAGE = frozenset({"test_objects", "test_uploads", "test_forms"})

STAGES = (
    Stage("inmemory", in_memory, on_asyncio, _MEMORY),
    Stage("inmemory-in-virtual-time", in_memory, on_trio_in_virtual_time, _MEMORY),
    Stage("embedded", embedded, on_asyncio, _EMBEDDED),
    Stage(
        "aws",
        partial(aws, at_moto),
        on_asyncio,
        _AWS,
        part_bytes=PART_BYTES_MIN,
        tick_seconds=1.0,
        marks=(pytest.mark.aws,),
    ),
    Stage(
        "localstack",
        partial(aws, at_localstack),
        on_asyncio,
        _AWS,
        part_bytes=PART_BYTES_MIN,
        marks=(pytest.mark.aws, pytest.mark.localstack, pytest.mark.served, pytest.mark.slow),
        modules=_STORAGE,
    ),
    Stage(
        "live",
        partial(aws, at_aws),
        on_asyncio,
        _AWS,
        part_bytes=PART_BYTES_MIN,
        tick_seconds=1.0,
        marks=(pytest.mark.aws, pytest.mark.live),
        modules=_STORAGE | {"test_ledger", "test_ledger_lists", "test_queue", "test_search"},
    ),
)
