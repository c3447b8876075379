"""A sound that is streamed, beside pictures or alone: its segments, as playlists see them and as they are shipped."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from smmu.adapters.media import aac, hls
from smmu.adapters.media.proof import check, check_within, prove_audio
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Check, RenderedFile, Rendition

MASTER_PATH, DASH_PATH = "hls/master.m3u8", "hls/manifest.mpd"


@dataclass(slots=True, kw_only=True)
class Sound:
    """One audio rendition, encoded and not yet shipped."""

    encoded: aac.Encoded
    folder: str
    files: list[RenderedFile] = field(default_factory=list)

    @property
    def pieces(self) -> list[hls.Piece]:
        """Its segments as playlists see them."""
        return [
            hls.Piece(name=Path(segment.path).name, duration=segment.duration, size=segment.size)
            for segment in self.encoded.segments
        ]

    @property
    def track(self) -> hls.Track:
        """The rendition as playlists see it."""
        return hls.Track(
            folder=self.folder.removeprefix("hls/"),
            codecs=self.encoded.codecs,
            ticks=self.encoded.spec.sample_rate,
            pieces=self.pieces,
            channels=self.encoded.spec.channels,
            name=self.encoded.spec.title,
            language=self.encoded.spec.language,
            purpose=self.encoded.spec.purpose or "",
        )


def publish_sound(bench: Workbench, sound: Sound, target: int) -> Rendition:
    """Ship its segments and its playlist, whose target duration is that of all that is played with it."""
    encoded = sound.encoded
    proof = prove_audio(encoded, encoded.whole, bench.beat)
    init = bench.finish(encoded.init_path, hls.SOUND_INIT_TYPE)
    sound.files.append(init)
    for segment in encoded.segments:
        sound.files.append(bench.finish(segment.path, hls.SEGMENT_TYPE))
    playlist = hls.media_playlist(sound.pieces, target)
    listed = text_file(bench, f"{sound.folder}/{hls.PLAYLIST_NAME}", playlist, hls.PLAYLIST_TYPE)
    return Rendition(
        name=encoded.spec.name,
        role=encoded.spec.role,
        files=(listed, *sound.files),
        duration_s=encoded.seconds,
        bitrate_bps=hls.average_bps(sound.pieces),
        codecs=encoded.codecs,
        language=encoded.spec.language or None,
        title=encoded.spec.title or None,
        purpose=encoded.spec.purpose,
        proof=proof,
    )


def prove_stream(sound: Sound) -> tuple[Check, ...]:
    """A stream of sound alone: its segments follow each other to the end, and none is longer than it may be."""
    encoded, ends = sound.encoded, Fraction(0)
    gaps = 0
    for segment in encoded.segments:
        gaps += segment.start != ends
        ends = segment.start + segment.duration
    longest = max(segment.duration for segment in encoded.segments)
    most = encoded.spec.segment_seconds + Fraction(aac.FRAME_SAMPLES, encoded.spec.sample_rate)
    return (
        check("segments that do not begin where the one before ends", 0, gaps),
        check("segments that were shipped", len(encoded.segments), len(sound.files) - 1),
        check_within("end of the last segment (s)", encoded.seconds, float(ends), 1 / encoded.spec.sample_rate),
        Check(name="segment duration", ok=longest <= most, expected=f"at most {float(most):.3f} s",
              measured=f"{float(longest):.3f} s"),
    )  # fmt: skip


def text_file(bench: Workbench, path: str, content: str, content_type: str) -> RenderedFile:
    """Ship a file of text."""
    target = bench.directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content, encoding="utf-8")
    return bench.finish(path, content_type)
