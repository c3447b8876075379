"""Timed text as WebVTT (W3C): cues in, a file out that every player reads, whatever the text was.

Starts never go back, every cue lasts, `-->` cannot stand in a text, and neither can an empty line, which would end it.
Refuses markup: `&`, `<` and `>` are text, and are escaped.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

HEAD = "WEBVTT"
_TIMES = re.compile(r"(\d{2,}):(\d\d):(\d\d)\.(\d{3}) --> (\d{2,}):(\d\d):(\d\d)\.(\d{3})")


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """What is shown from `start` until `end`, in seconds."""

    start: Fraction
    end: Fraction
    text: str


def to_webvtt(cues: Iterable[Cue]) -> str:
    """The file. Cues without text or time are left out; the others are put in order of their starts."""
    blocks = [HEAD]
    for cue in sorted(cues):
        text, start, end = _escaped(cue.text), _milliseconds(cue.start), _milliseconds(cue.end)
        if text and end > start:
            blocks.append(f"{_stamp(start)} --> {_stamp(end)}\n{text}")
    return "\n\n".join(blocks) + "\n"


def times_in(text: str) -> tuple[tuple[Fraction, Fraction], ...]:
    """Start and end of every cue of a WebVTT file. `ValueError` when it is none."""
    head, *blocks = text.split("\n\n")
    if head.strip() != HEAD:
        msg = "a WebVTT file begins with its name"
        raise ValueError(msg)
    return tuple(_read_times(block) for block in blocks if block.strip())


def _read_times(block: str) -> tuple[Fraction, Fraction]:
    first, *others = block.strip("\n").split("\n")
    line = first if "-->" in first or not others else others[0]  # a cue may have a name in front of its times
    found = _TIMES.fullmatch(line)
    if found is None:
        msg = f"not the times of a cue: {line!r}"
        raise ValueError(msg)
    numbers = [int(number) for number in found.groups()]
    return _seconds(*numbers[:4]), _seconds(*numbers[4:])


def _seconds(hours: int, minutes: int, seconds: int, milliseconds: int) -> Fraction:
    return Fraction(hours * 3600 + minutes * 60 + seconds) + Fraction(milliseconds, 1000)


def _escaped(text: str) -> str:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "\n".join(_lines(plain))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        shown = "".join(letter for letter in line if letter.isprintable()).strip()
        if shown:
            yield shown


def _milliseconds(seconds: Fraction) -> int:
    return max(0, round(seconds * 1000))


def _stamp(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
