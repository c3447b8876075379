"""What operators are told: the table of every line's code, how much it matters, and what is counted of it.

A metric is read from a line and from nothing else. What a metric is divided by has few values and never an id; what
is empty divides nothing. Adapters turn this table into CloudWatch's embedded metrics and into Prometheus' text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Level(StrEnum):
    """How much a line matters. A `debug` line is written only where it is asked for, or where metrics are read."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Unit(StrEnum):
    """What a number counts, as CloudWatch calls it."""

    COUNT = "Count"
    SECONDS = "Seconds"
    BYTES = "Bytes"


@dataclass(frozen=True, slots=True)
class Metric:
    """A number in a line: that of the field `of`, or one for the line itself."""

    name: str
    of: str = ""
    unit: Unit = Unit.COUNT


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of line. Its `metrics` are also kept divided `by` these fields."""

    level: Level
    metrics: tuple[Metric, ...] = ()
    by: tuple[str, ...] = ()


_UNKNOWN = Kind(Level.INFO)
_TROUBLE = Kind(Level.WARNING)
_FAULTS = Metric("job_faults", "faulty")  # 1 where the service is at fault, 0 where it is not: their mean is a rate

HAPPENINGS: Mapping[str, Kind] = MappingProxyType(
    {
        # uploads
        "job_created": Kind(Level.INFO, (Metric("uploads_completed"), Metric("upload_bytes", "bytes", Unit.BYTES))),
        "upload_rejected": Kind(Level.INFO, (Metric("uploads_rejected"),), ("code",)),
        "arrival_refused": Kind(Level.INFO),
        "upload_closed": Kind(Level.INFO, (Metric("uploads_closed"),), ("state",)),
        "orphan_aborted": Kind(
            Level.INFO,
            (Metric("orphans"), Metric("orphan_parts", "parts"), Metric("orphan_bytes", "bytes", Unit.BYTES)),
        ),
        # jobs
        "job_dispatched": Kind(Level.INFO, (Metric("dispatch_seconds", "seconds", Unit.SECONDS),)),
        "job_succeeded": Kind(
            Level.INFO, (Metric("jobs_succeeded"), Metric("job_seconds", "seconds", Unit.SECONDS), _FAULTS), ("kind",)
        ),
        "job_failed": Kind(Level.INFO, (Metric("jobs_failed"), _FAULTS), ("fault",)),
        "renditions_asked": Kind(Level.INFO, (Metric("renditions_asked", "renditions"),)),
        "revision_removed": Kind(Level.INFO, (Metric("revisions_removed"), Metric("replaced_files", "files"))),
        "media_revealed": Kind(Level.INFO, (Metric("reveal_seconds", "seconds", Unit.SECONDS),)),
        "variant_made": Kind(Level.INFO, (Metric("variants_made"), Metric("variant_bytes", "bytes", Unit.BYTES))),
        "job_cancelled": Kind(Level.INFO, (Metric("jobs_cancelled"),)),
        "job_retried": Kind(Level.INFO, (Metric("jobs_retried"),), ("cause",)),
        # tasks
        "policy_answered": Kind(Level.INFO, (Metric("policy_rejections", "rejected"),)),
        "policy_unanswered": Kind(Level.WARNING, (Metric("policy_unanswered"),)),
        "classifier_answered": Kind(Level.INFO, (Metric("classified"), Metric("moderated", "moderated"))),
        "classifier_unanswered": Kind(Level.WARNING, (Metric("classifier_unanswered"),)),
        "engine_missing": _TROUBLE,
        "task_started": Kind(Level.INFO, (Metric("task_wait_seconds", "seconds", Unit.SECONDS),), ("weight",)),
        "task_ended": Kind(
            Level.INFO,
            (Metric("tasks"), Metric("task_failures", "failed"), Metric("task_seconds", "seconds", Unit.SECONDS)),
            ("does", "error"),
        ),
        "heartbeat_failed": _TROUBLE,
        "news_not_told": _TROUBLE,
        # what keeps the rest going
        "swept": Kind(
            Level.DEBUG,
            (Metric("sweeps"), Metric("swept_records", "looked"), Metric("stuck_records", "stuck")),
        ),
        "sweep_failed": _TROUBLE,
        "not_put_right": _TROUBLE,
        "relay_failed": _TROUBLE,
        "receive_failed": _TROUBLE,
        "delivery_not_settled": _TROUBLE,
        "message_failed": _TROUBLE,
        "lease_not_extended": _TROUBLE,
        "invocation_failed": _TROUBLE,
        "run_failed": _TROUBLE,
        # errors of the world, and of ours
        "world_failed": Kind(Level.WARNING, (Metric("world_failures"),)),
        "answer_broken": _TROUBLE,
        "errand_failed": _TROUBLE,
        "bug": Kind(Level.ERROR, (Metric("bugs"),)),
        # what libraries log (at their own level), and lines that could not be kept
        "logged": Kind(Level.WARNING),
        "lines_dropped": Kind(Level.WARNING, (Metric("lines_dropped", "lines"),)),
    }
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric with its number."""

    metric: Metric
    value: float


def kind_of(name: str) -> Kind:
    """What a line of that code is; one that the table does not have is told, and not counted."""
    return HAPPENINGS.get(name, _UNKNOWN)


def measured(name: str, fields: Mapping[str, object]) -> Iterator[Measured]:
    """The numbers of one line. A field that is missing, or no number, measures nothing."""
    for metric in kind_of(name).metrics:
        value = fields.get(metric.of) if metric.of else 1
        if isinstance(value, int | float):
            yield Measured(metric, value)


def divided(name: str, fields: Mapping[str, object]) -> dict[str, str]:
    """What the numbers of one line are divided by."""
    return {field: str(fields[field]) for field in kind_of(name).by if fields.get(field)}
