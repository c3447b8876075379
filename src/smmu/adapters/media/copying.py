"""A rung made of the source's own packets: first proven to be fit for it, then handed on, each as its picture is shown.

The proof reads every packet once and decodes one: that costs what reading costs, and whoever fails it is encoded like
any other rung before anything was made in vain. `Copier` stands where an encoder would: it gets the pictures that the
other rungs are scaled from and gives the packets they came of, so all that is checked of a rung is checked of it too.
Presentation times are the source's; decoding times are made from them, because not every container has any. Refuses to
change a picture: what has to be changed is encoded.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from smmu.adapters.media import avc, cmaf
from smmu.adapters.media.cadence import EARLY, Grid, ticks_per_second
from smmu.adapters.media.coding import CODINGS
from smmu.adapters.media.decode import Damage, Survey, only
from smmu.adapters.media.proof import first_picture
from smmu.adapters.media.segments import Output, Segmenter
from smmu.adapters.media.workbench import Workbench
from smmu.domain.copying import group_seconds_max
from smmu.domain.plan import PlannedTask, RungSpec

BURST = 2  # times the rung's bits, in any one segment

_Numbers = npt.NDArray[np.int64]


class UnfitError(Exception):
    """The packets cannot be the rung, and why, in words that complete "encoded: "."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Packets that were proven fit, in decoding order: when each is shown and decoded, in ticks, and which are keys."""

    layout: avc.Layout
    shown: _Numbers
    decoded: _Numbers
    keys: frozenset[int]
    grid: Grid


@dataclass(slots=True)
class _Read:
    """What was read of the packets. `times` are theirs of presentation, in the track's own unit."""

    times: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    keys: list[int] = field(default_factory=list)
    first: cmaf.Sample | None = None
    last_duration: int = 0


def take_stock(bench: Workbench, task: PlannedTask, spec: RungSpec, found: Survey) -> Stock:
    """Read every packet of the task's track, and prove that they can be this rung. Raises `UnfitError`."""
    if not task.clip.is_whole or found.time_base is None:
        raise UnfitError("a clip begins and ends at pictures that are no keyframes")
    try:
        with bench.open_container() as container:
            stream = only(container, task.transform.track_index)
            layout = avc.layout(stream.codec_context.extradata or b"")
            read = _read(bench, layout, container.demux(stream))
    except avc.UnlikeError as error:
        raise UnfitError(str(error)) from None
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise UnfitError(f"reading it broke off: {error.strerror}") from None
    ticks = ticks_per_second(found.time_base)
    shown = _ticks(read.times, found, ticks)
    hold = Fraction(read.last_duration) * found.time_base
    grid = _grid(spec, read, shown, ticks, hold)
    _check_first(spec, layout, read)
    return Stock(layout=layout, shown=shown, decoded=decoding_times(shown), keys=frozenset(read.keys), grid=grid)


def _read(bench: Workbench, layout: avc.Layout, packets: "Iterator[Packet[Stream]]") -> _Read:
    read = _Read()
    latest = None
    for packet in packets:
        if not packet.size:
            continue
        if packet.pts is None or packet.is_corrupt:
            raise UnfitError("a packet of it is damaged, or does not say when it is shown")
        if packet.is_discard or packet.has_sidedata("new_extradata"):
            raise UnfitError("its container hides some of its pictures, or changes its parameters on the way")
        slices = layout.slices(bytes(packet))
        is_key = avc.is_idr(slices)
        if packet.is_keyframe and not is_key:
            raise UnfitError("its groups of pictures are open: some need what is before them")
        if is_key:
            read.keys.append(len(read.times))
        if read.first is None:
            read.first = cmaf.Sample(avc.shipped(slices), 0, 0, is_key)
        if latest is None or packet.pts > latest:
            latest, read.last_duration = packet.pts, packet.duration or 0
        read.times.append(packet.pts)
        read.sizes.append(sum(len(unit) + 4 for unit in slices))
        bench.beat()
    if not read.keys or read.keys[0]:
        raise UnfitError("it does not begin with a keyframe")
    return read


def _ticks(times: Sequence[int], found: Survey, ticks: int) -> _Numbers:
    """When each packet is shown, in ticks from the common zero; the first picture is shown from there on."""
    unit = (found.time_base or Fraction(1)) * ticks
    zero = found.zero * ticks
    if unit.denominator != 1 or zero.denominator != 1:
        raise UnfitError("its times cannot be kept to the tick")
    shown: _Numbers = np.array(times, np.int64) * unit.numerator - zero.numerator
    shown[0] = 0
    return shown


def decoding_times(shown: _Numbers) -> _Numbers:
    """Times that rise, none after the packet's own: those of presentation in order, as late as the order asks for."""
    ordered, at = np.sort(shown), np.arange(len(shown))
    delay = int((at - np.searchsorted(ordered, shown)).max())
    step = int(ordered[1] - ordered[0]) if len(ordered) > 1 else 1
    before = ordered[0] - step * np.arange(delay, 0, -1)
    return np.concatenate([before, ordered])[: len(shown)]


