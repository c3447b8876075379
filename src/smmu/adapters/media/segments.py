"""`Segmenter`: one track's packets in, media segments out as files, each complete and exactly where the plan cuts.

A cut falls on the first key sample at or after each multiple of the segment length, so all rungs of a ladder (whose
keyframes are the same) cut at the same times. One segment is held in memory, never more. Refuses to write playlists
and to ship files: it says when a segment is complete.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from smmu.adapters.media.cmaf import Sample, TrackHeader, initialisation, media_segment

INIT_NAME = "init.mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What is remembered of a packet, to be compared with what is found in the file."""

    pts: int
    dts: int
    key: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One complete segment; `start` and `duration` in seconds of presentation, `path` relative to the workbench."""

    path: str
    start: Fraction
    duration: Fraction
    size: int
    packets: tuple[Stamp, ...]


@dataclass(slots=True, kw_only=True)
class Output:
    """Where segments go: as files below `root`/`folder`, and/or all appended to the one file `whole`."""

    root: Path
    folder: str | None = None
    whole: Path | None = None
    emit: Callable[[Segment], None] = lambda _: None

    def write(self, name: str, data: bytes) -> str:
        """Write one section; its path relative to `root` (empty when there are no single files)."""
        if self.whole is not None:
            with self.whole.open("ab") as file:
                file.write(data)
        if self.folder is None:
            return ""
        path = f"{self.folder}/{name}"
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return path


class Segmenter:
    """Cuts one track. Samples come in decoding order with presentation times from 0 (priming before 0)."""

    def __init__(
        self, output: Output, *, seconds: Fraction, timescale: int, header: Callable[[int], TrackHeader]
    ) -> None:
        self._output, self._make_header = output, header
        self._seconds, self._timescale = seconds, timescale
        self._held: list[Sample] = []
        self._count = 0
        self._cut = seconds
        self._shift: int | None = None
        self.init_bytes = b""
        self.init_path = ""

    def add(self, sample: Sample) -> None:
        """Take the next packet."""
        if self._shift is None:
            self._open(-min(0, sample.dts))
        if self._held and sample.key and self._seconds_at(sample.pts) >= self._cut:
            self._complete(next_dts=sample.dts, end=sample.pts)
            self._cut = (self._seconds_at(sample.pts) // self._seconds + 1) * self._seconds
        self._held.append(sample)

    def close(self, end: int, *, next_dts: int | None = None) -> None:
        """The presentation ends at tick `end`: complete the last segment.

        Without `next_dts` its last sample is decoded for as long as makes the track's decoding time equal to `end`.
        """
        if self._held:
            last = self._held[-1].dts + 1
            self._complete(next_dts=max(last, end - (self._shift or 0) if next_dts is None else next_dts), end=end)

    def _open(self, shift: int) -> None:
        self._shift = shift
        self.init_bytes = initialisation(self._make_header(shift))
        self.init_path = self._output.write(INIT_NAME, self.init_bytes)

    def _seconds_at(self, tick: int) -> Fraction:
        return Fraction(tick, self._timescale)

    def _complete(self, *, next_dts: int, end: int) -> None:
        self._count += 1
        data = media_segment(self._count, self._held, next_dts, self._shift or 0)
        start = max(0, min(sample.pts for sample in self._held))
        done = Segment(
            path=self._output.write(f"seg-{self._count:05d}.m4s", data),
            start=self._seconds_at(start),
            duration=self._seconds_at(max(end - start, 1)),
            size=len(data),
            packets=tuple(Stamp(pts=s.pts, dts=s.dts, key=s.key, size=len(s.data)) for s in self._held),
        )
        self._held = []
        self._output.emit(done)
