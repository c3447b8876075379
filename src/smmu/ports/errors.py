"""How the world fails, as every adapter must say it: eight kinds, each knowing whether to try again.

Adapters translate what their vendor raises in one `translating()` context manager, `raise … from`.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class WorldError(Exception):
    """The world did not do what a port promises. `retryable`: the same call may succeed later, unchanged."""

    retryable = False


class NotFound(WorldError):
    """Nothing is there."""


class AlreadyExists(WorldError):
    """Something is there already, and the call was to create."""


class Conflict(WorldError):
    """A condition of the write did not hold: someone else was first. Load again and decide again."""


class LimitReached(WorldError):
    """A counter of the commit would pass its bound. `field` names it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class Denied(WorldError):
    """The caller may not do this: a wrong signature, an expired URL, a missing permission."""


class Throttled(WorldError):
    """Too much at once; the same call may succeed later."""

    retryable = True


class Unavailable(WorldError):
    """Could not be reached, or failed without saying whether the effect happened. Every port call may be repeated."""

    retryable = True


class Full(WorldError):
    """There is no room left (disk, queue). Nothing was half-written."""

    retryable = True


class Corrupt(WorldError):
    """What was read or written is not what it should be: a checksum or a length does not match."""


class TaskDied(WorldError):
    """An isolated process ended without an answer. `cause` is one of `DEATHS`."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        if cause not in DEATHS:
            raise ValueError(cause)
        self.cause = cause


DEATHS = frozenset({"out_of_memory", "crashed", "stalled", "timed_out", "interrupted"})


@contextmanager
def one_error() -> Iterator[None]:
    """Raise the first error of tasks beside each other as itself: callers name what they catch, and want no tree."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
