"""Measures a video or a sound file: what its tracks are, how long they are, and that they decode.

A header only proposes. Times come from the index or the packets as far as the read budget goes, the first frames of
every track are decoded, and a file at fault is refused with one sentence that says what to do.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import av
from av.container import InputContainer

from smmu.adapters.media import verdicts
from smmu.adapters.media.boxes import Outline, outline
from smmu.adapters.media.content_types import by_content
from smmu.adapters.media.ending import first_dead
from smmu.adapters.media.groups import CODEC, groups_of
from smmu.adapters.media.inspect import admitted
from smmu.adapters.media.measure import Measures, measure
from smmu.adapters.media.selection import Selection, select
from smmu.adapters.media.sound_tags import sound_tags
from smmu.adapters.media.tracks import (
    audio_track,
    chapters_of,
    codec_name,
    subtitle_track,
    unheard_track,
    video_track,
)
from smmu.adapters.media.workbench import Workbench
from smmu.domain.facts import AudioTrack, Kind, Mark, MediaFacts, VideoTrack
from smmu.domain.limits import Limits
from smmu.domain.signatures import Sniffed

_BOXED = frozenset({"mp4", "mov"})
_TAKEN_AT = "com.android.capture.fps"
_EVERY_PICTURE = "com.apple.quicktime.full-frame-rate-playback-intent"
_SLOWED = 1.5  # times slower: less is how rates are rounded
_FAST = 100  # pictures a second, beyond the rates at which films are shown
_PAIRED = "com.apple.quicktime.content.identifier"  # the name that a photo and its film share


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What is known before the file is opened."""

    sniffed: Sniffed
    size: int
    boxes: Outline | None

    @property
    def indexed(self) -> bool:
        """Whether the container's index lists every sample."""
        return self.boxes is not None and self.boxes.has_index and not self.boxes.fragmented


def inspect_av(bench: Workbench) -> MediaFacts:
    """The facts of the bench's source. Raises `Refused`."""
    file = _looked_at(bench)
    verdicts.before_opening(file.boxes)
    with _opened(bench, file) as container:
        verdicts.on_streams(container, file.boxes, bench.limits)
        chosen = select(container)
        verdicts.on_tracks(chosen, bench.limits)
        verdicts.on_index(chosen, file.size, bench.limits, indexed=file.indexed)
        measures = measure(bench, container, chosen.judged, size=file.size, indexed=file.indexed)
        verdicts.on_measures(chosen, measures, file.boxes)
        if file.indexed:
            verdicts.on_end(first_dead(bench, container, chosen.main, measures.samples))
        facts = _facts(bench, file, container, chosen, measures)
    verdicts.on_facts(facts, bench.limits)
    return facts


def _looked_at(bench: Workbench) -> _File:
    bench.source.seek(0)
    sniffed = admitted(bench.source.read(bench.limits.sniff_bytes))
    size = bench.source.seek(0, 2)
    boxes = outline(bench.source, size) if sniffed.container in _BOXED else None
    return _File(sniffed=sniffed, size=size, boxes=boxes)


@contextlib.contextmanager
def _opened(bench: Workbench, file: _File) -> Iterator[InputContainer]:
    try:
        container = bench.open_container()
    except MemoryError:
        raise _crowded(bench.limits) from None
    except (av.FFmpegError, UnicodeDecodeError) as error:
        raise verdicts.unreadable(file.boxes, file.sniffed) from error
    with container:
        yield container


