"""What is made of sound: the main track as files and as a stream, encoded whole, and waveforms. Never in chunks.

AAC in chunks drifts and falls silent at every join; so sound is always encoded in one piece. Loudness is corrected
by the engine, linearly, to what `AudioSpec` says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from smmu.domain import estimates, plan_images
from smmu.domain.facts import AudioTrack, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.options import AudioFormat, Options
from smmu.domain.plan import (
    AudioSpec,
    ChaptersSpec,
    DashSpec,
    Decision,
    PlannedTask,
    PlaylistSpec,
    Role,
    Spec,
    TaskKind,
    WaveformSpec,
)

MAIN = "hls-audio"
SURROUND_CHANNELS = 6
NAMED_CHANNELS_MAX = 8  # 7.1; nobody knows where more of them are
_BITRATE_BPS = {1: 64_000, 2: 128_000, SURROUND_CHANNELS: 256_000}
_FILE_BITRATE_BPS = {"opus": {1: 64_000, 2: 96_000}, "mp3": {1: 96_000, 2: 192_000}}
_CHANNELS_MAX = 2
_DRAWN = (1_200, 200)
_CD_RATE, _VIDEO_RATE = 44_100, 48_000
_CD_FAMILY = frozenset({11_025, 22_050, 44_100, 88_200, 176_400})


def main_track(tracks: Sequence[AudioTrack]) -> AudioTrack | None:
    """The track to use: the default one of those that can be played, else the first of them, else none."""
    playable = [track for track in tracks if track.playable]
    return next((track for track in playable if track.default), playable[0] if playable else None)


def audio_spec(track: AudioTrack, name: str, role: Role) -> AudioSpec:
    """AAC of this track: mono or stereo, at 44.1 or 48 kHz."""
    return _spec(track, name, role, min(track.channels, _CHANNELS_MAX))


def surround_spec(track: AudioTrack, name: str, role: Role) -> AudioSpec:
    """AAC of this track in 5.1: it has the channels for that."""
    return _spec(track, name, role, SURROUND_CHANNELS)


def _spec(track: AudioTrack, name: str, role: Role, channels: int) -> AudioSpec:
    return AudioSpec(
        name=name,
        role=role,
        track_index=track.index,
        channels=channels,
        sample_rate=_CD_RATE if track.sample_rate in _CD_FAMILY else _VIDEO_RATE,
        bitrate_bps=_BITRATE_BPS[channels],
        language=track.language,
        title=track.title,
        purpose=track.purpose,
    )


def task(facts: MediaFacts, renditions: tuple[Spec, ...], limits: Limits) -> PlannedTask:
    """The task `audio`, which owes these renditions."""
    believed = facts.duration_s if facts.duration_exact else None
    return PlannedTask(
        name="audio",
        kind=TaskKind.AUDIO,
        renditions=renditions,
        duration_s=facts.duration_s,
        duration_exact=facts.duration_exact,
        memory_bytes=estimates.sound_memory(limits),
        seconds_max=estimates.sound_seconds(believed, limits),
    )


def waveforms(track_index: int) -> tuple[WaveformSpec, ...]:
    """Its peaks, as players read them and as a picture."""
    return (
        WaveformSpec(track_index=track_index),
        WaveformSpec(name="waveform-dat", format="dat", track_index=track_index),
        WaveformSpec(name="waveform-png", format="png", track_index=track_index, width=_DRAWN[0], height=_DRAWN[1]),
    )


def sound_task(facts: MediaFacts, track: AudioTrack, options: Options, limits: Limits) -> PlannedTask:
    """The task that makes files of the sound, a stream of it, its waveforms, and pictures of its cover."""
    covers = plan_images.covers(facts.cover, options) if facts.cover else ()
    chapters = (ChaptersSpec(),) if facts.chapters and options.preset != "preview-only" else ()
    made = task(facts, (*_renditions(track, options), *chapters, *covers), limits)
    if not facts.cover:
        return made
    pixels = facts.cover.width * facts.cover.height
    needed = estimates.images_memory(covers, pixels, 1, limits)
    return replace(made, memory_bytes=max(made.memory_bytes, needed))


def _renditions(track: AudioTrack, options: Options) -> tuple[Spec, ...]:
    files = tuple(_file_spec(track, kind) for kind in options.audio_formats)
    if options.preset == "preview-only":
        return (*files, WaveformSpec(track_index=track.index))
    stream = (audio_spec(track, MAIN, Role.HLS_AUDIO), PlaylistSpec(), DashSpec())
    return (*files, *stream, *waveforms(track.index))


def _file_spec(track: AudioTrack, kind: AudioFormat) -> AudioSpec:
    """The sound as a file. Opus is always 48,000 Hz, and needs fewer bits than AAC; MP3 needs more."""
    spec = audio_spec(track, "audio", Role.AUDIO)
    if kind == "aac":
        return spec
    rate = _VIDEO_RATE if kind == "opus" else spec.sample_rate
    bitrate = _FILE_BITRATE_BPS[kind][spec.channels]
    return replace(spec, name=f"audio-{kind}", codec=kind, sample_rate=rate, bitrate_bps=bitrate)


def about_formats(options: Options) -> Iterator[Decision]:
    """What is made beside AAC, and what a preset leaves out."""
    for kind in options.audio_formats:
        if kind != "aac":
            yield Decision(subject=kind, choice="made beside AAC", reason="asked for; not every player has it")
    if options.preset == "preview-only":
        yield Decision(subject="hls", choice="skipped", reason="the preset preview-only makes a sound as one file")


def decisions(facts: MediaFacts, track: AudioTrack) -> Iterator[Decision]:
    """Why this track of a sound, and none of the others."""
    yield from about_main(facts, track)
    for other in facts.audio:
        if other is not track:
            why = "only the main sound is made" if other.playable else other.why_unplayable
            yield Decision(subject=f"track {other.index}", choice="skipped", reason=why)


def about_main(facts: MediaFacts, track: AudioTrack) -> Iterator[Decision]:
    """Why this is the main track, and what is changed in it."""
    subject = f"track {track.index}"
    why = "the only one" if len(facts.audio) == 1 else "marked as default" if track.default else "the first playable"
    yield Decision(subject=subject, choice="main sound", reason=why)
    if track.channels > _CHANNELS_MAX:
        yield Decision(subject=subject, choice="mixed to stereo", reason=f"it has {track.channels} channels")
    rate = audio_spec(track, "", Role.AUDIO).sample_rate
    if rate != track.sample_rate:
        yield Decision(subject=subject, choice=f"resampled to {rate} Hz", reason=f"it has {track.sample_rate} Hz")
