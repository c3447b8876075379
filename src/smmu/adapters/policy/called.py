"""Calls a function of a deployment's own, which may do as it likes and holds nobody up."""

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from anyio import to_thread

from smmu.ports.errors import Corrupt, Unavailable, WorldError


def name_of(function: Callable[..., object]) -> str:
    """A function as a setting names it, or its class where it has no name."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}:{named.__qualname__}"


async def answer_of(what: str, function: Callable[[Any], object], given: object) -> object:
    """What `function` gives, which may be async. One that is not runs in a thread.

    A thread cannot be ended from outside, so one that never answers is left behind. What the callable raises is its own
    fault, as `Corrupt`, but for a `WorldError` that is retryable, as `Unavailable`. `what` names it in the sentence.
    """
    try:
        if inspect.iscoroutinefunction(function):
            return await function(given)
        answer = await to_thread.run_sync(function, given, abandon_on_cancel=True)
        return await answer if inspect.isawaitable(answer) else answer
    except Exception as error:
        passes = isinstance(error, WorldError) and error.retryable
        raise (Unavailable if passes else Corrupt)(f"{what} failed: {error!r}, {_place(error)}") from error


def _place(error: Exception) -> str:
    """Where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"
