"""What is made of a video: a ladder with its sound and playlist, a progressive file, a poster, a waveform.

Pictures are made upright, progressive, with square pixels, in 8-bit BT.709, whatever the source was; each of these
changes is a decision with its reason. Timestamps are kept, so a variable frame rate stays variable.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Literal

from smmu.domain import copying, estimates, ladder, plan_glimpses, plan_sound, plan_tracks
from smmu.domain.facts import MediaFacts, Transfer, VideoTrack
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import (
    DashSpec,
    Decision,
    Mp4Spec,
    PlannedTask,
    PlaylistSpec,
    RungSpec,
    Spec,
    TaskKind,
    Transform,
)
from smmu.domain.plan_changes import changes

MP4_SHORT_MAX = 1080


def tasks(
    facts: MediaFacts, video: VideoTrack, options: Options, limits: Limits
) -> tuple[tuple[PlannedTask, ...], tuple[Decision, ...]]:
    """The tasks `video` and `poster`, and `audio` for the waveform when there is sound; and why they are so."""
    rungs, about_top = copying.decide(facts, video, _rungs(video, options), options)
    sounds, why_sounds = plan_tracks.sounds(facts, options)
    texts, why_texts = plan_tracks.texts(facts, options)
    shown, why_shown = plan_glimpses.task(facts, video, transform(video), options, limits)
    mp4, about_mp4 = _mp4(rungs, sounds[0].name if sounds else None)
    renditions: tuple[Spec, ...] = (*rungs, *sounds, PlaylistSpec(), DashSpec(), *mp4, *texts)
    made = [_ladder_task(facts, video, rungs, renditions, limits), shown]
    if sounds and options.preset != "preview-only":
        made.append(plan_sound.task(facts, plan_sound.waveforms(sounds[0].track_index), limits))
    elif sounds:
        why_sounds = (*why_sounds, Decision(subject="waveform", choice="skipped", reason=plan_glimpses.THE_LEAST))
    if not sounds and not options.mute:
        why_sounds = (*why_sounds, _source("no sound", "the file has no track that can be heard"))
    about_made = (*about_top, *about_mp4, *why_sounds, *why_texts, *why_shown)
    return tuple(made), (*_decisions(facts, video, rungs, options), *about_made)


def _rungs(video: VideoTrack, options: Options) -> tuple[RungSpec, ...]:
    rungs = ladder.rungs(video.display_size, _steady_rate(video), wanted=options.rungs)
    if options.preset == "archive":
        rungs = tuple(map(ladder.better, rungs))
    chosen = rungs[-1:] if options.preset == "preview-only" else rungs
    large = [rung for rung in chosen if min(rung.width, rung.height) >= ladder.MODERN_SHORT_MIN]
    return (*chosen, *(ladder.also(rung, codec) for codec in options.codecs if codec != "h264" for rung in large))


def _steady_rate(video: VideoTrack) -> Fraction | None:
    return None if video.variable_frame_rate else video.frame_rate


def _ladder_task(
    facts: MediaFacts,
    video: VideoTrack,
    rungs: tuple[RungSpec, ...],
    renditions: tuple[Spec, ...],
    limits: Limits,
) -> PlannedTask:
    pixels = video.width * video.height
    return PlannedTask(
        name="video",
        kind=TaskKind.VIDEO,
        renditions=renditions,
        transform=transform(video),
        duration_s=facts.duration_s,
        duration_exact=facts.duration_exact,
        memory_bytes=estimates.ladder_memory(rungs, pixels, limits),
        seconds_max=estimates.ladder_seconds(rungs, pixels, _believed(facts), limits),
    )


def _mp4(rungs: tuple[RungSpec, ...], audio: str | None) -> tuple[tuple[Mp4Spec, ...], tuple[Decision, ...]]:
    """The progressive file, which holds the largest rung that everybody can play; none where there is none."""
    plain = (rung for rung in rungs if rung.codec == "h264")
    rung = next((rung for rung in plain if min(rung.width, rung.height) <= MP4_SHORT_MAX), None)
    if rung is not None:
        reason = f"the largest rung that every player takes, of {MP4_SHORT_MAX} lines at most"
        return (Mp4Spec(rung=rung.name, audio=audio),), (Decision(subject="mp4", choice=rung.name, reason=reason),)
    reason = f"none of the rungs asked for has {MP4_SHORT_MAX} lines or fewer"
    return (), (Decision(subject="mp4", choice="skipped", reason=reason),)


def transform(video: VideoTrack) -> Transform:
    """What makes its pictures upright, whole and SDR."""
    return Transform(
        track_index=video.index,
        rotation_cw=video.rotation_cw % 360,
        reflected=video.reflected,
        deinterlace=video.interlaced,
        tone_map=_TONE_MAPS[video.transfer],
    )


_TONE_MAPS: dict[Transfer, Literal["pq", "hlg"] | None] = {Transfer.SDR: None, Transfer.PQ: "pq", Transfer.HLG: "hlg"}


def _believed(facts: MediaFacts) -> float | None:
    """A duration that only the header states bounds nothing: such files claim an hour for a second."""
    return facts.duration_s if facts.duration_exact else None


def _decisions(facts: MediaFacts, video: VideoTrack, rungs: Sequence[RungSpec], options: Options) -> Iterator[Decision]:
    yield from changes(facts, video, rungs)
    yield from _about_rungs(video, options)


def _about_rungs(video: VideoTrack, options: Options) -> Iterator[Decision]:
    size, rate = video.display_size, _steady_rate(video)
    lowest = f"{ladder.shorts(size, rate, options.rungs)[-1]}p"
    for decision in ladder.decisions(size, rate, options.rungs):
        if options.preset == "preview-only" and decision.choice == "made" and decision.subject != lowest:
            reason = "the preset preview-only makes the lowest rung alone"
            yield Decision(subject=decision.subject, choice="skipped", reason=reason)
        else:
            yield decision
    if options.preset == "archive":
        reason = f"asked for: a CRF lower by {ladder.BETTER_CRF_LESS}, and caps half as high again"
        yield Decision(subject="archive", choice="more bits", reason=reason)
    for codec in options.codecs:
        if codec != "h264":
            yield _about_codec(codec, min(video.display_size))


def _about_codec(codec: str, short: int) -> Decision:
    if short < ladder.MODERN_SHORT_MIN:
        reason = f"there is nothing to gain below {ladder.MODERN_SHORT_MIN} lines"
        return Decision(subject=codec, choice="skipped", reason=reason)
    return Decision(subject=codec, choice="made beside H.264", reason="asked for; not every player has it")


def _source(choice: str, reason: str) -> Decision:
    return Decision(subject="source", choice=choice, reason=reason)
