"""Where bytes live. Keys are made here and nowhere else: no part of one comes from a user as it is.

raw/{owner}/{upload}/source                       what the owner sent
media/{owner}/{media}/{job}-a{attempt}/…          what one attempt made; attempts never share a key
media/{owner}/{media}/variants/…                  pictures that were made on request
"""

import hashlib
import re

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SOURCE = re.compile(rf"raw/(?P<owner>{_SAFE.pattern})/(?P<upload>[^/]+)/source")


def owner_segment(owner: str) -> str:
    """An owner as one key segment: itself where it is safe, else a digest that cannot collide with a safe one.

    Its letters are also safe in a URL, and in a tag that rights are given by (adapters/aws/sessions.py).
    """
    if _SAFE.fullmatch(owner):
        return owner
    return f".{hashlib.sha256(owner.encode()).hexdigest()[:40]}"


def source_key(owner: str, upload_id: str) -> str:
    """Key of an uploaded file."""
    return f"raw/{owner_segment(owner)}/{upload_id}/source"


def upload_of(key: str) -> tuple[str, str] | None:
    """Owner and upload of an uploaded file's key; `None` for another's, or where the key has but the owner's digest."""
    found = _SOURCE.fullmatch(key)
    return (found["owner"], found["upload"]) if found else None


def media_prefix(owner: str, media_id: str) -> str:
    """Everything ever made of one media starts with this."""
    return f"media/{owner_segment(owner)}/{media_id}/"


def variant_key(owner: str, media_id: str, name: str) -> str:
    """Key of a picture made on request; without a name, what all of them start with."""
    return f"{media_prefix(owner, media_id)}variants/{name}"


def attempt_prefix(owner: str, media_id: str, job_id: str, attempt: int) -> str:
    """Everything one attempt makes starts with this: a stale worker cannot touch a newer one's files."""
    return f"{media_prefix(owner, media_id)}{job_id}-a{attempt}/"
