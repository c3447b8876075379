"""`Gateway`: serves the signed URLs of a platform without a cloud (capability `SERVES_URLS`).

Such a platform's stores sign paths, `/blobs/{token}`; the API makes them absolute and brings what arrives here.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from smmu.ports.objects import ObjectInfo, Source
from smmu.ports.uploads import StoredPart

PATH = "/blobs/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a read ticket opens."""

    info: ObjectInfo
    source: Source
    filename: str | None


class Gateway(Protocol):
    """Both calls verify the token first: `Denied` for one that is forged, late or for another use."""

    @abstractmethod
    async def receive(self, token: str, length: int | None, body: AsyncIterator[bytes]) -> StoredPart:
        """Take a part. Durable when it returns; on any failure the part that was there before, if any, is untouched.

        Raises `Corrupt` when the length (declared or real) or the checksum is not what was signed, without reading
        more than was signed; `NotFound` when the session is over; `Full` when there is no room. A single session is
        over when it was aborted, or its object was deleted. While the object is there, the same bytes again answer
        what they answered first, and other bytes are refused with `AlreadyExists`; neither changes anything.
        """

    @abstractmethod
    async def open(self, token: str) -> Served:
        """Open what a read ticket names. Raises `NotFound` when it is gone or is no longer the pinned version."""
