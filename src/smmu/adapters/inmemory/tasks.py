"""`InlineTaskRunner`: runs heavy tasks as coroutines of this process. It isolates nothing; it tells how each ended.

Work stands in for a process: raising `TaskDied` is dying of that cause, any other exception is a crash. Tasks live as
long as `working` does: when it is left, those that run are interrupted, as when a machine goes away.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from smmu.ports.errors import NotFound, TaskDied, Unavailable
from smmu.ports.tasks import Exit, TaskRequest, TaskStarter, TaskStatus

Work = Callable[[TaskRequest], Awaitable[None]]

_KEPT = 1_000
_CODES: Mapping[Exit, int] = MappingProxyType(
    {Exit.DONE: 0, Exit.CRASHED: 1, Exit.OUT_OF_MEMORY: -9, Exit.TIMED_OUT: -9, Exit.INTERRUPTED: -15}
)
_RUNNING = TaskStatus(exit=None)


@dataclass(slots=True)
class _Running:
    request: TaskRequest
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    ended: anyio.Event = field(default_factory=anyio.Event)
    status: TaskStatus = _RUNNING

    def end(self, status: TaskStatus) -> None:
        """Note how it ended. The first note counts."""
        if self.status.exit is None:
            self.status = status
            self.ended.set()


@dataclass(slots=True)
class InlineTaskRunner(TaskStarter):
    """Tasks of one process. Nothing can be started outside of `working`."""

    grace_seconds: float = 5.0
    _work: Work | None = None
    _group: TaskGroup | None = None
    _tasks: dict[str, _Running] = field(default_factory=dict)

    @asynccontextmanager
    async def working(self, work: Work) -> AsyncIterator[None]:
        """While this lasts, started tasks do `work`. Leaving it interrupts them."""
        async with anyio.create_task_group() as group:
            self._work, self._group = work, group
            try:
                yield
            finally:
                self._work = self._group = None
                group.cancel_scope.cancel()

    async def start(self, request: TaskRequest) -> str:
        """Start it."""
        await checkpoint()
        handle = request.handle
        if handle not in self._tasks:
            if self._group is None or self._work is None:
                raise Unavailable("nothing here does tasks")
            self._forget_old()
            self._tasks[handle] = _Running(request)
            self._group.start_soon(_run, self._work, self._tasks[handle])
        return handle

    async def inspect(self, handle: str) -> TaskStatus:
        """How it is now."""
        await checkpoint()
        return self._task(handle).status

    async def wait(self, handle: str) -> TaskStatus:
        """How it ended."""
        task = self._task(handle)
        await task.ended.wait()
        return task.status

    async def stop(self, handle: str) -> None:
        """Cancel it. A coroutine cannot be killed: one that does not listen counts as ended when the grace is over."""
        await checkpoint()
        task = self._task(handle)
        task.scope.cancel()
        with anyio.move_on_after(self.grace_seconds):
            await task.ended.wait()
        task.end(_ended(Exit.INTERRUPTED, "stopped, and did not listen"))

    def _task(self, handle: str) -> _Running:
        task = self._tasks.get(handle)
        if task is None:
            raise NotFound("there is no such task")
        return task

    def _forget_old(self) -> None:
        over = [handle for handle, task in self._tasks.items() if task.status.exit is not None]
        for handle in over[: max(0, len(over) - _KEPT)]:
            del self._tasks[handle]


async def _run(work: Work, task: _Running) -> None:
    ended = _ended(Exit.INTERRUPTED)  # what it is when this very coroutine is cancelled
    try:
        ended = await _watched(work, task)
    finally:
        task.end(ended)


async def _watched(work: Work, task: _Running) -> TaskStatus:
    with task.scope, anyio.move_on_after(task.request.seconds_max):
        return await _told(work, task.request)
    if task.scope.cancel_called:
        return _ended(Exit.INTERRUPTED, "stopped")
    return _ended(Exit.TIMED_OUT, f"longer than {task.request.seconds_max} seconds")


async def _told(work: Work, request: TaskRequest) -> TaskStatus:
    try:
        await work(request)
    except TaskDied as death:
        return _ended(_exit(death.cause), str(death))
    except Exception as error:  # noqa: BLE001 - a process that fails, fails alone
        return _ended(Exit.CRASHED, repr(error))
    return _ended(Exit.DONE)


def _exit(cause: str) -> Exit:
    """A task that stalled looks from outside as if it had crashed."""
    return Exit(cause) if cause in frozenset(Exit) else Exit.CRASHED


def _ended(how: Exit, detail: str = "") -> TaskStatus:
    return TaskStatus(exit=how, exit_code=_CODES[how], detail=detail)
