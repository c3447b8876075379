"""What can go wrong at a call of a port, and the wrapper that makes it go wrong. Nothing else injects anything.

The wrapper is generated from the port's own Protocol, so that a new method is covered the day it is written. Every call
of every process has a number; a plan says which fault happens at which number, and so shrinks to a line.
"""

import inspect
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from types import FunctionType, new_class
from typing import Any, NoReturn, TypeVar, cast, get_origin, get_type_hints

import anyio

from smmu.ports.errors import Unavailable
from smmu.ports.gateway import Gateway
from smmu.ports.ledger import Ledger
from smmu.ports.media import MediaEngine
from smmu.ports.objects import Found, ObjectStore, Source
from smmu.ports.queue import Queue
from smmu.ports.tasks import TaskRunner, TaskStarter
from smmu.ports.uploads import UploadStore

P = TypeVar("P")
R = TypeVar("R")

# The orchestrator is not here: in memory it is made of the ledger, whose calls are.
PORTS: Mapping[type[Any], str] = {
    UploadStore: "uploads",
    ObjectStore: "objects",
    Source: "source",
    Ledger: "ledger",
    Queue: "queue",
    TaskRunner: "tasks",
    TaskStarter: "tasks",
    MediaEngine: "engine",
    Gateway: "gateway",
}
_SOURCE: Any = Source
_END = object()


class Fault(StrEnum):
    """What happens at one call."""

    CRASH_BEFORE = "crash before"
    FAIL_BEFORE = "fail before"
    FAIL_AFTER = "fail after"  # the effect happened; the caller is told that nobody knows
    CRASH_AFTER = "crash after"
    PAUSE = "pause"  # the whole process stands still before the call, for longer than any lease
    STOP = "stop"  # the process is asked to end, and may still say goodbye


Plan = Mapping[int, Fault]


class Crash(BaseException):
    """The process is gone. Not an `Exception`: nothing in it may catch this and go on."""


