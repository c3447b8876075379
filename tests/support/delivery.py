"""Bringing bytes to signed URLs as a client would, over HTTP or, where our own API serves them, through the gateway."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import anyio.lowlevel

from smmu.ports.gateway import PATH, Gateway
from smmu.ports.platform import Platform
from smmu.ports.uploads import SignedPart, StoredPart

EXACT = -1


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
    return await send(platform, part.url, body)


async def content(platform: Platform, key: str) -> bytes | None:
    """What is at a key now."""
    info = await platform.objects.stat(key)
    if info is None:
        return None
    source = await platform.objects.open(info.ref)
    return await source.read(0, source.size)
