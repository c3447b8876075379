"""The table of platforms that the contract suite runs on. A new platform is one more row here, and nothing else.

A stage says how a platform is set up for tests and what it declares of its measures; the tests themselves never ask
what a platform is.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import trio.testing

from smmu.adapters.aws.account import open_clients
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.queue import SqsQueue
from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.domain.limits import Limits
from smmu.ports.platform import Capability, Platform
from smmu.ports.system import Clock
from tests.support.aws.differences import DIFFERENCES, NOT_ON_AWS
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
async def aws(_: Path, clock: Clock | None = None) -> AsyncIterator[Platform]:
    """Its ledger and its queue; `None` where its other ports will be."""
    absent, clock = cast("Any", None), clock or SystemClock()
    async with open_clients(account()) as clients:
        resources = await make(clients, LIMITS)
        yield Platform(
            name="aws",
            capabilities=_AWS,
            uploads=absent,
            objects=absent,
            ledger=DynamoLedger(clients.dynamodb, resources, clock),
            queue=SqsQueue(clients.sqs, resources, clock, look_seconds=0),
            tasks=absent,
            gateway=None,
            clock=clock,
            ids=RandomIds(clock),
        )


def on_asyncio() -> Any:
    return "asyncio"


def on_trio_in_virtual_time() -> Any:
    return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


@dataclass(frozen=True, slots=True)
class Stage:
    """One way to run the suite, and what it measures.

    `part_bytes` is the size of a part, all the same and large enough for the platform. `tick_seconds` is the shortest
    lease, and the shortest delay, that its queue keeps. `modules` are the contract tests that it can run: all, unless
    named. `differs` has the tests that its stand-in fails, `leaves_out` those that its service does, each with the reason.
    """

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Platform]]
    backend: Callable[[], Any]
    capabilities: frozenset[Capability]
    part_bytes: int = 1_000
    tick_seconds: float = 0.15
    modules: frozenset[str] = frozenset()
    differs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    leaves_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


_LOCAL = {Capability.SERVES_URLS, Capability.STARTS_TASKS, Capability.FULL_CHECKSUMS}
_MEMORY = frozenset(_LOCAL)
_AWS = frozenset({Capability.DURABLE})
_EMBEDDED = frozenset(_LOCAL | {Capability.DURABLE, Capability.LOCAL_FILES})

STAGES = (
    Stage("inmemory", in_memory, on_asyncio, _MEMORY),
    Stage("inmemory-in-virtual-time", in_memory, on_trio_in_virtual_time, _MEMORY),
    Stage("embedded", embedded, on_asyncio, _EMBEDDED),
    Stage(
        "aws",
        aws,
        on_asyncio,
        _AWS,
        tick_seconds=1.0,
        modules=frozenset({"test_ledger", "test_ledger_lists", "test_queue"}),
        differs=DIFFERENCES,
        leaves_out=NOT_ON_AWS,
    ),
)
