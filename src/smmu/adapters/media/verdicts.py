"""Why a video or a sound file is refused: every rule in one place, each with a sentence that says what to do.

Nothing is read or decoded here. The rules for pictures are in `inspect_image.py`.
"""

from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from smmu.adapters.media.boxes import Outline
from smmu.adapters.media.graph import UNCONVERTED
from smmu.adapters.media.measure import Measures
from smmu.adapters.media.selection import Selection, select
from smmu.adapters.media.tracks import codec_name, decoder_of, is_decodable
from smmu.domain.errors import Code, Refused, refuse, refuse_if
from smmu.domain.facts import MediaFacts
from smmu.domain.judgement import judge_pictures
from smmu.domain.limits import Limits
from smmu.domain.signatures import Sniffed

_AGAIN = "Export it again and upload the new file."
_WHOLE = "Check that the original plays to its end, and upload it again."
_LOCK = "enc_key_id"  # what FFmpeg's Matroska demuxer notes of an encrypted track
# Each edit of an MP4 lists samples anew, and FFmpeg seeks in time that grows with the square of the list.
_LISTED_MIN, _LISTED_TIMES_MAX = 1_000, 10


def before_opening(boxes: Outline | None) -> None:
    """What the outline alone decides."""
    if boxes is None:
        return
    if boxes.locked:
        raise _locked()
    if boxes.fragmented and boxes.missing_bytes:
        raise _cut_off(f"its last {boxes.missing_bytes} bytes are missing")


def unreadable(boxes: Outline | None, sniffed: Sniffed) -> Refused:
    """Why the demuxer would not open it."""
    if boxes is not None and not boxes.has_index:
        return _cut_off("it has no index")
    if boxes is not None and boxes.missing_bytes:
        return _cut_off(f"its last {boxes.missing_bytes} bytes are missing")
    return refuse(Code.REJECTED_CORRUPT, f"The file begins like {sniffed.label} and cannot be read as one. {_AGAIN}")


def too_many_streams(limits: Limits) -> Refused:
    """More streams than anybody records."""
    return refuse(
        Code.REJECTED_STREAMS,
        f"The file has more than {limits.streams_max} streams. Upload one with fewer tracks.",
    )


def on_streams(container: InputContainer, boxes: Outline | None, limits: Limits) -> None:
    """Every picture track needs a decoder, and one that is used here; of sounds, where there are any, one has to."""
    if len(container.streams) > limits.streams_max:
        raise too_many_streams(limits)
    if not container.streams.video and not container.streams.audio:
        raise refuse(Code.REJECTED_EMPTY, f"The file holds neither picture nor sound. {_WHOLE}")
    if boxes is not None and boxes.unlike_any:
        raise refuse(
            Code.REJECTED_UNSUPPORTED_CODEC,
            "Its pictures are Dolby Vision without a base layer, and no other decoder shows their colours. "
            "Export it as HDR10, HLG or SDR.",
        )
    if any(_LOCK in stream.metadata for stream in container.streams):
        raise _locked()
    for stream in (*container.streams.video, *select(container).audio):
        _check_decoder(stream, boxes)


def on_tracks(chosen: Selection, limits: Limits) -> None:
    """The size that the header claims, before a frame is decoded."""
    if not chosen.main:
        raise refuse(Code.REJECTED_EMPTY, f"The file holds a cover picture and neither video nor sound. {_WHOLE}")
    if chosen.video is not None:
        context = chosen.video.codec_context
        _check_size(context.width, context.height, limits)


def on_index(chosen: Selection, size: int, limits: Limits, *, indexed: bool) -> None:
    """An index that lists nothing, the same again and again, or bytes beyond the end, cannot be rendered."""
    if not indexed:
        return
    for stream in chosen.judged:
        if not len(stream.index_entries):
            if _may_be_empty(stream, chosen):
                continue
            raise _empty_track(stream)
        if isinstance(stream, VideoStream):
            context = stream.codec_context
            refuse_if(tuple(judge_pictures(len(stream.index_entries), context.width, context.height, limits)))
        if len(stream.index_entries) > _LISTED_MIN + _LISTED_TIMES_MAX * stream.frames:
            raise _edited(stream)
        beyond = max(entry.pos + entry.size for entry in stream.index_entries) - size
        if beyond > 0:
            raise _cut_off(f"its {stream.type} track goes on for {beyond} bytes after the end")


