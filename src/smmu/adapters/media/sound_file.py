"""One sound track to Opus or MP3, encoded whole, as a file that players begin and end to the sample.

Encoders put silence before a sound and fill up its last block. Opus in Ogg says how much of both there is (RFC 7845:
pre-skip, and the last page's position), MP3 in the frame that LAME begins with (its delay and padding). Ogg and not
WebM: there times are whole milliseconds. Nothing of the source's tags comes along.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from smmu.adapters.media.aac import Coded, Heard, gain_for, require_sound
from smmu.adapters.media.loudness import Gained, Loudness
from smmu.adapters.media.sound import LAYOUTS
from smmu.adapters.media.workbench import Workbench
from smmu.domain.plan import AudioSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What differs between the codecs that are files of their own."""

    encoder: str
    container: str
    suffix: str
    content_type: str
    sample_format: str
    options: Mapping[str, str]


FORMS: Mapping[str, Form] = {
    "opus": Form(
        encoder="libopus",
        container="ogg",
        suffix="opus",
        content_type="audio/ogg",
        sample_format="flt",
        options={},
    ),
    "mp3": Form(
        encoder="libmp3lame",
        container="mp3",
        suffix="mp3",
        content_type="audio/mpeg",
        sample_format="fltp",
        options={"id3v2_version": "0"},  # no tags, not even an empty one
    ),
}


class FileEncoder:
    """Hears a track and writes it as Opus or MP3."""

    def __init__(self, bench: Workbench, spec: AudioSpec, loudness: Loudness) -> None:
        form = FORMS[spec.codec]
        self._spec, self._loudness, self._gain = spec, loudness, gain_for(spec, loudness)
        self._whole = bench.directory / f"whole-{spec.name}.{form.suffix}"
        self._gained = Gained(
            sample_rate=spec.sample_rate, channels=spec.channels, sample_format=form.sample_format, gain=self._gain
        )
        options = {"fflags": "+bitexact", **form.options}
        self._container = av.open(str(self._whole), "w", format=form.container, container_options=options)
        stream = self._container.add_stream(form.encoder, rate=spec.sample_rate, layout=LAYOUTS[spec.channels])
        assert isinstance(stream, AudioStream)  # noqa: S101 - what an encoder of sound is given
        stream.codec_context.bit_rate = spec.bitrate_bps
        stream.codec_context.format = form.sample_format
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._container.close()

    def feed(self, frame: AudioFrame) -> None:
        """Take one more block."""
        self._encode(self._gained.feed(frame))

    def finish(self, heard: Heard) -> Coded:
        """No more sound. Raises `Refused` when there was none at all."""
        self._encode(self._gained.flush())
        require_sound(self._gained.samples, heard)
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return Coded(
            spec=self._spec,
            whole=self._whole,
            heard=heard,
            loudness=self._loudness,
            gain=self._gain,
            samples=self._gained.samples,
        )

    def _encode(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            self._container.mux(self._stream.encode(frame))
