"""Everything wired over one platform: the use cases, and the loops that keep them moving.

This is what an embedder holds. It chooses no adapters (that is `bootstrap`) and starts nothing by itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from smmu.application.completion import Completion
from smmu.application.consumer import Consumer
from smmu.application.heavy import Heavy
from smmu.application.interpreter import Interpreter
from smmu.application.jobs import Jobs
from smmu.application.library import Library
from smmu.application.messages import request_in
from smmu.application.publication import Publication
from smmu.application.relay import Relay
from smmu.application.runs import LedgerOrchestrator
from smmu.application.signal import Signal
from smmu.application.steps import Steps
from smmu.application.store import Store
from smmu.application.sweep import Sweeper
from smmu.application.uploads import Uploads
from smmu.application.worker import Worker
from smmu.domain.limits import Limits
from smmu.ports.media import MediaEngine
from smmu.ports.platform import Platform
from smmu.ports.queue import Message, Topic
from smmu.ports.system import Telemetry
from smmu.ports.tasks import TaskRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One running product. `serve` is for whoever wants its jobs done here; without it, use cases only record."""

    platform: Platform
    limits: Limits
    telemetry: Telemetry
    uploads: Uploads
    jobs: Jobs
    library: Library
    interpreter: Interpreter
    worker: Worker
    heavy: Heavy | None  # where heavy tasks are started by us
    relay: Relay
    sweeper: Sweeper

    async def serve(self, *, light: int = 2, heavy: int = 2) -> None:
        """Relay, dispatch, advance, work and sweep until cancelled: `light` and `heavy` tasks at once."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.relay.run)
            group.start_soon(self.sweeper.run)
            for consumer in self._consumers(light, heavy):
                group.start_soon(consumer.run)

    async def perform(self, request: TaskRequest) -> None:
        """Do one heavy task here, as an isolated worker does."""
        await self.worker.perform(request.owner, request.record_id, request.tries)

    def _consumers(self, light: int, heavy: int) -> list[Consumer]:
        def of(topic: Topic, handle: Callable[[Message], Awaitable[None]], batch: int = 1) -> Consumer:
            return Consumer(
                queue=self.platform.queue,
                topic=topic,
                handle=handle,
                limits=self.limits,
                telemetry=self.telemetry,
                batch=batch,
            )

        return [
            of(Topic.JOBS, self._dispatch, batch=10),
            of(Topic.RUNS, self._advance, batch=10),
            *(of(Topic.TASKS, self._light) for _ in range(light)),
            *(of(Topic.HEAVY_TASKS, self._heavy) for _ in range(heavy if self.heavy else 0)),
        ]

    async def _dispatch(self, message: Message) -> None:
        await self.jobs.dispatch(request_in(message))

    async def _advance(self, message: Message) -> None:
        await self.interpreter.advance(request_in(message))

    async def _light(self, message: Message) -> None:
        await self.worker.perform(*_task_in(message))

    async def _heavy(self, message: Message) -> None:
        if self.heavy is not None:
            await self.heavy.perform(*_task_in(message))


def _task_in(message: Message) -> tuple[str, str, int]:
    body = message.body
    return str(body["owner"]), str(body["record_id"]), int(body["tries"])


def assemble(platform: Platform, engine: MediaEngine, limits: Limits, telemetry: Telemetry) -> System:
    """Wire everything over a platform without an orchestrator of its own."""
    clock, objects, signal = platform.clock, platform.objects, Signal()
    store = Store(ledger=platform.ledger, limits=limits, ring=signal.ring)
    runs = LedgerOrchestrator(store=store, clock=clock)
    jobs = Jobs(store=store, objects=objects, orchestrator=runs, clock=clock, telemetry=telemetry)
    completion = Completion(store=store, storage=platform.uploads, objects=objects, clock=clock, telemetry=telemetry)
    library = Library(store=store, objects=objects, jobs=jobs, clock=clock)
    publication = Publication(store=store, objects=objects, clock=clock, telemetry=telemetry)
    steps = Steps(jobs=jobs, objects=objects, engine=engine, publication=publication, clock=clock, limits=limits)
    worker = Worker(store=store, steps=steps, clock=clock, telemetry=telemetry)
    return System(
        platform=platform,
        limits=limits,
        telemetry=telemetry,
        uploads=Uploads(store=store, storage=platform.uploads, completion=completion, clock=clock, ids=platform.ids),
        jobs=jobs,
        library=library,
        interpreter=Interpreter(store=store, jobs=jobs, runs=runs, clock=clock),
        worker=worker,
        heavy=Heavy(store=store, tasks=platform.starter, worker=worker) if platform.starter else None,
        relay=Relay(ledger=platform.ledger, queue=platform.queue, signal=signal, telemetry=telemetry),
        sweeper=Sweeper(
            store=store,
            jobs=jobs,
            orchestrator=runs,
            completion=completion,
            library=library,
            worker=worker,
            storage=platform.uploads,
            clock=clock,
            telemetry=telemetry,
        ),
    )
