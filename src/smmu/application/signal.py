"""A bell between loops of one process: "something is there, look now". Missing it costs a poll interval, never work."""

import anyio


class Signal:
    """Rung by whoever leaves work, waited for by whoever does it."""

    def __init__(self) -> None:
        self._rung = False
        self._event: anyio.Event | None = None

    def ring(self) -> None:
        """Wake the waiter, now or when it next waits."""
        self._rung = True
        if self._event is not None:
            self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return when rung, or after `seconds`."""
        if not self._rung:
            self._event = anyio.Event()
            with anyio.move_on_after(seconds):
                await self._event.wait()
            self._event = None
        self._rung = False
