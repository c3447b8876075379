"""Request bodies: read whole within a limit, and parsed once by the message's own model.

Bodies of media never come here: `blobs.py` streams them.
"""

from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request

from smmu import wire
from smmu.entrypoints.api.headers import header
from smmu.entrypoints.api.problems import HttpCode, HttpRefusal
from smmu.entrypoints.api.replies import Receive

M = TypeVar("M", bound=wire.Request)

BODY_BYTES_MAX: Final = 1 << 20  # 10,000 parts with their ETags are about 645 KiB


async def parsed(request: Request, model: type[M]) -> M:
    """The body as a message. Raises pydantic's `ValidationError`, which `problems` explains."""
    message: M = model.__pydantic_validator__.validate_json(
        await body_of(request.receive, header(request, b"content-length"))
    )
    return message


async def body_of(receive: Receive, announced: str | None = None) -> bytes:
    """The whole body of a request, refused as soon as it is known to be too large."""
    if announced is not None and announced.isdecimal() and int(announced[:20]) > BODY_BYTES_MAX:
        raise _too_large()
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks) if len(chunks) > 1 else chunk


def _too_large() -> HttpRefusal:
    """The connection is closed: what follows on it is the rest of a body that nobody will read."""
    message = f"The body of this request may have {BODY_BYTES_MAX} bytes: media bytes go to the upload's URLs."
    return HttpRefusal(HttpCode.BODY_TOO_LARGE, message, {"connection": "close"})
