"""Decoding one track of the source, as far as it can be decoded, and judging what was lost.

The rule, applied after everything was decoded:
1. not one frame came out: `rejected_corrupt`;
2. more than a quarter of the packets (and more than five) could not be decoded: `rejected_corrupt`;
3. there is damage (a packet lost, reading broke off, fewer packets than the index promises) *and* what came out ends
   before 90 % of what was to be expected, by more than half a second: `rejected_truncated`;
4. without a sign of damage the same holds only for all tracks together, and only where all tracks of the file are in
   use: one track may well be shorter than the others, but something has to last as long as the file was found to;
5. anything less is tolerated and noted in the proof.

Refuses to hide a failure to read the source: what the source's `read` raises passes through untouched.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.frame import VideoFrame

from smmu.adapters.media.sound import tractable
from smmu.adapters.media.tracks import is_cover_art
from smmu.adapters.media.window import RUN_UP_SECONDS, Window, time_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, refuse
from smmu.domain.plan import Clip

LOST_SHARE_MAX, LOST_MIN = 0.25, 5
COVERED_SHARE_MIN, MISSING_SECONDS_MIN = 0.9, 0.5
FIRST_FRAME_PACKETS_MAX = 4_000
Tap = Callable[["Packet[Stream]"], None]
NEAR_PACKETS_MAX = 600  # after a seek: a keyframe is the first packet, or a few are between


@dataclass(slots=True)
class Damage:
    """What could not be decoded of one track. `stopped` says why reading broke off, if it did.

    `misdated` pictures were not presented after those before them.
    """

    track: int
    packets: int = 0
    promised: int = 0
    lost: int = 0
    misdated: int = 0
    frames: int = 0
    stopped: str = ""
    header_seconds: float | None = None
    clipped: bool = False

    @property
    def any(self) -> bool:
        """Whether there is a sign that the file is not whole."""
        return bool(self.lost or self.stopped) or self.packets < COVERED_SHARE_MIN * self.promised

    def judge(self, covered_seconds: float, planned_seconds: float | None) -> None:
        """Refuse a file of which too little could be decoded. The rule is in the module's docstring."""
        if self.frames == 0 and self.clipped:
            raise refuse(Code.INVALID_OPTIONS, f"There is nothing of track {self.track} in the clip.")
        if self.frames == 0:
            raise refuse(Code.REJECTED_CORRUPT, f"Nothing of track {self.track} could be decoded.")
        if self.lost > max(LOST_MIN, LOST_SHARE_MAX * self.packets):
            lost = f"{self.lost} of {self.packets} packets"
            raise refuse(Code.REJECTED_CORRUPT, f"{lost} of track {self.track} could not be decoded.")
        expected = min((s for s in (self.header_seconds, planned_seconds) if s), default=covered_seconds)
        if self.any and _falls_short(covered_seconds, expected):
            raise refuse(
                Code.REJECTED_TRUNCATED,
                f"Track {self.track} breaks off after {covered_seconds:.1f} of {expected:.1f} seconds.",
            )

    def restart(self) -> None:
        """Forget what was counted: reading begins anew."""
        self.packets = self.lost = self.frames = 0
        self.stopped = ""

    def measures(self) -> dict[str, float | int | str]:
        """What to note in a proof."""
        noted: dict[str, float | int | str] = {"source_packets": self.packets, "source_frames": self.frames}
        if self.lost:
            noted["source_packets_undecodable"] = self.lost
        if self.stopped:
            noted["source_reading_stopped"] = self.stopped
        return noted


def judge_together(covered: Iterable[float], planned_seconds: float | None, found: "Survey") -> None:
    """Refuse a file none of whose tracks lasts as long as it was found to. `covered` is how far each track went."""
    longest = max(covered, default=0.0)
    if found.all_in_use and planned_seconds and _falls_short(longest, planned_seconds):
        raise refuse(
            Code.REJECTED_TRUNCATED,
            f"The file breaks off after {longest:.1f} of {planned_seconds:.1f} seconds.",
        )


def _falls_short(covered: float, expected: float) -> bool:
    return covered < COVERED_SHARE_MIN * expected and expected - covered > MISSING_SECONDS_MIN


def video_frames(
    bench: Workbench, damage: Damage, window: Window, tap: Tap | None = None
) -> Generator[VideoFrame, None, None]:
    """Every picture of the track that decodes, in order of presentation, from where `window` opens or before it.

    `tap` is shown every packet before it is decoded.
    """
    stamps = _Stamps()
    for frame in _frames(bench, damage, window, (Fraction(0), RUN_UP_SECONDS), tap):
        if isinstance(frame, VideoFrame):
            stamps.mend(frame)
            damage.misdated = stamps.faulty_pts
            yield frame


