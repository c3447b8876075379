"""`SubprocessTaskRunner`: a heavy task is a process of its own, in a process group of its own.

A worker ends with the process that started it, however that happens: each holds one end of a pipe, and the kernel is
asked to kill it when the other end is closed. (PR_SET_PDEATHSIG watches the thread that started it, not the process.)

`memory_bytes` is not enforced here: address space says little of a worker with a model in it, and the children that
decode media have limits of their own. A worker that the kernel kills for its memory is told by its signal.

It remembers how the last thousand tasks ended. It refuses to guess at causes that an exit status does not tell.
"""

import fcntl
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType

import anyio
from anyio.abc import ByteReceiveStream, Process, TaskGroup
from anyio.abc import TaskStatus as Starting

from smmu.adapters.embedded.errors import translating
from smmu.ports.errors import NotFound, Unavailable, one_error
from smmu.ports.tasks import Exit, TaskRequest, TaskStarter, TaskStatus

Command = Callable[[TaskRequest], Sequence[str]]

_F_SETSIG = 10
_KEPT = 1_000
_DETAIL_BYTES = 4_096
_DRAIN_SECONDS = 1.0
# Our workers' statuses for "set up wrongly" and "could not reach what I need": nothing that the file has done.
_MISCONFIGURED, _WORLD_FAILED = 2, 3
_EXITS: Mapping[int, Exit] = MappingProxyType(
    {
        0: Exit.DONE,
        -signal.SIGKILL: Exit.OUT_OF_MEMORY,  # nobody here kills without noting why, so it was the kernel
        128 + signal.SIGKILL: Exit.OUT_OF_MEMORY,
        -signal.SIGTERM: Exit.INTERRUPTED,
        128 + signal.SIGTERM: Exit.INTERRUPTED,
        _MISCONFIGURED: Exit.INTERRUPTED,
        _WORLD_FAILED: Exit.INTERRUPTED,
    }
)
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH")


def worker_command(data: str) -> Command:
    """How `smmu` starts its own workers."""

    def command(request: TaskRequest) -> Sequence[str]:
        return (
            *(sys.executable, "-m", "smmu.entrypoints.worker", request.family),
            *("--data", data, f"--owner={request.owner}"),
            *("--record", request.record_id, "--tries", str(request.tries)),
        )

    return command


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a worker needs of an environment: where programs are, words and time zone, and our own settings."""
    return {k: v for k, v in environment.items() if k in _PASSED_ON or k.startswith("SMMU_")}


_UNDER_WAY = TaskStatus(exit=None)


@dataclass(slots=True)
class _Running:
    request: TaskRequest
    pid: int = 0
    ended: anyio.Event = field(default_factory=anyio.Event)
    status: TaskStatus = _UNDER_WAY
    verdict: Exit | None = None  # why we killed it, where we did
    stopping: bool = False
    stderr: bytearray = field(default_factory=bytearray)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, the grandchildren too."""
        if self.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def end(self, code: int) -> None:
        """Note how it ended."""
        verdict = self.verdict or _EXITS.get(code, Exit.CRASHED)
        if self.stopping and verdict is not Exit.DONE:
            verdict = Exit.INTERRUPTED
        detail = self.stderr.decode(errors="replace").strip()
        self.status = TaskStatus(exit=verdict, exit_code=code, detail=detail)


