"""How like the source a rung's pictures are: SSIM and XPSNR of a few pictures at the start of every segment.

What is compared is what went into the encoder and what a player gets out of the shipped bytes, so scaling and colours
are not judged twice. The worst pictures count and not only the mean: a broken one must not hide among good ones.
Refuses pictures of under 64 pixels a side: XPSNR divides by the number of its blocks, and there is none.
"""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from errno import EAGAIN
from fractions import Fraction

from av.error import FFmpegError
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from smmu.adapters.media.cadence import next_due
from smmu.adapters.media.graph import tag_bt709
from smmu.domain.manifest import Check
from smmu.domain.plan import RungSpec

SPAN = 4  # pictures from the start of each segment: a keyframe and what was predicted from it
SIDE_MIN = 64
# Constant quality keeps well above these, but for noise of two values that is in colours alone (11 dB): limits for that
# would let swapped colours pass (12), so such a film fails. Where the cap on bits binds, noise is smoothed away until
# no structure is left of it (SSIM 0), but its light and colours stay nearer (17 dB) than those of another picture (13).
LIKE_P5, LIKE_MIN, NEAR_P5_DB, NEAR_MIN_DB = 0.6, 0.4, 18.0, 16.0
LIKE_MIN_CAPPED, NEAR_P5_DB_CAPPED, NEAR_MIN_DB_CAPPED = 0.1, 14.0, 12.0
SMOOTHED_DB = 16.5  # a capped picture that is this near may have no structure left
_WORST_SSIM, _WORST_XPSNR = "SSIM of the worst picture", "XPSNR of the worst picture (dB)"
_P5_XPSNR = "XPSNR, 5th percentile (dB)"
_SSIM = ("lavfi.ssim.All",)
_XPSNR = tuple(f"lavfi.xpsnr.xpsnr.{plane}" for plane in "yuv")  # of the worst plane: colours may be wrong alone
SAME_DB = 100.0  # what an infinite ratio is written as
_TIME_BASE = Fraction(1, 25)


class _Meter:
    """One comparing filter: two pictures in, one number of its metadata out, the least of those under its keys."""

    def __init__(self, name: str, keys: Sequence[str], width: int, height: int) -> None:
        shape = f"video_size={width}x{height}:pix_fmt=yuv420p:time_base=1/25:pixel_aspect=1/1:colorspace=1:range=1"
        self._keys = keys
        self._graph = Graph()
        self._graph.threads = 1
        self._entries = [self._graph.add("buffer", shape) for _ in range(2)]
        comparing, self._exit = self._graph.add(name), self._graph.add("buffersink")
        for number, entry in enumerate(self._entries):
            entry.link_to(comparing, 0, number)
        comparing.link_to(self._exit, 0, 0)
        self._graph.configure()
        self._count = 0

    def read(self, *pictures: VideoFrame) -> float:
        for entry, picture in zip(self._entries, pictures, strict=True):
            picture.pts, picture.time_base = self._count, _TIME_BASE
            tag_bt709(picture)
            entry.push(picture)
        self._count += 1
        told = pulled(self._exit).metadata
        return min(SAME_DB, *(float(told[key]) for key in self._keys))


def pulled(sink: FilterContext) -> VideoFrame:
    """The one picture that comes of those that were pushed."""
    try:
        frame = sink.pull()
    except FFmpegError as error:
        if error.errno == EAGAIN:
            raise RuntimeError("a filter of two pictures gave nothing for them") from error
        raise
    assert isinstance(frame, VideoFrame)  # noqa: S101 - what a buffersink gives
    return frame


