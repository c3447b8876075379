"""Runs one order in a child process that may die, hang, lie or fill the disk without harm to this one.

The child has no environment, no network, no files but its own folder, and ends with this process. What it says is
decoded strictly; the files it makes leave its folder before anything else looks at them. This module knows nothing
of media and refuses to read a byte of it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.to_thread
from pydantic import JsonValue

from smmu.adapters.media import confine
from smmu.adapters.media.conversation import Conversation, Ears, Room
from smmu.ports.errors import Full, NotFound, TaskDied
from smmu.ports.media import NO_PIECES, Pieces
from smmu.ports.objects import Source

CLEANING_SECONDS = 10

_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from smmu.adapters.media.child import main; main()"
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[3])
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",  # arenas reserve address space, which is limited
    "OPENBLAS_NUM_THREADS": "1",  # as do its threads' stacks
    "VIPS_BLOCK_UNTRUSTED": "1",  # not the loaders that libvips itself does not trust
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the child is to do, within what time, and how much it may make. `words` is its first line."""

    words: Mapping[str, Any]
    seconds_max: float
    stalled_seconds: float
    bytes_max: int


def protections() -> dict[str, bool]:
    """Which protections this machine has for the child, for `smmu doctor`. None is applied by asking."""
    return confine.available()


async def run(order: Order, source: Source, scratch: str, ears: Ears, pieces: Pieces = NO_PIECES) -> JsonValue:
    """Carry out `order` and return what the child answers.

    Raises `Refused` when the file is at fault, `TaskDied` when there was no answer, `Full` when there was no room, and
    whatever reading the source or `ears` raise. Whatever happens, no process and no file is left.

    From here on this process is hidden from its children, who are of its user: it may hold credentials.
    """
    confine.hide()
    async with _room(scratch) as room, _conversation(source, room, order.bytes_max) as child:
        with anyio.move_on_after(order.seconds_max):
            words = {**order.words, "pieces": dict(pieces.sizes)}
            return await child.hold(words, partial(_taken_down, source, pieces), ears, order.stalled_seconds)
    raise TaskDied(f"not done after {order.seconds_max:.0f} seconds", "timed_out")


async def _taken_down(source: Source, pieces: Pieces, name: str) -> Source:
    """What is called so, of what this child was given; a child that wants more is broken, or worse."""
    if not name:
        return source
    if name not in pieces.sizes:
        raise TaskDied("asked for a file that it was not given", "crashed")
    return await pieces.open(name)


@contextlib.asynccontextmanager
async def _room(scratch: str) -> AsyncGenerator[Room]:
    try:
        folder = await anyio.to_thread.run_sync(_make_folder, scratch)
    except OSError as error:
        raise Full(f"no room to work in: {error.strerror}") from error
    try:
        yield Room(work=folder / "work", out=folder / "out")
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANING_SECONDS):
            await anyio.to_thread.run_sync(_remove_folder, folder, abandon_on_cancel=True)


def _make_folder(scratch: str) -> Path:
    Path(scratch).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="smmu-", dir=scratch)).resolve()
    (folder / "work").mkdir()
    (folder / "out").mkdir()
    return folder


def _remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def _conversation(source: Source, room: Room, bytes_max: int) -> AsyncGenerator[Conversation]:
    """Start the child; afterwards it is dead and reaped, whatever happened."""
    with contextlib.ExitStack() as handles:
        lifeline, _ = _pipe(handles)  # nothing is ever written: when our end closes, the kernel kills the child
        complaints, complain = _pipe(handles)
        passed = [lifeline]
        if source.local_path is not None:
            passed.append(_open(handles, source.local_path))
        process = await _start(room, passed, complain)
        try:
            yield Conversation(process, room, complaints, bytes_max)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANING_SECONDS):
                await _end(process)


def _pipe(handles: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe that nobody waits for: what is not read stays in the kernel, and what does not fit is lost."""
    ends = os.pipe()
    for end in ends:
        handles.callback(os.close, end)
        os.set_blocking(end, False)
    return ends


def _open(handles: contextlib.ExitStack, path: str) -> int:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFound("the source is gone") from error
    handles.callback(os.close, handle)
    return handle


async def _start(room: Room, passed: list[int], complain: int) -> anyio.abc.Process:
    """`-I`: neither the environment nor the folder it runs in may add to what the child imports."""
    numbers = [str(handle) for handle in passed]
    return await anyio.open_process(
        [sys.executable, "-I", "-c", _START, _PACKAGE_ROOT, *numbers],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complain,
        cwd=room.work,
        env={**_ENVIRONMENT, "TMPDIR": str(room.work)},
        start_new_session=True,
        pass_fds=passed,
    )


async def _end(process: anyio.abc.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.aclose()
