"""The voiced stretches of a sound, one after the other, in the child that listens to them."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from smmu.ports.sound import SAMPLE_BYTES, SAMPLE_RATE


class Bench(Protocol):
    """As much of a workbench as an engine needs."""

    @property
    def source(self) -> Any:  # noqa: ANN401 - a seekable binary file
        """The samples."""

    def progress(self, fraction: float) -> None:
        """Tell how much is done."""


def stretches(bench: Bench, spans: Sequence[Sequence[float]]) -> Iterator[tuple[float, bytes]]:
    """Where each stretch begins, in seconds, and its samples; progress is told as they are taken."""
    total = sum(end - start for start, end in spans) or 1.0
    done = 0.0
    for start, end in spans:
        bench.progress(done / total)
        yield start, samples(bench, start, end)
        done += end - start
    bench.progress(1.0)


def samples(bench: Bench, start: float, end: float) -> bytes:
    """The samples between two moments."""
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    bench.source.seek(first * SAMPLE_BYTES)
    found: bytes = bench.source.read((last - first) * SAMPLE_BYTES)
    return found[: len(found) // SAMPLE_BYTES * SAMPLE_BYTES]
