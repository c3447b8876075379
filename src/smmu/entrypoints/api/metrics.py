"""Metrics in Prometheus' text format. What is not counted here is not shown: there are no gauges made up of guesses.

A `Meter` is a `Telemetry`: a system assembled with it shows what its lines measure (`domain/happenings.py`) beside the
API's answers. It can pass everything on to another telemetry, which keeps the lines.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from smmu.domain.happenings import HAPPENINGS, Unit, divided, measured
from smmu.ports.system import Telemetry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "smmu_"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Meter(Telemetry):
    """Counts for as long as the process lives."""

    behind: Telemetry | None = None
    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    counts: dict[str, dict[Labels, float]] = field(default_factory=dict)

    def event(self, name: str, **fields: object) -> None:
        """Count a line by its code, and what it measures; then it is for the telemetry behind."""
        self._add("events_total", 1, (("event", name),))
        kind = HAPPENINGS.get(name)
        if kind is not None and kind.metrics:
            self._measure(name, fields)
        if self.behind is not None:
            self.behind.event(name, **fields)

    def flush(self) -> None:
        """See the port: what is shown here is shown at once."""
        if self.behind is not None:
            self.behind.flush()

    def answered(self, method: str, path: str, status: int) -> None:
        """One request has been answered. `path` is the route's, so that ids make no new series."""
        self.answers[method, path, status] += 1

    def text(self) -> str:
        """All counters, as a scrape reads them."""
        return "\n".join(self._lines()) + "\n"

    def _measure(self, name: str, fields: dict[str, object]) -> None:
        """Seconds are kept as their sum and their number, everything else as a sum."""
        labels = tuple(sorted(divided(name, fields).items()))
        for one in measured(name, fields):
            if one.metric.unit is Unit.SECONDS:
                self._add(f"{one.metric.name}_sum", one.value, labels)
                self._add(f"{one.metric.name}_count", 1, labels)
            else:
                self._add(f"{one.metric.name}_total", one.value, labels)

    def _add(self, name: str, value: float, labels: Labels) -> None:
        series = self.counts.setdefault(name, {})
        series[labels] = series.get(labels, 0.0) + value

    def _lines(self) -> Iterator[str]:
        yield f"# TYPE {_PREFIX}http_requests_total counter"
        for (method, path, status), number in sorted(self.answers.items()):
            shown = (("method", method), ("route", path), ("status", str(status)))
            yield _line(f"{_PREFIX}http_requests_total", shown, number)
        for name, series in sorted(self.counts.items()):
            full = _PREFIX + name
            yield f"# TYPE {full} counter"
            for labels, total in sorted(series.items()):
                yield _line(full, labels, total)


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    shown = str(int(value)) if value == int(value) else repr(value)
    return f"{name}{{{inside}}} {shown}" if inside else f"{name} {shown}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
