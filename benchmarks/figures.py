"""What was measured, beside what was promised; and the page that says so."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from smmu.adapters.embedded.system import SystemClock

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_END = "<!-- end of figures -->"
_MET = {True: "yes", False: "**no**", None: "–"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table. `met` is `None` for a figure that nothing was promised about."""

    name: str
    measured: str
    target: str = "–"
    met: bool | None = None

    def row(self) -> str:
        """As a row of the table."""
        return f"| {self.name} | {self.measured} | {self.target} | {_MET[self.met]} |"


def at_least(name: str, ratios: Sequence[float], target: float, more: str) -> Figure:
    """A figure whose median over the rounds has to reach the target."""
    median = statistics.median(ratios)
    measured = f"{median:.2f} ({min(ratios):.2f}–{max(ratios):.2f} in {len(ratios)} rounds); {more}"
    return Figure(name=name, measured=measured, target=f"≥ {target}", met=median >= target)


def at_most(name: str, ratios: Sequence[float], target: float, more: str) -> Figure:
    """A figure whose median over the rounds may not be over the target."""
    median = statistics.median(ratios)
    measured = f"{median:.2f} ({min(ratios):.2f}–{max(ratios):.2f} in {len(ratios)} rounds); {more}"
    return Figure(name=name, measured=measured, target=f"≤ {target}", met=median <= target)


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """The smallest of ascending numbers that at least this fraction of them do not exceed."""
    return ordered[max(0, -int(-len(ordered) * fraction // 1) - 1)]


def table(figures: Sequence[Figure], command: str) -> str:
    """The table, with when, on what and by which command it was measured."""
    head = ("| figure | measured | target | met |", "|---|---|---|---|")
    return "\n".join([*head, *(figure.row() for figure in figures), "", measured(command)])


def measured(command: str) -> str:
    """When, on what and by which command something was measured."""
    day = datetime.fromtimestamp(SystemClock().now(), UTC).date().isoformat()
    machine = f"{len(os.sched_getaffinity(0))} CPUs, {platform.system()} on {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{day}; {machine}; {python}; `{command}`"


def write(text: str, page: Path = PAGE, command: str = "make bench") -> None:
    """Put the table where the page has its place for what `command` writes."""
    begin = f"<!-- figures: written by `{command}` -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(_END)
    if not found:
        raise RuntimeError(f"{page.name} has no place for the figures")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{_END}{after}", encoding="utf-8")
