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

from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.uploads import S3UploadStore
from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.embedded.system import SystemClock
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.domain.limits import PART_BYTES_MIN, Limits
from smmu.ports.platform import Capability, Platform
from tests.support.aws.sites import Site, at_aws, at_localstack, at_moto
from tests.support.labour import GRACE, command, work

LIMITS = Limits(queue_receives_max=3)


@asynccontextmanager
async def in_memory(folder: Path) -> AsyncIterator[Platform]:
    tasks = InlineTaskRunner(grace_seconds=GRACE)
    async with tasks.working(partial(work, folder)):
        yield memory_platform(LIMITS, tasks=tasks, part_bytes_min=1)


@asynccontextmanager
async def aws(
    site: Callable[[], AbstractAsyncContextManager[Site]], folder: Path, *, part_bytes_min: int = PART_BYTES_MIN
) -> AsyncIterator[Platform]:
    """S3 as it is found at a site, for each test two buckets of its own; the other ports are those in memory."""
    tasks = InlineTaskRunner(grace_seconds=GRACE)
    async with site() as (clients, resources), tasks.working(partial(work, folder)):
        clock = SystemClock()
        uploads = S3UploadStore(clients, resources, clock, part_bytes_min=part_bytes_min)
        yield replace(
            memory_platform(LIMITS, clock=clock, tasks=tasks),
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
    """One way to run the suite. `part_bytes` is the size of a part, all the same and large enough for the platform.

    `marks` are set on its tests; `modules`, when given, are the only ones of the suite that it runs.
    """

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Platform]]
    backend: Callable[[], Any]
    capabilities: frozenset[Capability]
    part_bytes: int = 1_000
    marks: tuple[pytest.MarkDecorator, ...] = ()
    modules: frozenset[str] | None = None

    def runs(self, module: str, needs: frozenset[Capability]) -> bool:
        """Whether it runs a module of the suite that needs these capabilities."""
        return needs <= self.capabilities and (self.modules is None or module in self.modules)


_LOCAL = {Capability.SERVES_URLS, Capability.STARTS_TASKS, Capability.FULL_CHECKSUMS}
_MEMORY = frozenset(_LOCAL)
_EMBEDDED = frozenset(_LOCAL | {Capability.DURABLE, Capability.LOCAL_FILES})

# S3 knows all CRC-64/NVME checksums; the stand-in makes them up, so it declares no FULL_CHECKSUMS.
_AWS = frozenset({Capability.STARTS_TASKS, Capability.DURABLE, Capability.KEEPS_VERSIONS, Capability.POST_FORMS})

_STORAGE = frozenset({"test_objects", "test_uploads", "test_forms"})

STAGES = (
    Stage("inmemory", in_memory, on_asyncio, _MEMORY),
    Stage("inmemory-in-virtual-time", in_memory, on_trio_in_virtual_time, _MEMORY),
    Stage("embedded", embedded, on_asyncio, _EMBEDDED),
    Stage("aws", partial(aws, at_moto), on_asyncio, _AWS, part_bytes=PART_BYTES_MIN),
    Stage(
        "localstack",
        partial(aws, at_localstack),
        on_asyncio,
        _AWS,
        part_bytes=PART_BYTES_MIN,
        marks=(pytest.mark.localstack, pytest.mark.served, pytest.mark.slow),
        modules=_STORAGE,
    ),
    Stage(
        "live",
        partial(aws, at_aws),
        on_asyncio,
        _AWS,
        part_bytes=PART_BYTES_MIN,
        marks=(pytest.mark.live,),
        modules=_STORAGE,
    ),
)
