"""`/blobs/{token}`: bytes in and out, on platforms whose signed URLs this API answers itself.

The token is all the permission there is, as with a presigned S3 URL. Nothing is held in memory but a chunk or two.
Served bytes are somebody's upload: they have the type that was found, are never sniffed, and never run in our origin.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from smmu.domain.errors import Code, Refused, refuse
from smmu.entrypoints.api.etags import matches
from smmu.entrypoints.api.headers import header
from smmu.entrypoints.api.problems import HttpCode, HttpRefusal, Problems
from smmu.entrypoints.api.ranges import Span, Unsatisfiable, span_of
from smmu.entrypoints.api.replies import Receive, Reply, Send
from smmu.entrypoints.api.routes import Operation, Parameter
from smmu.entrypoints.api.streams import Stream
from smmu.ports.errors import AlreadyExists, Corrupt, Denied, NotFound
from smmu.ports.gateway import PATH, Gateway, Served
from smmu.ports.objects import Source, attachment

CHUNK_BYTES: Final = 256 * 1024
_REST_BYTES_MAX: Final = 1 << 20
_SHOWN: Final = ("image/", "video/", "audio/")
_SHOWN_TOO: Final = frozenset({"text/vtt", "application/json", "application/vnd.apple.mpegurl"})
_EXECUTED: Final = frozenset({"image/svg+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRoutes:
    """The routes of bytes."""

    gateway: Gateway
    problems: Problems

    async def take(self, request: Request) -> Response:
        """`PUT /blobs/{token}`."""
        body = Incoming(request.receive)
        try:
            with refusing():
                part = await self.gateway.receive(request.path_params["token"], _length(request), body)
        except (Refused, HttpRefusal) as refusal:
            headers = {} if await body.drop() else {"connection": "close"}
            return self.problems.answer(refusal, request.scope, headers=headers)
        return Reply(headers={"etag": _quoted(part.etag)})

    async def serve(self, request: Request) -> Response:
        """`GET` and `HEAD /blobs/{token}`."""
        with refusing():
            served = await self.gateway.open(request.path_params["token"])
            return await _answer(request, served)


@dataclass(slots=True)
class Incoming(AsyncIterator[bytes]):
    """A request's body as it comes."""

    receive: Receive
    ended: bool = False

    async def __anext__(self) -> bytes:
        if self.ended:
            raise StopAsyncIteration
        message = await self.receive()
        if message["type"] == "http.disconnect":
            self.ended = True
            raise ClientDisconnect
        self.ended = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    async def drop(self) -> bool:
        """Read what little may be left of a body that was refused, so that its sender hears why; whether that was all.

        A sender that is cut off while it sends sees a broken connection instead of the answer.
        """
        dropped = 0
        while not self.ended and dropped < _REST_BYTES_MAX:
            dropped += len(await anext(self))
        return self.ended


@contextmanager
def refusing() -> Iterator[None]:
    """What a store says of a token or of bytes, as its client should hear it."""
    try:
        yield
    except Denied as error:
        message = f"This address cannot be used: {error}. Ask for a new one."
        raise HttpRefusal(HttpCode.URL_REFUSED, message) from error
    except NotFound as error:
        raise refuse(Code.NOT_FOUND, "There is nothing at this address any more.") from error
    except AlreadyExists as error:
        message = "The file is here already, and its bytes are not these: complete the upload, or begin a new one."
        raise HttpRefusal(HttpCode.ALREADY_SENT, message) from error
    except Corrupt as error:
        raise refuse(Code.INVALID_PART, f"The bytes are not what was signed: {error}. Send the part again.") from error


def _length(request: Request) -> int | None:
    text = header(request, b"content-length") or ""
    return int(text) if text.isdecimal() else None


def _quoted(etag: str) -> str:
    return f'"{etag.strip(chr(34))}"'


# --- serving


