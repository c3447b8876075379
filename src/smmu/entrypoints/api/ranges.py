"""`Range` (RFC 9110 section 14): which bytes of a file a client wants. Pure arithmetic."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=\s*(\d{0,19})-(\d{0,19})\s*", re.ASCII)


class Unsatisfiable(Exception):
    """The file has no such bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes from `start` up to but not including `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start

    def content_range(self, size: int) -> str:
        """As the header `Content-Range` says it."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def span_of(header: str | None, size: int) -> Span | None:
    """The one range asked for; `None` for the whole file: no range, several, or none that makes sense.

    A server may ignore any range it likes to; several at once are not worth their multipart answer.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return _suffix(int(match[2]), size)
    start, end = int(match[1]), int(match[2]) + 1 if match[2] else size
    if match[2] and end <= start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start=start, end=min(end, size))


def _suffix(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Span(start=max(0, size - length), end=size)
