"""Signed tickets: what a URL that our own API serves may do, for how long, and nothing else.

The counterpart of a presigned S3 URL on platforms without a cloud: a JSON payload and its HMAC-SHA-256, both in
URL-safe base 64. Whoever holds the ticket may use it; nobody can change or prolong it.
"""

import json
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Literal

from smmu.domain.quick import quick
from smmu.domain.signed import opened, signed


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
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


_to_json = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make an encoder for each ticket
_NAMES = tuple(field.name for field in fields(Ticket))
_values_of = attrgetter(*_NAMES)
_ALWAYS = frozenset({"does", "key", "expires_at", "size"})  # without a default, or with one that is not nothing


def seal(ticket: Ticket, secret: bytes) -> str:
    """The ticket as a URL-safe token."""
    said = zip(_NAMES, _values_of(ticket), strict=True)  # `asdict` copies deeply, which is half of all this
    told = {name: value for name, value in said if value or name in _ALWAYS}
    return signed(_to_json(told).encode(), secret)


def unseal(token: str, secret: bytes) -> Ticket | None:
    """The ticket in a token, or `None` when we did not write it. Whether its time is over is the caller's question."""
    payload = opened(token, secret)
    return None if payload is None else Ticket(**json.loads(payload))