def audio_frames(bench: Workbench, damage: Damage, window: Window) -> Iterator[AudioFrame]:
    """Every block of sound of the track that decodes, in order of presentation, from where `window` opens or before."""
    frames = _frames(bench, damage, window, (RUN_UP_SECONDS,))
    yield from tractable(frame for frame in frames if isinstance(frame, AudioFrame))


def _frames(
    bench: Workbench, damage: Damage, window: Window, run_ups: Sequence[Fraction], tap: Tap | None = None
) -> Iterator[object]:
    damage.clipped = not window.is_whole
    starts = [(window.start, run_up) for run_up in run_ups] if window.start is not None else []
    for start, run_up in starts:
        near = _frames_from(bench, damage, start - run_up)
        first = next(near, None)
        if isinstance(first, VideoFrame | AudioFrame) and _is_early(first, start, run_up):
            yield first
            yield from near
            return
        near.close()  # what seeking found begins too late: further back, or from the beginning
        damage.restart()
    yield from _frames_from(bench, damage, None, tap)


def _is_early(first: VideoFrame | AudioFrame, start: Fraction, run_up: Fraction) -> bool:
    # With nothing in front of it only a keyframe will do: what is shown before that may lack what it was made from.
    time = time_of(first)
    return time is not None and (time < start if run_up else time <= start and first.key_frame)


def _frames_from(
    bench: Workbench, damage: Damage, start: Fraction | None, tap: Tap | None = None
) -> Generator[object, None, None]:
    with bench.open_container() as container:
        stream = only(container, damage.track)
        if not damage.clipped:
            damage.promised = stream.frames
            damage.header_seconds = _seconds(stream)
        if start is not None and not sought(container, stream, start):
            return
        for packet in _packets(container, stream, damage):
            if tap is not None and packet.size:
                tap(packet)
            yield from decoded(packet, damage)


def sought(container: InputContainer, stream: Stream, time: Fraction) -> bool:
    """Go to the last keyframe at or before `time`, as far as the container can tell; whether it can at all."""
    try:
        container.seek(int(time / (stream.time_base or Fraction(1, 90_000))), stream=stream)
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        return False
    return True


def _packets(container: InputContainer, stream: Stream, damage: Damage) -> "Iterator[Packet[Stream]]":
    packets = iter(container.demux(stream))
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            damage.stopped = f"{type(error).__name__}: {error.strerror}"
            packets = iter([_ending(stream)])
            continue
        if packet is None:
            return
        damage.packets += bool(packet.size)
        yield packet


def _ending(stream: Stream) -> "Packet[Stream]":
    # What the decoder still holds is wanted also when reading broke off. Frames take their time base from the packet.
    packet: Packet[Stream] = Packet()
    packet.stream = stream
    if stream.time_base is not None:
        packet.time_base = stream.time_base
    return packet


def decoded(packet: "Packet[Stream]", damage: Damage) -> Sequence[object]:
    """The frames that come out for one packet: none, and a loss noted, when it does not decode."""
    try:
        frames = packet.decode()
    except FFmpegError as error:
        # A lost packet is tolerated; being out of memory is about us and not about the file.
        if isinstance(error, MemoryError):
            raise
        damage.lost += bool(packet.size)
        return ()
    damage.frames += len(frames)
    return frames


def keyframe_near(
    container: InputContainer, stream: Stream, time: Fraction, known: VideoFrame | None = None
) -> VideoFrame | None:
    """The last keyframe at or before `time`, decoded by itself; `None` where seeking or decoding does not give one.

    Containers without an index seek inexactly, so a second look begins earlier. It may be a later one all the same.
    When it turns out to be `known`, that is what is returned, and nothing is decoded.
    """
    found, same = None, time_of(known) if known is not None else None
    for wanted in (time, time - RUN_UP_SECONDS):
        for packet in _key_packets(container, stream, wanted):
            frame = known if same is not None and _shown_at(packet) == same else _alone(packet)
            if frame is not None:
                found = frame
                break
        if found is None or (time_of(found) or time) <= time:
            break
    return found


def key_times(container: InputContainer, stream: Stream, time: Fraction) -> Iterator[Fraction]:
    """When keyframes are shown, from the last at or before `time` on; none where seeking does not lead there."""
    times = map(_shown_at, _key_packets(container, stream, time))
    return (at for at in times if at is not None)


