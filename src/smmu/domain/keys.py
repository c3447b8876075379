"""Where bytes live. Keys are made here and nowhere else: no part of one comes from a user as it is.

raw/{owner}/{upload}/source                       what the owner sent
media/{owner}/{media}/{job}-a{attempt}/…          what one attempt made; attempts never share a key
media/{owner}/{media}/{job}-a{attempt}-….json     a manifest that lists what several jobs made
media/{owner}/{media}/chunks/{address}/…          parts of a ladder, until a job of it has ended well; their address
                                                  is made of all that decides on their bits, and attempts share them
media/{owner}/{media}/variants/…                  pictures that were made on request

What a manifest lists is below the folder that it is in, so that its paths are relative to it.
"""

import hashlib
import re
from collections.abc import Collection

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


def chunks_prefix(owner: str, media_id: str, address: str = "") -> str:
    """What the files of a chunk start with; without an address, those of all chunks."""
    return f"{media_prefix(owner, media_id)}chunks/" + (f"{address}/" if address else "")


def attempt_prefix(owner: str, media_id: str, job_id: str, attempt: int) -> str:
    """Everything one attempt makes starts with this: a stale worker cannot touch a newer one's files."""
    return f"{media_prefix(owner, media_id)}{job_id}-a{attempt}/"


def removals(dead: Collection[str], alive: Collection[str], root: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders below `root` and single keys that together hold every `dead` key and none that is `alive`.

    The folders are as large as can be, because a folder costs hardly more to remove than one of its files.
    """
    lived_in = {folder for key in alive for folder in _folders(key, root)}
    folders, single = set[str](), set[str]()
    for key in set(dead).difference(alive):
        empty = next((folder for folder in _folders(key, root) if folder not in lived_in), None)
        (single if empty is None else folders).add(empty or key)
    return tuple(sorted(folders)), tuple(sorted(single))


def _folders(key: str, root: str) -> list[str]:
    """The folders below `root` that a key is in, the largest first."""
    steps = key.removeprefix(root).split("/")[:-1]
    return [root + "/".join(steps[: count + 1]) + "/" for count in range(len(steps))]


def folder_of(key: str) -> str:
    """The folder that a key is in, with its slash."""
    return key.rpartition("/")[0] + "/"
