"""Filter graphs: what happens to a picture between decoder and encoder, one small graph per step.

Steps form a cascade: the picture is made upright at the largest rung's size, and each smaller rung is scaled from the
one above it (8 % of the work becomes 5 %). A graph belongs to one thread and to one shape of frame: when the source
changes its size or format in mid-stream the graph is drained and made anew. Refuses to use `frame.reformat`: it loses
colour tags between threads and grows memory per frame.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from errno import EAGAIN
from typing import Literal

from av.error import FFmpegError
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from smmu.domain.plan import Transform

Filters = list[tuple[str, str]]
THREADS_MAX = 4  # per graph: scaling is under a tenth of the work, and every thread costs address space

UNSPECIFIED = 2
BT709, BT470BG, SMPTE170M, BT2020 = 1, 5, 6, 9
BT2020_CONSTANT, CHROMA_DERIVED, RESERVED = 10, {12, 13}, {3}
UNCONVERTED = {8: "YCgCo", 11: "YDzDx", 14: "ICtCp", 15: "IPT-C2", 16: "YCgCo-Re", 17: "YCgCo-Ro"}
LIMITED, FULL = 1, 2
PQ_TRANSFER, HLG_TRANSFER = 16, 18
HD_HEIGHT_MIN = 700  # untagged pictures this high are BT.709 by universal custom, lower ones BT.601
# Encoders write what comes beside a picture into the stream: captions that no playlist tells of, a camera's own data.
BARE = ("sidedata", "mode=delete")
NEAR_BT709 = {0, BT709, UNSPECIFIED, 4, BT470BG, SMPTE170M, 7}


class Step:
    """One filter graph that frames pass through. `describe` says which filters a frame of this shape needs."""

    def __init__(self, describe: Callable[[VideoFrame], Filters]) -> None:
        self._describe = describe
        self._shape: tuple[object, ...] | None = None
        self._graph: Graph | None = None
        self._entry: FilterContext | None = None
        self._exit: FilterContext | None = None

    def feed(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Push one frame and yield what comes out."""
        name_matrix(frame)
        shape = _shape(frame)
        if shape != self._shape:
            yield from self.flush()
            self._build(frame)
            self._shape = shape
        assert self._entry is not None  # noqa: S101 - built just above
        self._entry.push(frame)
        yield from self._pull()

    def flush(self) -> Iterator[VideoFrame]:
        """Yield what the graph still holds; it is finished then."""
        if self._entry is not None:
            self._entry.push(None)
            yield from self._pull()
        self._graph = self._entry = self._exit = self._shape = None

    def _build(self, frame: VideoFrame) -> None:
        graph = Graph()
        graph.threads = min(len(os.sched_getaffinity(0)), THREADS_MAX)
        nodes = [graph.add("buffer", _entry_arguments(frame))]
        nodes += [graph.add(name, arguments or None) for name, arguments in self._describe(frame)]
        nodes.append(graph.add("buffersink"))
        graph.link_nodes(*nodes).configure()
        self._graph, self._entry, self._exit = graph, nodes[0], nodes[-1]

    def _pull(self) -> Iterator[VideoFrame]:
        assert self._exit is not None  # noqa: S101 - only called when there is a graph
        while True:
            try:
                frame = self._exit.pull()
            except EOFError:
                return
            except FFmpegError as error:
                if error.errno == EAGAIN:
                    return
                raise
            assert isinstance(frame, VideoFrame)  # noqa: S101 - what a buffersink gives
            yield frame


def _shape(frame: VideoFrame) -> tuple[object, ...]:
    return (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range, frame.time_base)


def _entry_arguments(frame: VideoFrame) -> str:
    # `add_buffer` of PyAV leaves the colours out; a graph that does not know them guesses BT.601 for everything.
    colour_range = frame.color_range if frame.color_range in (LIMITED, FULL) else 0
    return (
        f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base={frame.time_base or '1/90000'}"
        f":pixel_aspect=1/1:colorspace={frame.colorspace}:range={colour_range}"
    )


def deinterlacing(which: Literal["all", "interlaced"] = "all") -> Step:
    """A step that makes whole pictures of fields, at the source's picture rate: of all, or of those that say so."""
    return Step(lambda _: [("bwdif", f"mode=send_frame:parity=auto:deint={which}")])


@dataclass(slots=True)
class Unplanned:
    """How many pictures turned out to be made of two fields although the plan knows of none."""

    fields: int = 0


