"""Who has the data folder open: one process that serves, any number beside it.

`serving.lock` is held by the process that serves. `using.lock` is shared by all that have the folder open; who gets it
alone knows that nobody else is writing here, and may tidy up. The kernel lets go of both when a process ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import closing_file, try_lock
from smmu.ports.errors import Unavailable

_DYING_SECONDS = 1.0  # the workers of a server that was killed are killed by the kernel, which takes a moment
_RETRY_SECONDS = 0.02


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """Be the one process that serves this folder. Raises `Unavailable` when there is another."""
    with _open(folder / "serving.lock") as lock:
        if not try_lock(lock):
            raise Unavailable(f"another smmu serves {folder}: stop it first, or choose another folder")
        yield


@contextmanager
def using(folder: Path) -> Iterator["Use"]:
    """Have the folder open: call `share` at once, or `alone` first and then `share`."""
    with _open(folder / "using.lock") as lock:
        yield Use(lock)


class Use:
    """The use of a folder by this process."""

    def __init__(self, lock: int) -> None:
        self._lock = lock

    async def alone(self) -> bool:
        """Whether nobody else has it open; if so, nobody gets in until `share`."""
        with anyio.move_on_after(_DYING_SECONDS):
            while not try_lock(self._lock):  # noqa: ASYNC110 - other processes hold it
                await anyio.sleep(_RETRY_SECONDS)
            return True
        return False

    def share(self) -> None:
        """Let others in. Waits for one who is alone with it, which is as long as tidying up takes."""
        fcntl.flock(self._lock, fcntl.LOCK_SH)


@contextmanager
def _open(path: Path) -> Iterator[int]:
    with translating():
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with closing_file(lock):
        yield lock
