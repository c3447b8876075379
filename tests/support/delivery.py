"""Bringing bytes to signed URLs as a client would: through the gateway where our own API serves them, else over HTTP."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from functools import cache
from ssl import SSLContext, create_default_context
from types import MappingProxyType

import anyio.lowlevel
import httpx

from smmu.ports.errors import AlreadyExists, Corrupt, Denied, NotFound, WorldError
from smmu.ports.gateway import PATH, Gateway
from smmu.ports.platform import Capability, Platform
from smmu.ports.uploads import SignedForm, SignedPart, StoredPart

EXACT = -1
REFUSALS: dict[int, type[WorldError]] = {400: Corrupt, 403: Denied, 404: NotFound, 412: AlreadyExists}


def gateway_of(platform: Platform) -> Gateway:
    """The gateway of a platform that declares `SERVES_URLS`."""
    assert platform.gateway is not None
    return platform.gateway


def token_of(url: str) -> str:
    assert url.startswith(PATH)
    return url.removeprefix(PATH)


async def chunks(pieces: Iterable[bytes]) -> AsyncGenerator[bytes]:
    for piece in pieces:
        await anyio.lowlevel.checkpoint()
        yield piece


def in_pieces(body: bytes, size: int = 700) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


async def send(platform: Platform, url: str, body: bytes, length: int | None = EXACT) -> StoredPart:
    """PUT a body to a URL. `length` is what is announced: the truth, unless a test wants to lie or to say nothing."""
    announced = len(body) if length == EXACT else length
    async with aclosing(chunks(in_pieces(body))) as pieces:
        return await gateway_of(platform).receive(token_of(url), announced, pieces)


async def deliver(platform: Platform, part: SignedPart, body: bytes) -> StoredPart:
    """Send a part as it should be sent."""
    if Capability.SERVES_URLS in platform.capabilities:
        return await send(platform, part.url, body)
    answer = await put(part.url, body, part.headers)
    if answer.is_error:
        raise REFUSALS[answer.status_code](answer.text)
    return StoredPart(number=part.number, size=len(body), etag=answer.headers["etag"].strip('"'))


async def put(url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    """A real PUT."""
    return await request("PUT", url, body, headers)


async def request(method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> httpx.Response:
    """A real request."""
    async with httpx.AsyncClient(verify=_tls(), timeout=60, trust_env=False) as client:
        return await client.request(method, url, content=body, headers=headers)


async def post(
    form: SignedForm, body: bytes, changes: Mapping[str, str | None] = MappingProxyType({})
) -> httpx.Response:
    """A real POST of a form, but for `changes`: fields that are replaced, added, or (`None`) left out."""
    told = {name: value for name, value in {**form.fields, **changes}.items() if value is not None}
    async with httpx.AsyncClient(verify=_tls(), timeout=60, trust_env=False) as client:
        return await client.post(form.url, data=told, files={"file": ("film.mp4", body)})


@cache
def _tls() -> SSLContext:
    """Reading the machine's certificates takes longer than a PUT."""
    return create_default_context()


async def content(platform: Platform, key: str) -> bytes | None:
    """What is at a key now."""
    info = await platform.objects.stat(key)
    if info is None:
        return None
    source = await platform.objects.open(info.ref)
    return await source.read(0, source.size)
