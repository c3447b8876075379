"""A preview: a few seconds of a video, taken from several places, small, without sound, to be looped under a pointer.

Each piece is a clip that is decoded by itself, so the length of the film costs nothing. It begins with a keyframe where
there is one between its neighbours, so that no picture is decoded that is not shown. Made by the encoder of the
ladder, as a fast-start MP4. Refuses to choose how many pieces there are and how long they last: the plan did.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from smmu.adapters.media import graph
from smmu.adapters.media.cadence import Selector, ticks_per_second
from smmu.adapters.media.decode import Damage, Survey, key_times, only, video_frames
from smmu.adapters.media.encoder import RungEncoder, mark
from smmu.adapters.media.mp4 import progressive
from smmu.adapters.media.overlay import Overlay, Sighting, overlay_of
from smmu.adapters.media.proof import check, check_within, play_through, prove_progressive
from smmu.adapters.media.segments import Output
from smmu.adapters.media.window import Cutter, Window, time_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, refuse
from smmu.domain.manifest import Check, Proof, Rendition
from smmu.domain.plan import PlannedTask, PreviewSpec, RungSpec

PATH, CONTENT_TYPE = "preview.mp4", "video/mp4"
MARGIN = Fraction(1, 10)  # of the film at both its ends: titles and credits are not what it is about


@dataclass(slots=True)
class _Reel:
    """The pieces end to end, on their way into the encoder."""

    encoder: RungEncoder
    step: graph.Step
    selector: Selector
    ticks: int
    overlay: Overlay | None
    sighting: Sighting = field(default_factory=Sighting)
    frames: int = 0
    last: Fraction = Fraction(0)
    end: Fraction = Fraction(0)

    def add(self, frame: VideoFrame, at: Fraction, *, key: bool) -> None:
        """Show a picture at a time of the preview, unless that is too soon after the last."""
        (kept,), _ = self.selector.choose(at)
        if not kept:
            return
        tick = round(at * self.ticks)
        frame.pts, frame.time_base = tick, Fraction(1, self.ticks)
        (picture,) = self.step.feed(frame)
        if self.overlay is not None:
            if key:
                self.sighting.keep(tick, self.overlay.under(picture))
            picture = self.overlay.over(picture)
        graph.tag_bt709(picture)
        mark(picture, tick=tick, ticks=self.ticks, key=key)
        self.encoder.put(picture)
        self.frames, self.last = self.frames + 1, at

    def look(self, frame: VideoFrame) -> None:
        """A picture of the preview, as it plays."""
        time = time_of(frame)
        self.sighting.look(None if time is None else round(time * self.ticks), frame)


def make_preview(bench: Workbench, task: PlannedTask, spec: PreviewSpec, found: Survey) -> Rendition:
    """The preview of a video task's source. Raises `Refused` when no picture of it decodes."""
    whole = bench.directory / "preview-whole.mp4"
    ticks = ticks_per_second(found.time_base)
    output = Output(root=bench.directory, whole=whole)
    encoder = RungEncoder(_rung(spec), output, ticks=ticks, rate=spec.frame_rate_max, threads=1)
    step = graph.upright(task.transform, spec.width, spec.height)
    overlay = overlay_of(bench, task, spec.width, spec.height)
    reel = _Reel(encoder, step, Selector([spec.frame_rate_max], spec.piece_seconds), ticks, overlay)
    try:
        for window in _windows(bench, task, spec, found):
            _play(bench, task, window, reel)
        if not reel.frames:
            raise refuse(Code.REJECTED_CORRUPT, "No picture of the video could be decoded.")
        encoder.finish(round(reel.end * ticks))
    finally:
        encoder.abandon()
    return _published(bench, spec, encoder, reel, whole)


def _rung(spec: PreviewSpec) -> RungSpec:
    return RungSpec(
        name=spec.name,
        width=spec.width,
        height=spec.height,
        frame_rate_max=spec.frame_rate_max,
        crf=spec.crf,
        bitrate_bps_max=spec.bitrate_bps_max,
    )


def _windows(bench: Workbench, task: PlannedTask, spec: PreviewSpec, found: Survey) -> list[Window]:
    """Where the pieces are: evenly over the middle, or all from the start where nobody knows how long it is."""
    length = spec.piece_seconds
    if task.owed_s is None:
        return [Window(found.window.start, found.zero + length * spec.pieces)]
    owed = Fraction(str(task.owed_s))
    room = owed * (1 - 2 * MARGIN) - length
    even = [found.zero + owed * MARGIN + room * number / max(1, spec.pieces - 1) for number in range(spec.pieces)]
    starts = _at_keyframes(bench, task, even, length, (found.zero, found.zero + owed))
    return [Window(start, start + length) for start in starts]


def _at_keyframes(
    bench: Workbench, task: PlannedTask, starts: Sequence[Fraction], length: Fraction, film: tuple[Fraction, Fraction]
) -> list[Fraction]:
    """The pieces, each moved back to a keyframe, or else on to one, where it then keeps clear of its neighbours.

    The first moves back and the last moves on by their length at most.
    """
    moved: list[Fraction] = []
    earliest = max(film[0], starts[0] - length)
    afterwards = [*starts[1:], min(film[1], starts[-1] + 2 * length)]
    with bench.open_container() as container:
        stream = only(container, task.transform.track_index)
        for start, after in zip(starts, afterwards, strict=True):
            key = next((key for key in key_times(container, stream, start) if key >= earliest), None)
            moved.append(key if key is not None and key <= after - length else start)
            earliest = moved[-1] + length
            bench.beat()
    return moved


def _play(bench: Workbench, task: PlannedTask, window: Window, reel: _Reel) -> None:
    """Add what is shown in `window`; a piece whose pictures do not decode is left out."""
    begins, base, at = reel.end, window.start, None
    with closing(video_frames(bench, Damage(track=task.transform.track_index), window)) as frames:
        for frame in graph.whole_pictures(Cutter(window).pictures(frames), task.transform):
            time = time_of(frame)
            if time is None:
                continue
            base = time if base is None else base
            before, at = at, begins + max(Fraction(0), time - base)
            reel.add(frame, at, key=before is None)
            bench.beat()
    if at is not None and base is not None:
        owed = begins if window.end is None or window.start is None else begins + (window.end - window.start)
        reel.end = max(owed, at + 1 / reel.encoder.spec.frame_rate_max)


def _published(bench: Workbench, spec: PreviewSpec, encoder: RungEncoder, reel: _Reel, whole: Path) -> Rendition:
    target = bench.directory / PATH
    progressive([whole], target, bench.beat)
    whole.unlink()
    pictures, last = play_through(target, bench.beat, reel.look)
    longest = float(spec.piece_seconds * spec.pieces) + 1
    checks = (
        *prove_progressive(target, [reel.frames], bench.beat),
        check("pictures that decode", reel.frames, pictures),
        check_within("last picture at (s)", float(reel.last), last, 0.001),
        Check(
            name="short (s)", ok=reel.end <= longest, expected=f"at most {longest}", measured=f"{float(reel.end):.3f}"
        ),
        *reel.sighting.checks(),
    )
    file = bench.finish(PATH, CONTENT_TYPE)
    return Rendition(
        name=spec.name,
        role=spec.role,
        files=(file,),
        width=spec.width,
        height=spec.height,
        duration_s=float(reel.end),
        bitrate_bps=round(file.size * 8 / float(reel.end)),
        codecs=encoder.codecs,
        proof=Proof(checks=checks, measures={"frames": reel.frames, **reel.sighting.measures()}),
    )
