"""What a task does in the contract suite: its record's id says it. As a coroutine, and as a program for a process.

`ends`, `crashes`, `lasts` (longer than any test), `deaf` (lasts, and does not listen when asked to end) and
`out_of_memory`. Each run leaves a line in a log, so that tests can count them.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import anyio

from smmu.ports.errors import TaskDied
from smmu.ports.tasks import TaskRequest

LONG = 60.0
GRACE = 0.3


def log_of(folder: Path) -> Path:
    return folder.parent / "labour.log"


def command(folder: Path, request: TaskRequest) -> Sequence[str]:
    return [sys.executable, str(Path(__file__)), request.record_id, str(log_of(folder))]


async def work(folder: Path, request: TaskRequest) -> None:
    write_down(log_of(folder), request.record_id)
    if "crashes" in request.record_id:
        raise RuntimeError("it crashed")
    if "out_of_memory" in request.record_id:
        raise TaskDied("there is no memory left", "out_of_memory")
    if "deaf" in request.record_id:
        with anyio.move_on_after(GRACE * 10, shield=True):
            await anyio.sleep(LONG)
    if "lasts" in request.record_id:
        await anyio.sleep(LONG)


def write_down(log: Path, record_id: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{record_id}\n")


def main() -> None:
    record_id, log = sys.argv[1], Path(sys.argv[2])
    if "deaf" in record_id:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write_down(log, record_id)
    if "crashes" in record_id:
        sys.exit(1)
    if "out_of_memory" in record_id:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does it
    if "lasts" in record_id or "deaf" in record_id:
        time.sleep(LONG)  # noqa: TID251 - a process of its own, without an event loop


if __name__ == "__main__":
    main()
