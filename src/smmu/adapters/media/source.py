"""The source as a file: seekable, read-only, nameless. Ranges come from a file descriptor or from the parent.

A distant source is fetched in blocks of a mebibyte, of which a few are kept; where reading goes on in order, each
request is twice as large as the last, because a round trip costs as much as many bytes. It refuses to write, and to
have a name that could tell a demuxer anything.
"""

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from smmu.domain.limits import MIB

BLOCK_BYTES = MIB
AHEAD_BLOCKS_MAX = 8
KEPT_BLOCKS = 24
_RUNS_KEPT = 4  # sound, picture, index and text of one file are read in order, each at its own place


class Fetch(Protocol):
    """Bytes from `start`, at most `length`; shorter only at the end."""

    def __call__(self, start: int, length: int) -> bytes:
        """Fetch them."""


class SourceFile(io.RawIOBase):
    """A binary file over `fetch`. `bytes_read` counts what was fetched, `worked` is called after every fetch."""

    name = "source"

    def __init__(self, fetch: Fetch, size: int, worked: Callable[[], None]) -> None:
        super().__init__()
        self.size = size
        self.bytes_read = 0
        self._fetch = fetch
        self._worked = worked
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Bytes from the start."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to `offset` from the start, from here, or from the end; beyond the end is allowed, before 0 not."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("before the start of the file")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes from here; all the rest when it is negative or `None`."""
        left = max(0, self.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        data = self._take(self._at, wanted) if wanted else b""
        self._at += len(data)
        return data

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill `buffer` as far as there are bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _take(self, start: int, length: int) -> bytes:
        data = self._fetch(start, length)
        self.bytes_read += len(data)
        self._worked()
        return data


class LocalSource(SourceFile):
    """A source that is a file of this machine, opened by the parent. The kernel keeps what was read."""

    def __init__(self, handle: int, size: int, worked: Callable[[], None]) -> None:
        super().__init__(lambda start, length: os.pread(handle, length, start), size, worked)


class DistantSource(SourceFile):
    """A source whose ranges cost a round trip each."""

    def __init__(self, fetch: Fetch, size: int, worked: Callable[[], None]) -> None:
        super().__init__(fetch, size, worked)
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._runs: OrderedDict[int, int] = OrderedDict()  # next block of a run: blocks to fetch then

    def _take(self, start: int, length: int) -> bytes:
        pieces = []
        end = start + length
        while start < end:
            index, offset = divmod(start, BLOCK_BYTES)
            piece = self._block(index)[offset : offset + end - start]
            if not piece:
                break
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def _block(self, index: int) -> bytes:
        if index not in self._blocks:
            self._load(index, self._ahead(index))
        self._blocks.move_to_end(index)
        return self._blocks[index]

    def _ahead(self, index: int) -> int:
        """How many blocks to fetch at once: twice as many as the last time when this goes on where that ended."""
        count = self._runs.pop(index, 1)
        self._runs[index + count] = min(2 * count, AHEAD_BLOCKS_MAX)
        while len(self._runs) > _RUNS_KEPT:
            self._runs.popitem(last=False)
        return count

    def _load(self, index: int, count: int) -> None:
        data = super()._take(index * BLOCK_BYTES, count * BLOCK_BYTES)
        for number in range(count):
            self._blocks[index + number] = data[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
        while len(self._blocks) > max(KEPT_BLOCKS, count):
            self._blocks.popitem(last=False)
