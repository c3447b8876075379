"""`Join`: a ladder put together from chunks by packets alone. It is a `Ladder` to whoever writes playlists over it.

Packets go through the same segmenter as those of one pass, so segments, fragments and keyframes fall where they would
have; decoding times are made anew over the whole, as an encoder that had seen all would have given them. Every file is
compared with the SHA-256 of its proof before it is read, and what is joined is proven again: every packet, and the
first pictures of every segment. Refuses, with the reason, chunks that do not give the whole (`unjoinable`).
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av

from smmu.adapters.media.cadence import Cadence, Clock
from smmu.adapters.media.chunking import RECORD
from smmu.adapters.media.cmaf import Sample
from smmu.adapters.media.coding import CODINGS
from smmu.adapters.media.decode import COVERED_SHARE_MIN, Damage, Survey
from smmu.adapters.media.encoder import header_of
from smmu.adapters.media.graph import Unplanned
from smmu.adapters.media.ladder import Shipped
from smmu.adapters.media.proof import RungWitness
from smmu.adapters.media.segments import Output, Segment, Segmenter
from smmu.adapters.media.workbench import Workbench
from smmu.domain.limits import MIB
from smmu.domain.plan import PlannedTask, RungSpec

PIECE = "piece.mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What a chunk's record tells. `end` is when its last picture is over."""

    name: str
    irregular: str
    ticks: int
    shown: int
    promised: int
    longest_gap: Fraction
    step: Fraction
    end: Fraction
    rungs: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Redating:
    """Decoding times of packets whose presentation times alone are known, as an encoder with `delay` gives them.

    The packet that is decoded as the n-th takes the time of the picture that is shown `delay` before the n-th; the
    first ones are as far before the beginning as the `delay`-th picture is behind it.
    """

    delay: int
    _shown: deque[int] = field(default_factory=deque)
    _first: list[int] = field(default_factory=list)
    _early: bool = True

    def date(self, shown: Sequence[int]) -> list[int]:
        """The decoding times that `shown`, the next group's presentation times in rising order, leads to.

        Those of the very first group need `delay` pictures behind the first to be known.
        """
        times = list(shown)
        if self._early:
            self._early = False
            lead = times[min(self.delay, len(times) - 1)] - times[0]
            self._shown.extend(time - lead for time in times[: self.delay])
        self._shown.extend(times)
        return [self._shown.popleft() for _ in times]


def read_chunks(bench: Workbench, task: PlannedTask) -> list[Chunk]:
    """The records of those of the task's chunks that are there, in their order."""
    return [_chunk(bench, name) for name in task.joins if f"{name}/{RECORD}" in bench.pieces]


def _chunk(bench: Workbench, name: str) -> Chunk:
    file = bench.pieces[f"{name}/{RECORD}"]
    file.seek(0)
    told: dict[str, Any] = json.loads(file.read())
    told |= {key: Fraction(told[key]) for key in ("longest_gap", "step", "end")}
    return Chunk(name=name, **told)


def unjoinable(task: PlannedTask, chunks: Sequence[Chunk]) -> str:
    """Why these chunks do not give what one pass over the whole would; nothing when they do."""
    there = {chunk.name for chunk in chunks}
    missing = next((name for name in task.joins if name not in there), None)
    if missing is not None:
        return f"{missing} is not there"
    irregular = next((chunk for chunk in chunks if chunk.irregular), None)
    if irregular is not None:
        return f"{irregular.name}: {irregular.irregular}"
    if not chunks[0].shown:
        return "it begins with nothing to see, where one pass holds its first picture"
    shown, promised = sum(chunk.shown for chunk in chunks), max(chunk.promised for chunk in chunks)
    if not shown or shown < COVERED_SHARE_MIN * promised:
        return f"{shown} pictures where the file promises {promised}"
    late = max((rung["delay"] for chunk in chunks for rung in chunk.rungs.values()), default=0)
    if any(rung["frames"] <= late for rung in chunks[0].rungs.values()):
        return "its first chunk has too few pictures to date what is decoded by"
    configurations = {(name, rung["configuration"]) for chunk in chunks for name, rung in chunk.rungs.items()}
    if len(configurations) != len({name for name, _ in configurations}):
        return "its encoders were not configured alike"
    return ""


