"""Where a list goes on: an opaque text, bound to the owner and the filters it was made for.

It needs no signature: all it holds is the id of the last item seen, and every query is under the caller's own name.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from smmu.domain.errors import Code, Reason, Refused, refuse, refuse_if
from smmu.domain.limits import Limits

_CURSOR_CHARS_MAX = 1024
_WORD_CHARS_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list request asks for. `after` is the last item of the page before, as its cursor says."""

    limit: int
    filters: Mapping[str, str]
    after: str | None

    def query(self, owner: str, after: str) -> dict[str, str]:
        """The query of the next page."""
        return {**self.filters, "limit": str(self.limit), "cursor": sealed(owner, self.filters, after)}


def wanted(
    request: Request,
    owner: str,
    filters: Mapping[str, frozenset[str] | None],
    limits: Limits,
    *,
    asked: Mapping[str, str] | None = None,
) -> Wanted:
    """The query of a list. `filters` names those that it knows, with the values each may have (`None`: any word).

    `asked` is what else the list is of, which has been looked at before.
    """
    refuse_if((*_wrong_words(request, filters), *_wrong_limit(request, limits)))
    given = {name: request.query_params[name] for name in filters if name in request.query_params}
    kept = {**(asked or {}), **given}
    cursor = request.query_params.get("cursor")
    after = None if cursor is None else _opened(cursor, owner, kept)
    return Wanted(limit=_limit(request, limits), filters=kept, after=after)


def sealed(owner: str, filters: Mapping[str, str], after: str) -> str:
    """The cursor after that item."""
    data = json.dumps([_bound(owner, filters), after], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _opened(cursor: str, owner: str, filters: Mapping[str, str]) -> str:
    try:
        data = base64.b64decode(cursor[:_CURSOR_CHARS_MAX] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        bound, after = json.loads(data)
    except (binascii.Error, ValueError, TypeError) as error:
        raise _bad_cursor() from error
    if bound != _bound(owner, filters) or not isinstance(after, str) or not after.isascii():
        raise _bad_cursor()
    return after


def _bad_cursor() -> Refused:
    message = "The cursor is not one that this list gave you: begin at the first page."
    return refuse(Code.INVALID_REQUEST, message, "/cursor")


def _bound(owner: str, filters: Mapping[str, str]) -> str:
    text = json.dumps([owner, sorted(filters.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _wrong_words(request: Request, filters: Mapping[str, frozenset[str] | None]) -> Iterator[Reason]:
    for name, allowed in filters.items():
        value = request.query_params.get(name)
        if value is None or (_is_word(value) if allowed is None else value in allowed):
            continue
        choice = f": choose one of {', '.join(sorted(allowed))}" if allowed else ""
        yield _bad(f"/{name}", f"There is no such {name}{choice}.")


def _is_word(value: str) -> bool:
    return value.isascii() and value.isprintable() and len(value) <= _WORD_CHARS_MAX


def _wrong_limit(request: Request, limits: Limits) -> Iterator[Reason]:
    if not 1 <= _limit(request, limits) <= limits.page_items_max:
        yield _bad("/limit", f"A limit is a whole number from 1 to {limits.page_items_max}.")


def _limit(request: Request, limits: Limits) -> int:
    """How many are asked for; 0 for what is no number."""
    text = request.query_params.get("limit")
    if text is None:
        return limits.page_items_default
    return int(text[:9]) if text.isdecimal() and text.isascii() else 0


def _bad(pointer: str, message: str) -> Reason:
    return Reason(code=Code.INVALID_REQUEST, message=message, pointer=pointer)
