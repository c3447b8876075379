"""The ladder: one decode, one cascade of scalers in the main thread, an encoder thread per rung.

Where the top rung is a copy the cascade begins below it, and its keyframes are everybody's.
Against the newest ffmpeg command line doing the same it is a tie (docs/benchmarks.md). Pictures are
chosen and keyframes placed here, once, for all rungs. Segments are proven and shipped from the main thread as they
are completed, so a slow store slows the decoder and nothing piles up. Refuses to write playlists.
"""

import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from smmu.adapters.media import graph, hls
from smmu.adapters.media.cadence import Cadence, Clock, Grid, Selector, ticks_per_second
from smmu.adapters.media.copying import Copier, Stock
from smmu.adapters.media.decode import Damage, Survey, video_frames
from smmu.adapters.media.encoder import RungEncoder, mark
from smmu.adapters.media.proof import RungWitness
from smmu.adapters.media.segments import KeyPicture, Output, Segment
from smmu.adapters.media.window import Cutter, time_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import RenderedFile
from smmu.domain.plan import PlannedTask, RungSpec

USUAL_RATE = Fraction(30)  # for rate control only, when the file does not say or says something absurd
RATE_MAX = Fraction(480)
HOLD_SECONDS_MIN = Fraction(1, 250)
HOLD_SECONDS_MAX = Fraction(10)  # no last picture is shown longer than this, whatever the file says