def on_measures(chosen: Selection, measures: Measures, boxes: Outline | None) -> None:
    """Every track must have shown a frame, unless the budget ended before it had a packet."""
    for stream in chosen.judged:
        trial = measures.trials[stream.index]
        if trial.frames:
            _check_matrix(trial.first)
            continue
        if trial.packets:
            why = trial.reason or "no frame came"
            track = f"{stream.type} track ({codec_name(stream)})"
            raise refuse(Code.REJECTED_CORRUPT, f"The {track} cannot be decoded: {why}. {_AGAIN}")
        if boxes is not None and boxes.missing_bytes:
            raise _cut_off(f"its last {boxes.missing_bytes} bytes are missing")
        if not _may_be_empty(stream, chosen):
            raise _empty_track(stream)


def on_end(dead: tuple[Stream, float] | None) -> None:
    """What the index promises of the last tenth has to be there."""
    if dead is not None:
        stream, second = dead
        raise _cut_off(f"nothing of its {stream.type} track can be decoded after {second:.1f} seconds")


def on_facts(facts: MediaFacts, limits: Limits) -> None:
    """What was measured, against the limits."""
    if facts.video is not None:
        _check_size(facts.video.width, facts.video.height, limits)
    if facts.duration_s is None:
        raise refuse(Code.REJECTED_CORRUPT, f"The file does not say when its samples are. {_AGAIN}")
    if facts.duration_exact and facts.duration_s > limits.duration_seconds_max:
        hours = limits.duration_seconds_max / 3600
        raise refuse(
            Code.REJECTED_DURATION,
            f"The file lasts {facts.duration_s / 3600:.1f} hours; at most {hours:.0f} are allowed. Cut it into parts.",
        )


def _check_decoder(stream: Stream, boxes: Outline | None) -> None:
    if is_decodable(stream):
        return
    known = coded_as(stream, boxes)
    if not known:
        raise refuse(Code.REJECTED_CORRUPT, f"Its {stream.type} track does not say how it is coded. {_AGAIN}")
    raise refuse(
        Code.REJECTED_UNSUPPORTED_CODEC,
        f"The {stream.type} track is coded as {known}, which cannot be decoded here. "
        "Export it with H.264 pictures and AAC sound.",
    )


def coded_as(stream: Stream, boxes: Outline | None) -> str:
    """What a track without a decoder that is used here is coded as; "" when nothing says it."""
    if decoder_of(stream) is not None:
        return codec_name(stream)
    if boxes is None:
        return "something unknown"
    return boxes.codecs[stream.index] if stream.index < len(boxes.codecs) else ""


def _check_matrix(frame: VideoFrame | None) -> None:
    """The numbers of a picture have to be ones of which its colours can be made here."""
    if frame is None or frame.format.is_rgb or frame.colorspace not in UNCONVERTED:
        return
    raise refuse(
        Code.REJECTED_UNSUPPORTED_CODEC,
        f"Its colours are written as {UNCONVERTED[frame.colorspace]}, which cannot be converted here. "
        "Export it with colours of BT.709.",
    )


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width <= 0 or height <= 0:
        raise refuse(Code.REJECTED_CORRUPT, f"The picture has no size. {_AGAIN}")
    if max(width, height) > limits.video_side_max:
        raise refuse(
            Code.REJECTED_DIMENSIONS,
            f"The picture is {width} x {height}; at most {limits.video_side_max} a side are allowed. Scale it down.",
        )
    if width * height > limits.video_pixels_max:
        raise refuse(
            Code.REJECTED_PIXELS,
            f"The picture has {width * height} pixels; at most {limits.video_pixels_max} are allowed. Scale it down.",
        )


def _locked() -> Refused:
    return refuse(Code.REJECTED_ENCRYPTED, "The file is encrypted. Upload a copy without copy protection.")


def _cut_off(how: str) -> Refused:
    return refuse(Code.REJECTED_TRUNCATED, f"The file was cut off: {how}. {_WHOLE}")


def _may_be_empty(stream: Stream, chosen: Selection) -> bool:
    """A browser that records without a microphone announces sound that never comes."""
    return stream in chosen.audio and chosen.video is not None


def _empty_track(stream: Stream) -> Refused:
    return refuse(Code.REJECTED_CORRUPT, f"Its {stream.type} track (number {stream.index}) is empty. {_AGAIN}")


def _edited(stream: Stream) -> Refused:
    listed = f"{len(stream.index_entries)} samples where there are {stream.frames}"
    return refuse(Code.REJECTED_CORRUPT, f"The edits of its {stream.type} track list {listed}. {_AGAIN}")
