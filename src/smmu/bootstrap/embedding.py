"""The whole product inside of somebody else's program: no server, no files, no settings, no injector.

It forgets everything when the block ends. What is made of a file is decided by the engine that is handed in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.application.system import System, assemble
from smmu.domain import job
from smmu.domain.job import Job
from smmu.domain.limits import Limits
from smmu.ports.classify import Classifier
from smmu.ports.gateway import PATH
from smmu.ports.media import MediaEngine
from smmu.ports.policy import Policy
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import Telemetry
from smmu.ports.uploads import SignedPart, StoredPart

_LOOK_SECONDS = 0.05


@asynccontextmanager
async def open_in_memory(
    engine: MediaEngine,
    *,
    limits: Limits | None = None,
    telemetry: Telemetry | None = None,
    recognizer: SpeechRecognizer | None = None,
    policy: Policy | None = None,
    classifier: Classifier | None = None,
    light: int = 2,
    heavy: int = 2,
) -> AsyncIterator[System]:
    """A system that works until the block ends, `light` and `heavy` tasks at once."""
    limits, runner, clock = limits or Limits(), InlineTaskRunner(), SystemClock()
    platform = memory_platform(limits, clock=clock, ids=RandomIds(clock), tasks=runner)
    told = telemetry or MemoryTelemetry()
    system = assemble(platform, engine, limits, told, recognizer, policy=policy, classifier=classifier)
    async with runner.working(system.perform), anyio.create_task_group() as group:
        group.start_soon(_serve, system, light, heavy)
        yield system
        group.cancel_scope.cancel()


async def send(system: System, part: SignedPart, data: bytes) -> StoredPart:
    """Put the bytes of a part where it was signed for, as a client does by HTTP."""
    gateway = system.platform.gateway
    if gateway is None:
        raise ValueError("this platform takes bytes at the URLs that it signs, not here")

    async def body() -> AsyncIterator[bytes]:
        yield data

    return await gateway.receive(part.url.rpartition(PATH)[2], len(data), body())


async def until_over(system: System, owner: str, job_id: str) -> Job:
    """The job, once it has ended."""
    while True:
        seen = await system.jobs.get(owner, job_id)
        if seen.job.state in job.TERMINAL:
            return seen.job
        await anyio.sleep(_LOOK_SECONDS)


async def _serve(system: System, light: int, heavy: int) -> None:
    await system.serve(light=light, heavy=heavy)
