"""The parent's half of a conversation with the child: serve its reads, take its files, believe nothing.

It ends with the child's answer, with its refusal of the file, or with its death, whose cause is told apart here.
Starting and ending the process is the work of `sandbox.py`.
"""

import os
import re
import signal
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import JsonValue, ValidationError

from smmu.adapters.media import reports
from smmu.adapters.media.protocol import LENGTH_BYTES, LINE_BYTES_MAX, encode
from smmu.adapters.media.workbench import check_path
from smmu.domain.errors import REJECTIONS, Code, Reason, Refused
from smmu.domain.limits import MIB
from smmu.ports.errors import Full, TaskDied, one_error
from smmu.ports.objects import Source

READ_BYTES_MAX = 16 * MIB
COMPLAINTS_BYTES_MAX = 16_384
DYING_SECONDS = 5
SENT_AT_ONCE = 4  # files on their way to where they are kept: a film ends with dozens of small ones

_VERDICTS = REJECTIONS | {Code.INVALID_OPTIONS}  # that a clip has no sound is known when it was heard
_DONE = re.compile(r"^done-[0-9]{1,9}$")
_NO_MEMORY = re.compile(
    rb"failed to allocate|bad_alloc|cannot allocate memory|MemoryError|out of memory", re.IGNORECASE
)
# The kernel's out-of-memory killer says SIGKILL, and nobody else does before the conversation is over.
_CAUSES = {
    -signal.SIGKILL: "out_of_memory",
    -signal.SIGXCPU: "timed_out",
    -signal.SIGTERM: "interrupted",
    -signal.SIGINT: "interrupted",
}


