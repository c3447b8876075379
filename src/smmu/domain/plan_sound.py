"""What is made of a sound: one AAC rendition of the main track, whole, and a waveform. Never in chunks.

AAC in chunks drifts and falls silent at every join; so sound is always encoded in one piece. Loudness is corrected
by the engine, linearly, to what `AudioSpec` says.
"""

from collections.abc import Iterator, Sequence

from smmu.domain import estimates
from smmu.domain.facts import AudioTrack, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.plan import AudioSpec, Decision, PlannedTask, Role, Spec, TaskKind, WaveformSpec

SURROUND_CHANNELS = 6
_BITRATE_BPS = {1: 64_000, 2: 128_000, SURROUND_CHANNELS: 256_000}
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


def sound_and_waveform(facts: MediaFacts, track: AudioTrack, limits: Limits) -> PlannedTask:
    """The task that makes a file of the sound and its waveform."""
    return task(facts, (audio_spec(track, "audio", Role.AUDIO), *waveforms(track.index)), limits)


def decisions(facts: MediaFacts, track: AudioTrack) -> Iterator[Decision]:
    """Why this track of a sound, and none of the others."""
    yield from about_main(facts, track)
    for other in facts.audio:
        if other is not track:
            why = "only the main sound is made" if other.playable else "it states no channels or no sample rate"
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