class Join:
    """Puts the chunks of a task together. What it has in common with a `Ladder` is what stands over both."""

    def __init__(
        self,
        bench: Workbench,
        task: PlannedTask,
        survey: Survey,
        chunks: Sequence[Chunk],
        *,
        keep: Callable[[RungSpec], Path | None],
    ) -> None:
        self._bench = bench
        self._chunks = [chunk for chunk in chunks if chunk.shown]
        shown, last = sum(chunk.shown for chunk in chunks), self._chunks[-1]
        self.ticks, self.end = last.ticks, last.end
        self.longest_gap = max(chunk.longest_gap for chunk in self._chunks)
        self.unplanned = Unplanned()  # a chunk that met any is not joined
        self.damage = Damage(track=task.transform.track_index, packets=shown, frames=shown)
        self.clock = Clock(zero=survey.zero, planned_end=self.end, step=last.step)
        specs = [spec for spec in task.renditions if isinstance(spec, RungSpec)]
        specs.sort(key=lambda spec: spec.width * spec.height, reverse=True)
        self._threads = [_Thread(bench, spec, self._chunks, keep(spec), self.end) for spec in specs]
        self.rungs: list[Shipped] = [thread.rung for thread in self._threads]

    def run(self, progress: Callable[[float], None]) -> None:
        """Join, prove and ship everything."""
        steps = len(self._chunks) * len(self._threads)
        for number, thread in enumerate(self._threads):
            for count, _ in enumerate(thread.joined()):
                progress((number * len(self._chunks) + count) / steps)


class _Thread:
    """One rung through all chunks."""

    def __init__(
        self, bench: Workbench, spec: RungSpec, chunks: Sequence[Chunk], whole: Path | None, end: Fraction
    ) -> None:
        self._bench, self._spec, self._chunks, self._end = bench, spec, chunks, end
        configuration = bytes.fromhex(chunks[0].rungs[spec.name]["configuration"])
        self.rung = Shipped(
            spec=spec,
            folder=f"hls/{spec.name}",
            witness=RungWitness(spec, ticks=chunks[0].ticks, decode_all=False),
            cadence=Cadence(chunks[0].ticks),
            codecs=CODINGS[spec.codec].name(configuration),
        )
        self._segmenter = Segmenter(
            Output(root=bench.directory, folder=self.rung.folder, whole=whole, emit=self._ship),
            seconds=spec.segment_seconds,
            timescale=chunks[0].ticks,
            header=partial(header_of, spec, configuration, chunks[0].ticks),
        )

    def joined(self) -> Iterator[Chunk]:
        """Each chunk, when it was put in."""
        redating = Redating(max(chunk.rungs[self._spec.name]["delay"] for chunk in self._chunks))
        for chunk in self._chunks:
            self._add(chunk, redating)
            yield chunk
        self._segmenter.close(round(self._end * self._chunks[0].ticks))
        # All were decoded where their chunks were made; those that were again, to prove the segments, are the same.
        self.rung.witness.decoded = sum(chunk.rungs[self._spec.name]["decoded"] for chunk in self._chunks)

    def _add(self, chunk: Chunk, redating: Redating) -> None:
        told = chunk.rungs[self._spec.name]
        piece = self._fetched(chunk, told["sha256"])
        shown = sorted((packet.pts, packet.key) for packet in _packets(piece))
        if len(shown) != told["frames"]:
            raise RuntimeError(f"{chunk.name} has {len(shown)} packets where its proof has {told['frames']}")
        for tick, key in shown:
            self.rung.witness.expect(tick, key=key)
            self.rung.cadence.add(tick)
        self.rung.witness.likeness.ssim += told["ssim"]
        self.rung.witness.likeness.xpsnr += told["xpsnr"]
        self.rung.witness.sighting.add(told["watermark"])
        dates = redating.date([tick for tick, _ in shown])
        for packet, dts in zip(_packets(piece), dates, strict=True):
            self._segmenter.add(Sample(packet.data, packet.pts, dts, packet.key))
            self._bench.beat()
        piece.unlink()

    def _fetched(self, chunk: Chunk, sha256: str) -> Path:
        """The chunk's file, here; another than the proven one is as good as none."""
        source = self._bench.pieces[f"{chunk.name}/{self._spec.name}.mp4"]
        digest, target = hashlib.sha256(), self._bench.directory / PIECE
        source.seek(0)
        with target.open("wb") as file:
            while block := source.read(8 * MIB):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != sha256:
            raise RuntimeError(f"{chunk.name} is not what was proven")
        return target

    def _ship(self, segment: Segment) -> None:
        self.rung.ship(self._bench, segment, self._segmenter)


def _packets(path: Path) -> Iterator[Sample]:
    """The packets of a fragmented file of ours, in decoding order."""
    with av.open(str(path), "r", format="mp4", container_options={"protocol_whitelist": "file"}) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.pts is not None and packet.dts is not None and packet.size:
                yield Sample(bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
