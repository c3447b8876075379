"""One file on disk, read by ranges in small pieces and digested on the way: memory does not grow with the file."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import anyio
from anyio import to_thread

from smmu.client.errors import FileChanged
from smmu.domain.values import Algorithm
from smmu.ports.checksums import Digest

ALGORITHM = Algorithm.CRC64NVME
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSource:
    """A file as it was when its upload began."""

    path: Path
    size: int
    changed_ns: int

    @classmethod
    async def of(cls, path: Path) -> Self:
        """The file at `path`. Raises `OSError` when there is none."""
        status = await to_thread.run_sync(os.stat, path)
        return cls(path=path, size=status.st_size, changed_ns=status.st_mtime_ns)

    async def pieces(self, start: int, length: int, digest: Digest) -> AsyncIterator[bytes]:
        """Exactly `length` bytes from `start`, each fed to `digest`. Raises `FileChanged` when there are fewer."""
        async with await anyio.open_file(self.path, "rb") as file:
            await file.seek(start)
            left = length
            while left:
                piece = await file.read(min(left, _PIECE_BYTES))
                if not piece:
                    raise FileChanged(f"{self.path.name} became shorter while it was being read.")
                digest.update(piece)
                left -= len(piece)
                yield piece

    async def require_unchanged(self) -> None:
        """Raise `FileChanged` if anybody wrote to it since: parts of two files would make one that never was."""
        now = await LocalSource.of(self.path)
        if now != self:
            raise FileChanged(f"{self.path.name} was changed while it was being sent: send it again.")
