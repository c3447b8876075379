"""`render_loop`: an animated picture as a muted H.264 video, every frame shown for as long as the picture says.

Transparent parts become white, as in a JPEG. It refuses to choose a size, and carries nothing of the file along.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from smmu.adapters.media.bare import bare, stray
from smmu.adapters.media.encoder import mark
from smmu.adapters.media.graph import BT709, LIMITED, Step, tag_bt709
from smmu.adapters.media.inspect import admitted
from smmu.adapters.media.mp4 import OPTIONS
from smmu.adapters.media.picture import VipsImage, shown_ms
from smmu.adapters.media.pictures import open_picture
from smmu.adapters.media.proof import check, check_within
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Check, Proof, Rendition
from smmu.domain.plan import LoopSpec, PlannedTask

PATH, CONTENT_TYPE = "loop.mp4", "video/mp4"
_TICKS, _PRESET = 1000, "veryfast"
_WHITE = 255
_FILTERS = [("scale", "out_color_matrix=bt709:out_range=limited"), ("format", "yuv420p")]


def render_loop(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """The loop of a loop task, proven."""
    return [_rendition(bench, spec) for spec in task.renditions if isinstance(spec, LoopSpec)]


def _rendition(bench: Workbench, spec: LoopSpec) -> Rendition:
    bench.source.seek(0)
    picture = open_picture(bench, admitted(bench.source.read(bench.limits.sniff_bytes)).container)
    column = picture.pixels(spec.width, spec.height, animated=True).colourspace("srgb")
    delays = shown_ms(column.get("delay"))
    local = bench.directory / PATH
    _encode(bench, column, delays, spec, local)
    checks = tuple(prove(local, spec, delays))
    bench.progress(1.0)
    seconds = sum(delays) / 1000
    size = local.stat().st_size
    return Rendition(
        name=spec.name,
        role=spec.role.value,
        files=(bench.finish(PATH, CONTENT_TYPE),),
        width=spec.width,
        height=spec.height,
        duration_s=seconds,
        bitrate_bps=round(8 * size / seconds),
        proof=Proof(checks=checks, measures={"frames": len(delays), "crf": spec.crf}),
    )


def _encode(bench: Workbench, column: VipsImage, delays: Sequence[int], spec: LoopSpec, target: Path) -> None:
    with av.open(str(target), "w", format="mp4", container_options=OPTIONS) as container:
        # Without B-frames the last packet is the last picture, and its length is what the muxer ends the film with.
        options = {"preset": _PRESET, "profile": "high", "crf": str(spec.crf), "bf": "0"}
        stream = container.add_stream("libx264", options=options)
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = Fraction(1, _TICKS)
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        starts = accumulate(delays, initial=0)
        for number, (frame, at) in enumerate(zip(_frames(column, len(delays)), starts, strict=False)):
            tag_bt709(frame)
            mark(frame, tick=at, ticks=_TICKS, key=number == 0)
            container.mux(stream.encode(frame))
            bench.progress(0.9 * number / len(delays))
        _finish(container, stream, delays)


def _finish(container: av.container.OutputContainer, stream: VideoStream, delays: Sequence[int]) -> None:
    """The last packets, the very last of them with its length."""
    for packet in stream.encode():
        if packet.pts == sum(delays[:-1]):
            packet.duration = delays[-1]
        container.mux(packet)


def _frames(column: VipsImage, count: int) -> Iterator[VideoFrame]:
    """The frames, in the colours of video. One at a time goes through the graph, so one comes out."""
    if column.hasalpha():
        column = column.flatten(background=_WHITE)
    column = column.cast("uchar").copy_memory()
    height = column.height // count
    step = Step(lambda _: _FILTERS)
    for number in range(count):
        pixels = column.crop(0, number * height, column.width, height).numpy()
        yield from step.feed(VideoFrame.from_ndarray(pixels, format="rgb24"))
    yield from step.flush()


def prove(path: Path, spec: LoopSpec, delays: Sequence[int]) -> Iterator[Check]:
    """Read back: every frame at its time, in its size, and nothing beside the pictures."""
    with av.open(str(path), "r", format="mp4", container_options={"protocol_whitelist": "file"}) as container:
        streams = ", ".join(stream.type for stream in container.streams)
        frames = [(frame.width, frame.height, frame.time or 0) for frame in container.decode(video=0)]
        strangers = stray(container)
        lasts_ms = round((container.duration or 0) / 1000)
    times = [round(1000 * time) for *_, time in frames]
    sizes = sorted({f"{width}x{height}" for width, height, _ in frames})
    yield check("frames", spec.frames, len(frames))
    yield check("times", list(accumulate(delays[:-1], initial=0)), times)
    yield check_within("duration", sum(delays) / 1000, lasts_ms / 1000, 0.001)
    yield check("size", f"{spec.width}x{spec.height}", ", ".join(sizes))
    yield check("muted", "video", streams)
    yield bare(strangers)
