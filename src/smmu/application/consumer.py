"""Receives messages of one topic and handles each under its lease; acknowledged only after the work."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from smmu.application.lines import of_message
from smmu.domain.limits import Limits
from smmu.ports.about import About
from smmu.ports.errors import NotFound, WorldError
from smmu.ports.queue import Delivery, Message, Queue, Topic
from smmu.ports.system import Telemetry

_WAIT_SECONDS = 20.0
_RETRY_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One receiver. Run as many beside each other as there should be messages under way."""

    queue: Queue
    topic: Topic
    handle: Callable[[Message], Awaitable[None]]
    limits: Limits
    telemetry: Telemetry
    batch: int = 1

    async def run(self) -> None:
        """Receive and handle until cancelled."""
        while True:
            for delivery in await self._receive():
                with About(message_id=delivery.message.id, **of_message(delivery.message)):
                    await self._one(delivery)

    async def _receive(self) -> list[Delivery]:
        try:
            return list(
                await self.queue.receive(
                    self.topic,
                    limit=self.batch,
                    lease_seconds=self.limits.lease_seconds,
                    wait_seconds=_WAIT_SECONDS,
                )
            )
        except WorldError as error:
            self.telemetry.event("receive_failed", topic=self.topic, error=str(error))
            await anyio.sleep(_RETRY_SECONDS)
            return []

    async def _one(self, delivery: Delivery) -> None:
        """A message that cannot be handled comes back; after a few times it is a dead letter, and the sweeper's."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._extend, delivery)
                failed = await self._handled(delivery)
                group.cancel_scope.cancel()
            if failed is None:
                await self.queue.ack(delivery.receipt)
            else:
                await self.queue.nack(delivery.receipt, _RETRY_SECONDS)
        except WorldError as error:
            self.telemetry.event("delivery_not_settled", topic=self.topic, error=str(error))

    async def _handled(self, delivery: Delivery) -> Exception | None:
        try:
            await self.handle(delivery.message)
        except Exception as error:  # noqa: BLE001 - the boundary: one bad message must not end the consumer
            self.telemetry.event("message_failed", topic=self.topic, error=repr(error))
            return error
        return None

    async def _extend(self, delivery: Delivery) -> None:
        while True:
            await anyio.sleep(self.limits.lease_seconds / 3)
            try:
                await self.queue.extend(delivery.receipt, self.limits.lease_seconds)
            except NotFound:
                return  # it will be delivered again; the task's fence decides who works
            except WorldError as error:
                self.telemetry.event("lease_not_extended", topic=self.topic, error=str(error))
