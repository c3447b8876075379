"""Proofs: our own output opened again, demuxed and decoded, and compared with what the plan owes.

What is checked, and what it costs. Every packet of every rung is demuxed from the very bytes that are shipped: times,
order, keyframes, sizes and counts must equal the plan's. That costs nothing worth measuring. Decoding everything
again would cost about a seventh of the whole job per rung, so the smallest rung of each codec is decoded completely
(every frame has to come out, at its time) and of each other rung the first pictures of every segment (size, format,
colours, that the segment can be entered, and how like the source they are). The rungs come from the same pictures,
encoder and code, so what would damage one silently damages the smallest too. Sound is decoded completely. Refuses to
repair: a failed check is reported.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from smmu.adapters.media.aac import FRAME_SAMPLES, Coded
from smmu.adapters.media.bare import bare, stray
from smmu.adapters.media.coding import CODINGS
from smmu.adapters.media.graph import BT709, LIMITED
from smmu.adapters.media.likeness import SPAN, Likeness
from smmu.adapters.media.loudness import BLOCK_SECONDS_MIN, Loudness, Meter
from smmu.adapters.media.mp4 import box_order
from smmu.adapters.media.overlay import Sighting
from smmu.adapters.media.segments import Segment
from smmu.domain.manifest import Check, Proof
from smmu.domain.plan import RungSpec

LOUDER_LU_MAX, SOFTER_LU_MAX = 1.5, 6.0  # AAC keeps loudness to a few tenths; but of noise it drops the treble
PEAK_TOLERANCE_DB = 3.0  # AAC overshoots by one to two decibels on clipped sources; more is a wrong gain
LOUDNESS_SECONDS_MIN = 1.0
EXAMPLES_MAX = 3


def check(name: str, expected: object, measured: object) -> Check:
    """A check that holds when both are equal."""
    return Check(name=name, ok=expected == measured, expected=str(expected), measured=str(measured))


def check_within(name: str, expected: float, measured: float, tolerance: float) -> Check:
    """A check that holds when the two numbers differ by at most `tolerance`."""
    return Check(
        name=name,
        ok=abs(expected - measured) <= tolerance,
        expected=f"{expected:.3f} ± {tolerance:.3f}",
        measured=f"{measured:.3f}",
    )


class RungWitness:
    """Looks at one rung's segments as they are shipped, and says at the end whether all was as planned."""

    def __init__(self, spec: RungSpec, *, ticks: int, decode_all: bool, cuts: Sequence[Fraction] = ()) -> None:
        self._spec, self._ticks, self._decode_all = spec, ticks, decode_all
        self._planned: deque[tuple[int, bool]] = deque()
        self._wrong: dict[str, list[str]] = {}
        self._strangers: set[str] = set()
        self._last_dts: int | None = None
        self.likeness = Likeness(spec, ticks, cuts)
        self.sighting = Sighting()
        self.frames = self.decoded = self.keyframes = self.burst_bits = 0
        self.starts: list[Fraction] = []
        self.durations: list[Fraction] = []

    def plan(self, tick: int, picture: VideoFrame, *, key: bool) -> None:
        """A picture will be shown at `tick`."""
        self.expect(tick, key=key)
        self.likeness.keep(tick, picture, key=key)

    def expect(self, tick: int, *, key: bool) -> None:
        """A picture will be shown at `tick`, which was compared with the source where it was encoded."""
        self._planned.append((tick, key))

    def examine(self, segment: Segment, init: bytes, data: bytes) -> None:
        """Open one segment as a player would: behind the initialisation section and nothing else."""
        self.starts.append(segment.start)
        self.durations.append(segment.duration)
        try:
            with _open(init + data) as container:
                every = list(container.demux(container.streams[0]))
                packets = [packet for packet in every if packet.size]
                self._compare(segment, packets)
                self._find_strangers(container, packets)
                self._find_keys(segment, packets, len(init))
                self._decode(segment, container, every)
        except FFmpegError as error:
            self._complain("readable", f"{segment.path}: {error}")
        self.sighting.forget(before=round((segment.start + segment.duration) * self._ticks))

    def _compare(self, segment: Segment, packets: "Sequence[Packet[Stream]]") -> None:
        planned = [self._planned.popleft() for _ in segment.packets if self._planned]
        shown = sorted((packet.pts or 0, packet.is_keyframe) for packet in packets)
        if shown != planned:
            self._complain("times", f"{segment.path}: {len(shown)} packets, {len(planned)} planned")
        for packet in packets:
            if packet.dts is None or (self._last_dts is not None and packet.dts <= self._last_dts):
                self._complain("order", f"{segment.path}: decoding time {packet.dts} after {self._last_dts}")
            self._last_dts = packet.dts
        sizes = [packet.size for packet in packets]
        if sizes != [stamp.size for stamp in segment.packets]:
            self._complain("sizes", f"{segment.path}: packets are not those that were encoded")
        if not packets or not packets[0].is_keyframe or Fraction(packets[0].pts or 0, self._ticks) != segment.start:
            self._complain("start", f"{segment.path}: does not start with a keyframe at {float(segment.start):.3f} s")
        self._weigh(segment)
        self.frames += len(packets)
        self.keyframes += sum(packet.is_keyframe for packet in packets)

    def _weigh(self, segment: Segment) -> None:
        """The most bits that any second had: a burst has them, where the average of its segment does not show it."""
        seconds: Counter[int] = Counter()
        for stamp in segment.packets:
            seconds[stamp.pts // self._ticks] += 8 * stamp.size
        self.burst_bits = max(self.burst_bits, *seconds.values(), 0)

    def _find_strangers(self, container: InputContainer, packets: "Sequence[Packet[Stream]]") -> None:
        extras = CODINGS[self._spec.codec].extras
        self._strangers.update(stray(container), *(extras(bytes(packet)) for packet in packets))

    def _find_keys(self, segment: Segment, packets: "Sequence[Packet[Stream]]", before: int) -> None:
        """What a player fetches to show a keyframe ends where the demuxer finds that keyframe to end."""
        found = [(packet.pts, (packet.pos or 0) + packet.size - before) for packet in packets if packet.is_keyframe]
        told = [(int(key.start * self._ticks), key.offset + key.size) for key in segment.keys]
        if found != told:
            self._complain("keys", f"{segment.path}: keyframes end at {found}, not at {told}")

    def _decode(self, segment: Segment, container: InputContainer, packets: "Iterable[Packet[Stream]]") -> None:
        times: list[int | None] = []
        for packet in packets:
            frames = [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
            if frames and not times:
                self._look_at(segment, frames[0], container)
            times += [frame.pts for frame in frames]
            for frame in frames:
                self.sighting.look(frame.pts, frame)
                self.likeness.compare(frame.pts, frame)
            if len(times) >= SPAN and not self._decode_all:
                return
        self.decoded += len(times)
        if times != sorted(stamp.pts for stamp in segment.packets):
            self._complain("decoded", f"{segment.path}: {len(times)} of {len(segment.packets)} pictures")

    def _look_at(self, segment: Segment, frame: VideoFrame, container: InputContainer) -> None:
        if wrong := unlike(self._spec, frame, container):
            self._complain("picture", f"{segment.path}: {wrong}")

    def _complain(self, about: str, what: str) -> None:
        self._wrong.setdefault(about, []).append(what)

    def checks(self, longest_gap: Fraction, *, capped: bool) -> tuple[Check, ...]:
        """The verdict. `longest_gap` is the longest that a picture is shown: no cut can fall inside it."""
        names = {
            "readable": "every segment opens behind its initialisation section",
            "times": "presentation times and keyframes are the planned ones, strictly rising",
            "order": "decoding times rise",
            "sizes": "packets in the file are those that were encoded",
            "start": "every segment starts with its keyframe",
            "keys": "every keyframe can be fetched alone",
            "picture": f"{self._spec.width}x{self._spec.height}, 8-bit 4:2:0, square, upright, BT.709",
            "decoded": "every picture decodes" if self._decode_all else "the first pictures of every segment decode",
        }
        found = [self._verdict(about, sentence) for about, sentence in names.items()]
        longest = max(self.durations, default=Fraction(0))
        limit = self._spec.segment_seconds + max(longest_gap, Fraction(1, 10))
        duration = Check(
            name="segment duration", ok=longest <= limit, expected=f"at most {float(limit):.3f} s",
            measured=f"{float(longest):.3f} s",
        )  # fmt: skip
        return (check("pictures planned and not found", 0, len(self._planned)), *found, duration,
                bare(sorted(self._strangers)),
                *self.likeness.checks(capped=capped), *self.sighting.checks())  # fmt: skip

    def _verdict(self, about: str, sentence: str) -> Check:
        wrong = self._wrong.get(about, [])
        measured = "; ".join(wrong[:EXAMPLES_MAX]) + (f" and {len(wrong) - EXAMPLES_MAX} more" if
                   len(wrong) > EXAMPLES_MAX else "")  # fmt: skip
        return Check(name=about, ok=not wrong, expected=sentence, measured=measured or "yes")


def _open(data: bytes) -> InputContainer:
    return av.open(BytesIO(data), "r", format="mp4", container_options={"protocol_whitelist": "none"})


def prove_audio(encoded: Coded, path: Path, beat: Callable[[], None]) -> Proof:
    """Decode the whole of a sound file of ours: the checks, and what was measured."""
    spec = encoded.spec
    meter = Meter(sample_rate=spec.sample_rate, channels=spec.channels)
    samples, shape, strangers = _hear(path, _CONTAINERS[spec.codec], meter, beat)
    loudness = meter.result()
    # Opus and MP3 say how much of their last block is sound; of MP3 that is too little to say for less than a block.
    exact = spec.codec != "aac" and encoded.samples >= FRAME_SAMPLES
    most = encoded.samples if exact else encoded.samples + 2 * FRAME_SAMPLES - 1
    checks = (
        check("channels and sample rate", (spec.channels, spec.sample_rate), shape),
        Check(
            name="samples decoded", ok=encoded.samples <= samples <= most,
            expected=f"{encoded.samples}{'' if exact else ' and the rest of a frame'}", measured=str(samples),
        ),
        check_within("duration against the source", float(encoded.heard.line.position), encoded.seconds,
                     FRAME_SAMPLES / spec.sample_rate),
        bare(strangers),
        *_loudness_checks(encoded, loudness),
    )  # fmt: skip
    measures = encoded.heard.measures() | encoded.loudness.measures("in") | loudness.measures("out")
    gain: dict[str, float | int | str] = {
        "gain_db": round(encoded.gain.decibels, 2),
        "gain_reason": encoded.gain.reason,
    }
    return Proof(checks=checks, measures={**measures, **gain, "samples": samples})


def unlike(spec: RungSpec, frame: VideoFrame, container: InputContainer) -> str:
    """What a picture of a rung is instead of what it should be; "" when it is just that."""
    colours = (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range)
    aspect = container.streams.video[0].sample_aspect_ratio or Fraction(1)
    found = (frame.width, frame.height, frame.format.name, aspect, frame.rotation, colours)
    wanted = (spec.width, spec.height, "yuv420p", Fraction(1), 0, (BT709, BT709, BT709, LIMITED))
    return "" if found == wanted else str(found)


def first_picture(spec: RungSpec, data: bytes) -> str:
    """The same of the first picture of a file in memory."""
    with _open(data) as container:
        for packet in container.demux(container.streams.video[0]):
            for frame in packet.decode():
                return unlike(spec, frame, container)
    return "nothing that decodes"


_CONTAINERS = {"aac": "mp4", "opus": "ogg", "mp3": "mp3"}


def _hear(
    path: Path, container_name: str, meter: Meter, beat: Callable[[], None]
) -> tuple[int, tuple[int, int], list[str]]:
    samples, shape = 0, (0, 0)
    with av.open(str(path), "r", format=container_name, container_options={"protocol_whitelist": "file"}) as container:
        for packet in container.demux(container.streams.audio[0]):
            for frame in packet.decode():
                assert isinstance(frame, AudioFrame)  # noqa: S101 - what an audio stream gives
                samples, shape = samples + frame.samples, (len(frame.layout.channels), frame.sample_rate)
                meter.feed(frame)
                beat()
        return samples, shape, stray(container)


def _loudness_checks(encoded: Coded, out: Loudness) -> Iterable[Check]:
    before = encoded.loudness.after(encoded.gain.decibels)
    if before is not None and out.integrated_lufs is not None and encoded.seconds >= LOUDNESS_SECONDS_MIN:
        low, high = before - SOFTER_LU_MAX, before + LOUDER_LU_MAX
        yield Check(
            name="loudness (LUFS)", ok=low <= out.integrated_lufs <= high, expected=f"{low:.1f} to {high:.1f}",
            measured=f"{out.integrated_lufs:.2f}",
        )  # fmt: skip
    if out.true_peak_dbtp is not None and encoded.seconds >= BLOCK_SECONDS_MIN:
        ceiling = max(encoded.spec.ceiling_dbtp + PEAK_TOLERANCE_DB, 0.0)
        yield Check(
            name="true peak (dBTP)", ok=out.true_peak_dbtp <= ceiling, expected=f"at most {ceiling:.1f}",
            measured=f"{out.true_peak_dbtp:.2f}",
        )  # fmt: skip


def play_through(
    path: Path, beat: Callable[[], None], look: Callable[[VideoFrame], None] = lambda _: None
) -> tuple[int, float]:
    """How many pictures of a file of ours decode, each looked at, and when the last one is shown, in seconds."""
    count, last = 0, Fraction(0)
    with av.open(str(path), "r", format="mp4", container_options={"protocol_whitelist": "file"}) as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            for frame in packet.decode():
                look(frame)
                count += 1
            if packet.pts is not None and stream.time_base is not None:
                last = max(last, packet.pts * stream.time_base)
            beat()
    return count, float(last)


def prove_progressive(path: Path, packets: Sequence[int], beat: Callable[[], None]) -> tuple[Check, ...]:
    """A progressive file: index first, and as many packets on each track as were put in, in rising order."""
    order = box_order(path)
    index_first = "moov" in order and "mdat" in order and order.index("moov") < order.index("mdat")
    counts, rising = [0] * len(packets), True
    last: dict[int, int] = {}
    with av.open(str(path), "r", format="mp4", container_options={"protocol_whitelist": "file"}) as container:
        tracks, strangers = [stream.index for stream in container.streams], stray(container)
        for packet in container.demux():
            if packet.dts is None:
                continue
            index = tracks.index(packet.stream.index)
            rising = rising and packet.dts > last.get(index, packet.dts - 1)
            counts[index], last[index] = counts[index] + 1, packet.dts
            beat()
    return (
        check("index in front of the media", True, index_first),  # noqa: FBT003 - a check compares two values
        check("packets on each track", list(packets), counts),
        check("decoding times rise", True, rising),  # noqa: FBT003 - as above
        bare(strangers),
    )
