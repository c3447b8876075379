"""Whether what is said in a file is written down, and if not, why: captions as WebVTT and SRT, and a transcript."""

from dataclasses import dataclass
from typing import Final, Literal

from smmu.domain import estimates, plan_glimpses, plan_sound
from smmu.domain.facts import AudioTrack, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import CaptionsSpec, Decision, Family, PlannedTask, Role, TaskKind

NO_ENGINE: Final = "no speech model: see `smmu models`, or set SMMU_SPEECH__ENGINE"
ENGINE_MISSING: Final = "engine missing"  # one was chosen, and cannot be used
_SUBJECT: Final = "speech"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What an engine takes: bytes of address space, and at worst this many seconds for each second of sound.

    `before_s` are the seconds before it can begin, at worst.
    """

    memory_bytes: int
    pace: float
    before_s: float = 0.0


Speech = Demands | str
"""What there is to recognise speech with; as text, why there is nothing and what to do about it."""


def tasks(
    facts: MediaFacts, options: Options, limits: Limits, speech: Speech
) -> tuple[tuple[PlannedTask, ...], tuple[Decision, ...]]:
    """The task `transcribe`, when there is sound and an engine; and why there is one or not.

    Captions are extra: a film is none the worse without them, and an engine is what fails most.
    """
    track = plan_sound.main_track(facts.audio)
    if facts.image is not None or track is None:
        return (), ()
    if options.mute:
        return (), (_decision("not transcribed", "its sound is not wanted"),)
    if options.preset == "preview-only":
        return (), (_decision("not transcribed", plan_glimpses.THE_LEAST),)
    if isinstance(speech, str):
        return (), (_decision("not transcribed" if speech == NO_ENGINE else ENGINE_MISSING, speech),)
    return (_task(facts, track, limits, speech),), (_decision("transcribed", "there is sound and an engine"),)


def _task(facts: MediaFacts, track: AudioTrack, limits: Limits, demands: Demands) -> PlannedTask:
    believed = facts.duration_s if facts.duration_exact else None
    return PlannedTask(
        name="transcribe",
        kind=TaskKind.TRANSCRIBE,
        family=Family.TRANSCRIBE,
        renditions=tuple(
            CaptionsSpec(name=name, role=role, format=form, track_index=track.index) for name, role, form in _WRITTEN
        ),
        duration_s=facts.duration_s,
        duration_exact=facts.duration_exact,
        extra=True,
        memory_bytes=max(demands.memory_bytes, estimates.sound_memory(limits)),
        seconds_max=estimates.speech_seconds(believed, demands.pace, demands.before_s, limits),
    )


_WRITTEN: Final[tuple[tuple[str, Role, Literal["vtt", "srt", "json"]], ...]] = (
    ("captions", Role.CAPTIONS, "vtt"),
    ("captions-srt", Role.CAPTIONS, "srt"),
    ("transcript", Role.TRANSCRIPT, "json"),
)


def _decision(choice: str, reason: str) -> Decision:
    return Decision(subject=_SUBJECT, choice=choice, reason=reason)
