"""The table of makers of pictures on request that the contract suite runs on: the engine's own, and AWS's function."""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from smmu.adapters.aws.account import Resources, open_clients, open_service
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.pictures import FunctionPictures
from smmu.adapters.embedded.system import SystemClock
from smmu.adapters.inmemory.media import PretendEngine
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.application.pictures import EnginePictures
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask
from smmu.entrypoints.lambdas.render import render
from smmu.ports.errors import TaskDied
from smmu.ports.media import NO_PIECES, MediaEngine, Pieces, Progress, Sink
from smmu.ports.objects import ObjectStore, Source
from smmu.ports.pictures import PictureMaker
from smmu.ports.platform import Capability
from tests.support.aws import moto
from tests.support.aws.machines import functions
from tests.support.aws.mends import mend
from tests.support.aws.sites import at_moto
from tests.support.limits import LIMITS
from tests.support.platforms import STAGES, Stage, on_asyncio

_PATIENCE = 20


@dataclass(slots=True)
class FrailEngine(MediaEngine):
    """The pretend engine; dies of what it is told to."""

    dies_of: str = ""
    made: int = 0

    @property
    def makes(self) -> str:
        return "pictures"

    async def inspect(self, source: Source) -> Any:
        raise NotImplementedError(source)

    async def render(
        self, source: Source, task: PlannedTask, sink: Sink, progress: Progress, pieces: Pieces = NO_PIECES
    ) -> tuple[Rendition, ...]:
        if self.dies_of:
            raise TaskDied("as it was told to", self.dies_of)
        self.made += 1
        return await PretendEngine(speed=None).render(source, task, sink, progress, pieces)

    def listen(self, source: Source, task: PlannedTask, progress: Progress) -> Any:
        raise NotImplementedError(source, task, progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A maker, the engine that it leads to, and the store that it keeps pictures in."""

    maker: PictureMaker
    engine: FrailEngine
    objects: ObjectStore


@dataclass(frozen=True, slots=True)
class PicturesStage:
    """One way to run the suite."""

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Pictures]]
    backend: Callable[[], Any]
    capabilities: frozenset[Capability] = frozenset()
    marks: tuple[pytest.MarkDecorator, ...] = ()
    modules: frozenset[str] | None = None


@asynccontextmanager
async def by_the_engine(stage: Stage, folder: Path) -> AsyncIterator[Pictures]:
    async with stage.open(folder) as platform:
        yield _here(platform.objects)


@asynccontextmanager
async def by_a_function(_folder: Path) -> AsyncIterator[Pictures]:
    """The function is the product's, in a loop of its own, as a sandbox is; over the same buckets."""
    mend()
    name, engine = f"render-{secrets.token_hex(6)}", FrailEngine()
    async with at_moto() as (clients, resources), open_service(moto.account(), "lambda", patience=_PATIENCE) as client:
        work = partial(_in_a_sandbox, resources, engine)
        with functions({name: partial(anyio.run, work)}) as arns:
            named = replace(resources, render_function=arns[name].rpartition(":")[2])
            objects = S3ObjectStore(clients, resources, SystemClock())
            yield Pictures(maker=FunctionPictures(client, named), engine=engine, objects=objects)


async def _in_a_sandbox(resources: Resources, engine: FrailEngine, event: Mapping[str, Any]) -> Any:
    async with open_clients(moto.account()) as clients:
        here = _here(S3ObjectStore(clients, resources, SystemClock()), engine)
        system: Any = SimpleNamespace(pictures=here.maker, telemetry=MemoryTelemetry())
        return await render(system, event)


def _here(objects: ObjectStore, engine: FrailEngine | None = None) -> Pictures:
    engine = engine or FrailEngine()
    return Pictures(maker=EnginePictures(objects=objects, engine=engine, limits=LIMITS), engine=engine, objects=objects)


PICTURES_STAGES = (
    *(
        PicturesStage(stage.name, partial(by_the_engine, stage), stage.backend, marks=stage.marks)
        for stage in STAGES
        if not stage.modules and stage.name != "aws"
    ),
    PicturesStage("aws", by_a_function, on_asyncio, marks=(pytest.mark.aws,)),
)
