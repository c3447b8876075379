"""The HTTP server process: uvicorn, with a clean end for streams and a garbage collector that keeps out of the way."""

import gc
import socket
from collections.abc import Callable

import uvicorn

# Requests leave no cycles behind, and looking for them among all modules and records takes a tenth of the time.
_GARBAGE_THRESHOLDS = (50_000, 20, 100)


class DrainingServer(uvicorn.Server):
    """Tells the application that the end is near before it waits for open answers to finish."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._usual_thresholds = gc.get_threshold()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take all that is loaded for good out of the collector's sight, then listen."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GARBAGE_THRESHOLDS)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then shut down as uvicorn does."""
        self._drain()
        try:
            await super().shutdown(sockets)
        finally:
            gc.set_threshold(*self._usual_thresholds)
            gc.unfreeze()