def _shown_at(packet: "Packet[Stream]") -> Fraction | None:
    return None if packet.pts is None or packet.time_base is None else packet.pts * packet.time_base


def _key_packets(container: InputContainer, stream: Stream, time: Fraction) -> "Iterator[Packet[Stream]]":
    """The keyframes from `time` on, or from the one before it, as far as a seek may be off."""
    if not sought(container, stream, time):
        return
    try:
        for count, packet in enumerate(container.demux(stream)):
            if packet.size and packet.is_keyframe:
                yield packet
            if count >= NEAR_PACKETS_MAX:
                return
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise


def _alone(packet: "Packet[Stream]") -> VideoFrame | None:
    damage = Damage(track=packet.stream.index)
    # A decoder holds pictures back for the order of those to come: it is told that there are none. Seeking resets it.
    frames = [*decoded(packet, damage), *decoded(_ending(packet.stream), damage)]
    return next((frame for frame in frames if isinstance(frame, VideoFrame)), None)


def only(container: InputContainer, index: int) -> Stream:
    """The stream `index`, with all others switched off so that their bytes need not be read."""
    if index >= len(container.streams):
        raise refuse(Code.REJECTED_CORRUPT, f"The file has no track {index} any more.")
    for stream in container.streams:
        if stream.index != index:
            stream.discard = Discard.all
    return container.streams[index]


def _seconds(stream: Stream) -> float | None:
    if stream.duration is None or stream.time_base is None or stream.duration <= 0:
        return None
    return float(stream.duration * stream.time_base)


@dataclass(slots=True)
class _Stamps:
    """Chooses the timestamps that rise, as FFmpeg's "best effort" does: some files have wrong presentation times.

    Frames come out of a decoder in order of presentation, so both of their timestamps must rise.
    """

    last_pts: int | None = None
    last_dts: int | None = None
    faulty_pts: int = 0
    faulty_dts: int = 0

    def mend(self, frame: VideoFrame) -> None:
        """Write the better of both onto the frame."""
        pts, dts = frame.pts, frame.dts
        if dts is not None:
            self.faulty_dts += self.last_dts is not None and dts <= self.last_dts
            self.last_dts = dts
        if pts is not None:
            self.faulty_pts += self.last_pts is not None and pts <= self.last_pts
            self.last_pts = pts
        if pts is None or (self.faulty_pts > self.faulty_dts and dts is not None):
            frame.pts = dts


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What has to be known before the first frame is encoded.

    `zero` is everybody's second 0: the earliest presented timestamp among the tracks in use and the file's moving
    picture, or where a clip of it begins; `window` is that clip in the source's times. `time_base` and `rate` are the
    picture's, where there is one and the file says. `all_in_use` says whether every track that moves or
    sounds is in use.
    """

    zero: Fraction
    window: Window = field(default_factory=Window)
    time_base: Fraction | None = None
    rate: Fraction | None = None
    all_in_use: bool = False


def survey(bench: Workbench, *tracks: int, clip: Clip) -> Survey:
    """Look at the first frame of each of `tracks` and of the moving picture."""
    with bench.open_container() as container:
        streams = tuple(s for s in container.streams if s.index in tracks or _moves(s))
        times = _first_times(container, streams)
        for stream in streams:
            if stream.index not in times and stream.start_time is not None and stream.time_base:
                times[stream.index] = stream.start_time * stream.time_base
        picture = next((s for s in streams if s.type == "video" and s.index in tracks), None)
        begins = min(times.values(), default=Fraction(0))
        return Survey(
            zero=begins + clip.start,
            window=Window(
                start=begins + clip.start if clip.start else None, end=None if clip.end is None else begins + clip.end
            ),
            time_base=picture.time_base if picture else None,
            rate=(picture.average_rate or picture.guessed_rate) if picture else None,
            all_in_use=all(s.index in tracks for s in container.streams if s.type == "audio" or _moves(s)),
        )


def _moves(stream: Stream) -> bool:
    return stream.type == "video" and not is_cover_art(stream)


def _first_times(container: InputContainer, streams: Sequence[Stream]) -> dict[int, Fraction]:
    found: dict[int, Fraction] = {}
    damage = Damage(track=-1)
    try:
        for count, packet in enumerate(container.demux(streams)):
            index = packet.stream.index
            frames = () if index in found else decoded(packet, damage)
            times = (time_of(frame) for frame in frames if isinstance(frame, VideoFrame | AudioFrame))
            first = next((time for time in times if time is not None), None)
            if first is not None:
                found[index] = first
            if len(found) == len(streams) or count > FIRST_FRAME_PACKETS_MAX:
                break
    except av.error.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
    return found