async def _answer(request: Request, served: Served) -> Response:
    size, tag = served.source.size, _quoted(served.info.ref.etag)
    headers = {"etag": tag, **_headers(served)}
    known = header(request, b"if-none-match")
    if known is not None and matches(known, tag):
        return Reply(status=304, headers=headers)
    try:
        span = span_of(_range(request, served, tag), size)
    except Unsatisfiable:
        message = f"There are no such bytes: the file has {size}."
        told = {"content-range": f"bytes */{size}"}
        raise HttpRefusal(HttpCode.RANGE_NOT_SATISFIABLE, message, told) from None
    wanted = span or Span(start=0, end=size)
    if span is not None:
        headers["content-range"] = span.content_range(size)
    headers["content-length"] = str(wanted.length)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    reader = await _reader(served.source)
    return Bytes(reader, wanted, 200 if span is None else 206, raw)


def _range(request: Request, served: Served, tag: str) -> str | None:
    """The range asked for, unless it was of another version (RFC 9110 section 13.1.5)."""
    only_if = header(request, b"if-range")
    if only_if is not None and only_if.strip() not in (tag, _http_date(served.info.modified_at)):
        return None
    return header(request, b"range")


def _headers(served: Served) -> dict[str, str]:
    content_type = served.info.content_type
    headers = {
        "content-type": content_type,
        "accept-ranges": "bytes",
        "last-modified": _http_date(served.info.modified_at),
        "cache-control": "private, max-age=300",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    if served.filename is not None:
        headers["content-disposition"] = attachment(served.filename)
    elif not _is_shown(content_type):
        headers["content-disposition"] = "attachment"
    return headers


def _is_shown(content_type: str) -> bool:
    """Whether a browser may show it. Everything that it could execute, or that nobody knows, is only saved."""
    plain = content_type.partition(";")[0].strip().lower()
    return plain not in _EXECUTED and (plain.startswith(_SHOWN) or plain in _SHOWN_TOO)


def _http_date(unix_seconds: float) -> str:
    return formatdate(int(unix_seconds), usegmt=True)


@dataclass(slots=True)
class Reader:
    """Reads ranges of a pinned file: from the file itself where there is one on this machine."""

    source: Source
    file: int | None

    async def read(self, start: int, length: int) -> bytes:
        """Bytes from `start`, at most `length`."""
        if self.file is None:
            return await self.source.read(start, length)
        return await to_thread.run_sync(os.pread, self.file, length, start)

    def close(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            os.close(self.file)
            self.file = None


async def _reader(source: Source) -> Reader:
    """Opened before the answer begins, so that what is gone by now can still be refused."""
    path = source.local_path
    if path is None:
        return Reader(source, None)
    try:
        return Reader(source, await to_thread.run_sync(os.open, path, os.O_RDONLY | os.O_CLOEXEC))
    except FileNotFoundError as error:
        raise NotFound("the file is gone") from error


class Bytes(Stream):
    """A span of a file."""

    def __init__(self, reader: Reader, span: Span, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(status, headers)
        self._reader, self._span = reader, span

    async def pieces(self, send: Send) -> None:
        """Send chunk by chunk; the next is read when the client has room for it."""
        at = self._span.start
        try:
            while at < self._span.end:
                chunk = await self._reader.read(at, min(CHUNK_BYTES, self._span.end - at))
                if not chunk:
                    raise Corrupt("the file is shorter than it was")
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                at += len(chunk)
        finally:
            self._reader.close()


def operations(routes: BlobRoutes) -> list[Operation]:
    """What these routes are."""
    path = PATH + "{token}"
    part = Parameter(name="Range", place="header", says="One range of bytes; several answer the whole file.")
    return [
        Operation(
            method="PUT",
            path=path,
            endpoint=routes.take,
            says="Take the bytes of a part, exactly as many as were signed.",
            gives={200: None},
            takes_bytes=True,
            refuses=(403, 404, 412, 422, 507),
            secured=False,
        ),
        *(
            Operation(
                method=method,
                path=path,
                endpoint=routes.serve,
                says="Serve the bytes that an address was signed for.",
                gives={200: None, 206: None, 304: None},
                produces="application/octet-stream",
                refuses=(403, 404, 416),
                parameters=(part,),
                secured=False,
            )
            for method in ("GET", "HEAD")
        ),
    ]
