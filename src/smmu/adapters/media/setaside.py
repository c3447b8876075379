"""One file that a child has made and that is wanted a little longer: kept out of the child's reach, then removed."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from smmu.ports.errors import TaskDied
from smmu.ports.objects import Source


@dataclass(frozen=True, slots=True)
class KeptFile(Source):
    """A file of this machine, as a source."""

    path: Path
    size: int

    @property
    def local_path(self) -> str | None:
        """Where it is."""
        return str(self.path)

    async def read(self, start: int, length: int) -> bytes:
        """Bytes from `start`."""
        async with await anyio.open_file(self.path, "rb") as file:
            await file.seek(start)
            return await file.read(length)


class SetAside:
    """Room for one file below `scratch`, until the block ends."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._folder = Path()

    def __enter__(self) -> Self:
        """Make room."""
        Path(self._scratch).mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="smmu-", dir=self._scratch))
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Clear it away."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def take(self, made: Path) -> None:
        """Take a file over. A second one takes its place."""
        made.rename(self._folder / "kept")

    def kept(self) -> KeptFile:
        """The file. `TaskDied` when none was made."""
        path = self._folder / "kept"
        if not path.is_file():
            raise TaskDied("the process that read the file left nothing", "crashed")
        return KeptFile(path, path.stat().st_size)
