"""Whether the last tenth of a track decodes: an index may promise samples whose bytes never came.

A download that was broken off in a preallocated file, or a disk that lost its end, leaves zeros where the index says
that pictures are. Three places are tried, each within bounds. It says so only when no frame comes of any of them: what
the budget cannot tell is left to the render, which reads everything and has the same rule (`decode.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from smmu.adapters.media.decode import COVERED_SHARE_MIN, MISSING_SECONDS_MIN
from smmu.adapters.media.timing import Samples
from smmu.adapters.media.workbench import Workbench
from smmu.domain.limits import MIB

_BYTES_MAX = 16 * MIB  # of all places of all tracks together
_PACKETS_BEFORE_MAX = 400  # from a keyframe to the place itself
_PIXELS_BEFORE_MAX = 600_000_000  # of them: a second or two of work, whatever the size of a picture
_PACKETS_MAX = 48  # from there on


@dataclass(slots=True)
class _Place:
    """What came of one place: frames at or after `ticks`, and packets that failed."""

    ticks: int
    frames: int = 0
    errors: int = 0

    @property
    def is_dead(self) -> bool:
        return self.errors > 0 and not self.frames

    def take(self, packet: "Packet[Stream] | None", stream: Stream) -> None:
        """Decode a packet; `None` gives up what the decoder still holds."""
        try:
            frames = packet.decode() if packet is not None else stream.codec_context.decode(None)  # type: ignore[attr-defined] # of pictures and sound
        except av.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            self.errors += 1
            return
        for frame in frames:
            if isinstance(frame, VideoFrame | AudioFrame):
                self.frames += frame.pts is None or frame.pts >= self.ticks


def dead_from(bench: Workbench, container: InputContainer, stream: Stream, samples: Samples) -> float | None:
    """The second from which on nothing of an indexed track decodes, when that is certain."""
    places = [_from_a_keyframe(stream, place) for place in _places(samples)]
    stop_at = min(bench.source.bytes_read + _BYTES_MAX, bench.limits.inspect_bytes_max)
    for place in sorted(places, key=lambda place: (_packets_behind_a_keyframe(stream, place), -place.ticks)):
        if not _is_dead(bench, container, stream, place, stop_at):
            return None
    return float(places[0].ticks * samples.time_base) if places else None


def _places(samples: Samples) -> Iterator[_Place]:
    """Where what is left is as much as a render would miss; halfway from there to the end; and near the end."""
    if samples.first is None or samples.end is None:
        return
    near = int(MISSING_SECONDS_MIN / samples.time_base)
    missing = max(near, int((1 - COVERED_SHARE_MIN) * (samples.end - samples.first)) + 1)
    if missing >= samples.end - samples.first:
        return
    for before in (missing, (missing + near) // 2, near):
        yield _Place(ticks=samples.end - before)


def _from_a_keyframe(stream: Stream, place: _Place) -> _Place:
    """The first keyframe behind a place, of which nothing before has to be read; the place where there is none."""
    found = stream.index_entries.search_timestamp(place.ticks, backward=False)
    return _Place(ticks=stream.index_entries[found].timestamp) if found >= 0 else place


def _packets_behind_a_keyframe(stream: Stream, place: _Place) -> int:
    """What has to be decoded before it: any place that decodes is an answer, so the cheapest is tried first.

    Of those that cost the same it is the last: what is read for one track is there for the other.
    """
    entries = stream.index_entries
    return entries.search_timestamp(place.ticks, any_frame=True) - entries.search_timestamp(place.ticks)


def _is_dead(bench: Workbench, container: InputContainer, stream: Stream, place: _Place, stop_at: int) -> bool:
    for other in container.streams:  # from a keyframe of the picture to its sound may be megabytes of pictures
        other.discard = Discard.default if other is stream else Discard.all
    try:
        container.seek(place.ticks, stream=stream)
        for packet in _packets(container, stream, place.ticks, _before_max(stream)):
            place.take(packet, stream)
            bench.beat()
            if place.frames or bench.source.bytes_read > stop_at:
                return False
        place.take(None, stream)
    except _TooFarError:
        return False
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        return False  # a place that cannot be reached tells nothing
    return place.is_dead


class _TooFarError(Exception):
    """The keyframe is too far from the place."""


def _before_max(stream: Stream) -> int:
    if not isinstance(stream, VideoStream):
        return _PACKETS_BEFORE_MAX
    pixels = stream.codec_context.width * stream.codec_context.height
    return min(_PACKETS_BEFORE_MAX, _PIXELS_BEFORE_MAX // max(1, pixels))


def _packets(container: InputContainer, stream: Stream, ticks: int, before_max: int) -> "Iterator[Packet[Stream]]":
    """From the keyframe before a place to as many packets behind it as are enough to tell."""
    before = behind = 0
    for packet in container.demux(stream):
        if not packet.size:
            return
        time = packet.pts if packet.pts is not None else packet.dts
        is_behind = time is not None and time >= ticks
        behind, before = behind + is_behind, before + (not is_behind)
        if before > before_max:
            raise _TooFarError
        if isinstance(stream, VideoStream):  # on the way there only pictures that others are made from
            stream.codec_context.skip_frame = "DEFAULT" if is_behind else "NONREF"
        yield packet
        if behind >= _PACKETS_MAX:
            return


def first_dead(
    bench: Workbench, container: InputContainer, streams: Sequence[Stream], samples: dict[int, Samples]
) -> tuple[Stream, float] | None:
    """The first of these tracks whose end is dead, and from which second on."""
    for stream in streams:
        found = dead_from(bench, container, stream, samples[stream.index]) if stream.index in samples else None
        if found is not None:
            return stream, found
    return None
