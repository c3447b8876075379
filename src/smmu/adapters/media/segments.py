"""`Segmenter`: one track's packets in, media segments out as files, each complete and exactly where the plan cuts.

A cut falls on the first key sample at or after each multiple of the segment length, or each of the times given, so all
rungs of a ladder (whose keyframes are the same) cut at the same times. Within a segment of pictures each group of them
is a fragment, so that any keyframe can be fetched and shown without the pictures that follow it. One segment is held in
memory, never more. Refuses to write playlists and to ship files: it says when a segment is complete.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from smmu.adapters.media.cadence import next_due
from smmu.adapters.media.cmaf import Sample, TrackHeader, fragment, initialisation, segment_type

INIT_NAME, SEGMENT_NAME = "init.mp4", "seg-{}.m4s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What is remembered of a packet, to be compared with what is found in the file."""

    pts: int
    dts: int
    key: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPicture:
    """A keyframe and the bytes of its segment that show it: its fragment, up to the end of its first sample."""

    start: Fraction
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One complete segment; `start` and `duration` in seconds of presentation, `path` relative to the workbench.

    `keys` are the keyframes of pictures; sound has none that are worth naming.
    """

    path: str
    start: Fraction
    duration: Fraction
    size: int
    packets: tuple[Stamp, ...]
    keys: tuple[KeyPicture, ...] = ()


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
        self,
        output: Output,
        *,
        seconds: Fraction,
        timescale: int,
        header: Callable[[int], TrackHeader],
        cuts: Sequence[Fraction] = (),
    ) -> None:
        self._output, self._make_header = output, header
        self._seconds, self._timescale, self._cuts = seconds, timescale, cuts
        self._held: list[Sample] = []
        self._count = self._fragments = 0
        self._of_pictures = False
        self._cut = Fraction(0)
        self._shift: int | None = None
        self.init_bytes = b""
        self.init_path = ""

    def add(self, sample: Sample) -> None:
        """Take the next packet."""
        if self._shift is None:
            self._open(-min(0, sample.dts))
            self._cut = next_due(max(Fraction(0), self._seconds_at(sample.pts)), self._seconds, self._cuts)
        if self._held and sample.key and self._seconds_at(sample.pts) >= self._cut:
            self._complete(next_dts=sample.dts, end=sample.pts)
            self._cut = next_due(self._seconds_at(sample.pts), self._seconds, self._cuts)
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
        header = self._make_header(shift)
        self._of_pictures = header.is_video
        self.init_bytes = initialisation(header)
        self.init_path = self._output.write(INIT_NAME, self.init_bytes)

    def _seconds_at(self, tick: int) -> Fraction:
        return Fraction(tick, self._timescale)

    def _complete(self, *, next_dts: int, end: int) -> None:
        self._count += 1
        data, keys = self._assembled(next_dts)
        start = max(0, min(sample.pts for sample in self._held))
        done = Segment(
            path=self._output.write(SEGMENT_NAME.format(f"{self._count:05d}"), data),
            start=self._seconds_at(start),
            duration=self._seconds_at(max(end - start, 1)),
            size=len(data),
            packets=tuple(Stamp(pts=s.pts, dts=s.dts, key=s.key, size=len(s.data)) for s in self._held),
            keys=keys,
        )
        self._held = []
        self._output.emit(done)

    def _assembled(self, next_dts: int) -> tuple[bytes, tuple[KeyPicture, ...]]:
        """The segment's bytes, and where in them its keyframes are."""
        parts, keys = [segment_type()], []
        groups, offset = list(self._groups()), len(parts[0])
        for group, after in zip(groups, [*(group[0].dts for group in groups[1:]), next_dts], strict=True):
            self._fragments += 1
            made, shown = fragment(self._fragments, group, after, self._shift or 0)
            if self._of_pictures and group[0].key:
                keys.append(KeyPicture(start=self._seconds_at(group[0].pts), offset=offset, size=shown))
            parts += made
            offset += sum(map(len, made))
        return b"".join(parts), tuple(keys)

    def _groups(self) -> Iterator[list[Sample]]:
        """The samples held, those of pictures from keyframe to keyframe."""
        group: list[Sample] = []
        for sample in self._held:
            if group and sample.key and self._of_pictures:
                yield group
                group = []
            group.append(sample)
        yield group
