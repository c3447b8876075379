"""What a demuxer and a first decoded frame say of one track, in the words of `domain.facts`.

Every number of a hostile header is made harmless here: an aspect of 0:0, a matrix that is none, a rate of a million.
It refuses to decide whether a file may enter: `inspect_av.py` does.
"""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from smmu.adapters.media.timing import Samples, is_variable, measured_rate, nearest_standard
from smmu.adapters.media.workbench import DECODERS
from smmu.domain.facts import AudioTrack, Chapter, Purpose, SubtitleTrack, Transfer, VideoTrack
from smmu.domain.languages import tag_of

_DECODERS = frozenset(DECODERS.split(","))
_TRANSFERS = {16: Transfer.PQ, 18: Transfer.HLG}  # ISO/IEC 23091-2, TransferCharacteristics
_PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 12: "p3"}
_MATRICES = {0: "gbr", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
_CURVES = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 13: "srgb", 16: "pq", 18: "hlg"}
_FULL_RANGE = 2
_MATRIX_BYTES = 36
_ASPECT_MAX = 10
_RATE_MAX = 1_000
CHAPTERS_MAX, CHAPTER_TITLE_CHARS_MAX = 500, 200
_PICTURES = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
_UNKNOWN_LANGUAGES = frozenset({"", "und", "mis", "zxx"})
TRACK_TITLE_CHARS_MAX = 100
_SOUNDS_ARE_FOR = {
    Disposition.visual_impaired: Purpose.DESCRIPTION,
    Disposition.descriptions: Purpose.DESCRIPTION,
    Disposition.comment: Purpose.COMMENTARY,
}
_TEXTS_ARE_FOR = {
    Disposition.forced: Purpose.FORCED,
    Disposition.hearing_impaired: Purpose.HARD_OF_HEARING,
    Disposition.captions: Purpose.HARD_OF_HEARING,
    Disposition.comment: Purpose.COMMENTARY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How a display matrix turns the picture: mirrored top to bottom first, then turned clockwise.

    What is `tilted` it would turn by less than a quarter, or bend.
    """

    rotation_cw: int = 0
    reflected: bool = False
    tilted: bool = False


def is_cover_art(stream: Stream) -> bool:
    """Whether a picture track is only a picture: of a record, or of a chapter, or a photo beside a film."""
    return bool(stream.disposition & _PICTURES)


def decoder_of(stream: Stream) -> CodecContext | None:
    """The stream's decoder; `None` when FFmpeg has none, which PyAV's types do not know."""
    return stream.codec_context


def is_decodable(stream: Stream) -> bool:
    """Whether there is a decoder for it, and one that is used here."""
    context = decoder_of(stream)
    return context is not None and context.codec.name in _DECODERS


def codec_name(stream: Stream) -> str:
    """The codec and not its decoder: "av1", never "libdav1d"."""
    return str(stream.codec_context.codec.canonical_name)


def turn_of(frame: VideoFrame) -> Turn:
    """The frame's display matrix; nothing when it has none, or one that is no turn by quarters."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if isinstance(data, SideData) and data.buffer_size == _MATRIX_BYTES:
        return turn(struct.unpack("=9i", bytes(data)))
    return Turn()


def turn(matrix: tuple[int, ...]) -> Turn:
    """A matrix maps (x, y) to (ax + cy, bx + dy), in 16.16 fixed point, with y downwards (ISO/IEC 14496-12)."""
    a, b, _, c, d = matrix[:5]
    determinant = a * d - b * c
    length = math.hypot(a, b)
    if determinant == 0 or length == 0 or math.hypot(c, d) == 0:
        return Turn(tilted=True)
    degrees = math.degrees(math.atan2(b, a))
    quarter = round(degrees / 90)
    if abs(degrees - 90 * quarter) > 1:  # no quarter turn: nobody's camera does that
        return Turn(tilted=True)
    return Turn(rotation_cw=quarter * 90 % 360, reflected=determinant < 0)


def aspect_of(stream: VideoStream) -> Fraction:
    """The shape of a pixel; square when the header says nonsense."""
    found = stream.sample_aspect_ratio
    if not found or not Fraction(1, _ASPECT_MAX) <= found <= _ASPECT_MAX:
        return Fraction(1)
    return Fraction(found)


def seconds(ticks: int | None, time_base: Fraction | None) -> float | None:
    """Ticks as seconds, when both are known and make sense."""
    if ticks is None or time_base is None or ticks <= 0:
        return None
    return float(ticks * time_base)


def duration_of(stream: Stream, samples: Samples | None) -> float | None:
    """The header's word while the samples bear it out, and otherwise the samples'."""
    claimed = seconds(stream.duration, stream.time_base)
    if samples is None or samples.first is None:
        return claimed
    span = samples.span_s
    if span is None:
        return None
    tolerance = max(0.1, 2 * samples.mean_step_s)
    return claimed if claimed is not None and abs(claimed - span) <= tolerance else span


def rate_of(stream: VideoStream, samples: Samples | None) -> Fraction | None:
    """Pictures per second: measured where there are samples, else claimed."""
    claimed = stream.average_rate or stream.guessed_rate
    rate = nearest_standard(Fraction(claimed)) if claimed else None
    if samples:
        rate = measured_rate(samples.times, samples.time_base) or rate
    return rate if rate and 0 < rate <= _RATE_MAX else None


def video_track(stream: VideoStream, frame: VideoFrame, samples: Samples | None) -> VideoTrack:
    """The facts of the main picture track."""
    turned = turn_of(frame)
    length = duration_of(stream, samples)
    level = stream.codec_context.level
    return VideoTrack(
        index=stream.index,
        codec=codec_name(stream),
        profile=stream.profile or "",
        level=level if level and level > 0 else None,
        width=frame.width,
        height=frame.height,
        sample_aspect=aspect_of(stream),
        rotation_cw=turned.rotation_cw,
        reflected=turned.reflected,
        tilted=turned.tilted,
        frame_rate=rate_of(stream, samples),
        variable_frame_rate=bool(samples and is_variable(samples.times, samples.time_base)),
        frames=samples.count if samples else stream.frames or None,
        duration_s=length,
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        transfer=_TRANSFERS.get(frame.color_trc, Transfer.SDR),
        colour_primaries=_PRIMARIES.get(frame.color_primaries, ""),
        colour_space=_MATRICES.get(frame.colorspace, ""),
        colour_transfer=_CURVES.get(frame.color_trc, ""),
        full_range=frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj"),
        bitrate_bps=int(samples.size * 8 / length) if samples and length else None,
        trimmed=bool(samples and samples.hidden),
    )


def audio_track(stream: AudioStream, samples: Samples | None) -> AudioTrack:
    """The facts of one sound track."""
    return AudioTrack(
        index=stream.index,
        codec=codec_name(stream),
        channels=stream.codec_context.channels,
        sample_rate=stream.codec_context.sample_rate,
        duration_s=duration_of(stream, samples),
        language=language_of(stream),
        default=bool(stream.disposition & Disposition.default),
        title=title_of(stream),
        purpose=purpose_of(stream, _SOUNDS_ARE_FOR),
    )


def unheard_track(stream: AudioStream, codec: str, why: str) -> AudioTrack:
    """A sound track of which nothing can be heard."""
    return AudioTrack(
        index=stream.index, codec=codec, channels=0, sample_rate=0, language=language_of(stream), unheard=why
    )


def subtitle_track(stream: SubtitleStream) -> SubtitleTrack:
    """The facts of one text track."""
    codec = codec_name(stream) if decoder_of(stream) is not None else ""
    return SubtitleTrack(
        index=stream.index,
        codec=codec,
        language=language_of(stream),
        title=title_of(stream),
        purpose=purpose_of(stream, _TEXTS_ARE_FOR),
    )


def chapters_of(container: InputContainer) -> Iterator[Chapter]:
    """The chapters that have a length, at most `CHAPTERS_MAX` of them; of a title, what can be printed."""
    for chapter in container.chapters()[:CHAPTERS_MAX]:
        unit = chapter["time_base"] or Fraction(0)
        start, end = float(chapter["start"] * unit), float(chapter["end"] * unit)
        title = _printable(chapter["metadata"].get("title", ""))
        if 0 <= start < end:
            yield Chapter(start_s=round(start, 3), end_s=round(end, 3), title=title[:CHAPTER_TITLE_CHARS_MAX])


def title_of(stream: Stream) -> str:
    """What the file calls a track, of what can be printed and stand between quotes; "" when it does not."""
    return _printable(stream.metadata.get("title", "")).replace('"', "'").strip()[:TRACK_TITLE_CHARS_MAX]


def purpose_of(stream: Stream, known: Mapping[Disposition, Purpose]) -> Purpose | None:
    """What a track is marked to be for."""
    return next((purpose for mark, purpose in known.items() if stream.disposition & mark), None)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def language_of(stream: Stream) -> str:
    """The language's tag, or "" when it says nothing. A hostile one may be anything: only letters pass."""
    code = (stream.language or "").lower()
    plain = code.replace("-", "").isalnum() and code.isascii() and len(code) <= 12  # noqa: PLR2004
    return tag_of(code) if plain and code not in _UNKNOWN_LANGUAGES else ""
