"""The end of a server: streams that would go on for ever learn of it, and load balancers before that.

uvicorn waits for open answers before it tells an application to stop, so an event stream has to be told earlier.
"""

from dataclasses import dataclass, field

import anyio


@dataclass(slots=True)
class Drain:
    """Begins once, and stays begun."""

    begun: bool = False
    _waiting: set[anyio.Event] = field(default_factory=set)

    def begin(self) -> None:
        """Tell everyone who waits."""
        self.begun = True
        for event in self._waiting:
            event.set()

    async def wait(self) -> None:
        """Return when it has begun."""
        if self.begun:
            return
        event = anyio.Event()
        self._waiting.add(event)
        try:
            await event.wait()
        finally:
            self._waiting.discard(event)
