"""Takes committed messages to the queue: there is no dual write, only this, which may be repeated.

A crash between sending and marking sends a message twice. That is fine: everybody who receives one looks at the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smmu.application.signal import Signal
from smmu.ports.errors import WorldError
from smmu.ports.ledger import Ledger
from smmu.ports.queue import Message, Queue
from smmu.ports.system import Telemetry

_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Empties the outbox. `poll_seconds` bounds how long a message of another process may lie."""

    ledger: Ledger
    queue: Queue
    signal: Signal
    telemetry: Telemetry
    poll_seconds: float = 1.0

    async def run(self) -> None:
        """Relay until cancelled. A failing world is waited for, never given up."""
        while True:
            try:
                sent = await self.once()
            except WorldError as error:
                self.telemetry.event("relay_failed", error=str(error))
                sent = 0
            if not sent:
                await self.signal.wait(self.poll_seconds)

    async def once(self) -> int:
        """Send one batch; how many messages it had."""
        messages = await self.ledger.outgoing(_BATCH)
        await self.deliver(messages)
        return len(messages)

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Send committed messages, and forget them."""
        if messages:
            await self.queue.send(messages)
            await self.ledger.mark_sent([message.id for message in messages])