Shelf = Callable[[str], Awaitable[Source]]
"""What the child may read: the source under "", pieces under their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Two folders: the child writes in `work` only, `out` is for what it has handed over."""

    work: Path
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A finished file, out of the child's reach: `local` is where it is, `path` what it is called."""

    path: str
    local: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Who listens while the child works."""

    made: Callable[[Made], Awaitable[None]]
    progressed: Callable[[float], Awaitable[None]]


class Conversation:
    """With one process, started by the sandbox. `complaints` is the reading end of its stderr.

    It may hand over `bytes_max` in all; what one file may have, the kernel sees to.
    """

    def __init__(self, process: anyio.abc.Process, room: Room, complaints: int, bytes_max: int) -> None:
        assert process.stdin is not None  # noqa: S101 - the sandbox starts it with pipes
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._mouth = process.stdin
        self._lines = BufferedByteReceiveStream(process.stdout)
        self._room = room
        self._complaints = complaints
        self._berths = anyio.Semaphore(SENT_AT_ONCE)
        self._bytes_left = bytes_max

    async def hold(self, words: Mapping[str, Any], shelf: Shelf, ears: Ears, stalled_seconds: float) -> JsonValue:
        """Give the order, and listen until it is answered. The child reads what is on `shelf`.

        Files are passed on while the child works, a few beside each other; all have arrived when this returns.
        """
        await self._say(encode(words))
        with one_error():
            async with anyio.create_task_group() as sending:
                answer = await self._listen(shelf, ears, stalled_seconds, sending)
        return answer

    async def _listen(
        self, shelf: Shelf, ears: Ears, stalled_seconds: float, sending: anyio.abc.TaskGroup
    ) -> JsonValue:
        while True:
            with anyio.move_on_after(stalled_seconds) as patience:
                report = await self._hear()
            if patience.cancelled_caught:
                raise TaskDied(f"no sign of work for {stalled_seconds:.0f} seconds", "stalled")
            match report:
                case reports.Answered():
                    return report.result
                case reports.Read():
                    await self._serve(report, shelf)
                case reports.Finished():
                    await self._take(report, ears, sending)
                case reports.Progressed():
                    await ears.progressed(report.fraction)
                case reports.Rejected():
                    raise _refused(report)
                case reports.Failed():
                    raise _failed(report)
                case reports.Ready() | reports.Beat():
                    continue

    async def _say(self, data: bytes) -> None:
        """A child that died cannot listen; that it did is heard next."""
        try:
            await self._mouth.send(data)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def _hear(self) -> reports.Report:
        try:
            line = await self._lines.receive_until(b"\n", LINE_BYTES_MAX)
        except anyio.IncompleteRead:
            raise await self._death() from None
        except anyio.DelimiterNotFound as error:
            raise TaskDied("said more than can be listened to", "crashed") from error
        try:
            return reports.REPORT.validate_json(line)
        except ValidationError as error:
            raise TaskDied("said what has no meaning", "crashed") from error

    async def _serve(self, wanted: reports.Read, shelf: Shelf) -> None:
        source = await shelf(wanted.of)
        data = await source.read(wanted.start, min(wanted.length, READ_BYTES_MAX))
        await self._say(len(data).to_bytes(LENGTH_BYTES) + data)

    async def _take(self, finished: reports.Finished, ears: Ears, sending: anyio.abc.TaskGroup) -> None:
        """Move the file to where the child cannot reach, then look whether it is one, then pass it on.

        While as many are under way as may be, nobody listens: so a slow store slows the child down.
        """
        local, size = _take_out(finished, self._room)
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise Full("a task has made more than one may")
        await self._berths.acquire()
        sending.start_soon(self._send, finished, local, ears)

    async def _send(self, finished: reports.Finished, local: Path, ears: Ears) -> None:
        try:
            await ears.made(Made(path=finished.path, local=str(local), content_type=finished.content_type))
        finally:
            _remove(local)
            self._berths.release()

    async def _death(self) -> TaskDied:
        with anyio.move_on_after(DYING_SECONDS):
            await self._process.wait()
        code = self._process.returncode
        complaints = self._heard_complaints()
        cause = _CAUSES.get(code or 0, "crashed")
        if cause == "crashed" and _NO_MEMORY.search(complaints):
            cause = "out_of_memory"
        died = TaskDied(f"the process that read the file ended with status {code}", cause)
        died.add_note(complaints.decode(errors="replace"))
        return died

    def _heard_complaints(self) -> bytes:
        try:
            return os.read(self._complaints, COMPLAINTS_BYTES_MAX)
        except BlockingIOError:
            return b""


def _take_out(finished: reports.Finished, room: Room) -> tuple[Path, int]:
    """The file, where the child cannot reach it, and its size in bytes.

    A link to another file, a pipe or a folder is not what anybody asked for, and may be an attack.
    """
    try:
        check_path(finished.path)
    except ValueError as error:
        raise TaskDied("handed over a file under a name that leads elsewhere", "crashed") from error
    if not _DONE.match(finished.name):
        raise TaskDied("handed over a file from elsewhere", "crashed")
    local = room.out / finished.name
    try:
        (room.work / finished.name).rename(local)
    except OSError as error:
        raise TaskDied("handed over a file that is not there", "crashed") from error
    status = local.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise TaskDied("handed over something that is no plain file", "crashed")
    return local, status.st_size


def _remove(local: Path) -> None:
    """Whoever passed it on may have moved it."""
    local.unlink(missing_ok=True)


def _refused(report: reports.Rejected) -> Exception:
    """Only a verdict on the file, or on a wish, may come from the child; no other code is its to give."""
    if any(code not in _VERDICTS for code, _, _ in report.reasons):
        return TaskDied("gave a verdict that is not its to give", "crashed")
    return Refused(*(Reason(code=Code(code), message=text, pointer=pointer) for code, text, pointer in report.reasons))


def _failed(report: reports.Failed) -> Exception:
    if report.cause == "disk_full":
        return Full("no room left to work in")
    died = TaskDied(_WHY[report.cause], report.cause)
    died.add_note(report.detail)
    return died


_WHY = {
    "out_of_memory": "the file needs more memory than its task may use",
    "crashed": "the process that read the file failed",
}
