"""The ladder: one decode, one cascade of scalers in the main thread, an encoder thread per rung.

Where the top rung is a copy the cascade begins below it, and its keyframes are everybody's.
Measured against the newest ffmpeg command line doing the same, this takes 0.94 to 0.95 of its time. Pictures are
chosen and keyframes placed here, once, for all rungs. Segments are proven and shipped from the main thread as they
are completed, so a slow store slows the decoder and nothing piles up. Refuses to write playlists.
"""

import os
import queue
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from smmu.adapters.media import graph, hls
from smmu.adapters.media.cadence import Cadence, Clock, Grid, Selector, ticks_per_second
from smmu.adapters.media.copying import Copier, Stock
from smmu.adapters.media.decode import Damage, Survey, video_frames
from smmu.adapters.media.encoder import RungEncoder, mark, threads_for
from smmu.adapters.media.overlay import overlay_of
from smmu.adapters.media.proof import RungWitness
from smmu.adapters.media.segments import KeyPicture, Output, Segment, Segmenter
from smmu.adapters.media.window import Cutter, Window, time_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import RenderedFile
from smmu.domain.plan import PlannedTask, RungSpec

USUAL_RATE = Fraction(30)  # for rate control only, when the file does not say or says something absurd
RATE_MAX = Fraction(480)
HOLD_SECONDS_MIN = Fraction(1, 250)
HOLD_SECONDS_MAX = Fraction(10)  # no last picture is shown longer than this, whatever the file says
DEINTERLACING_SECONDS = Fraction(1, 2)  # what is made of fields is made of those before them, too
BEFORE_ALL = Fraction(-1)  # where a clock stands that has its first picture where it is, and not at 0


@dataclass(slots=True, kw_only=True)
class Shipped:
    """What is known of a rung once its segments have left: the rung as playlists, manifest and proof need it."""

    spec: RungSpec
    folder: str
    witness: RungWitness
    cadence: Cadence
    codecs: str = ""
    is_copy: bool = False
    files: list[RenderedFile] = field(default_factory=list)
    pieces: list[hls.Piece] = field(default_factory=list)
    keys: list[tuple[str, KeyPicture]] = field(default_factory=list)

    def ship(self, bench: Workbench, segment: Segment, of: Segmenter) -> None:
        """Prove a complete segment, and let it go."""
        data = (bench.directory / segment.path).read_bytes()
        self.witness.examine(segment, of.init_bytes, data)
        if not self.files:
            self.files.append(bench.finish(of.init_path, hls.INIT_TYPE))
        self.files.append(bench.finish(segment.path, hls.SEGMENT_TYPE))
        name = Path(segment.path).name
        self.pieces.append(hls.Piece(name=name, duration=segment.duration, size=segment.size))
        self.keys += [(name, key) for key in segment.keys]


@dataclass(slots=True, kw_only=True)
class Rung(Shipped):
    """One rung in the making."""

    step: graph.Step | None
    encoder: RungEncoder | Copier


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which pictures are wanted: those shown at `start` or after it, and before `end`; `None` is the end of the track.

    Both are multiples of the segments' length. `threads` are each encoder's; `None` is what suits its share of all.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What a ladder stands on.

    Packets of the source that are its top rung, keyframes that are the source's, and the part that it is made of.
    """

    stock: Stock | None = None
    grid: Grid = field(default_factory=Grid)
    part: Part = field(default_factory=Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where what a ladder makes goes: `keep` says where a rung is kept in one piece, if it is; `ship` gets segments.

    A rung's segments are proven by a `witness` of its own.
    """

    keep: Callable[[RungSpec], Path | None]
    ship: Callable[[Rung, Segment], None]
    witness: type[RungWitness] = RungWitness


