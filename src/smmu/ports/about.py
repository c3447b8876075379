"""What is being worked on just now: fields that every line told meanwhile carries, whoever tells it.

A line deep in a library knows no job. Whoever takes a message, a request or a task says once what it is about, and
telemetry adds that to everything it is told inside of the block, in tasks that were started there too.
"""

from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType

_KNOWN: ContextVar[Mapping[str, object]] = ContextVar("smmu_about", default=MappingProxyType({}))


class About:
    """Inside of the block, what is told is about `fields` as well."""

    __slots__ = ("_fields", "_token")

    def __init__(self, **fields: object) -> None:
        self._fields = fields
        self._token: Token[Mapping[str, object]] | None = None

    def __enter__(self) -> None:
        self._token = _KNOWN.set({**_KNOWN.get(), **self._fields})

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _KNOWN.reset(self._token)


def known() -> Mapping[str, object]:
    """What everything told now is about."""
    return _KNOWN.get()
