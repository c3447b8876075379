"""One open product for the life of a sandbox: the first event opens it, the others find it open.

It is never closed: a sandbox is frozen and thrown away, and nothing in it is worth a goodbye.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cache
from typing import Any, TypeVar

from smmu.application.system import System
from smmu.bootstrap.opening import open_system
from smmu.bootstrap.settings import load_settings

T = TypeVar("T")


def handler(work: Callable[[System, Any], Awaitable[T]]) -> Callable[[Any, object], T]:
    """The Lambda handler that does `work` on an event. What it raises becomes the invocation's error."""

    def handle(event: Any, _context: object) -> T:  # noqa: ANN401 - an event is JSON
        return _runner().run(_on_the_system(work, event))

    return handle


async def _on_the_system(work: Callable[[System, Any], Awaitable[T]], event: Any) -> T:  # noqa: ANN401 - JSON
    return await work(await _system(), event)


_open: list[System] = []


async def _system() -> System:
    if not _open:
        running = await AsyncExitStack().enter_async_context(open_system(load_settings()))
        _open.append(running.system)
    return _open[0]


@cache
def _runner() -> asyncio.Runner:
    """One event loop, because the SDK's clients live in the one they were opened in."""
    return asyncio.Runner()
