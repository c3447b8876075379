"""A whole service behind the real API, without a socket, and a network between it and the client that misbehaves."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

import smmu
from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.client.client import Client, open_client
from smmu.client.patience import Patience
from smmu.domain.limits import MIB
from smmu.entrypoints.api.app import create_app

URL, TOKEN, OWNER = "http://service", "token-of-ada", "ada"
LIMITS = smmu.Limits(single_bytes_max=1 * MIB, part_bytes_preferred=5 * MIB)
HURRIED = Patience(tries=6, first_seconds=0.001, longest_seconds=0.02)

Fault = Callable[[httpx.Request], httpx.Response | Exception | None]
"""What happens to a request instead of being delivered; `None`: it is delivered."""


@dataclass
class Network(httpx.AsyncBaseTransport):
    """Delivers requests to `app`, keeps a list of them, and lets each fault of a list happen once."""

    inner: httpx.AsyncBaseTransport
    faults: list[Fault] = field(default_factory=list)
    answers_lost: list[str] = field(default_factory=list)
    seen: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        for fault in self.faults:
            happened = fault(request)
            if happened is None:
                continue
            self.faults.remove(fault)
            if isinstance(happened, Exception):
                raise happened
            return happened
        response = await self.inner.handle_async_request(request)
        for ending in self.answers_lost:
            if request.url.path.endswith(ending):
                self.answers_lost.remove(ending)
                raise httpx.ReadError("the answer was lost")
        return response

    def count(self, method: str, part_of_path: str) -> int:
        return sum(request.method == method and part_of_path in request.url.path for request in self.seen)


def once(method: str, part_of_path: str, happens: httpx.Response | Exception) -> Fault:
    def fault(request: httpx.Request) -> httpx.Response | Exception | None:
        return happens if request.method == method and part_of_path in request.url.path else None

    return fault


@dataclass(frozen=True)
class Remote:
    """The service, the way to it, and the application itself."""

    system: smmu.System
    network: Network

    @asynccontextmanager
    async def client(self, *, token: str = TOKEN, patience: Patience = HURRIED) -> AsyncIterator[Client]:
        async with open_client(URL, token, patience=patience, transport=self.network) as client:
            yield client


@asynccontextmanager
async def remote(limits: smmu.Limits = LIMITS) -> AsyncIterator[Remote]:
    async with smmu.open_in_memory(smmu.PretendEngine(speed=None), limits=limits) as system:
        verifier = StaticVerifier({TOKEN: OWNER}, system.platform.clock)
        app = create_app(system, verifier)
        yield Remote(system, Network(httpx.ASGITransport(app=app)))
