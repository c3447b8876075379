"""All that the product does with a film, through the engine and its children, run as a process.

It is inspected and planned, and what the manifest holds is made and proven. To `distant` the source is far away and so
is the store: every request for a range, and every file that is stored, waits before it is answered.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio

from benchmarks.runs import SHORTS
from smmu.adapters.media.engine import PyavEngine
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import PlannedTask
from smmu.domain.planner import plan
from smmu.ports.media import Sink
from smmu.ports.objects import Body, LocalFile, Source

_AWAY_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class _File(Source):
    """A film: at hand, or `away`."""

    path: Path
    away: bool

    @property
    def size(self) -> int:
        """See the port."""
        return self.path.stat().st_size

    @property
    def local_path(self) -> str | None:
        """See the port."""
        return None if self.away else str(self.path)

    async def read(self, start: int, length: int) -> bytes:
        """See the port."""
        await anyio.sleep(_AWAY_SECONDS)
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)


@dataclass(frozen=True, slots=True)
class _Folder(Sink):
    """Where files are kept: at hand, where they are moved to, or `away`, where their bytes are sent."""

    root: Path
    away: bool

    async def put(self, path: str, body: Body, content_type: str) -> None:
        """See the port."""
        assert isinstance(body, LocalFile), content_type
        target = anyio.Path(self.root / path)
        await target.parent.mkdir(parents=True, exist_ok=True)
        if not self.away:
            await anyio.Path(body.path).rename(target)
            return
        await anyio.sleep(_AWAY_SECONDS)
        async with await anyio.open_file(body.path, "rb") as made, await anyio.open_file(target, "wb") as stored:
            while block := await made.read(1 << 20):
                await stored.write(block)


def whole(source: Path, out: Path) -> None:
    """Everything, on this machine."""
    anyio.run(_everything, _File(source, away=False), _Folder(out / "made", away=False), out / "scratch")


def distant(source: Path, out: Path) -> None:
    """Everything, from afar and to afar."""
    anyio.run(_everything, _File(source, away=True), _Folder(out / "made", away=True), out / "scratch")


async def _everything(source: Source, sink: Sink, scratch: Path) -> None:
    engine, options = PyavEngine(Limits(), str(scratch)), Options(rungs=SHORTS)
    planned = plan(await engine.inspect(source), options, Limits())

    async def make(task: PlannedTask) -> None:
        made = await engine.render(source, task, sink, _ignore)
        assert all(rendition.proof.ok for rendition in made), task.name

    for stage in planned.stages:
        async with anyio.create_task_group() as group:
            for task in stage.tasks:
                group.start_soon(make, task)


async def _ignore(_: float) -> None:
    """Nobody asks how far it is."""


_MAKERS: dict[str, Callable[[Path, Path], None]] = {
    "whole": whole,
    "distant": distant,
}

if __name__ == "__main__":
    which, source_name, out_name = sys.argv[1:]
    _MAKERS[which](Path(source_name), Path(out_name))
