"""The crew: who does the work on a platform without services for it. Dispatches, advances runs, performs tasks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import anyio

from smmu.application.consumer import Consumer
from smmu.application.heavy import Heavy
from smmu.application.interpreter import Interpreter
from smmu.application.jobs import Jobs
from smmu.application.messages import request_in
from smmu.application.relay import Relay
from smmu.application.sweep import Sweeper
from smmu.application.worker import Worker
from smmu.domain.limits import Limits
from smmu.ports.about import About
from smmu.ports.queue import Message, Queue, Topic
from smmu.ports.system import Telemetry

_BATCH = 10  # messages that take no longer to handle than to receive
_COMPONENTS: Mapping[Topic, str] = MappingProxyType(  # as their lines call them
    {Topic.JOBS: "dispatch", Topic.RUNS: "interpreter", Topic.TASKS: "worker", Topic.HEAVY_TASKS: "worker"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The loops that keep one machine's jobs moving."""

    queue: Queue
    limits: Limits
    telemetry: Telemetry
    jobs: Jobs
    interpreter: Interpreter
    worker: Worker
    heavy: Heavy
    relay: Relay
    sweeper: Sweeper

    async def serve(self, *, light: int, heavy: int) -> None:
        """Relay, dispatch, advance, work and sweep until cancelled: `light` and `heavy` tasks at once."""
        async with anyio.create_task_group() as group:
            group.start_soon(_as, "relay", self.relay.run)
            group.start_soon(_as, "sweep", self.sweeper.run)
            for consumer in self.consumers(light, heavy):
                group.start_soon(_as, _COMPONENTS[consumer.topic], consumer.run)

    def consumers(self, light: int, heavy: int) -> list[Consumer]:
        """The receivers of messages, one for each that may be under way at once."""

        def of(topic: Topic, handle: Callable[[Message], Awaitable[None]], batch: int = 1) -> Consumer:
            return Consumer(
                queue=self.queue,
                topic=topic,
                handle=handle,
                limits=self.limits,
                telemetry=self.telemetry,
                batch=batch,
            )

        return [
            of(Topic.JOBS, self._dispatch, _BATCH),
            of(Topic.RUNS, self._advance, _BATCH),
            *(of(Topic.TASKS, self._light) for _ in range(light)),
            *(of(Topic.HEAVY_TASKS, self._heavy) for _ in range(heavy)),
        ]

    async def _dispatch(self, message: Message) -> None:
        await self.jobs.dispatch(request_in(message))

    async def _advance(self, message: Message) -> None:
        await self.interpreter.advance(request_in(message))

    async def _light(self, message: Message) -> None:
        await self.worker.perform(*_task_in(message))

    async def _heavy(self, message: Message) -> None:
        await self.heavy.perform(*_task_in(message))


async def _as(component: str, run: Callable[[], Awaitable[None]]) -> None:
    with About(component=component):
        await run()


def _task_in(message: Message) -> tuple[str, str, int]:
    body = message.body
    return str(body["owner"]), str(body["record_id"]), int(body["tries"])
