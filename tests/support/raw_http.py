"""HTTP as no client would speak it: with a length that is not the body's."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

import anyio
from anyio.abc import ByteStream

_ANSWER_SECONDS = 20.0


async def put(url: str, body: bytes, headers: Mapping[str, str], *, announced: int) -> int | None:
    """PUT a body under an announced length, then say no more; the status, `None` if there is no answer."""
    parts = urlsplit(url)
    told = {"host": parts.netloc, **headers, "content-length": str(announced), "connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    request = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\n{head}\r\n".encode()
    answer = b""
    async with await _connect(parts) as stream:
        try:
            await stream.send(request + body)
            if parts.scheme == "http":  # TLS cannot end one side alone
                await stream.send_eof()
            with anyio.move_on_after(_ANSWER_SECONDS):
                while True:
                    answer += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass
    found = re.search(rb"HTTP/1.1 (\d+)", answer)
    return int(found[1]) if found else None


async def _connect(parts: SplitResult) -> ByteStream:
    assert parts.hostname is not None
    if parts.scheme == "https":
        return await anyio.connect_tcp(parts.hostname, parts.port or 443, tls=True)
    return await anyio.connect_tcp(parts.hostname, parts.port or 80)
