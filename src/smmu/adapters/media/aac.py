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
from av.error import ArgumentError
from av.packet import Packet

from smmu.adapters.media import cmaf
from smmu.adapters.media.decode import Damage, Survey, audio_frames
from smmu.adapters.media.loudness import Gain, Gained, Loudness, Meter, gain_towards
from smmu.adapters.media.segments import Output, Segment, Segmenter
from smmu.adapters.media.sound import LAYOUTS, Line, within
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, refuse
from smmu.domain.languages import code_of
from smmu.domain.plan import AudioSpec

FRAME_SAMPLES = 1_024
TOLD_FRAMES = 16  # progress is told once for so many blocks: telling costs more than hearing one


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
class Coded:
    """One track, encoded: what went in, with the source's loudness, and the file that came out, on the workbench."""

    spec: AudioSpec
    whole: Path
    heard: Heard
    loudness: Loudness
    gain: Gain
    samples: int

    @property
    def seconds(self) -> float:
        """How long the sound lasts."""
        return self.samples / self.spec.sample_rate


@dataclass(slots=True, kw_only=True)
class Encoded(Coded):
    """One track in AAC: `whole` is a fragmented MP4 of all of it."""

    configuration: bytes
    init_path: str
    packets: int
    segments: list[Segment]

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
    frames = heard.line.join(within(audio_frames(bench, heard.damage, found.window), found.window))
    for count, frame in enumerate(frames):
        for listener in listeners:
            listener.feed(frame)
        if count % TOLD_FRAMES:
            continue
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
    encoder = AacEncoder(bench, spec, loudness, folder)
    heard = listen(bench, spec.track_index, [encoder], found=found, planned_s=planned_s, progress=progress)
    return encoder.finish(heard)


def gain_for(spec: AudioSpec, loudness: Loudness) -> Gain:
    """The gain that `spec` wants for a track of this loudness."""
    return gain_towards(loudness, target_lufs=spec.target_lufs, ceiling_dbtp=spec.ceiling_dbtp)


def require_sound(samples: int, heard: Heard) -> None:
    """Refuse a track of which nothing was heard."""
    track = heard.damage.track
    if not samples and heard.damage.clipped:
        raise refuse(Code.INVALID_OPTIONS, f"Track {track} has no sound in the clip: ask for it muted.")
    if not samples:
        raise refuse(Code.REJECTED_CORRUPT, f"Track {track} has no sound that could be decoded.")


@dataclass(slots=True)
class _Cut:
    """The segments so far, without the times of their packets: a day of sound has four million."""

    segments: list[Segment] = field(default_factory=list)
    packets: int = 0

    def add(self, segment: Segment) -> None:
        self.packets += len(segment.packets)
        self.segments.append(replace(segment, packets=()))


class AacEncoder:
    """Hears a track and writes it as AAC, with segments below `folder` when it is given."""

    def __init__(self, bench: Workbench, spec: AudioSpec, loudness: Loudness, folder: str | None) -> None:
        self._spec, self._loudness, self._gain = spec, loudness, gain_for(spec, loudness)
        self._whole = bench.directory / f"whole-{spec.name}.mp4"
        self._cut = _Cut()
        self._context = _open_encoder(spec)
        self._configuration = self._context.extradata or b""
        self._gained = Gained(
            sample_rate=spec.sample_rate, channels=spec.channels, sample_format="fltp", gain=self._gain
        )
        output = Output(root=bench.directory, folder=folder, whole=self._whole, emit=self._cut.add)
        self._segmenter = Segmenter(
            output, seconds=spec.segment_seconds, timescale=spec.sample_rate, header=self._header
        )

    def feed(self, frame: AudioFrame) -> None:
        """Take one more block."""
        self._encode(self._gained.feed(frame))

    def finish(self, heard: Heard) -> Encoded:
        """No more sound. Raises `Refused` when there was none at all."""
        self._encode(self._gained.flush())
        samples = self._gained.samples
        require_sound(samples, heard)
        self._write(self._context.encode(None))
        self._segmenter.close(samples, next_dts=samples)
        return Encoded(
            spec=self._spec,
            whole=self._whole,
            heard=heard,
            loudness=self._loudness,
            gain=self._gain,
            samples=samples,
            configuration=self._configuration,
            init_path=self._segmenter.init_path,
            packets=self._cut.packets,
            segments=self._cut.segments,
        )

    def _encode(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            try:
                packets = self._context.encode(frame)
            except ArgumentError as error:  # the one thing that FFmpeg's encoder has against samples
                raise refuse(
                    Code.REJECTED_CORRUPT, "Some samples of its sound are no numbers. Export it again."
                ) from error
            self._write(packets)

    def _write(self, packets: Iterable[Packet]) -> None:  # type: ignore[type-arg] # an encoder's packet has no stream
        for packet in packets:
            if packet.pts is None:
                raise RuntimeError("the encoder gave a packet without a time")
            self._segmenter.add(cmaf.Sample(bytes(packet), packet.pts, packet.pts, key=True))

    def _header(self, shift: int) -> cmaf.TrackHeader:
        spec = self._spec
        entry = cmaf.aac_entry(self._configuration, spec.channels, spec.sample_rate, spec.bitrate_bps)
        return cmaf.TrackHeader(entry=entry, timescale=spec.sample_rate, shift=shift, language=code_of(spec.language))


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
