"""`play`: decode every track of a file of ours to its end, and tell what came out. It refuses to judge."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from smmu.adapters.media.decode import Damage, decoded
from smmu.adapters.media.tracks import codec_name
from smmu.adapters.media.window import time_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.verification import PlayedTrack


@dataclass(slots=True)
class _Ear:
    """One track as it is played."""

    stream: Stream
    damage: Damage
    keyframes: list[Fraction] = field(default_factory=list)
    first: Fraction | None = None
    last: Fraction | None = None
    end: Fraction = Fraction(0)
    rising: bool = True
    size: tuple[int, int] = (0, 0)
    samples: int = 0

    def feed(self, packet: "Packet[Stream]") -> None:
        """Decode one packet."""
        if packet.size and packet.pts is not None:
            at = packet.pts * packet.time_base
            self.end = max(self.end, at + (packet.duration or 0) * packet.time_base)
            if packet.is_keyframe and self.stream.type == "video":
                self.keyframes.append(at)
        for frame in decoded(packet, self.damage):
            if isinstance(frame, VideoFrame | AudioFrame):
                self._place(frame)

    def _place(self, frame: VideoFrame | AudioFrame) -> None:
        if isinstance(frame, VideoFrame):
            self.size = (frame.width, frame.height)
        else:
            self.samples += frame.samples
        time = time_of(frame)
        if time is None:
            return
        self.first = time if self.first is None else self.first
        self.rising = self.rising and (self.last is None or time > self.last)
        self.last = time

    def track(self) -> PlayedTrack:
        """What was played."""
        return PlayedTrack(
            kind=self.stream.type,
            codec=codec_name(self.stream),
            frames=self.damage.frames,
            undecodable=self.damage.lost + bool(self.damage.stopped),
            start_s=float(self.first or 0),
            end_s=float(self.end),
            rising=self.rising,
            width=self.size[0],
            height=self.size[1],
            samples=self.samples,
            keyframes=tuple(float(time) for time in sorted(self.keyframes)),
        )


def play(bench: Workbench) -> list[PlayedTrack]:
    """Every picture and sound track of the source, played. Raises `FFmpegError` for what cannot be opened."""
    with bench.open_container() as container:
        ears = {stream.index: _Ear(stream, Damage(track=stream.index)) for stream in container.streams}
        for packet in _packets(container.demux(*container.streams), ears):
            ears[packet.stream.index].feed(packet)
            bench.beat()
        return [ear.track() for ear in ears.values()]


def _packets(packets: "Iterator[Packet[Stream]]", ears: dict[int, _Ear]) -> "Iterator[Packet[Stream]]":
    try:
        yield from packets
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        for ear in ears.values():
            ear.damage.stopped = error.strerror or type(error).__name__
