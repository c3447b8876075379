"""How much of a large film is read to know what it is: by the engine's own account, and by the source's.

The film has its index at the end. The source is one whose ranges cost a round trip each, as in a cloud: it has no path
on this machine, and counts what is asked of it.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from benchmarks.figures import Figure
from benchmarks.film import film
from smmu.adapters.media.engine import PyavEngine
from smmu.domain.facts import MediaFacts
from smmu.domain.limits import GIB, MIB, Limits
from smmu.ports.objects import Source

_READ_BYTES_MAX = 8 * MIB


@dataclass(slots=True)
class CountingSource(Source):
    """A file as if it were far away."""

    path: Path
    reads: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """See the port."""
        return self.path.stat().st_size

    @property
    def local_path(self) -> str | None:
        """See the port."""
        return None

    async def read(self, start: int, length: int) -> bytes:
        """See the port."""
        with self.path.open("rb") as file:
            file.seek(start)
            data = file.read(length)
        self.reads.append(len(data))
        return data


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    path, size, seconds = folder / "film.mp4", 128 * MIB if quick else 2 * GIB, 60 if quick else 600
    film(path, size, seconds)
    source = CountingSource(path)
    begun = time.perf_counter()
    facts = anyio.run(_inspect, source, folder)
    took = time.perf_counter() - begun
    assert facts.video is not None
    assert facts.duration_s is not None
    assert facts.duration_exact
    assert abs(facts.duration_s - seconds) < 1
    return [_figure(facts, source, took)]


async def _inspect(source: Source, folder: Path) -> MediaFacts:
    scratch = folder / "scratch"
    await anyio.Path(scratch).mkdir()
    return await PyavEngine(Limits(), str(scratch)).inspect(source)


def _figure(facts: MediaFacts, source: CountingSource, took: float) -> Figure:
    read = sum(source.reads)
    most = max(read, facts.bytes_read)
    return Figure(
        name=f"validation of an MP4 of {source.size / GIB:.2f} GiB with its index at the end: bytes read",
        measured=f"{read / MIB:.1f} MiB in {len(source.reads)} ranges (the engine counts {facts.bytes_read / MIB:.1f}"
        f" MiB); {took:.1f} s",
        target=f"< {_READ_BYTES_MAX // MIB} MiB",
        met=most < _READ_BYTES_MAX,
    )
