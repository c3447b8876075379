"""Sound as one unbroken line: decoded blocks of one track, gaps filled, overlaps cut, from the common zero on.

A track whose timestamps jump would otherwise drift away from its picture for good. Fills at most as much silence as
the plan says the file is long: a timestamp far beyond it is broken, and not a pause. Refuses to change loudness.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from errno import EAGAIN
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.error import FFmpegError
from av.filter import Graph
from av.filter.context import FilterContext

from smmu.adapters.media.window import Window, time_of

SLACK_SECONDS = Fraction(4, 100)  # timestamps of containers that count milliseconds wander by less than this
SILENT_BLOCK = 4_096
PLANES_MAX = 7  # of eight, PyAV looks at a ninth, which is no memory
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
UNSIGNED = "u8"
_USUAL = frozenset(name for count, name in LAYOUTS.items() if count <= PLANES_MAX)


@dataclass(slots=True)
class Line:
    """Places decoded blocks end to end. `position` counts samples since the common zero, at the current rate."""

    zero: Fraction
    limit_seconds: Fraction
    position: Fraction = Fraction(0)
    filled_seconds: Fraction = Fraction(0)
    cut_seconds: Fraction = Fraction(0)
    closed_up: int = 0

    def join(self, frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
        """The frames without gaps and overlaps; silence of the same kind where nothing was."""
        for frame in frames:
            if frame.samples and frame.sample_rate:
                yield from self._place(frame)

    def _place(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        gap = self._gap(frame)
        if gap > 0:
            yield from silence_like(frame, round(gap * frame.sample_rate))
            self.filled_seconds += gap
            self.position += gap
        elif gap < 0:
            overlap = round(-gap * frame.sample_rate)
            self.cut_seconds += Fraction(min(overlap, frame.samples), frame.sample_rate)
            if overlap >= frame.samples:
                return
            frame = _part_of(frame, overlap, frame.samples)
        self.position += Fraction(frame.samples, frame.sample_rate)
        yield frame

    def _gap(self, frame: AudioFrame) -> Fraction:
        time = time_of(frame)
        if time is None:
            return Fraction(0)
        gap = time - self.zero - self.position
        if abs(gap) <= SLACK_SECONDS:
            return Fraction(0)
        if self._is_broken(gap):
            self.zero += gap
            self.closed_up += 1
            return Fraction(0)
        return gap

    def _is_broken(self, gap: Fraction) -> bool:
        if gap < 0:
            return -gap > 1
        return self.position + gap > self.limit_seconds + 1

    def measures(self) -> dict[str, float | int | str]:
        """What to note in a proof, when there was anything to repair."""
        noted: dict[str, float | int | str] = {
            "silence_filled_s": round(float(self.filled_seconds), 3),
            "overlap_cut_s": round(float(self.cut_seconds), 3),
            "timestamp_breaks": self.closed_up,
        }
        return {name: value for name, value in noted.items() if value}


def tractable(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    """The same sound, in blocks of which every sample can be reached and every channel has a speaker.

    Many channels lie in one plane. Those that nobody can name, of a recorder's sixteen inputs or of a sphere, are one.
    """
    converter: Converter | None = None
    shape: tuple[object, ...] | None = None
    for frame in frames:
        if frame.layout.name in _USUAL:  # nearly all: asking for more of each block would be a tenth of metering it
            yield frame
            continue
        count, rate, packed = frame.layout.nb_channels, frame.sample_rate, frame.format.packed.name
        nameless = _is_nameless(_named_layout(frame))
        if not nameless and (count <= PLANES_MAX or not frame.format.is_planar):
            yield frame
            continue
        channels = 1 if nameless else count
        if converter is None or shape != (rate, channels, packed):
            shape, converter = (
                (rate, channels, packed),
                Converter(sample_rate=rate, channels=channels, sample_format=packed),
            )
        time, unit = frame.pts, frame.time_base
        for made in converter.feed(frame):  # one for one: nothing is resampled
            made.pts, made.time_base = time, unit
            yield made


def within(frames: Iterable[AudioFrame], window: Window) -> Iterator[AudioFrame]:
    """What sounds in the window, to the sample. `frames` come in order, from before it opens."""
    if window.is_whole:
        yield from frames
        return
    for frame in frames:
        time = time_of(frame)
        if time is None or not frame.sample_rate:
            yield frame
            continue
        if window.is_over(time):
            return
        first, last = _inside(frame, time, window)
        if first < last:
            yield frame if (first, last) == (0, frame.samples) else _part_of(frame, first, last)


def _inside(frame: AudioFrame, time: Fraction, window: Window) -> tuple[int, int]:
    first = 0 if window.start is None else max(0, round((window.start - time) * frame.sample_rate))
    last = frame.samples if window.end is None else round((window.end - time) * frame.sample_rate)
    return first, min(last, frame.samples)


def silence_like(frame: AudioFrame, samples: int) -> Iterator[AudioFrame]:
    """`samples` samples of silence of the same rate, format and layout, in blocks."""
    while samples > 0:
        block = AudioFrame(frame.format.name, frame.layout.name, min(samples, SILENT_BLOCK))
        block.sample_rate = frame.sample_rate
        quiet = b"\x80" if frame.format.name.startswith(UNSIGNED) else b"\0"
        for plane in block.planes:
            plane.update(quiet * plane.buffer_size)
        samples -= block.samples
        yield block


def _part_of(frame: AudioFrame, first: int, last: int) -> AudioFrame:
    samples = frame.to_ndarray()
    step = 1 if frame.format.is_planar else len(frame.layout.channels)
    part = AudioFrame.from_ndarray(samples[:, first * step : last * step].copy(), frame.format.name, frame.layout.name)
    part.sample_rate = frame.sample_rate
    time = time_of(frame)
    if time is not None:
        part.pts, part.time_base = round(time * frame.sample_rate) + first, Fraction(1, frame.sample_rate)
    return part


class Converter:
    """A filter graph for sound, made anew whenever the incoming rate, format or layout changes.

    Gives frames of `layout` and `sample_rate` in `sample_format`, then through `extra` filters; `block` samples each
    when it is given. Timestamps of what comes out are not to be relied on: samples are counted.
    """

    def __init__(self, *, sample_rate: int, channels: int, sample_format: str, extra: str = "", block: int = 0) -> None:
        layout = LAYOUTS.get(channels, f"{channels} channels")
        self._target = f"sample_rates={sample_rate}:sample_fmts={sample_format}:channel_layouts={layout}"
        self._extra, self._block = extra, block
        self._shape: tuple[object, ...] | None = None
        self._graph: Graph | None = None
        self._entry: FilterContext | None = None
        self._exit: FilterContext | None = None
        self._count = 0

    def feed(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Push one frame and yield what comes out."""
        shape = (frame.sample_rate, frame.format.name, frame.layout.name)
        if shape != self._shape:
            yield from self.flush()
            self._build(frame)
            self._shape = shape
        assert self._entry is not None  # noqa: S101 - built just above
        frame.pts, frame.time_base = self._count, Fraction(1, frame.sample_rate)
        self._count += frame.samples
        self._entry.push(frame)
        yield from self._pull()

    def flush(self) -> Iterator[AudioFrame]:
        """Yield what is still held."""
        if self._entry is not None:
            self._entry.push(None)
            yield from self._pull()
        self._graph = self._entry = self._exit = self._shape = None
        self._count = 0

    def _build(self, frame: AudioFrame) -> None:
        graph = Graph()
        graph.threads = 1
        source = graph.add(
            "abuffer",
            sample_rate=str(frame.sample_rate),
            sample_fmt=frame.format.name,
            channel_layout=_named_layout(frame),
            time_base=f"1/{frame.sample_rate}",
        )
        nodes = [source]
        if mix := _mix_of(frame):
            nodes.append(graph.add("pan", mix))
        nodes.append(graph.add("aformat", self._target))
        for description in filter(None, self._extra.split(",")):
            name, _, arguments = description.partition("=")
            nodes.append(graph.add(name, arguments or None))
        nodes.append(graph.add("abuffersink"))
        graph.link_nodes(*nodes).configure()
        if self._block:
            graph.set_audio_frame_size(self._block)
        self._graph, self._entry, self._exit = graph, nodes[0], nodes[-1]

    def _pull(self) -> Iterator[AudioFrame]:
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
            assert isinstance(frame, AudioFrame)  # noqa: S101 - what an abuffersink gives
            yield frame


def _named_layout(frame: AudioFrame) -> str:
    # A file may say how many channels there are and not which: then the usual arrangement is meant.
    layout: AudioLayout = frame.layout
    count = len(layout.channels) or layout.nb_channels
    known = layout.name and "channels" not in layout.name
    return layout.name if known else LAYOUTS.get(count, layout.name)


def _is_nameless(layout: str) -> bool:
    return "channels" in layout or "ambisonic" in layout


def _mix_of(frame: AudioFrame) -> str:
    """What is heard of channels without speakers: of a sphere its middle, which comes first; else all of them alike."""
    layout = _named_layout(frame)
    if "ambisonic" in layout:
        return "mono|c0=c0"
    if not _is_nameless(layout):
        return ""
    count = frame.layout.nb_channels
    return "mono|c0=" + "+".join(f"{1 / count:.6f}*c{number}" for number in range(count))