def whole_pictures(
    frames: Iterable[VideoFrame], transform: Transform, unplanned: Unplanned | None = None
) -> Iterator[VideoFrame]:
    """Decoded pictures as they are to be scaled: their light is told, and fields were made whole.

    A film may have its first fields anywhere (behind a title, say): from there on those that say so are made whole.
    """
    step = deinterlacing() if transform.deinterlace else None
    for frame in frames:
        tag_hdr(frame, transform)
        if frame.interlaced_frame and not transform.deinterlace:
            step = step or deinterlacing("interlaced")
            if unplanned is not None:
                unplanned.fields += 1
        if step is None:
            yield frame
        else:
            yield from step.feed(frame)
    if step is not None:
        yield from step.flush()


def whole_picture(frame: VideoFrame, transform: Transform) -> VideoFrame:
    """One decoded picture by itself, as `whole_pictures` makes it."""
    return next(whole_pictures([frame], transform))


def upright(transform: Transform, width: int, height: int, pixel_format: str = "yuv420p") -> Step:
    """A step from a source picture to an upright, square-pixel SDR picture of exactly `width` × `height`.

    It is scaled before it is turned, because the smaller picture is cheaper to turn (and to tone-map). What came with
    it is gone at the end, where nobody needs to know any more what its light was.
    """
    size = (height, width) if transform.rotation_cw % 180 else (width, height)

    def describe(frame: VideoFrame) -> Filters:
        scale = ("scale", f"{size[0]}:{size[1]}:{_colours(frame, transform, pixel_format)}")
        return [scale, *_turns(transform), ("format", pixel_format), ("setsar", "1"), BARE]

    return Step(describe)


def smaller(width: int, height: int) -> Step:
    """A step down the cascade: an upright SDR picture to a smaller one."""
    return Step(lambda _: [("scale", f"{width}:{height}:flags=bicubic"), ("setsar", "1")])


def tag_hdr(frame: VideoFrame, transform: Transform) -> None:
    """Write onto a frame which light it carries, where only the container knew."""
    if transform.tone_map is None:
        return
    if frame.color_trc in (0, UNSPECIFIED):
        frame.color_trc = PQ_TRANSFER if transform.tone_map == "pq" else HLG_TRANSFER
    if frame.color_primaries in (0, UNSPECIFIED):
        frame.color_primaries = BT2020
    if frame.colorspace == UNSPECIFIED:
        frame.colorspace = BT2020


def name_matrix(frame: VideoFrame) -> None:
    """Call the matrix of a picture by a name that FFmpeg's scaler knows: the same, or the one next to it.

    Constant luminance is taken for the usual kind, and what follows from the primaries for the matrix of these.
    """
    if frame.colorspace == BT2020_CONSTANT:
        frame.colorspace = BT2020
    elif frame.colorspace in CHROMA_DERIVED:
        frame.colorspace = BT2020 if frame.color_primaries == BT2020 else BT709
    elif frame.colorspace in RESERVED:
        frame.colorspace = UNSPECIFIED


def tag_bt709(frame: VideoFrame) -> None:
    """Write onto a frame what it now is; filters leave the source's tags where they convert only the matrix."""
    frame.color_primaries = frame.color_trc = frame.colorspace = BT709
    frame.color_range = LIMITED


def _colours(frame: VideoFrame, transform: Transform, pixel_format: str) -> str:
    rgb = pixel_format.startswith("rgb")
    target = ["out_range=pc"] if rgb else ["out_color_matrix=bt709", "out_range=tv"]
    if frame.colorspace == UNSPECIFIED:
        target.append("in_color_matrix=" + ("bt709" if _is_hd(frame) else "smpte170m"))
    if transform.tone_map or frame.color_primaries not in NEAR_BT709:
        target += ["out_transfer=bt709", "out_primaries=bt709", "intent=perceptual"]
    return ":".join([*target, "flags=bicubic"])


def _is_hd(frame: VideoFrame) -> bool:
    return min(frame.width, frame.height) >= HD_HEIGHT_MIN


def _turns(transform: Transform) -> Filters:
    # The picture is first mirrored top to bottom, then turned clockwise: how FFmpeg reads a display matrix.
    mirror: Filters = [("vflip", "")] if transform.reflected else []
    turns: dict[int, Filters] = {
        90: [("transpose", "clock")],
        180: [("hflip", ""), ("vflip", "")],
        270: [("transpose", "cclock")],
    }
    return mirror + turns.get(transform.rotation_cw % 360, [])
