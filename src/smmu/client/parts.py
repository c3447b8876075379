"""Sends one part to where it was signed for, until it has arrived: waits out a busy world, signs again what expired."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

import anyio
import httpx

from smmu.client.connection import Connection, unreachable
from smmu.client.errors import refusal
from smmu.client.patience import is_busy, told_to_wait
from smmu.client.reading import ALGORITHM, LocalSource
from smmu.ports.checksums import Digest, Span
from smmu.wire import PartUrl

_SIGNATURES_MAX = 5  # a URL that is refused that often is not refused for its age

Sign = Callable[[int], Awaitable[PartUrl]]
Sent = Callable[[int, int], None]
"""Called with a part's number and how many of its bytes are on their way; it may go back when a part is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSender:
    """Sends parts of one file. `sign` gives a fresh URL for a part."""

    connection: Connection
    source: LocalSource
    sign: Sign
    sent: Sent

    async def send(self, part: PartUrl, start: int, length: int) -> Span:
        """Send the bytes of one part; their checksum. Raises `ServerRefused`, `Unreachable`, `FileChanged`."""
        failures = signatures = 0
        while True:
            digest = Digest(ALGORITHM)
            response = await self._attempt(part, start, length, digest)
            if isinstance(response, httpx.Response) and _has_arrived(response):
                return Span(digest.checksum(), length)
            self.sent(part.number, 0)
            if isinstance(response, httpx.Response) and response.status_code == HTTPStatus.FORBIDDEN:
                signatures += 1
                if signatures >= _SIGNATURES_MAX:
                    raise refusal(response.status_code, response.content)
                part = await self.sign(part.number)
                continue
            failures += 1
            await self._wait(failures, response)

    async def _attempt(
        self, part: PartUrl, start: int, length: int, digest: Digest
    ) -> httpx.Response | httpx.TransportError:
        headers = {name.lower(): value for name, value in part.headers.items()} | {"content-length": str(length)}
        try:
            return await self.connection.http.put(
                part.url, content=self._body(part.number, start, length, digest), headers=headers
            )
        except httpx.TransportError as error:
            return error

    async def _body(self, number: int, start: int, length: int, digest: Digest) -> AsyncIterator[bytes]:
        done = 0
        async for piece in self.source.pieces(start, length, digest):
            yield piece
            done += len(piece)
            self.sent(number, done)

    async def _wait(self, failures: int, response: httpx.Response | httpx.TransportError) -> None:
        patience = self.connection.patience
        if isinstance(response, httpx.TransportError):
            if failures >= patience.tries:
                raise unreachable("The storage", response) from response
            await patience.wait(failures)
        elif is_busy(response) and failures < patience.tries:
            await patience.wait(failures, told_to_wait(response))
        else:
            raise refusal(response.status_code, response.content)


def _has_arrived(response: httpx.Response) -> bool:
    """A storage that takes an object only once says 412 when it came before and only the answer was lost."""
    return response.is_success or response.status_code == HTTPStatus.PRECONDITION_FAILED


async def digest_of(source: LocalSource, start: int, length: int) -> Span:
    """The checksum of bytes that were sent before: a resumed upload is checked whole as well."""
    digest = Digest(ALGORITHM)
    async for _ in source.pieces(start, length, digest):
        await anyio.lowlevel.checkpoint()
    return Span(digest.checksum(), length)
