"""What was heard, as timed words; and what is to be thought of it.

Engines invent: words where nobody spoke, one sentence for ever, more words than a mouth can say. `review` keeps what
is said in time and within the voice, and flags what looks invented, so that who shows captions can tell. It never adds,
corrects or joins words: nothing is published that no engine heard. No words at all is a result: "no speech".
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from statistics import fmean
from typing import Final

VOICE_SLACK_SECONDS: Final = 0.5  # engines place words by a few tenths of a second
PAUSE_SECONDS: Final = 1.0  # what is further apart belongs to another utterance
RATE_MAX: Final = 6.0  # words a second; fast talk is four
RATE_WORDS_MIN: Final = 6  # of fewer words a rate says nothing
SURE_MIN: Final = 0.5  # mean confidence of an utterance
REPEATS_MIN: Final = 4  # "no, no, no" is said; four times the same is where engines loop
PHRASE_WORDS_MAX: Final = 8
WORD_SECONDS_MIN: Final = 0.01
_JOINERS: Final = "\u200c\u200d"  # invisible, and part of how Persian and Hindi are spelt


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time, in seconds from the start of the sound."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word: seconds from the start of the sound, and how sure the engine is (0.0–1.0)."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was heard. No words means "no speech", which is a result. `language` is a BCP 47 tag."""

    words: tuple[Word, ...]
    language: str
    engine: str


class Doubt(StrEnum):
    """Why a stretch of a transcript may be invented."""

    REPETITION = "repetition"
    TOO_FAST = "too-fast"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A doubt about the words between `start` and `end`, with what was seen."""

    doubt: Doubt
    start: float
    end: float
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A transcript in order of time. `outside` counts the words that were left out because nobody spoke there."""

    transcript: Transcript
    flags: tuple[Flag, ...]
    outside: int

    @property
    def confidence(self) -> float | None:
        """The mean over all words; `None` when there are none."""
        words = self.transcript.words
        return fmean(word.confidence for word in words) if words else None


def review(heard: Transcript, voiced: Sequence[Span], seconds: float) -> Reviewed:
    """What of `heard` may be published of a sound that lasts `seconds` and has a voice in the spans `voiced`."""
    usable = sorted(_usable(heard.words, seconds), key=lambda word: (word.start, word.end))
    kept = tuple(word for word in usable if _within(word, voiced))
    return Reviewed(
        transcript=replace(heard, words=kept),
        flags=tuple(sorted(_flags(kept), key=lambda flag: (flag.start, flag.end, flag.doubt))),
        outside=len(usable) - len(kept),
    )


def utterances(words: Iterable[Word]) -> Iterator[tuple[Word, ...]]:
    """The words, split where nobody speaks for a while."""
    group: list[Word] = []
    for word in words:
        if group and word.start - group[-1].end >= PAUSE_SECONDS:
            yield tuple(group)
            group = []
        group.append(word)
    if group:
        yield tuple(group)


def printable(text: str) -> str:
    """`text` in one line without what cannot be shown; "" when nothing is left."""
    spaced = " ".join(text.split())
    return "".join(char for char in spaced if char.isprintable() or char in _JOINERS).strip()


def _usable(words: Iterable[Word], seconds: float) -> Iterator[Word]:
    for word in words:
        text = printable(word.text)
        if not text or not (math.isfinite(word.start) and math.isfinite(word.end)):
            continue
        start = min(max(0.0, word.start), max(0.0, seconds - WORD_SECONDS_MIN))
        end = max(start + WORD_SECONDS_MIN, min(word.end, seconds))
        sure = word.confidence if math.isfinite(word.confidence) else 0.0
        yield Word(text=text, start=start, end=end, confidence=min(1.0, max(0.0, sure)))


def _within(word: Word, voiced: Sequence[Span]) -> bool:
    slack = VOICE_SLACK_SECONDS
    return any(word.start < span.end + slack and word.end > span.start - slack for span in voiced)


def _flags(words: Sequence[Word]) -> Iterator[Flag]:
    for group in utterances(words):
        yield from _unsure(group)
        yield from _too_fast(group)
        yield from _repetitions(group)


def _unsure(group: Sequence[Word]) -> Iterator[Flag]:
    mean = fmean(word.confidence for word in group)
    if mean < SURE_MIN:
        yield _flag(Doubt.UNSURE, group, f"a mean confidence of {mean:.2f}")


def _too_fast(group: Sequence[Word]) -> Iterator[Flag]:
    seconds = group[-1].end - group[0].start
    if len(group) >= RATE_WORDS_MIN and len(group) > RATE_MAX * seconds:
        yield _flag(Doubt.TOO_FAST, group, f"{len(group)} words in {seconds:.1f} s")


def _repetitions(group: Sequence[Word]) -> Iterator[Flag]:
    """The shortest phrase that follows itself often enough, from the first place where one does."""
    texts = [word.text.casefold().strip(".,!?;: ") for word in group]
    at = 0
    while at < len(texts):
        length, times = _loop(texts, at)
        if length:
            end = at + length * times
            yield _flag(Doubt.REPETITION, group[at:end], f"{times} times the same {length} words")
            at = end
        else:
            at += 1


def _loop(texts: Sequence[str], at: int) -> tuple[int, int]:
    for length in range(1, PHRASE_WORDS_MAX + 1):
        phrase = texts[at : at + length]
        times = 1
        while texts[at + times * length : at + (times + 1) * length] == phrase:
            times += 1
        if len(phrase) == length and times >= REPEATS_MIN:
            return length, times
    return 0, 0


def _flag(doubt: Doubt, words: Sequence[Word], seen: str) -> Flag:
    return Flag(doubt=doubt, start=words[0].start, end=max(word.end for word in words), seen=seen)


def in_order(words: Sequence[Word]) -> bool:
    """Whether no word starts before the one ahead of it."""
    return all(first.start <= second.start for first, second in pairwise(words))