class SubprocessTaskRunner(TaskStarter):
    """Starts processes while `running` lasts, and ends them with it."""

    def __init__(
        self, command: Command, environment: Mapping[str, str] | None = None, *, grace_seconds: float = 10.0
    ) -> None:
        self._command = command
        self._environment = worker_environment(os.environ if environment is None else environment)
        self._grace = grace_seconds
        self._tasks: dict[str, _Running] = {}
        self._group: TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tasks can be started meanwhile; at the end all are stopped."""
        with one_error(), _no_cores():
            async with anyio.create_task_group() as group:
                self._group = group
                try:
                    yield
                finally:
                    self._group = None
                    await self._stop_all()
                    group.cancel_scope.cancel()

    async def start(self, request: TaskRequest) -> str:
        """See the port."""
        handle = request.handle
        if handle in self._tasks:
            return handle
        if self._group is None:
            raise Unavailable("no tasks can be started now")
        task = self._tasks[handle] = _Running(request)
        try:
            await self._group.start(self._run, task)
        except BaseException:
            del self._tasks[handle]
            raise
        self._forget_old()
        return handle

    async def inspect(self, handle: str) -> TaskStatus:
        """See the port."""
        return self._task(handle).status

    async def wait(self, handle: str) -> TaskStatus:
        """See the port."""
        task = self._task(handle)
        await task.ended.wait()
        return task.status

    async def stop(self, handle: str) -> None:
        """See the port."""
        task = self._task(handle)
        if task.status.exit is None:
            await self._stop(task)

    async def _run(self, task: _Running, *, task_status: Starting[None]) -> None:
        with _lifeline() as theirs, translating():
            process = await self._open(task.request, theirs)
            task.pid = process.pid
            _bind(theirs, process.pid)
            task_status.started()
            try:
                await _watch(task, process)
            finally:
                task.send(signal.SIGKILL)  # what it may have left behind in its group
                with anyio.CancelScope(shield=True), anyio.move_on_after(self._grace):
                    task.end(await process.wait())
                    await process.aclose()
                task.ended.set()

    async def _open(self, request: TaskRequest, lifeline: int) -> Process:
        return await anyio.open_process(
            list(self._command(request)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**self._environment, **({"TRACEPARENT": request.trace} if request.trace else {})},
            start_new_session=True,
            pass_fds=(lifeline,),
        )

    async def _stop(self, task: _Running) -> None:
        task.stopping = True
        task.send(signal.SIGTERM)
        with anyio.move_on_after(self._grace):
            await task.ended.wait()
        if not task.ended.is_set():
            task.send(signal.SIGKILL)
            await task.ended.wait()

    async def _stop_all(self) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * self._grace):
            async with anyio.create_task_group() as stopping:
                for task in self._tasks.values():
                    if not task.ended.is_set():
                        stopping.start_soon(self._stop, task)

    def _task(self, handle: str) -> _Running:
        task = self._tasks.get(handle)
        if task is None:
            raise NotFound("there is no such task")
        return task

    def _forget_old(self) -> None:
        over = [handle for handle, task in self._tasks.items() if task.ended.is_set()]
        for handle in over[: max(0, len(over) - _KEPT)]:
            del self._tasks[handle]


async def _watch(task: _Running, process: Process) -> None:
    """Until it ends, or its time does."""
    async with anyio.create_task_group() as reading:
        if process.stderr is not None:
            reading.start_soon(_keep_tail, process.stderr, task.stderr)
        with anyio.move_on_after(task.request.seconds_max) as time:
            await process.wait()
        if time.cancelled_caught:
            task.verdict = Exit.TIMED_OUT
        task.send(signal.SIGKILL)
        reading.cancel_scope.deadline = anyio.current_time() + _DRAIN_SECONDS


async def _keep_tail(stream: ByteReceiveStream, tail: bytearray) -> None:
    with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
        while True:
            said = await stream.receive()
            os.write(2, said)  # its log is ours
            tail += said
            del tail[:-_DETAIL_BYTES]


@contextmanager
def _no_cores() -> Iterator[None]:
    """Meanwhile this process, and so what it starts, leaves no core dump: secrets and media would be in it.

    Set here and inherited: limiting a child after it was started would come too late for one that fails at once.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@contextmanager
def _lifeline() -> Iterator[int]:
    """The end of a pipe that a child is to hold; the other end is ours until the child has ended, or we have."""
    theirs, ours = os.pipe()
    fcntl.fcntl(theirs, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(theirs, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


def _bind(lifeline: int, pid: int) -> None:
    """From now on the kernel kills `pid` when the other end is closed. The file is the same one in both processes."""
    with suppress(ProcessLookupError):  # it has ended already
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, pid)
