"""Timed words into captions: cues, and the three texts that carry them (WebVTT, SRT, JSON).

A cue has at most two lines of 42 characters and stands for at most 7 seconds. It ends where a sentence or a breath
ends, where there is room for that. Starts never go back, no cue overlaps the next, and every cue lasts. What the
formats give a meaning to (`-->`, `&`, `<`) is written so that it has none. Source: W3C WebVTT; SRT has no standard, and
is written as VLC and FFmpeg read it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import pairwise, zip_longest
from typing import Any, Final

from smmu.domain.transcript import PAUSE_SECONDS, Reviewed, Span, Word
from smmu.domain.webvtt import TIMED_HEAD, cues_in, stamp, to_webvtt
from smmu.domain.webvtt import Cue as TimedText

SCHEMA: Final = "smmu.transcript/1"
LINE_CHARS_MAX: Final = 42
LINES_MAX: Final = 2
CUE_MS_MAX: Final = 7_000
CUE_MS_MIN: Final = 1_000  # shorter ones are held, where nothing follows: nobody reads them otherwise
_ENDS: Final = (".", "!", "?", "…", "。", "！", "？")  # noqa: RUF001 - the full-width marks of Chinese and Japanese
_PAUSE_MS: Final = round(PAUSE_SECONDS * 1_000)

# Scripts that put no spaces between words: Thai, Lao, Khmer, Myanmar, kana, Han and its neighbours.
_UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\uffef]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One caption: milliseconds from the start of the sound, and its lines as they are read."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A word, or as much of it as fits a line, in milliseconds. `glued` when it goes on what stands before it."""

    text: str
    start_ms: int
    end_ms: int
    glued: bool = False


def cues(words: Sequence[Word]) -> tuple[Cue, ...]:
    """Captions of words that are in order of time (`transcript.review` puts them so)."""
    made = [_cue(group) for group in _groups([piece for word in words for piece in _pieces(word)])]
    return tuple(_held(_apart(made)))


def webvtt(shown: Sequence[Cue]) -> str:
    """The captions as WebVTT. Without any, a file that is valid and shows nothing."""
    texts = (
        TimedText(Fraction(cue.start_ms, 1_000), Fraction(cue.end_ms, 1_000), "\n".join(cue.lines)) for cue in shown
    )
    return to_webvtt(texts, TIMED_HEAD)


def srt(shown: Sequence[Cue]) -> str:
    """The captions as SubRip."""
    blocks = [
        f"{number}\n{stamp(cue.start_ms, ',')} --> {stamp(cue.end_ms, ',')}\n"
        + "\n".join(line.replace("-->", "->") for line in cue.lines)
        + "\n"
        for number, cue in enumerate(shown, start=1)
    ]
    return "\n".join(blocks) or "\n"


def document(found: Reviewed, shown: Sequence[Cue], voiced: Sequence[Span], seconds: float) -> dict[str, Any]:
    """The transcript as a plain JSON object: words with times and confidence, what is doubted, and the captions."""
    heard = found.transcript
    return {
        "schema": SCHEMA,
        "engine": heard.engine,
        "language": heard.language,
        "duration_s": round(seconds, 3),
        "text": text(heard.words),
        "confidence": None if found.confidence is None else round(found.confidence, 3),
        "words": [_rounded(asdict(word)) for word in heard.words],
        "flags": [_rounded(asdict(flag)) for flag in found.flags],
        "voiced": [_rounded(asdict(span)) for span in voiced],
        "words_outside_voice": found.outside,
        "cues": [asdict(cue) for cue in shown],
    }


def text(words: Sequence[Word]) -> str:
    """All that was said, in one line."""
    said = ""
    for word in words:
        said += _joint(said, word.text) + word.text
    return said


def problems(shown: Sequence[Cue]) -> tuple[str, ...]:
    """Every promise of the module's docstring that these captions break, in sentences; empty when none."""
    return (*(words for cue in shown for words in _in_itself(cue)), *_in_sequence(shown))


def read_webvtt(written: str) -> tuple[Cue, ...]:
    """The cues of a WebVTT file of ours, for proving what was written. `ValueError` when it is none."""
    return tuple(
        Cue(start_ms=int(cue.start * 1_000), end_ms=int(cue.end * 1_000), lines=tuple(cue.text.split("\n")))
        for cue in cues_in(written)
    )