def _grid(spec: RungSpec, read: _Read, shown: _Numbers, ticks: int, hold: Fraction) -> Grid:
    keys = np.array(read.keys)
    ordered = np.sort(shown)
    if len(shown) > 1 and int(np.diff(ordered).min()) < EARLY / spec.frame_rate_max * ticks:
        raise UnfitError("some of its pictures are too short, or shown at one time")
    first, last = np.minimum.reduceat(shown, keys), np.maximum.reduceat(shown, keys)
    if (first != shown[keys]).any() or (last[:-1] >= first[1:]).any():
        raise UnfitError("its groups of pictures reach into each other")
    starts = [Fraction(int(tick), ticks) for tick in first]
    end = Fraction(int(ordered[-1]), ticks) + hold
    most = group_seconds_max(spec)
    if max(after - before for before, after in pairwise([*starts, end])) > most:
        raise UnfitError(f"its keyframes are more than {float(spec.segment_seconds):g} s apart")
    cuts = [starts[index] for index in cut_at(starts, end, most)]
    bits = 8 * np.add.reduceat(read.sizes, keys[np.searchsorted(first, [int(cut * ticks) for cut in cuts])])
    allowed = [BURST * spec.bitrate_bps_max * max(Fraction(1), after - cut) for cut, after in pairwise([*cuts, end])]
    if any(int(measured) > most_bits for measured, most_bits in zip(bits, allowed, strict=True)):
        raise UnfitError("some of its seconds have many times the bits of others")
    return Grid(keys=tuple(starts), cuts=tuple(cuts))


def cut_at(starts: Sequence[Fraction], end: Fraction, most: Fraction) -> list[int]:
    """Which groups begin a segment, so that each segment is as long as it may be and no longer."""
    cuts = [0]
    for index, after in enumerate([*starts[1:], end]):
        if after - starts[cuts[-1]] > most and index > cuts[-1]:
            cuts.append(index)
    return cuts


def _check_first(spec: RungSpec, layout: avc.Layout, read: _Read) -> None:
    """What a player gets of the first packet, behind our own header, has to be what the rung promises."""
    assert read.first is not None  # noqa: S101 - there is a first packet: `_read` saw to it
    parts, _ = cmaf.fragment(1, [read.first], 1, 0)
    try:
        wrong = first_picture(
            spec, b"".join([cmaf.initialisation(_header(spec, layout, 1, 0)), cmaf.segment_type(), *parts])
        )
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise UnfitError(f"its first picture cannot be shown alone: {error.strerror}") from None
    if wrong:
        raise UnfitError(f"its pictures are not what is promised: {wrong}")


def _header(spec: RungSpec, layout: avc.Layout, ticks: int, shift: int) -> cmaf.TrackHeader:
    entry = CODINGS[spec.codec].sample_entry(layout.configuration, spec.width, spec.height)
    return cmaf.TrackHeader(entry=entry, timescale=ticks, width=spec.width, height=spec.height, shift=shift)


class Copier:
    """One rung, from the packets shown to `take`, and from the pictures given to `put`, which say that it is time."""

    def __init__(self, spec: RungSpec, stock: Stock, output: Output, *, ticks: int) -> None:
        self.spec = spec
        self._stock = stock
        self._due = iter(np.sort(stock.shown))
        self._taken = 0
        self._held: deque[cmaf.Sample] = deque()
        self.codecs = cmaf.avc_codec(stock.layout.configuration)
        self.segmenter = Segmenter(
            output,
            seconds=spec.segment_seconds,
            timescale=ticks,
            header=lambda shift: _header(spec, stock.layout, ticks, shift),
            cuts=stock.grid.cuts,
        )

    def take(self, packet: "Packet[Stream]") -> None:
        """The next packet of the source, in decoding order."""
        at, self._taken = self._taken, self._taken + 1
        data = avc.shipped(self._stock.layout.slices(bytes(packet)))
        shown, decoded = int(self._stock.shown[at]), int(self._stock.decoded[at])
        self._held.append(cmaf.Sample(data, shown, decoded, at in self._stock.keys))

    def put(self, frame: VideoFrame) -> None:
        """A picture is shown: packets up to its own are passed on. Raises `UnfitError` when it has none of its own."""
        due = next(self._due, None)
        if due is None or frame.pts != due:
            raise UnfitError("some of its packets do not decode")
        while self._held and self._held[0].pts <= due:
            self.segmenter.add(self._held.popleft())

    def finish(self, end: int) -> None:
        """No more pictures; the last one is shown until tick `end`. Raises `UnfitError` when some are missing."""
        if self._held or next(self._due, None) is not None:
            raise UnfitError("some of its packets do not decode")
        self.segmenter.close(end)

    def abandon(self) -> None:
        """It has no thread to stop."""
        self._held.clear()

    def judge(self, frame: VideoFrame, damage: Damage) -> None:
        """Raises `UnfitError` for a decoded picture of the source that players should not be left to show."""
        if damage.lost or damage.stopped or frame.is_corrupt:
            raise UnfitError("some of its packets do not decode")
        if frame.interlaced_frame:
            raise UnfitError("its frames are made of two fields")
