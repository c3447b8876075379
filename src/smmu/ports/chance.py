"""The system's chance, fetched for many callers at once: asking the kernel takes longer than making an id of it.

Nothing of it is ever given twice: not to two threads, and not to a process and its fork.
"""

import os
import struct
from collections.abc import Iterator

_CELL_BYTES, _CELLS = 32, 128


class _Pool:
    """Cells of chance. An iterator of C gives each to one thread only."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._cells: Iterator[tuple[bytes]] = iter(())

    def take(self) -> bytes:
        while True:
            for (cell,) in self._cells:
                return cell
            self._cells = struct.iter_unpack(f"{_CELL_BYTES}s", os.urandom(_CELL_BYTES * _CELLS))


_POOL = _Pool()
os.register_at_fork(after_in_child=_POOL.forget)


def chance(count: int) -> bytes:
    """`count` bytes (at most 32) that nobody can guess."""
    if count > _CELL_BYTES:
        raise ValueError(f"at most {_CELL_BYTES} bytes of chance at once")
    return _POOL.take()[:count]