def _pieces(word: Word) -> Iterator[_Piece]:
    """The word, cut where it is longer than a line, its time shared out by letters."""
    start, end = round(word.start * 1_000), round(word.end * 1_000)
    count = -(-len(word.text) // LINE_CHARS_MAX)
    for number in range(count):
        yield _Piece(
            text=word.text[number * LINE_CHARS_MAX : (number + 1) * LINE_CHARS_MAX],
            start_ms=start + (end - start) * number // count,
            end_ms=start + (end - start) * (number + 1) // count,
            glued=number > 0,
        )


def _groups(pieces: Sequence[_Piece]) -> Iterator[Sequence[_Piece]]:
    """The pieces of each cue."""
    start = 0
    for end in range(1, len(pieces) + 1):
        if end == len(pieces) or _ends(pieces[start:end], pieces[end]):
            yield pieces[start:end]
            start = end


def _ends(group: Sequence[_Piece], following: _Piece) -> bool:
    last = group[-1]
    if following.glued:
        return not _fits([*group, following])
    sentence = last.text.endswith(_ENDS) and last.end_ms - group[0].start_ms >= CUE_MS_MIN
    return sentence or following.start_ms - last.end_ms >= _PAUSE_MS or not _fits([*group, following])


def _fits(group: Sequence[_Piece]) -> bool:
    return group[-1].end_ms - group[0].start_ms <= CUE_MS_MAX and len(_filled(group)) <= LINES_MAX


def _filled(group: Sequence[_Piece], width: int = LINE_CHARS_MAX) -> list[str]:
    """The group in lines of at most `width` characters, each as full as it gets; a piece is never cut."""
    lines = [""]
    for piece in group:
        joint = "" if piece.glued else _joint(lines[-1], piece.text)
        if not lines[-1] or len(lines[-1]) + len(joint) + len(piece.text) <= width:
            lines[-1] += joint + piece.text
        else:
            lines.append(piece.text)
    return lines


def _cue(group: Sequence[_Piece]) -> Cue:
    lines = _filled(group)
    if len(lines) == LINES_MAX:  # as even as two lines get: the narrowest width that still gives two
        width = next(w for w in range(1, LINE_CHARS_MAX + 1) if _is_pair(_filled(group, w), w))
        lines = _filled(group, width)
    start = group[0].start_ms
    return Cue(start_ms=start, end_ms=min(max(p.end_ms for p in group), start + CUE_MS_MAX), lines=tuple(lines))


def _is_pair(lines: Sequence[str], width: int) -> bool:
    return len(lines) == LINES_MAX and all(len(line) <= width for line in lines)


def _apart(made: Sequence[Cue]) -> list[Cue]:
    """No two at once, none of no length: what is said at the same moment is shown one after the other."""
    placed: list[Cue] = []
    for number, cue in enumerate(made):
        start = max(cue.start_ms, placed[-1].end_ms if placed else 0)
        limit = made[number + 1].start_ms if number + 1 < len(made) else cue.end_ms
        end = min(cue.end_ms, max(limit, start + 1), start + CUE_MS_MAX)
        placed.append(replace(cue, start_ms=start, end_ms=max(end, start + 1)))
    return placed


def _held(placed: Sequence[Cue]) -> Iterator[Cue]:
    """Short ones stand a little longer, up to the next."""
    for cue, following in zip_longest(placed, placed[1:]):
        until = max(cue.end_ms, cue.start_ms + CUE_MS_MIN)
        yield replace(cue, end_ms=min(until, following.start_ms) if following else until)


def _joint(before: str, after: str) -> str:
    """A space between two words, where their script has one."""
    if not before:
        return ""
    return "" if _UNSPACED.match(before[-1]) and _UNSPACED.match(after[0]) else " "


def _in_itself(cue: Cue) -> Iterator[str]:
    if cue.end_ms <= cue.start_ms or cue.end_ms - cue.start_ms > CUE_MS_MAX:
        yield f"a cue stands from {cue.start_ms} to {cue.end_ms} ms"
    if not 1 <= len(cue.lines) <= LINES_MAX or not all(1 <= len(line) <= LINE_CHARS_MAX for line in cue.lines):
        yield f"a cue has lines of {[len(line) for line in cue.lines]} characters"


def _in_sequence(shown: Sequence[Cue]) -> Iterator[str]:
    for first, second in pairwise(shown):
        if second.start_ms < first.end_ms:
            yield f"a cue starts at {second.start_ms} ms, before {first.end_ms} ms"


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}
