"""The `Idempotency-Key` header: a structured-field string in quotes, or the same text without them.

Source: draft-ietf-httpapi-idempotency-key-header-07. Keys are scoped to the owner.
"""

import re

from starlette.requests import Request

from smmu.domain.errors import Code, refuse
from smmu.domain.limits import Limits
from smmu.entrypoints.api.headers import header

_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE = re.compile(r"[\x21\x23-\x7e]+")


def key_in(request: Request, limits: Limits) -> str | None:
    """The key, or `None` when there is none. Raises `Refused` for one that is no key."""
    given = header(request, b"idempotency-key")
    if given is None:
        return None
    key = _text(given.strip())
    if not 1 <= len(key) <= limits.idempotency_key_chars_max:
        most = limits.idempotency_key_chars_max
        message = f"An Idempotency-Key is 1 to {most} printable ASCII characters, in quotes or without spaces."
        raise refuse(Code.INVALID_REQUEST, message)
    return key


def _text(given: str) -> str:
    quoted = _QUOTED.fullmatch(given)
    if quoted:
        return re.sub(r'\\(["\\])', r"\1", quoted[1])
    return given if _BARE.fullmatch(given) else ""
