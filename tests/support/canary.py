"""A victim that files under test would like to reach: a port that nobody may call, a film that nobody may open.

Both are watched by the kernel, so that nothing can be missed for being slow: a call waits in the port's queue, and
opening the film is an event of inotify, whoever does it and whatever becomes of it.
"""

import ctypes
import os
import select
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_IN_ACCESS, _IN_OPEN = 0x01, 0x20


@dataclass(frozen=True, slots=True)
class Victim:
    """What to reach for, and how to know that it was. A handle becomes readable when it was reached."""

    film: Path
    port: int
    called: int
    opened: int

    @property
    def url(self) -> str:
        """Of a segment that the port would serve, if it ever answered."""
        return f"http://127.0.0.1:{self.port}/segment.ts"

    def reached(self, seconds: float = 0) -> set[str]:
        """How it was reached so far. Waits so long for a first time."""
        ready, _, _ = select.select([self.called, self.opened], [], [], seconds)
        names = {self.called: "called", self.opened: "opened"}
        return {names[handle] for handle in ready}


@contextmanager
def stand_by(film: Path) -> Iterator[Victim]:
    """Watch over `film` and over a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server, closing(_Watch(film)) as watch:
        yield Victim(film, server.getsockname()[1], server.fileno(), watch.handle)


class _Watch:
    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watch = libc.inotify_add_watch(self.handle, bytes(path), _IN_OPEN | _IN_ACCESS)
        assert watch >= 0, os.strerror(ctypes.get_errno())

    def close(self) -> None:
        os.close(self.handle)