@dataclass(slots=True, kw_only=True)
class Rung:
    """One rung in the making."""

    spec: RungSpec
    folder: str
    step: graph.Step | None
    encoder: RungEncoder | Copier
    witness: RungWitness
    cadence: Cadence
    files: list[RenderedFile] = field(default_factory=list)
    pieces: list[hls.Piece] = field(default_factory=list)
    keys: list[tuple[str, KeyPicture]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What a ladder stands on: packets of the source that are its top rung, and keyframes that are the source's."""

    stock: Stock | None = None
    grid: Grid = field(default_factory=Grid)


class Ladder:
    """Makes all rungs of a task. `whole` is where the rung named `keep` is kept in one piece, for the MP4.

    A rung's segments are proven by a `witness` of its own.
    """

    def __init__(
        self,
        bench: Workbench,
        task: PlannedTask,
        survey: Survey,
        *,
        keep: str,
        whole: Path,
        footing: Footing,
        witness: type[RungWitness] = RungWitness,
    ) -> None:
        self._bench, self._task = bench, task
        self._ready: queue.SimpleQueue[tuple[str, Segment]] = queue.SimpleQueue()
        self.damage = Damage(track=task.transform.track_index)
        self.ticks = ticks_per_second(survey.time_base)
        self._rate = survey.rate if survey.rate and 0 < survey.rate <= RATE_MAX else USUAL_RATE
        self._keep, self._whole, self._footing = keep, whole, footing
        self._witness = witness
        self._copier: Copier | None = None
        self._cutter = Cutter(survey.window)
        planned = Fraction(task.duration_s or bench.limits.duration_seconds_max)
        self.clock = Clock(zero=survey.zero, planned_end=planned, step=1 / self._rate)
        self._hold = Fraction(0)
        self.longest_gap = Fraction(0)
        self.rungs = self._make_rungs()
        self._selector = Selector(
            [rung.spec.frame_rate_max for rung in self.rungs],
            min((rung.spec.keyframe_seconds for rung in self.rungs), default=Fraction(1)),
            footing.grid.keys,
        )

    @property
    def end(self) -> Fraction:
        """When the last picture is over."""
        over = (self.clock.last or Fraction(0)) + (self._hold or self.clock.step)
        clip = self._task.clip
        if clip.end is None:
            return over
        return clip.end - clip.start if self._cutter.closed else min(over, clip.end - clip.start)

    def run(self, progress: Callable[[float], None]) -> None:
        """Decode, scale, encode, prove and ship everything. Raises `Refused` when too little could be decoded.

        Without rungs there is nothing to decode for.
        """
        if not self.rungs:
            return
        try:
            for frame in self._pictures():
                self._spread(frame)
                self._ship()
                self._tell(progress)
            self.damage.judge(float(self.end), self._task.owed_s)
            for rung in self.rungs:
                rung.encoder.finish(round(self.end * self.ticks))
            self._ship()
        finally:
            for rung in self.rungs:
                rung.encoder.abandon()

    def _make_rungs(self) -> list[Rung]:
        specs = [spec for spec in self._task.renditions if isinstance(spec, RungSpec)]
        specs.sort(key=lambda spec: spec.width * spec.height, reverse=True)
        smallest = {spec.codec: spec for spec in specs}.values()
        stock = self._footing.stock
        copied = next((spec for spec in specs if spec.copied), None) if stock else None
        first = next((spec for spec in specs if spec is not copied), None)
        return [
            self._make_rung(spec, stock if spec is copied else None, top=spec is first, last=spec in smallest)
            for spec in specs
        ]

    def _make_rung(self, spec: RungSpec, stock: Stock | None, *, top: bool, last: bool) -> Rung:
        folder = f"hls/{spec.name}"
        whole = self._whole if spec.name == self._keep else None
        output = Output(
            root=self._bench.directory, folder=folder, whole=whole, emit=lambda done: self._ready.put((spec.name, done))
        )
        return Rung(
            spec=spec,
            folder=folder,
            step=None if stock else self._step(spec, top=top),
            encoder=self._copy(spec, stock, output) if stock else self._encoder(spec, output),
            witness=self._witness(spec, ticks=self.ticks, decode_all=last, cuts=self._footing.grid.cuts),
            cadence=Cadence(self.ticks),
        )

    def _step(self, spec: RungSpec, *, top: bool) -> graph.Step:
        if top:
            return graph.upright(self._task.transform, spec.width, spec.height)
        return graph.smaller(spec.width, spec.height)

    def _encoder(self, spec: RungSpec, output: Output) -> RungEncoder:
        return RungEncoder(spec, output, ticks=self.ticks, rate=self._rate, cuts=self._footing.grid.cuts)

    def _copy(self, spec: RungSpec, stock: Stock, output: Output) -> Copier:
        self._copier = Copier(spec, stock, output, ticks=self.ticks)
        return self._copier

    def _pictures(self) -> Iterator[VideoFrame]:
        return graph.whole_pictures(self._decoded(), self._task.transform)

    def _decoded(self) -> Iterator[VideoFrame]:
        copier = self._copier
        tap = copier.take if copier else None
        for frame in self._cutter.pictures(video_frames(self._bench, self.damage, self._cutter.window, tap)):
            if copier is not None:
                copier.judge(frame, self.damage)
            if frame.time_base is not None:
                self._hold = self._believed(frame.duration * frame.time_base)
            yield frame

    @staticmethod
    def _believed(hold: Fraction) -> Fraction:
        # Some containers give every picture one tick of theirs, others the time until the file's end.
        return min(hold, HOLD_SECONDS_MAX) if hold >= HOLD_SECONDS_MIN else Fraction(0)

    def _spread(self, frame: VideoFrame) -> None:
        before = self.clock.last
        at = self.clock.place(time_of(frame))
        if at is None:
            return
        self.longest_gap = max(self.longest_gap, at - (before or Fraction(0)))
        kept, key = self._selector.choose(at)
        if any(kept):
            tick = round(at * self.ticks)
            frame.pts, frame.time_base = tick, Fraction(1, self.ticks)
            self._descend(frame, kept, tick, key=key)

    def _descend(self, frame: VideoFrame, kept: Sequence[bool], tick: int, *, key: bool) -> None:
        # All scaling first: an encoder rewrites its picture's times, and the next step must not see that.
        lowest = max(index for index, wanted in enumerate(kept) if wanted)
        pictures = []
        for rung in self.rungs[: lowest + 1]:
            if rung.step is not None:
                (frame,) = rung.step.feed(frame)
            graph.tag_bt709(frame)
            pictures.append(frame)
        for rung, picture, wanted in zip(self.rungs, pictures, kept, strict=False):
            if wanted:
                mark(picture, tick=tick, ticks=self.ticks, key=key)
                rung.witness.plan(tick, picture, key=key)
                rung.cadence.add(tick)
                rung.encoder.put(picture)

    def _ship(self) -> None:
        while not self._ready.empty():
            of, segment = self._ready.get()
            rung = next(rung for rung in self.rungs if rung.spec.name == of)
            init = rung.encoder.segmenter
            data = (self._bench.directory / segment.path).read_bytes()
            rung.witness.examine(segment, init.init_bytes, data)
            if not rung.files:
                rung.files.append(self._bench.finish(init.init_path, hls.INIT_TYPE))
            rung.files.append(self._bench.finish(segment.path, hls.SEGMENT_TYPE))
            name = Path(segment.path).name
            rung.pieces.append(hls.Piece(name=name, duration=segment.duration, size=segment.size))
            rung.keys += [(name, key) for key in segment.keys]

    def _tell(self, progress: Callable[[float], None]) -> None:
        if self._task.duration_s and self.clock.last is not None:
            progress(min(1.0, float(self.clock.last) / self._task.duration_s))
        else:
            self._bench.beat()
