"""Conditional requests: an answer is not sent again to who has it, and nothing is changed that was not seen.

Entity tags are strong. A job's is a digest of its answer, because it changes with its tasks; a media's is its version.
"""

import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response

from smmu.domain.errors import Code, refuse
from smmu.entrypoints.api.headers import header
from smmu.entrypoints.api.replies import Reply

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_VERSION = re.compile(r'"v(\d{1,15})"')


def of_body(body: bytes | memoryview) -> str:
    """The tag of exactly this answer."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def of_version(version: int) -> str:
    """The tag of a record."""
    return f'"v{version}"'


def unless_known(request: Request, answer: Reply, tag: str) -> Response:
    """The answer with its tag; only the tag when the client has that already."""
    answer.raw_headers.append((b"etag", tag.encode()))
    known = header(request, b"if-none-match")
    if known is None or not matches(known, tag):
        return answer
    return Reply(status=304, headers={"etag": tag})


def matches(header: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag (weakly, RFC 9110 section 13.1.2)."""
    return header.strip() == "*" or tag in (found.removeprefix("W/") for found in _TAG.findall(header))


def version_in(request: Request) -> frozenset[int] | None:
    """The versions that `If-Match` allows; `None` when any will do. Weak tags match nothing (section 13.1.1)."""
    given = header(request, b"if-match")
    if given is None or given.strip() == "*":
        return None
    found = [_VERSION.fullmatch(tag) for tag in _TAG.findall(given)]
    versions = frozenset(int(match[1]) for match in found if match)
    if not versions:
        raise refuse(Code.PRECONDITION_FAILED, "The media is not the one you have: read it again.")
    return versions
