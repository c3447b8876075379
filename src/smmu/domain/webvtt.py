"""Timed text as WebVTT (W3C): cues in, a file out that every player reads, whatever the text was.

Starts never go back, every cue lasts, `-->` cannot stand in a text, and neither can an empty line, which would end it.
Refuses markup: `&`, `<` and `>` are text, and are escaped.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from operator import attrgetter
from unicodedata import category

HEAD = "WEBVTT"
TIMED_HEAD = f"{HEAD}\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"  # RFC 8216, 3.5: our films begin at 0
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, halves of letters, ends of lines; joiners of letters stay
_TIMES = re.compile(r"(\d{2,}):(\d\d):(\d\d)\.(\d{3}) --> (\d{2,}):(\d\d):(\d\d)\.(\d{3})")


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start` until `end`, in seconds."""

    start: Fraction
    end: Fraction
    text: str


def to_webvtt(cues: Iterable[Cue], head: str = HEAD) -> str:
    """The file. Cues without text or time are left out; the others are put in order of their starts.

    What is shown over a film has `TIMED_HEAD`, which tells players of HLS when it begins.
    """
    blocks = [head]
    for cue in sorted(cues, key=attrgetter("start")):
        text, start, end = _escaped(cue.text), _milliseconds(cue.start), _milliseconds(cue.end)
        if text and end > start:
            blocks.append(f"{stamp(start)} --> {stamp(end)}\n{text}")
    return "\n\n".join(blocks) + "\n"


def cues_in(text: str) -> tuple[Cue, ...]:
    """Every cue of a WebVTT file of ours. `ValueError` when it is none."""
    head, *blocks = text.split("\n\n")
    if head.strip() not in (HEAD, TIMED_HEAD):
        msg = "a WebVTT file begins with its name"
        raise ValueError(msg)
    return tuple(_read(block) for block in blocks if block.strip())


def stamp(milliseconds: int, mark: str = ".") -> str:
    """A time as players read it. `mark` stands before the thousandths."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"


def _read(block: str) -> Cue:
    lines = block.strip("\n").split("\n")
    times = 0 if "-->" in lines[0] or len(lines) == 1 else 1  # a cue may have a name in front of its times
    found = _TIMES.fullmatch(lines[times])
    if found is None:
        msg = f"not the times of a cue: {lines[times]!r}"
        raise ValueError(msg)
    numbers, text = [int(number) for number in found.groups()], "\n".join(lines[times + 1 :])
    for letter, escape in reversed(_ESCAPES):
        text = text.replace(escape, letter)
    return Cue(_seconds(*numbers[:4]), _seconds(*numbers[4:]), text)


def _seconds(hours: int, minutes: int, seconds: int, milliseconds: int) -> Fraction:
    return Fraction(hours * 3600 + minutes * 60 + seconds) + Fraction(milliseconds, 1000)


def _escaped(text: str) -> str:
    for letter, escape in _ESCAPES:
        text = text.replace(letter, escape)
    return "\n".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        shown = "".join(letter for letter in line if category(letter) not in _UNSHOWN).strip()
        if shown:
            yield shown


def _milliseconds(seconds: Fraction) -> int:
    return max(0, round(seconds * 1000))