class Ladder:
    """Makes all rungs of `specs`."""

    def __init__(
        self,
        bench: Workbench,
        task: PlannedTask,
        survey: Survey,
        *,
        specs: Sequence[RungSpec],
        delivery: Delivery,
        footing: Footing,
    ) -> None:
        self._bench, self._task, self._survey, self._delivery = bench, task, survey, delivery
        self._specs = sorted(specs, key=lambda spec: spec.width * spec.height, reverse=True)
        self._ready: queue.SimpleQueue[tuple[str, Segment]] = queue.SimpleQueue()
        self.damage = Damage(track=task.transform.track_index)
        self.ticks = ticks_per_second(survey.time_base)
        self._rate = survey.rate if survey.rate and 0 < survey.rate <= RATE_MAX else USUAL_RATE
        self._footing, self._part = footing, footing.part
        self._copier: Copier | None = None
        self._cutter = Cutter(Window(None, survey.window.end) if self._part.start else survey.window)
        planned = Fraction(task.duration_s or bench.limits.duration_seconds_max)
        self.clock = Clock(zero=survey.zero, planned_end=planned, step=1 / self._rate,
                           last=BEFORE_ALL if self._part.start else None)  # fmt: skip
        self._hold = Fraction(0)
        self.longest_gap = Fraction(0)
        self.unplanned = graph.Unplanned()
        self.shown = 0
        self.after: Fraction | None = None  # when the first picture behind the part is shown
        self.rungs = self._make_rungs()
        top = self._specs[0] if self._specs else None
        self._overlay = overlay_of(bench, task, top.width, top.height) if top else None
        self._selector = Selector(
            [rung.spec.frame_rate_max for rung in self.rungs],
            min((rung.spec.keyframe_seconds for rung in self.rungs), default=Fraction(1)),
            footing.grid.keys,
            None if footing.grid.keys else max((rung.spec.segment_seconds for rung in self.rungs), default=None),
        )

    @property
    def end(self) -> Fraction:
        """When the last picture is over."""
        if self.after is not None:
            return self.after
        over = (self.clock.last or Fraction(0)) + (self._hold or self.clock.step)
        clip = self._task.clip
        if clip.end is None:
            return over
        return clip.end - clip.start if self._cutter.closed else min(over, clip.end - clip.start)

    def run(self, progress: Callable[[float], None]) -> None:
        """Decode, scale, encode, prove and ship everything. Raises `Refused` when too little could be decoded.

        Of a part that is not all nobody can say so. Without rungs there is nothing to decode for.
        """
        if not self.rungs:
            return
        try:
            with closing(self._pictures()) as pictures:
                self._take(pictures, progress)
            if self._part.start == 0 and self._part.end is None:
                self.damage.judge(float(self.end), self._task.owed_s)
            self.longest_gap = max(self.longest_gap, self.end - (self.clock.last or Fraction(0)))
            for rung in self.rungs:
                rung.encoder.finish(round(self.end * self.ticks))
            self._ship()
        finally:
            for rung in self.rungs:
                rung.encoder.abandon()

    def _take(self, pictures: Iterable[VideoFrame], progress: Callable[[float], None]) -> None:
        for frame in pictures:
            before = self.clock.last
            at = self.clock.place(time_of(frame))
            if at is not None and at >= self._part.start and before != BEFORE_ALL:
                self.longest_gap = max(self.longest_gap, at - (before or Fraction(0)))
            if at is not None and self._part.end is not None and at >= self._part.end:
                self.after = at
                return
            if at is not None and at >= self._part.start:
                self.shown += 1
                self._spread(frame, at)
                self._ship()
            self._tell(progress)

    def _make_rungs(self) -> list[Rung]:
        specs = self._specs
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
        output = Output(
            root=self._bench.directory, folder=folder, whole=self._delivery.keep(spec),
            emit=lambda done: self._ready.put((spec.name, done)),
        )  # fmt: skip
        encoder = self._copy(spec, stock, output) if stock else self._encoder(spec, output)
        return Rung(
            spec=spec,
            folder=folder,
            step=None if stock else self._step(spec, top=top),
            encoder=encoder,
            codecs=encoder.codecs,
            is_copy=stock is not None,
            witness=self._delivery.witness(spec, ticks=self.ticks, decode_all=last, cuts=self._footing.grid.cuts),
            cadence=Cadence(self.ticks),
        )

    def _step(self, spec: RungSpec, *, top: bool) -> graph.Step:
        if top:
            return graph.upright(self._task.transform, spec.width, spec.height)
        return graph.smaller(spec.width, spec.height)

    def _encoder(self, spec: RungSpec, output: Output) -> RungEncoder:
        cuts, threads = self._footing.grid.cuts, self._part.threads or self._threads(spec)
        return RungEncoder(spec, output, ticks=self.ticks, rate=self._rate, cuts=cuts, threads=threads)

    def _threads(self, spec: RungSpec) -> int:
        pixels = sum(one.width * one.height for one in self._specs)
        return threads_for(Fraction(spec.width * spec.height, pixels), len(os.sched_getaffinity(0)))

    def _copy(self, spec: RungSpec, stock: Stock, output: Output) -> Copier:
        self._copier = Copier(spec, stock, output, ticks=self.ticks)
        return self._copier

    def _pictures(self) -> Generator[VideoFrame, None, None]:
        yield from graph.whole_pictures(self._decoded(), self._task.transform, self.unplanned)

    def _decoded(self) -> Iterator[VideoFrame]:
        copier = self._copier
        tap = copier.take if copier else None
        window = self._survey.window
        if self._part.start:
            early = DEINTERLACING_SECONDS if self._task.transform.deinterlace else 0
            window = Window(self._survey.zero + self._part.start - early, window.end)
        for frame in self._cutter.pictures(video_frames(self._bench, self.damage, window, tap)):
            if copier is not None:
                copier.judge(frame, self.damage)
            if frame.time_base is not None:
                self._hold = self._believed(frame.duration * frame.time_base)
            yield frame

    @staticmethod
    def _believed(hold: Fraction) -> Fraction:
        # Some containers give every picture one tick of theirs, others the time until the file's end.
        return min(hold, HOLD_SECONDS_MAX) if hold >= HOLD_SECONDS_MIN else Fraction(0)

    def _spread(self, frame: VideoFrame, at: Fraction) -> None:
        kept, key = self._selector.choose(at)
        if any(kept):
            tick = round(at * self.ticks)
            frame.pts, frame.time_base = tick, Fraction(1, self.ticks)
            self._descend(frame, kept, tick, key=key)

    def _descend(self, frame: VideoFrame, kept: Sequence[bool], tick: int, *, key: bool) -> None:
        # All scaling first: an encoder rewrites its picture's times, and the next step must not see that.
        lowest = max(index for index, wanted in enumerate(kept) if wanted)
        pictures: list[VideoFrame] = []
        under = None
        for rung in self.rungs[: lowest + 1]:
            if rung.step is not None:
                (frame,) = rung.step.feed(frame)
            if self._overlay is not None and not pictures:
                under = self._overlay.under(frame) if key else None
                frame = self._overlay.over(frame)
            graph.tag_bt709(frame)
            pictures.append(frame)
        for rung, picture, wanted in zip(self.rungs, pictures, kept, strict=False):
            if wanted:
                mark(picture, tick=tick, ticks=self.ticks, key=key)
                rung.witness.plan(tick, picture, key=key)
                if under is not None:
                    rung.witness.sighting.keep(tick, under)
                rung.cadence.add(tick)
                rung.encoder.put(picture)

    def _ship(self) -> None:
        while not self._ready.empty():
            of, segment = self._ready.get()
            rung = next(rung for rung in self.rungs if rung.spec.name == of)
            self._delivery.ship(rung, segment)

    def _tell(self, progress: Callable[[float], None]) -> None:
        if self._task.duration_s and self.clock.last is not None:
            start = float(self._part.start)
            end = self._task.duration_s if self._part.end is None else float(self._part.end)
            progress(max(0.0, min(1.0, (float(self.clock.last) - start) / max(1e-3, end - start))))
        else:
            self._bench.beat()
