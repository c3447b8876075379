"""`Overlay`: a watermark laid over pictures of one size, and how it is known afterwards that it is there.

It is laid over once, over the largest picture that a task makes, upright and SDR as that is; what is scaled down from
it carries it along. The image is as hostile as any: it is opened by its first bytes, within the budgets of pictures, in
the child, once. Refuses to place it: the plan did.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from smmu.adapters.media.graph import tag_bt709
from smmu.adapters.media.inspect import admitted
from smmu.adapters.media.likeness import pulled
from smmu.adapters.media.source import SourceFile
from smmu.adapters.media.workbench import Workbench
from smmu.domain.limits import MIB
from smmu.domain.manifest import Check
from smmu.domain.plan import PlannedTask
from smmu.domain.watermark import PIECE, Box, Watermark

CELLS = 12  # a side: of what is compared nothing is finer, so that scaling and few bits make no difference
SEEN_MIN, SEEN_MAX = 0.5, 1.5  # of the change that it makes
TELLING = 4.0  # levels of light, squared: a smaller change of a cell is no evidence
_LIGHT = np.array([0.2126, 0.7152, 0.0722])  # BT.709

Grey = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """The light of the cells where a watermark goes: without it, and as it should be with it.

    `edges` are left, top, right and bottom of the place, as shares of the frame.
    """

    before: Grey
    after: Grey
    edges: tuple[float, float, float, float]


class Overlay:
    """Lays one picture over others of `width` × `height`, in 8-bit 4:2:0 BT.709 or, where `rgb`, as RGB."""

    def __init__(self, bench: Workbench, watermark: Watermark, width: int, height: int, *, rgb: bool = False) -> None:
        self._size, self._rgb = (width, height), rgb
        self._box = watermark.box(width, height)
        self._picture = _decoded(bench, watermark, self._box)
        self._entry: FilterContext | None = None
        self._exit: FilterContext | None = None
        self._graph = Graph()

    def over(self, picture: VideoFrame) -> VideoFrame:
        """The picture with the watermark. Times must not go back from one to the next."""
        if not self._rgb:
            tag_bt709(picture)
        if self._entry is None or self._exit is None:
            self._entry, self._exit = self._build(picture)
        self._entry.push(picture)
        return pulled(self._exit)

    def under(self, picture: VideoFrame) -> Under:
        """What a proof has to know of the picture before the watermark is laid over it."""
        box, alpha = self._box, self._picture[:, :, 3] / 255.0
        shown = pixels_of(picture)[box.top : box.top + box.height, box.left : box.left + box.width]
        before = _light(shown)
        mark = self._picture[:, :, :3] @ _LIGHT
        after = alpha * (mark if self._rgb else 16 + mark * 219 / 255) + (1 - alpha) * before
        rows, columns = _shares(0, box.height, box.height), _shares(0, box.width, box.width)
        width, height = self._size
        edges = (box.left / width, box.top / height, (box.left + box.width) / width, (box.top + box.height) / height)
        return Under(before=rows @ before @ columns.T, after=rows @ after @ columns.T, edges=edges)

    def _build(self, first: VideoFrame) -> tuple[FilterContext, FilterContext]:
        width, height = self._size
        base = first.time_base or Fraction(1, 90_000)
        kind = "rgb24:colorspace=0:range=2" if self._rgb else "yuv420p:colorspace=1:range=1"
        graph, box = self._graph, self._box
        graph.threads = 1
        shape = f"video_size={width}x{height}:pix_fmt={kind}:time_base={base}:pixel_aspect=1/1"
        entry = graph.add("buffer", shape)
        shape = f"video_size={box.width}x{box.height}:pix_fmt=rgba:colorspace=0:range=2:time_base={base}"
        picture = graph.add("buffer", f"{shape}:pixel_aspect=1/1")
        laid = graph.add("overlay", f"x={box.left}:y={box.top}:eval=init:format={'rgb' if self._rgb else 'yuv420'}")
        sink = graph.add("buffersink")
        entry.link_to(laid, 0, 0)
        if self._rgb:
            picture.link_to(laid, 0, 1)
        else:
            scale = graph.add("scale", "out_color_matrix=bt709:out_range=tv")
            shaped = graph.add("format", "yuva420p")
            picture.link_to(scale)
            scale.link_to(shaped)
            shaped.link_to(laid, 0, 1)
        laid.link_to(sink)
        graph.configure()
        frame = VideoFrame.from_ndarray(self._picture, format="rgba")
        # Nothing is laid over what is shown before it; when it has ended its last picture, which is this, goes on.
        frame.pts, frame.time_base = first.pts, base
        picture.push(frame)
        picture.push(None)
        return entry, sink


def overlay_of(bench: Workbench, task: PlannedTask, width: int, height: int, *, rgb: bool = False) -> Overlay | None:
    """What a task lays over its pictures of this size, if anything."""
    return None if task.watermark is None else Overlay(bench, task.watermark, width, height, rgb=rgb)


@dataclass(slots=True)
class Sighting:
    """How much of a watermark is to be seen in what was made, by what it should change and what did change.

    Both are the light of a few cells, so 1 is all of it and 0 a picture without; what it is laid over does not matter.
    `changed` is all that did, so that it is known when the film itself has lost more than a watermark adds.
    """

    seen: float = 0.0
    owed: float = 0.0
    changed: float = 0.0
    cells: int = 0
    expected: bool = False
    _kept: dict[int, Under] = field(default_factory=dict)

    def keep(self, tick: int, under: Under) -> None:
        """A picture with a watermark is about to be encoded."""
        self.expected = True
        self._kept[tick] = under

    def look(self, tick: int | None, picture: VideoFrame) -> None:
        """A picture was decoded from the shipped bytes."""
        under = self._kept.pop(tick, None) if tick is not None else None
        if under is not None:
            self.compare(under, pixels_of(picture))

    def compare(self, under: Under, pixels: Pixels) -> None:
        """A picture that should have it, of any size."""
        height, width = pixels.shape[:2]
        left, right = under.edges[0] * width, under.edges[2] * width
        top, bottom = under.edges[1] * height, under.edges[3] * height
        self.cells, self.expected = self.cells + CELLS**2, True
        if min(right - left, bottom - top) < CELLS:  # cells would be finer than pixels, which hold nothing so fine
            return
        first, last, above, below = int(left), math.ceil(right), int(top), math.ceil(bottom)
        rows = _shares(top - above, bottom - above, below - above)
        columns = _shares(left - first, right - first, last - first)
        change = under.after - under.before
        found = rows @ _light(pixels[above:below, first:last]) @ columns.T
        self.seen += float(((found - under.before) * change).sum())
        self.owed += float((change * change).sum())
        self.changed += float(((found - under.before) ** 2).sum())

    def forget(self, before: int) -> None:
        """Pictures that were not looked at, and will not be any more."""
        self._kept = {tick: under for tick, under in self._kept.items() if tick >= before}

    def add(self, told: dict[str, Any]) -> None:
        """What somebody else has seen: `told` of theirs."""
        self.seen, self.owed = self.seen + told["seen"], self.owed + told["owed"]
        self.changed += told["changed"]
        self.cells, self.expected = self.cells + told["cells"], self.expected or told["expected"]

    @property
    def told(self) -> dict[str, Any]:
        """For whoever joins what was made in parts."""
        return {"seen": self.seen, "owed": self.owed, "changed": self.changed, "cells": self.cells,
                "expected": self.expected}  # fmt: skip

    def checks(self) -> Iterator[Check]:
        """The verdict; where nobody could tell the watermark from what is behind it there is nothing to judge it by."""
        if not self.expected or (self.cells and not self._is_telling):
            return
        share = self.seen / self.owed if self.cells else 0.0
        yield Check(name="watermark to be seen", ok=SEEN_MIN <= share <= SEEN_MAX,
                    expected=f"{SEEN_MIN} to {SEEN_MAX} of what it changes", measured=f"{share:.2f}")  # fmt: skip

    def measures(self) -> dict[str, float | int | str]:
        """What to note in the proof."""
        if not self.cells:
            return {}
        alike = "nothing to tell it by: it is as light as what is behind it, or too fine for what is left of the film"
        return {"watermark_seen": round(self.seen / self.owed, 3) if self._is_telling else alike}

    @property
    def _is_telling(self) -> bool:
        """Whether it changes enough, and more than what else has changed, which may look like it by chance."""
        return self.owed >= TELLING * self.cells and self.changed - self.seen**2 / self.owed <= self.owed


def pixels_of(picture: VideoFrame) -> Pixels:
    """What its light is told by: the luma of a picture in 4:2:0, all of one in RGB."""
    if picture.format.name == "rgb24":
        return picture.to_ndarray().astype(np.uint8)
    plane = picture.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: picture.height, : picture.width]


def _light(pixels: Pixels) -> Grey:
    """The light of pixels in their own range."""
    light: Grey = pixels @ _LIGHT if pixels.ndim > 2 else pixels.astype(np.float64)  # noqa: PLR2004 - rows and columns
    return light


def _shares(start: float, end: float, size: int) -> Grey:
    """How much each of `size` pixels in a row counts for each cell between `start` and `end`."""
    edges = np.linspace(start, end, CELLS + 1)
    pixels = np.arange(size)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    found: Grey = np.clip(shared, 0, None) / (edges[1] - edges[0])
    return found


def _decoded(bench: Workbench, watermark: Watermark, box: Box) -> Pixels:
    """The image as it is laid over: upright sRGB in just this size, its alpha lowered to the opacity asked for."""
    from smmu.adapters.media.pictures import open_picture  # noqa: PLC0415 - only who needs one pays for libvips

    beside = bench.over_piece(PIECE)
    _require_planned(beside.source, watermark)
    beside.source.seek(0)
    picture = open_picture(beside, admitted(beside.source.read(bench.limits.sniff_bytes)).container)
    image = picture.pixels(box.width, box.height, animated=False).colourspace("srgb").cast("uchar")
    pixels: Pixels = (image if image.hasalpha() else image.addalpha()).numpy().copy()
    pixels[:, :, 3] = np.rint(pixels[:, :, 3] * watermark.opacity).astype(np.uint8)
    return pixels


def _require_planned(source: SourceFile, watermark: Watermark) -> None:
    """Another image than the one that was planned is as good as none."""
    digest = hashlib.sha256()
    source.seek(0)
    while block := source.read(MIB):
        digest.update(block)
    if digest.hexdigest() != watermark.sha256:
        raise RuntimeError("the watermark's image is not what was planned")