@dataclass(slots=True)
class Process:
    """One life of one process. A worker's child is a process of its own, and dies with its parent."""

    name: str
    parent: "Process | None" = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    dead: bool = False
    asleep_until: float = 0.0

    @property
    def gone(self) -> bool:
        return self.dead or (self.parent is not None and self.parent.gone)

    def die(self) -> NoReturn:
        """Cancel everything in it. What its code does on the way out has no effect: its calls do not happen."""
        self.dead = True
        self.scope.cancel()
        raise Crash(self.name)

    def sleep(self, seconds: float) -> None:
        self.asleep_until = anyio.current_time() + seconds

    async def awake(self) -> None:
        """Wait for the end of a pause; raise when there is nobody left to wait."""
        if not self.gone and self.asleep_until > anyio.current_time():
            await anyio.sleep(self.asleep_until - anyio.current_time())
            await self.awake()  # it may have been prolonged meanwhile
        if self.gone:
            raise Crash(self.name)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a port, as the log has it."""

    number: int
    at: float
    process: str
    name: str
    fault: Fault | None

    def __str__(self) -> str:
        told = f"{self.number} {self.at:.3f} {self.process} {self.name}"
        return f"{told} [{self.fault}]" if self.fault else told


@dataclass(slots=True, kw_only=True)
class Faults:
    """Numbers the calls of all processes and makes the planned ones fail. `after` looks at the world after each."""

    plan: Plan
    pause_seconds: float
    after: Callable[[str], None]
    calls: list[Call] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    trouble_until: float = 0.0

    @property
    def fired(self) -> list[Call]:
        return [call for call in self.calls if call.fault]

    async def call(self, process: Process, name: str, effect: Callable[[], Awaitable[R]]) -> R:
        await process.awake()
        fault = self._next(process, name)
        await self._before(process, fault)
        try:
            result = await effect()
        except Exception as error:
            self.refusals[f"{name} {type(error).__name__}"] += 1
            if fault is Fault.CRASH_AFTER:
                process.die()
            raise
        self.after(name)
        if fault is Fault.CRASH_AFTER:
            process.die()
        await process.awake()
        if fault is Fault.FAIL_AFTER:
            raise Unavailable("planned, after the effect")
        return result

    def _next(self, process: Process, name: str) -> Fault | None:
        number = len(self.calls)
        fault = self.plan.get(number)
        self.calls.append(Call(number, anyio.current_time(), process.name, name, fault))
        if fault:
            self.trouble_until = anyio.current_time() + (self.pause_seconds if fault is Fault.PAUSE else 0)
        return fault

    async def _before(self, process: Process, fault: Fault | None) -> None:
        if fault is Fault.CRASH_BEFORE:
            process.die()
        if fault is Fault.FAIL_BEFORE:
            raise Unavailable("planned, before any effect")
        if fault is Fault.PAUSE:
            process.sleep(self.pause_seconds)
            await process.awake()
        if fault is Fault.STOP:
            process.scope.cancel()


def faulty(port: type[P], target: P, process: Process, faults: Faults) -> P:
    """`target` behind its port, every call of it by this process numbered and, when planned, gone wrong."""
    return cast("P", _class_of(cast("Hashable", port))(target, process, faults))


@cache
def _class_of(port: Any) -> type[Any]:
    ports = [base for base in reversed(port.__mro__) if base in PORTS]  # a port may be another one and more
    public = {name: member for base in ports for name, member in vars(base).items() if not name.startswith("_")}
    members = {name: _member(port, name, member) for name, member in public.items()}
    return new_class(f"Faulty{port.__name__}", (_Wrapper, port), exec_body=lambda body: body.update(members))


class _Wrapper:
    def __init__(self, target: Any, process: Process, faults: Faults) -> None:
        self.target, self.process, self.faults = target, process, faults


def _member(port: type[Any], name: str, member: Any) -> Any:
    if isinstance(member, property):
        return property(lambda self: getattr(self.target, name))
    assert isinstance(member, FunctionType), f"{port.__name__}.{name} is neither a method nor a property"
    label = f"{PORTS[port]}.{name}"
    if inspect.iscoroutinefunction(member):
        return _awaited(name, label, get_type_hints(member)["return"])
    if get_origin(get_type_hints(member)["return"]) is AbstractAsyncContextManager:
        return _entered(name, label)
    return _listed(name, label)


def _awaited(name: str, label: str, returns: Any) -> Any:
    async def method(self: _Wrapper, *args: Any, **kwargs: Any) -> Any:
        effect = getattr(self.target, name)
        result = await self.faults.call(self.process, label, lambda: effect(*args, **kwargs))
        if isinstance(result, Found):
            return replace(result, source=faulty(_SOURCE, result.source, self.process, self.faults))
        return faulty(returns, result, self.process, self.faults) if returns in PORTS else result

    return method


def _entered(name: str, label: str) -> Any:
    """Beginning the block is the call."""

    @asynccontextmanager
    async def method(self: _Wrapper, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            block = getattr(self.target, name)(*args, **kwargs)
            yield await self.faults.call(self.process, label, lambda: stack.enter_async_context(block))

    return method


def _listed(name: str, label: str) -> Any:
    def method(self: _Wrapper, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return _Listing(self, label, getattr(self.target, name)(*args, **kwargs))

    return method


@dataclass(slots=True)
class _Listing(AsyncIterator[Any]):
    """Asking for the first item is the call; the others come with its page."""

    wrapper: _Wrapper
    label: str
    items: AsyncIterator[Any]
    asked: bool = False

    async def __anext__(self) -> Any:
        if self.asked:
            return await anext(self.items)
        self.asked = True
        first = await self.wrapper.faults.call(self.wrapper.process, self.label, self._first)
        if first is _END:
            raise StopAsyncIteration
        return first

    async def _first(self) -> Any:
        return await anext(self.items, _END)
