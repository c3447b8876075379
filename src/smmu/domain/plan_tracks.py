"""The sounds and texts of a film that players may choose from: which are made, what menus call them, and why.

The main sound is first, in stereo or mono, which everybody can play. Beside it is each further track that says which
language it is in, because a menu could not tell others apart. What has six channels or more is there in 5.1 as well.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from smmu.domain import plan_sound
from smmu.domain.facts import AudioTrack, MediaFacts, Purpose, SubtitleTrack
from smmu.domain.languages import name_of
from smmu.domain.options import Options
from smmu.domain.plan import AudioSpec, Decision, Role, SubtitlesSpec

SOUNDS_MAX: Final = 8
TEXT_CODECS: Final = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
_PURPOSES: Final = {
    Purpose.FORCED: "forced",
    Purpose.HARD_OF_HEARING: "for the hard of hearing",
    Purpose.DESCRIPTION: "with description",
    Purpose.COMMENTARY: "commentary",
    Purpose.RECOGNISED: "automatic",
}


def sounds(facts: MediaFacts, options: Options) -> tuple[tuple[AudioSpec, ...], tuple[Decision, ...]]:
    """The sounds of a film, the main one first; none where none is wanted or playable."""
    main = None if options.mute else plan_sound.main_track(facts.audio)
    if main is None:
        unheard = () if options.mute else tuple(_about_other(track, track.why_unplayable) for track in facts.audio)
        return (), unheard
    kept, decisions = [main], list(plan_sound.about_main(facts, main))
    for track in facts.audio:
        if track is not main:
            why_not = _why_not(track, kept, options)
            decisions.append(_about_other(track, why_not))
            kept += [] if why_not else [track]
    titles = unique([title_of(track, "Sound") for track in kept])
    specs = [
        replace(spec, title=title)
        for track, title in zip(kept, titles, strict=True)
        for spec in _specs(track, options, is_main=track is main)
    ]
    decisions += [
        Decision(subject=f"track {spec.track_index}", choice="kept in 5.1 too", reason="it has the channels for it")
        for spec in specs
        if spec.channels == plan_sound.SURROUND_CHANNELS
    ]
    return tuple(specs), tuple(decisions)


def texts(facts: MediaFacts, options: Options) -> tuple[tuple[SubtitlesSpec, ...], tuple[Decision, ...]]:
    """The text tracks that are carried over, and why others are not."""
    kept = [text for text in facts.subtitles if text.codec in TEXT_CODECS and options.preset != "preview-only"]
    titles = unique([title_of(text, "Subtitles") for text in kept])
    specs = tuple(
        SubtitlesSpec(
            name=f"subtitles-{text.index}",
            track_index=text.index,
            language=text.language,
            title=title,
            purpose=text.purpose,
        )
        for text, title in zip(kept, titles, strict=True)
    )
    return specs, tuple(_about_text(text, options) for text in facts.subtitles)


def title_of(track: AudioTrack | SubtitleTrack, otherwise: str) -> str:
    """What a menu calls a track: what its file does, else its language and what it is for."""
    if track.title:
        return track.title
    return called(track.language, track.purpose, otherwise)


def called(language: str, purpose: Purpose | None, otherwise: str) -> str:
    """What a menu calls what is in this language, for this."""
    name = name_of(language) or otherwise
    return f"{name}, {_PURPOSES[purpose]}" if purpose else name


def unique(titles: Sequence[str]) -> list[str]:
    """The same, numbered where one was there already: no two of a group may be called alike."""
    taken: Counter[str] = Counter()
    found: list[str] = []
    for title in titles:
        name = title
        while name in found:
            taken[title] += 1
            name = f"{title} {taken[title] + 1}"
        found.append(name)
    return found


def _specs(track: AudioTrack, options: Options, *, is_main: bool) -> Iterator[AudioSpec]:
    name = plan_sound.MAIN if is_main else f"{plan_sound.MAIN}-{track.index}"
    yield plan_sound.audio_spec(track, name, Role.HLS_AUDIO)
    is_surround = plan_sound.SURROUND_CHANNELS <= track.channels <= plan_sound.NAMED_CHANNELS_MAX
    if is_surround and options.preset != "preview-only":
        yield plan_sound.surround_spec(track, f"{name}-surround", Role.HLS_AUDIO)


def _why_not(track: AudioTrack, kept: Sequence[AudioTrack], options: Options) -> str:
    """Why a track is not made beside those that are; "" when it is."""
    same = next((one for one in kept if _sense(one) == _sense(track)), None)
    if not track.playable:
        return track.why_unplayable
    if options.preset == "preview-only":
        return "the preset preview-only makes the main sound alone"
    if not track.language:
        return "it does not say which language it is in, so nobody could choose it"
    if same is not None:
        return f"track {same.index} is in the same language, for the same purpose"
    if track.duration_s is not None and track.duration_s <= options.clip_start_s:
        return "it ends before the clip begins"
    return "" if len(kept) < SOUNDS_MAX else f"{SOUNDS_MAX} sounds are made at most"


def _sense(track: AudioTrack) -> tuple[str, Purpose | None, str]:
    return track.language, track.purpose, track.title


def _about_other(track: AudioTrack, why_not: str) -> Decision:
    if why_not:
        return Decision(subject=f"track {track.index}", choice="skipped", reason=why_not)
    reason = f"it says that it is in {name_of(track.language)}"
    return Decision(subject=f"track {track.index}", choice="made as another sound", reason=reason)


def _about_text(text: SubtitleTrack, options: Options) -> Decision:
    subject = f"track {text.index}"
    if text.codec not in TEXT_CODECS:
        reason = f"{text.codec or 'what it holds'} is no text that could be shown as WebVTT"
        return Decision(subject=subject, choice="skipped", reason=reason)
    if options.preset == "preview-only":
        return Decision(subject=subject, choice="skipped", reason="the preset preview-only makes no subtitles")
    return Decision(subject=subject, choice="carried over as WebVTT", reason=f"it is text ({text.codec})")
