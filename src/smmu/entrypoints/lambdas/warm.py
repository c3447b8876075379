"""One open product for the life of a sandbox: the first event opens it, the others find it open.

It is never closed: a sandbox is frozen and thrown away, and nothing in it is worth a goodbye. A connection that died
while the sandbox was frozen fails at its next use, and the SDK tries again by another one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from smmu.application.system import System
from smmu.bootstrap.opening import lines_of, open_system
from smmu.bootstrap.settings import load_settings
from smmu.entrypoints.libraries import tell_what_libraries_log
from smmu.ports.platform import Scope

T = TypeVar("T")


def handler(work: Callable[[System, Any], Awaitable[T]], component: str) -> Callable[[Any, object], T]:
    """The Lambda handler that does `work` on an event. What it raises becomes the invocation's error.

    `component` is what its lines call it.
    """

    def handle(event: Any, _context: object) -> T:  # noqa: ANN401 - an event is JSON
        sandbox = _sandbox()
        try:
            return sandbox.runner.run(_on_the_system(work, component, event))
        finally:
            if sandbox.system is not None:
                sandbox.system.telemetry.flush()  # a frozen sandbox writes nothing

    return handle


def narrowed_handler(
    work: Callable[[System, Any], Awaitable[T]], component: str, scope_of: Callable[[Any], Scope]
) -> Callable[[Any, object], T]:
    """The same, narrowed to what an event is about: the product is opened for it alone, and closed."""

    def handle(event: Any, _context: object) -> T:  # noqa: ANN401 - an event is JSON
        return _sandbox().runner.run(_in_scope(work, component, event, scope_of(event)))

    return handle


@dataclass(slots=True)
class _Sandbox:
    """What outlives an event: one event loop, because the SDK's clients live in the one they were opened in.

    `kept` holds the product open. Without a holder it would be collected, and closed while it is used.
    """

    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    kept: AsyncExitStack = field(default_factory=AsyncExitStack)
    system: System | None = None


@cache
def _sandbox() -> _Sandbox:
    return _Sandbox()


async def _on_the_system(
    work: Callable[[System, Any], Awaitable[T]],
    component: str,
    event: Any,  # noqa: ANN401 - JSON
) -> T:
    sandbox = _sandbox()
    if sandbox.system is None:
        settings = load_settings()
        telemetry = lines_of(settings, component)
        tell_what_libraries_log(telemetry)
        running = await sandbox.kept.enter_async_context(open_system(settings, telemetry=telemetry))
        sandbox.system = running.system
    return await work(sandbox.system, event)


async def _in_scope(
    work: Callable[[System, Any], Awaitable[T]],
    component: str,
    event: Any,  # noqa: ANN401 - JSON
    scope: Scope,
) -> T:
    settings = load_settings()
    telemetry = lines_of(settings, component)
    tell_what_libraries_log(telemetry)
    try:
        async with open_system(settings, telemetry=telemetry, scope=scope) as running:
            return await work(running.system, event)
    finally:
        telemetry.flush()
