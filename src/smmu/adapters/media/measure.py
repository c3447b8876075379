"""One pass over a file's packets: when its samples are, and whether the first of each track decode.

Where the container has a whole index (MP4), times come from it and the pass ends when every track has shown that it
decodes; where it has none, the pass goes to the end of the file. A file that is too large for that has its last seconds
read instead: how long it is is measured then as well. It refuses to judge.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from smmu.adapters.media import groups
from smmu.adapters.media.timing import Samples
from smmu.adapters.media.workbench import Workbench
from smmu.domain.limits import MIB

FRAMES_WANTED = 3
_TRIED_PACKETS_MAX = 300  # longer than the longest sane distance to a first keyframe
_TRIED_BYTES_MAX = 16 * MIB
_TAIL_SECONDS = 2
_CAPTIONS = "A53_CC"  # CEA-608 and 708, as ATSC A/53 puts them beside a picture
# Times that say nothing of what is between the first and the last: guessed from the bytes after a seek, where there is
# no container, and a broadcast's clock, which may jump on the way.
_UNTIMED = frozenset({"mp3", "aac", "ac3", "eac3", "amr", "mpegvideo", "mpegts", "mpeg"})


@dataclass(slots=True)
class Trial:
    """How the first packets of one track decoded. `captions`: there are some inside the pictures."""

    packets: int = 0
    frames: int = 0
    errors: int = 0
    captions: bool = False
    first: VideoFrame | None = None
    interlaced: bool = False
    reason: str = ""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to learn."""
        return self.frames >= FRAMES_WANTED or self.packets >= _TRIED_PACKETS_MAX


@dataclass(slots=True)
class Measures:
    """What the pass found, by index of the track. `complete`: it saw every sample, or the index did.

    `end_seen`: it saw the last samples, having gone to where they are: seeking in this file works.
    """

    samples: dict[int, Samples] = field(default_factory=dict)
    trials: dict[int, Trial] = field(default_factory=dict)
    open_groups: int = 0
    complete: bool = False
    end_seen: bool = False
    broke_off: str = ""

    @property
    def exact(self) -> bool:
        """Whether the times of the last samples were measured."""
        return self.complete or self.end_seen


def measure(
    bench: Workbench, container: InputContainer, streams: Sequence[Stream], *, size: int, indexed: bool
) -> Measures:
    """Read as much of a file of `size` bytes as is needed to know its `streams`.

    `indexed`: the container's index is whole. FFmpeg knows by itself where it is in the source: nobody else may seek.
    """
    found = Measures(trials={stream.index: Trial() for stream in streams})
    through = not indexed and size <= bench.limits.inspect_bytes_max
    budget = bench.limits.inspect_bytes_max if through else _TRIED_BYTES_MAX
    found.samples = {stream.index: Samples(stream.time_base) for stream in streams if stream.time_base}
    _pass(found, bench, container, streams, until_end=through, budget=budget)
    if indexed:
        found.samples = {stream.index: from_index(stream) for stream in streams}
        found.open_groups += sum(groups.opens_late(container, stream) for stream in container.streams.video)
        found.complete = True
    elif not found.complete:
        _look_at_end(found, bench, container, streams, size)
    return found


def from_index(stream: Stream) -> Samples:
    """The samples that the container's index lists and does not hide (edit lists hide)."""
    assert stream.time_base is not None  # noqa: S101 - a demuxer that has an index has a time base
    samples = Samples(stream.time_base)
    for entry in stream.index_entries:
        samples.add(entry.timestamp, 0, entry.size, hidden=entry.is_discard, key=entry.is_keyframe)
    return samples


def _pass(
    found: Measures,
    bench: Workbench,
    container: InputContainer,
    streams: Sequence[Stream],
    *,
    until_end: bool,
    budget: int,
) -> None:
    stop_at = bench.source.bytes_read + budget
    for packet in _packets(found, container, streams):
        trial = found.trials[packet.stream.index]
        if packet.size:
            _count(found, packet)
            found.open_groups += groups.opens(packet)
            bench.beat()
        if not trial.over:
            _try(trial, packet)
        if not until_end and all(other.over for other in found.trials.values()):
            return
        if bench.source.bytes_read > stop_at:
            return
    found.complete = not found.broke_off


def _packets(found: Measures, container: InputContainer, streams: Sequence[Stream]) -> "Iterator[Packet[Stream]]":
    """All packets, then an empty one for each track, which makes its decoder give up the last frames."""
    try:
        yield from container.demux(*streams)
    except av.FFmpegError as error:
        found.broke_off = error.strerror or type(error).__name__
        for stream in streams:
            empty: Packet[Stream] = Packet()
            empty.stream = stream
            yield empty


def _count(found: Measures, packet: "Packet[Stream]") -> None:
    samples = found.samples.get(packet.stream.index)
    if samples is not None:
        time = packet.pts if packet.pts is not None else packet.dts
        samples.add(time, packet.duration or 0, packet.size, hidden=packet.is_discard, key=packet.is_keyframe)


def _try(trial: Trial, packet: "Packet[Stream]") -> None:
    trial.packets += bool(packet.size)
    try:
        frames = packet.decode()
    except av.FFmpegError as error:
        trial.errors += 1
        trial.reason = error.strerror or type(error).__name__
        return
    for frame in frames:
        trial.frames += 1
        if isinstance(frame, VideoFrame):
            trial.captions = trial.captions or frame.side_data.get(_CAPTIONS) is not None
            trial.first = trial.first or frame
            trial.interlaced |= frame.interlaced_frame


def _look_at_end(
    found: Measures, bench: Workbench, container: InputContainer, streams: Sequence[Stream], size: int
) -> None:
    """Where the file is too large to be read through, go to where its header says that it ends, and read on from there.

    What seeking itself reads is of the budget too: a file in which it means to read everything is not seen to its end.
    """
    if container.duration is None:
        _extrapolate(found, bench.source.bytes_read / size)
        return
    ends = {index: Samples(samples.time_base) for index, samples in found.samples.items()}
    stop_at = bench.source.bytes_read + max(_TRIED_BYTES_MAX, bench.limits.inspect_bytes_max - _TRIED_BYTES_MAX)
    over = True
    try:
        container.seek(max(0, container.duration - _TAIL_SECONDS * av.time_base))
        for packet in container.demux(*streams):
            if packet.size and packet.stream.index in ends:
                time = packet.pts if packet.pts is not None else packet.dts
                ends[packet.stream.index].add(time, packet.duration or 0, packet.size)
            if bench.source.bytes_read > stop_at:
                over = False
                break
    except av.FFmpegError as error:
        found.broke_off, over = error.strerror or type(error).__name__, False
    seen = any(end.over is not None for end in ends.values())
    found.end_seen = over and seen and container.format.name not in _UNTIMED
    for index, end in ends.items():
        found.samples[index].stretch(end, is_last=found.end_seen)


def _extrapolate(found: Measures, share: float) -> None:
    """No length in the header and too large to read: what was read tells about the rest, roughly."""
    for samples in found.samples.values():
        if samples.first is not None and samples.end is not None and 0 < share < 1:
            samples.end = samples.first + round((samples.end - samples.first) / share)
