"""Passes: leave to play one revision of one media, as a text that can stand in an address.

A pass names the owner, the media and the very manifest: what that manifest does not list, it does not open, and a newer
revision changes nothing under who is playing. It lives as long as the media lasts and some hours more, so that a film
that was begun can be paused and seen to its end. Whoever holds it may use it; nobody can change or prolong it.
"""

import json
from dataclasses import astuple, dataclass

from smmu.domain.signed import opened, signed
from smmu.domain.values import ObjectRef

SECRET = "playback"  # noqa: S105 - what the secret is for, which names it among others


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Who may see what, until `expires_at` (unix seconds). `manifest` pins the revision."""

    owner: str
    media_id: str
    manifest: ObjectRef
    expires_at: float


def seal(leave: Pass, secret: bytes) -> str:
    """The pass as a URL-safe token."""
    told = [leave.owner, leave.media_id, leave.expires_at, *astuple(leave.manifest)]
    return signed(json.dumps(told, separators=(",", ":")).encode(), secret)


def unseal(token: str, secret: bytes) -> Pass | None:
    """The pass in a token, or `None` when we did not write it. Whether its time is over is the caller's question."""
    payload = opened(token, secret)
    if payload is None:
        return None
    owner, media_id, expires_at, key, version, etag, size = json.loads(payload)
    manifest = ObjectRef(key=key, version=version, etag=etag, size=size)
    return Pass(owner=owner, media_id=media_id, manifest=manifest, expires_at=expires_at)