@dataclass(slots=True)
class Likeness:
    """Keeps the first pictures of every segment of a rung until the segment comes back, and compares.

    They are kept as they are: when their segment comes back, their encoder has long done with them.
    """

    spec: RungSpec
    ticks: int
    cuts: Sequence[Fraction] = ()
    ssim: list[float] = field(default_factory=list)
    xpsnr: list[float] = field(default_factory=list)
    _kept: dict[int, VideoFrame] = field(default_factory=dict)
    _meters: tuple[_Meter, _Meter] | None = None
    _cut: Fraction = Fraction(0)
    _left: int = 0

    def keep(self, tick: int, picture: VideoFrame, *, key: bool) -> None:
        """A picture is about to be encoded. Segments begin as `Segmenter` cuts them."""
        time = Fraction(tick, self.ticks)
        if key and time >= self._cut:
            self._cut = next_due(time, self.spec.segment_seconds, self.cuts)
            self._left = SPAN
        if self._left and min(self.spec.width, self.spec.height) >= SIDE_MIN:
            self._left -= 1
            self._kept[tick] = picture

    def compare(self, tick: int | None, picture: VideoFrame) -> None:
        """A picture was decoded from the shipped bytes."""
        kept = self._kept.pop(tick, None) if tick is not None else None
        if kept is None or _shape(picture) != _shape(kept):
            return
        if _same(kept, picture):  # a copy: no filter need look at it
            self.ssim.append(1.0)
            self.xpsnr.append(SAME_DB)
            return
        if self._meters is None:
            size = (self.spec.width, self.spec.height)
            self._meters = (_Meter("ssim", _SSIM, *size), _Meter("xpsnr", _XPSNR, *size))
        self.ssim.append(self._meters[0].read(kept, picture))
        self.xpsnr.append(self._meters[1].read(kept, picture))
        if len(self.ssim) % SPAN == 0:
            self._meters = None  # as large as a few pictures, and XPSNR should not remember the segment before

    def checks(self, *, capped: bool) -> Iterator[Check]:
        """The verdict; `capped`: the bits that the plan allows did not suffice for the quality that it wants."""
        if not self.ssim:
            return
        for name, measured, least in self._owed_capped() if capped else self._owed():
            yield Check(name=name, ok=measured >= least, expected=f"at least {least}", measured=f"{measured:.4f}")

    def _owed(self) -> Iterator[tuple[str, float, float]]:
        yield _WORST_SSIM, min(self.ssim), LIKE_MIN
        yield "SSIM, 5th percentile", _p5(self.ssim), LIKE_P5
        yield _WORST_XPSNR, min(self.xpsnr), NEAR_MIN_DB
        yield _P5_XPSNR, _p5(self.xpsnr), NEAR_P5_DB

    def _owed_capped(self) -> Iterator[tuple[str, float, float]]:
        judged = [ssim for ssim, xpsnr in zip(self.ssim, self.xpsnr, strict=True) if xpsnr < SMOOTHED_DB]
        yield _WORST_SSIM, min(judged, default=1.0), LIKE_MIN_CAPPED
        yield _WORST_XPSNR, min(self.xpsnr), NEAR_MIN_DB_CAPPED
        yield _P5_XPSNR, _p5(self.xpsnr), NEAR_P5_DB_CAPPED

    def measures(self) -> dict[str, float | int | str]:
        """What to note in the proof."""
        if not self.ssim:
            return {}
        return {
            "compared_pictures": len(self.ssim),
            "ssim_mean": round(statistics.fmean(self.ssim), 4),
            "ssim_p5": round(_p5(self.ssim), 4),
            "ssim_min": round(min(self.ssim), 4),
            "xpsnr_mean_db": round(statistics.fmean(self.xpsnr), 2),
            "xpsnr_p5_db": round(_p5(self.xpsnr), 2),
            "xpsnr_min_db": round(min(self.xpsnr), 2),
        }


def _same(one: VideoFrame, other: VideoFrame) -> bool:
    """Whether two pictures of one shape are equal in every row; what is behind the rows has no meaning."""
    for plane, beside in zip(one.planes, other.planes, strict=True):
        rows, others = memoryview(plane), memoryview(beside)
        for row in range(plane.height):
            at, there = row * plane.line_size, row * beside.line_size
            if bytes(rows[at : at + plane.width]) != bytes(others[there : there + plane.width]):
                return False
    return True


def _shape(picture: VideoFrame) -> tuple[int, int, str]:
    return picture.width, picture.height, picture.format.name


def _p5(values: list[float]) -> float:
    return sorted(values)[math.ceil(len(values) / 20) - 1]
