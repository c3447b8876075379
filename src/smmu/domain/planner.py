"""Facts in, plan out: what will be made of a file, and every choice with its reason.

Total over every file that `judgement.judge` admits: each gets at least one rendition. It decides by facts alone;
it never needs a decoder, a cloud or a clock, and asking twice gives the same plan.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from smmu.domain import plan_glimpses, plan_images, plan_sound, plan_speech, plan_video, plan_watermark
from smmu.domain.facts import Kind, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import Clip, Decision, Plan, PlannedTask
from smmu.domain.plan_chunks import staged
from smmu.domain.small import marked
from smmu.domain.watermark import Watermark

_Made = tuple[tuple[PlannedTask, ...], tuple[Decision, ...]]


def plan(
    facts: MediaFacts,
    options: Options,
    limits: Limits,
    speech: plan_speech.Speech = plan_speech.NO_ENGINE,
    watermark: Watermark | None = None,
) -> Plan:
    """The plan for an admissible file, with what there is to recognise speech with, and the watermark asked for.

    `ValueError` when its kind has no content: inspection has refused that; and for another watermark than asked for.
    """
    if (watermark is None) is not (options.watermark is None):
        raise ValueError("a plan has a watermark if, and only if, its options ask for one")
    clip = _clip(facts, options)
    tasks, decisions = _by_kind(_within(clip, facts), options, limits)
    heard, about_speech = plan_speech.tasks(_within(clip, facts), options, limits, speech)
    stages, about_chunks = staged([replace(task, clip=clip) for task in (*tasks, *heard)], facts, limits)
    stages, about_machines = marked(plan_watermark.laid_over(stages, watermark, limits), facts, limits)
    about_wishes = (*_about_wishes(facts, options), *plan_watermark.decisions(tasks, watermark))
    about_work = (*about_chunks, *about_speech, *about_machines)
    return Plan(
        stages=stages,
        decisions=(_about(facts, options), *about_wishes, *decisions, *about_work),
    )


def _clip(facts: MediaFacts, options: Options) -> Clip:
    if facts.kind is Kind.IMAGE:
        return Clip()
    end = options.clip_end_s
    return Clip(start=Fraction(str(options.clip_start_s)), end=None if end is None else Fraction(str(end)))


def _within(clip: Clip, facts: MediaFacts) -> MediaFacts:
    """The facts of what is left of a file: its duration is the clip's, and of its chapters there are those in it."""
    if clip.is_whole:
        return facts
    ends = [float(clip.end)] if clip.end is not None else []
    ends += [facts.duration_s] if facts.duration_s is not None else []
    start, end = float(clip.start), min(ends, default=math.inf)
    chapters = tuple(chapter for chapter in facts.chapters if chapter.end_s > start and chapter.start_s < end)
    return replace(facts, duration_s=max(0.0, end - start) if ends else None, chapters=chapters)


def _by_kind(facts: MediaFacts, options: Options, limits: Limits) -> _Made:
    if facts.image is not None:
        made = plan_images.tasks(facts, facts.image, options, limits)
        return _noted(made, options, "a picture has no sound: its smallest widths are made instead")
    if facts.video is None:
        return _sound(facts, options, limits)
    if options.preset != "audio-only":
        return plan_video.tasks(facts, facts.video, options, limits)
    if plan_sound.main_track(facts.audio) is not None:
        return _sound(facts, options, limits)
    shown, skipped = plan_glimpses.task(facts, facts.video, plan_video.transform(facts.video), options, limits)
    return _noted(((shown,), skipped), options, "the video has no sound: a poster is made instead")


def _sound(facts: MediaFacts, options: Options, limits: Limits) -> _Made:
    track = plan_sound.main_track(facts.audio)
    if track is None:
        msg = "a file without pictures and without playable sound is not admissible: see judgement.judge"
        raise ValueError(msg)
    return (plan_sound.sound_task(facts, track, options, limits),), (
        *plan_sound.decisions(facts, track),
        *plan_sound.about_formats(options),
        *_chapters(facts, options),
        *_cover(facts),
    )


def _about_wishes(facts: MediaFacts, options: Options) -> Iterator[Decision]:
    """What was asked for and what became of it; where a kind of file has no such thing, that."""
    still, sound = facts.kind is Kind.IMAGE, facts.kind is Kind.AUDIO
    if options.is_clipped:
        ends = options.clip_end_s
        if ends is not None and facts.duration_exact and facts.duration_s is not None and ends >= facts.duration_s:
            ends = None  # there is no more
        until = "its end" if ends is None else f"{ends:g} s"
        told = f"from {options.clip_start_s:g} s until {until}"
        yield _wish("clip", "not applied" if still else told, "a picture lasts no time" if still else "asked for")
    if options.mute:
        yield _wish("mute", "not applied" if still else "no sound", "a picture has no sound" if still else "asked for")
    if (still or sound) and options.rungs:
        yield _wish("rungs", "not applied", "only a video has rungs")
    if (still or sound) and len(options.codecs) > 1:
        yield _wish("codecs", "not applied", "only a video has them")
    if not sound and options.preset != "audio-only" and len(options.audio_formats) > 1:
        yield _wish("audio_formats", "not applied", "only a sound is made as files of its own")


def _wish(subject: str, choice: str, reason: str) -> Decision:
    return Decision(subject=subject, choice=choice, reason=reason)


def _noted(made: _Made, options: Options, reason: str) -> _Made:
    if options.preset != "audio-only":
        return made
    return made[0], (Decision(subject="audio-only", choice="not possible", reason=reason), *made[1])


def _chapters(facts: MediaFacts, options: Options) -> tuple[Decision, ...]:
    if not facts.chapters:
        return ()
    if options.preset == "preview-only":
        return (Decision(subject="chapters", choice="skipped", reason=plan_glimpses.THE_LEAST),)
    return plan_glimpses.about_chapters(facts)


def _cover(facts: MediaFacts) -> tuple[Decision, ...]:
    if facts.cover is not None:
        width, height = facts.cover.display_size
        reason = f"the sound carries a picture of {width} × {height}, which is no video"
        return (Decision(subject="cover art", choice="made as pictures", reason=reason),)
    if facts.has_cover_art:
        reason = "what is attached to the sound cannot be decoded as a picture"
        return (Decision(subject="cover art", choice="skipped", reason=reason),)
    return ()


def _about(facts: MediaFacts, options: Options) -> Decision:
    reason = f"{facts.content_type} in {facts.container}, preset {options.preset}"
    return Decision(subject="source", choice=f"treated as {facts.kind}", reason=reason)
