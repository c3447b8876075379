"""What a command says: results on standard output, everything else on standard error, and bars where somebody looks.

On a terminal, long work shows one bar for each thing it does; elsewhere, a line when something has changed enough to
be worth a line in a log.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress

_SHOWN_SECONDS = 0.1
_STEP_PERCENT = 25  # how far a thing must get for another plain line


# A file's name may hold what would speak to the terminal. A line break does so as well, and JSON has some.
_CONTROLS = {code: "?" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != ord("\n")}


def say(words: str) -> None:
    """One line of results, or a JSON document."""
    print(words.translate(_CONTROLS), flush=True)  # noqa: T201 - this is what a command is for


def note(words: str) -> None:
    """One line beside the results."""
    line = words.translate(_CONTROLS).replace("\n", "?")
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - as above


def complain(words: str) -> None:
    """One line about what went wrong."""
    note(f"smmu: {words}")


class Gauge(Protocol):
    """Shows how far one thing is."""

    def show(self, fraction: float, words: str, detail: str = "") -> None:
        """It is this far (0.0–1.0), `words` say in what; `detail` is what is at work in it, with its own percentage."""


@contextmanager
def gauges() -> Iterator["Gauges"]:
    """Room for gauges, until the block ends."""
    if not sys.stderr.isatty():
        yield Gauges(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.fields[title]}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    rest = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, *rest, console=Console(stderr=True)) as progress:
        yield Gauges(progress)


class Gauges:
    """Makes gauges: bars of `progress`, or lines where there is none."""

    def __init__(self, progress: "Progress | None") -> None:
        self._progress = progress

    def add(self, title: str) -> Gauge:
        """A gauge of one thing."""
        return _Lines(title) if self._progress is None else _Bar(self._progress, title)


def counting(gauge: Gauge, words: str) -> Callable[[int, int], None]:
    """Shows counted bytes, of how many. Transfers tell of every piece; a person sees ten steps in a second."""
    shown_at = 0.0

    def show(count: int, total: int) -> None:
        nonlocal shown_at
        now = time.monotonic()
        if now - shown_at >= _SHOWN_SECONDS or count == total:
            shown_at = now
            gauge.show(count / total if total else 0.0, words)

    return show


class _Bar:
    def __init__(self, progress: "Progress", title: str) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1.0, title=title)

    def show(self, fraction: float, words: str, detail: str = "") -> None:
        self._progress.update(self._task, completed=fraction, description=_joined(words, detail))


class _Lines:
    """A line for every new word and every quarter. What is at work meanwhile changes too often for a log."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._shown: tuple[str, int] | None = None

    def show(self, fraction: float, words: str, detail: str = "") -> None:
        percent = int(fraction * 100)
        now = (words, percent // _STEP_PERCENT)
        if now != self._shown:
            self._shown = now
            note(f"{self._title}: {_joined(f'{words} {percent} %', detail)}")


def _joined(words: str, detail: str) -> str:
    return f"{words}, {detail}" if detail else words
