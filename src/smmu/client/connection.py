"""One server, spoken to in `wire` messages: tokens, retries, and problem documents as exceptions.

The token goes to the API and nowhere else: storage is reached by signed URLs, through the same pool but without it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from smmu.client.address import address_in, token_in
from smmu.client.errors import NotUnderstood, Unreachable, refusal
from smmu.client.patience import Patience, is_busy, told_to_wait

A = TypeVar("A", bound=BaseModel)
_TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)


@dataclass(slots=True, kw_only=True)
class Connection:
    """How a server is reached. Every call may be repeated by whoever makes it, and is, while the world is busy."""

    url: str
    token: str
    http: httpx.AsyncClient
    patience: Patience = field(default_factory=Patience)
    has_answered: bool = False

    async def ask(
        self,
        answer: type[A],
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> A:
        """Send a message, and the answer to it. Raises `ServerRefused`, `Unreachable`, `NotUnderstood`."""
        response = await self.send(method, path, body=body, headers=headers, query=query)
        return understood(answer, response)

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a message until the server has answered it, whatever it says but an error."""
        content = body.model_dump_json().encode() if body is not None else None
        sent = {**self.identity(), **({"content-type": "application/json"} if content else {}), **(headers or {})}
        request = self.http.build_request(method, self.url + path, content=content, headers=sent, params=query)
        response = await self._answered(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise refusal(response.status_code, response.content)
        return response

    def identity(self) -> dict[str, str]:
        """The header that says who is asking."""
        return {"authorization": f"Bearer {self.token}"}

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        failures = 0
        while True:
            try:
                response = await self.http.send(request)
            except httpx.TransportError as error:
                failures += 1
                if failures >= (self.patience.tries if self.has_answered else self.patience.tries_at_first):
                    raise unreachable(self.url, error) from error
                await self.patience.wait(failures)
                continue
            self.has_answered = True
            failures += 1
            if not is_busy(response) or failures >= self.patience.tries:
                return response
            await self.patience.wait(failures, told_to_wait(response))


@asynccontextmanager
async def connected(
    url: str, token: str, *, patience: Patience | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Connection]:
    """A connection to the server at `url`, closed at the end of the block. Raises `Unusable`."""
    address, known = address_in(url), token_in(token)
    async with httpx.AsyncClient(timeout=_TIMEOUT, transport=transport) as http:
        yield Connection(url=address, token=known, http=http, patience=patience or Patience())


def understood(answer: type[A], response: httpx.Response) -> A:
    """The message in a response."""
    try:
        return answer.model_validate_json(response.content)
    except ValidationError as error:
        raise NotUnderstood(f"What answers at {response.request.url.host} is not this service.") from error


def unreachable(url: str, error: Exception) -> Unreachable:
    """Why nothing came back."""
    return Unreachable(f"{url} cannot be reached: {str(error) or type(error).__name__}.")
