"""One sound track to AAC-LC, encoded whole (chunks would drift and fall silent at every join).

The track is decoded twice: once to measure its loudness, once to encode it with the gain that follows. Holding a
decoded track in between would cost more disk than decoding again costs time (1600 times real time).
Refuses to publish anything: it leaves a fragmented file, and segments where they are wanted, on the workbench.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.codec import CodecContext
from av.codec.context import Flags
from av.packet import Packet

from smmu.adapters.media import cmaf
from smmu.adapters.media.decode import Damage, Survey, audio_frames
from smmu.adapters.media.loudness import Gain, Loudness, Meter, gain_towards
from smmu.adapters.media.segments import Output, Segment, Segmenter
from smmu.adapters.media.sound import LAYOUTS, Converter, Line, within
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, refuse
from smmu.domain.plan import AudioSpec

FRAME_SAMPLES = 1_024


class Listener(Protocol):
    """Something that hears every decoded block of a track."""

    def feed(self, frame: AudioFrame) -> None:
        """Take one more block."""


@dataclass(slots=True)
class Heard:
    """What came of listening to a whole track once."""

    damage: Damage
    line: Line

    def measures(self) -> dict[str, float | int | str]:
        """What to note in a proof."""
        return self.damage.measures() | self.line.measures()


@dataclass(slots=True, kw_only=True)
class Encoded:
    """One track in AAC, still on the workbench: `whole` is a fragmented MP4 of all of it.

    `loudness` is the source's, `gained` what went into the encoder. They need not differ by just the gain: what lay
    under the absolute gate of -70 LUFS before may lie over it afterwards.
    """

    spec: AudioSpec
    whole: Path
    heard: Heard
    loudness: Loudness
    gain: Gain
    gained: Loudness
    samples: int = 0
    configuration: bytes = b""
    init_path: str = ""
    packets: int = 0
    segments: list[Segment] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long the sound lasts."""
        return self.samples / self.spec.sample_rate

    @property
    def codecs(self) -> str:
        """RFC 6381 name."""
        return cmaf.aac_codec(self.configuration)


def listen(
    bench: Workbench,
    track: int,
    listeners: Sequence[Listener],
    *,
    found: Survey,
    planned_s: float | None,
    progress: Callable[[float], None],
) -> Heard:
    """Decode a track once for all `listeners`. Raises `Refused` when too little of it decodes."""
    heard = Heard(Damage(track=track), Line(found.zero, Fraction(planned_s or bench.limits.duration_seconds_max)))
    for frame in heard.line.join(within(audio_frames(bench, heard.damage, found.window), found.window)):
        for listener in listeners:
            listener.feed(frame)
        if planned_s:
            progress(min(1.0, float(heard.line.position) / planned_s))
        else:
            bench.beat()
    heard.damage.judge(float(heard.line.position), planned_s)
    return heard


def encode(
    bench: Workbench,
    spec: AudioSpec,
    loudness: Loudness,
    *,
    found: Survey,
    planned_s: float | None,
    folder: str | None,
    progress: Callable[[float], None],
) -> Encoded:
    """Encode the track as `spec` says, with segments below `folder` when it is given."""
    gain = gain_towards(loudness, target_lufs=spec.target_lufs, ceiling_dbtp=spec.ceiling_dbtp)
    whole = bench.directory / f"whole-{spec.name}.mp4"
    cut = _Cut()
    encoder = _Encoder(spec, gain, Output(root=bench.directory, folder=folder, whole=whole, emit=cut.add))
    heard = listen(bench, spec.track_index, [encoder], found=found, planned_s=planned_s, progress=progress)
    encoder.finish()
    if not encoder.samples and heard.damage.clipped:
        raise refuse(Code.INVALID_OPTIONS, f"Track {spec.track_index} has no sound in the clip: ask for it muted.")
    if not encoder.samples:
        raise refuse(Code.REJECTED_CORRUPT, f"Track {spec.track_index} has no sound that could be decoded.")
    return Encoded(
        spec=spec,
        whole=whole,
        heard=heard,
        loudness=loudness,
        gain=gain,
        gained=encoder.meter.result(),
        samples=encoder.samples,
        configuration=encoder.configuration,
        init_path=encoder.segmenter.init_path,
        packets=cut.packets,
        segments=cut.segments,
    )


@dataclass(slots=True)
class _Cut:
    """The segments so far, without the times of their packets: a day of sound has four million."""

    segments: list[Segment] = field(default_factory=list)
    packets: int = 0

    def add(self, segment: Segment) -> None:
        self.packets += len(segment.packets)
        self.segments.append(replace(segment, packets=()))


class _Encoder:
    """Hears a track and writes it as AAC."""

    def __init__(self, spec: AudioSpec, gain: Gain, output: Output) -> None:
        self._spec = spec
        self._context = _open_encoder(spec)
        self.configuration = self._context.extradata or b""
        volume = f"volume=volume={gain.decibels:.4f}dB:precision=float"
        self._converter = Converter(
            sample_rate=spec.sample_rate, channels=spec.channels, sample_format="fltp", extra=volume
        )
        self.segmenter = Segmenter(
            output, seconds=spec.segment_seconds, timescale=spec.sample_rate, header=self._header
        )
        self.samples = 0
        self.meter = meter_for(spec)

    def feed(self, frame: AudioFrame) -> None:
        self._encode(self._converter.feed(frame))

    def finish(self) -> None:
        self._encode(self._converter.flush())
        if self.samples:
            self._write(self._context.encode(None))
        self.segmenter.close(self.samples, next_dts=self.samples)

    def _encode(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            start = self.samples
            self.samples += frame.samples
            self.meter.feed(frame)
            frame.pts, frame.time_base = start, Fraction(1, self._spec.sample_rate)
            self._write(self._context.encode(frame))

    def _write(self, packets: Iterable[Packet]) -> None:  # type: ignore[type-arg] # an encoder's packet has no stream
        for packet in packets:
            if packet.pts is None:
                raise RuntimeError("the encoder gave a packet without a time")
            self.segmenter.add(cmaf.Sample(bytes(packet), packet.pts, packet.pts, key=True))

    def _header(self, shift: int) -> cmaf.TrackHeader:
        spec = self._spec
        entry = cmaf.aac_entry(self.configuration, spec.channels, spec.sample_rate, spec.bitrate_bps)
        return cmaf.TrackHeader(entry=entry, timescale=spec.sample_rate, shift=shift)


def _open_encoder(spec: AudioSpec) -> AudioCodecContext:
    context = CodecContext.create("aac", "w")
    context.sample_rate, context.layout, context.format = spec.sample_rate, LAYOUTS[spec.channels], "fltp"
    context.bit_rate = spec.bitrate_bps
    context.time_base = Fraction(1, spec.sample_rate)
    context.flags |= Flags.global_header
    context.open()
    return context


def meter_for(spec: AudioSpec) -> Meter:
    """A meter of the sound as it will be published: downmixed and resampled, before the gain."""
    return Meter(sample_rate=spec.sample_rate, channels=spec.channels)
