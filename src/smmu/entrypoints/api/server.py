"""The HTTP server process: uvicorn, with a clean end for streams."""

import socket
from collections.abc import Callable

import uvicorn


class DrainingServer(uvicorn.Server):
    """Tells the application that the end is near before it waits for open answers to finish."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then shut down as uvicorn does."""
        self._drain()
        await super().shutdown(sockets)
