"""Sending parts to the embedded platform, slowly too, and looking at the files that come of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from smmu.ports.objects import Source
from smmu.ports.platform import Platform
from smmu.ports.uploads import PartSlot, Session, StoredPart
from tests.support.delivery import deliver, in_pieces, token_of

KEY = "raw/ada/upl_1/source"
PART = 1_000
A, B, C = (bytes([letter]) * PART for letter in b"abc")


async def token(platform: Platform, session: Session, number: int, size: int = PART) -> str:
    slot = PartSlot(number=number, size=size)
    (part,) = await platform.uploads.sign(session, [slot], expires_at=platform.clock.now() + 60)
    return token_of(part.url)


async def send(platform: Platform, session: Session, number: int, body: bytes) -> StoredPart:
    slot = PartSlot(number=number, size=len(body))
    (part,) = await platform.uploads.sign(session, [slot], expires_at=platform.clock.now() + 60)
    return await deliver(platform, part, body)


def file_of(source: Source) -> bytes:
    assert source.local_path is not None
    return Path(source.local_path).read_bytes()


def names(folder: Path, place: str) -> set[str]:
    return {path.name for path in (folder / place).rglob("*") if path.is_file()}


class SlowBody:
    """A body whose sender waits before each piece until it is let go on."""

    def __init__(self, body: bytes) -> None:
        self.pieces = in_pieces(body, 300)
        self.go_on = anyio.Event()
        self.begun = anyio.Event()

    async def stream(self) -> AsyncIterator[bytes]:
        yield self.pieces[0]
        self.begun.set()
        await self.go_on.wait()
        for piece in self.pieces[1:]:
            yield piece
