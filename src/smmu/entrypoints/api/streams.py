"""Answers that take a while: they stop when their client has gone, whatever the server makes of that.

uvicorn accepts what is sent to a closed connection in silence, so somebody has to listen for its end.
"""

from abc import abstractmethod

import anyio
from starlette.responses import Response

from smmu.entrypoints.api.replies import Receive, Scope, Send


class Stream(Response):
    """An answer sent piece by piece. `status_code` and `raw_headers` are set by whoever makes it."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code = status
        self.raw_headers = headers
        self.background = None

    @abstractmethod
    async def pieces(self, send: Send) -> None:
        """Send the body, but for its end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or stop when there is no one left to send it to."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, receive, group.cancel_scope)
            if scope["method"] != "HEAD":
                await self.pieces(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            group.cancel_scope.cancel()


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    scope.cancel()