def _crowded(limits: Limits) -> Exception:
    """FFmpeg answers "no memory" to too many streams as well; it is that when there is memory to be had.

    Asked for it, and not what was used: the kernel's highest mark is inherited from the process that started this one.
    """
    try:
        bytearray(limits.child_memory_bytes // 4)
    except MemoryError as error:
        return error
    return verdicts.too_many_streams(limits)


def _facts(
    bench: Workbench, file: _File, container: InputContainer, chosen: Selection, measures: Measures
) -> MediaFacts:
    video = _video(chosen, measures)
    audio = tuple(_sounds(file, chosen, measures))
    if video is None:  # in Ogg the song's title is the track's, and that is a tag: nobody chooses between tracks here
        audio = tuple(replace(track, title="") for track in audio)
    kind = Kind.VIDEO if video else Kind.AUDIO
    return MediaFacts(
        kind=kind,
        container=file.sniffed.container,
        content_type=by_content(file.sniffed.content_type, kind),
        size_bytes=file.size,
        duration_s=_duration(chosen, measures, video, audio),
        duration_exact=measures.exact,
        video=video,
        audio=audio,
        subtitles=tuple(subtitle_track(stream) for stream in chosen.subtitles),
        has_cover_art=chosen.pictures > 0,
        has_position=_has_position(container),
        chapters=tuple(chapters_of(container)),
        tags=sound_tags([container.metadata, *(stream.metadata for stream in chosen.audio[:1])]) if not video else None,
        marks=tuple(_marks(file.boxes, container, video)) if video else (),
        bytes_read=bench.source.bytes_read,
        warnings=_warnings(measures),
    )


def _sounds(file: _File, chosen: Selection, measures: Measures) -> Iterator[AudioTrack]:
    """In the order of the file; what cannot be heard says why."""
    for stream in sorted((*chosen.audio, *chosen.undecodable), key=lambda one: one.index):
        if stream in chosen.undecodable:
            codec = verdicts.coded_as(stream, file.boxes) or "something unknown"
            yield unheard_track(stream, codec, f"it is coded as {codec}, which cannot be decoded here")
        elif measures.trials[stream.index].packets:
            yield audio_track(stream, measures.samples.get(stream.index))
        else:
            yield unheard_track(stream, codec_name(stream), "there is nothing in it")


def _video(chosen: Selection, measures: Measures) -> VideoTrack | None:
    if chosen.video is None:
        return None
    trial = measures.trials[chosen.video.index]
    assert trial.first is not None  # noqa: S101 - `verdicts.on_measures` refused a track that gave none
    samples = measures.samples.get(chosen.video.index)
    shown = video_track(chosen.video, trial.first, samples)
    track = replace(shown, captions=trial.captions, interlaced=trial.interlaced, others=len(chosen.others))
    if not measures.complete:  # of which few samples were seen, and none was counted
        return replace(track, frames=None, bitrate_bps=None)
    known = groups_of(samples, open_groups=measures.open_groups)
    return replace(track, groups=known if chosen.video.name == CODEC else None)


def _duration(
    chosen: Selection, measures: Measures, video: VideoTrack | None, audio: tuple[AudioTrack, ...]
) -> float | None:
    """From the first moment of any main track to the last of any."""
    tracks: tuple[VideoTrack | AudioTrack, ...] = (video, *audio) if video else audio
    spans = [(_start(chosen, measures, track.index), track.duration_s) for track in tracks if track.duration_s]
    if not spans:
        return None
    return max(start + length for start, length in spans) - min(start for start, _ in spans)


def _start(chosen: Selection, measures: Measures, index: int) -> float:
    """When a track begins. What lies before zero is priming that no player shows."""
    stream = next(stream for stream in chosen.main if stream.index == index)
    if stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    return measures.samples[index].start_s


def _marks(boxes: Outline | None, container: InputContainer, video: VideoTrack) -> Iterator[Mark]:
    if boxes is not None and boxes.spherical:
        yield Mark.SPHERICAL
    if boxes is not None and boxes.stereo:
        yield Mark.STEREO
    if _PAIRED in container.metadata:
        yield Mark.LIVE_PHOTO
    if video.frame_rate is not None and _is_slowed(container.metadata, video.frame_rate):
        yield Mark.SLOW_MOTION


def _is_slowed(said: Mapping[str, str], rate: Fraction) -> bool:
    """Whether it was taken faster than it is shown, or is to be shown slower than it has pictures.

    Android's key is the rate of taking. Apple's says 0 of everything that need not be shown picture by picture, also of
    films of an ordinary rate, which are no slower for it.
    """
    try:
        taken = float(said.get(_TAKEN_AT, "0"))
    except ValueError:
        taken = 0.0
    return taken >= _SLOWED * rate or (said.get(_EVERY_PICTURE) == "0" and rate >= _FAST)


def _has_position(container: InputContainer) -> bool:
    keys = [key.lower() for key in container.metadata]
    keys += [key.lower() for stream in container.streams for key in stream.metadata]
    return any(key.startswith(("location", "geo", "xyz", "©xyz")) or ".location." in key for key in keys)


def _warnings(measures: Measures) -> tuple[str, ...]:
    found = []
    if measures.broke_off:
        found.append(f"Reading stopped early: {measures.broke_off}.")
    if not measures.exact:
        found.append("The duration is the file's own word; it will be measured when it is rendered.")
    damaged = sum(trial.errors for trial in measures.trials.values())
    if damaged:
        found.append(f"{damaged} of the first packets are damaged.")
    return tuple(found)
