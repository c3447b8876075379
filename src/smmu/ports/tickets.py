"""Signed tickets: what a URL that our own API serves may do, for how long, and nothing else.

The counterpart of a presigned S3 URL on platforms without a cloud: a JSON payload and its signature
(`domain/signed.py`). Whoever holds the ticket may use it; nobody can change or prolong it.
"""

from functools import cache
from typing import Literal

import msgspec

from smmu.domain.signed import opened, signed


class Ticket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`put` takes part `number` of `storage_id` with exactly `size` bytes (`None`: at most `size_max`) at `key`.

    Without a `storage_id` the part is the object, of `content_type`, and the ticket is all there is of its session.
    `get` serves the pinned `version`/`etag` of `key`, as an attachment called `filename` when that is given.
    `checksum` is "algorithm:value". `expires_at` is in unix seconds.
    """

    does: Literal["put", "get"]
    key: str
    expires_at: float
    storage_id: str = ""
    number: int = 0
    size: int | None = None
    size_max: int = 0
    part_size: int = 0
    checksum: str = ""
    content_type: str = ""
    version: str = ""
    etag: str = ""
    filename: str = ""


_encode = msgspec.json.Encoder().encode


@cache
def _decoder() -> msgspec.json.Decoder[Ticket]:
    """Built when first used: most programs read no ticket."""
    return msgspec.json.Decoder(Ticket)


def seal(ticket: Ticket, secret: bytes) -> str:
    """The ticket as a URL-safe token."""
    return signed(_encode(ticket), secret)


def unseal(token: str, secret: bytes) -> Ticket | None:
    """The ticket in a token, or `None` when we did not write it. Whether its time is over is the caller's question."""
    payload = opened(token, secret)
    return None if payload is None else _decoder().decode(payload)
