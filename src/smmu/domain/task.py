"""The life of a task: one unit of a job's work, run by one worker under a lease.

Rule 1: every change of a task's state happens in this file. `fence` counts claims: a worker that paused past its lease
and wakes up still holds its old number, and every conditional write it tries is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from smmu.domain.errors import Code, refuse
from smmu.domain.limits import Limits
from smmu.domain.pipeline import Weight
from smmu.domain.quick import quick, replace
from smmu.domain.values import TASK, derived_id

# Whoever looks from outside lets a worker say itself that its time was up: what it calls `interrupted` is tried again.
LAST_WORDS_SECONDS = 30
_RECORD_ID = re.compile(r"(?P<job>[^/]+)/a(?P<attempt>[1-9][0-9]*)/.+", re.DOTALL)


class State(StrEnum):
    """Where a task is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a task."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"  # this try failed; the pipeline's retry rules decide whether there is another
    REQUEUE = "requeue"
    CANCEL = "cancel"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.QUEUED, Event.CLAIM): State.RUNNING,
        (State.QUEUED, Event.CANCEL): State.CANCELLED,
        (State.RUNNING, Event.SUCCEED): State.SUCCEEDED,
        (State.RUNNING, Event.FAIL): State.FAILED,
        (State.RUNNING, Event.CANCEL): State.CANCELLED,
        (State.FAILED, Event.REQUEUE): State.QUEUED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryFailure:
    """How one try ended. `error` is the name the pipeline's retry and catch rules match."""

    error: str
    message: str
    at: float


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of one attempt. `path` is its place in the pipeline value and, with the attempt, its identity."""

    id: str
    owner: str
    job_id: str
    attempt: int
    path: str
    does: str
    name: str
    weight: Weight
    input: Mapping[str, Any]
    seconds_max: int
    created_at: float
    updated_at: float
    not_before: float
    state: State = State.QUEUED
    fence: int = 0
    lease_until: float = 0.0
    started_at: float = 0.0
    progress: int = 0
    failures: tuple[TryFailure, ...] = field(default=())
    output: Any = None
    trace: str = ""

    @property
    def record_id(self) -> str:
        """Its id in the ledger: a pure function of job, attempt and place, so that making it twice makes one."""
        return f"{self.job_id}/a{self.attempt}/{self.path}"

    def next_deadline(self, limits: Limits) -> float | None:
        """When the sweeper must look: a queued task nobody claimed, a running one whose lease ran out."""
        if self.state is State.QUEUED:
            return max(self.not_before, self.updated_at) + limits.dispatch_seconds
        if self.state is State.RUNNING:
            return min(self.lease_until, self.latest_end)
        return None

    @property
    def latest_end(self) -> float:
        """When a running try must be over, its worker's own word for having had all its time included."""
        return self.started_at + self.seconds_max + LAST_WORDS_SECONDS


def attempt_in(record_id: str) -> tuple[str, int] | None:
    """The job's id and the attempt that a task's record id tells; `None` when it is no task's."""
    found = _RECORD_ID.fullmatch(record_id)
    return None if found is None else (found["job"], int(found["attempt"]))


def opened(
    *,
    owner: str,
    job_id: str,
    attempt: int,
    path: str,
    does: str,
    name: str,
    weight: Weight,
    given: Mapping[str, Any],
    seconds_max: int,
    now: float,
    not_before: float = 0.0,
    trace: str = "",
) -> Task:
    """A task that a run has just asked for. One that does a planned task goes by that one's name and time."""
    planned = given.get("task")
    if isinstance(planned, Mapping):
        name, seconds_max = planned["task"], min(seconds_max, planned["seconds_max"])
    return Task(
        id=derived_id(TASK, job_id, str(attempt), path),
        owner=owner,
        job_id=job_id,
        attempt=attempt,
        path=path,
        does=does,
        name=name,
        weight=weight,
        input=dict(given),
        seconds_max=seconds_max,
        created_at=now,
        updated_at=now,
        not_before=not_before,
        trace=trace,
    )


def step(task: Task, event: Event, now: float) -> Task:
    """The task after `event`; `Refused` when the table has no such row."""
    target = TRANSITIONS.get((task.state, event))
    if target is None:
        raise refuse(Code.JOB_CANCELLED, f"The task is {task.state}: it cannot {event} any more.")
    return replace(task, state=target, updated_at=now)


def claim(task: Task, now: float, limits: Limits) -> Task:
    """Take the task under a lease with the next fencing number."""
    after = step(task, Event.CLAIM, now)
    return replace(after, fence=task.fence + 1, started_at=now, lease_until=now + limits.lease_seconds, progress=0)


def heartbeat(task: Task, progress: float, now: float, limits: Limits) -> Task:
    """Prolong the lease and note progress (0.0–1.0)."""
    percent = max(task.progress, min(99, int(progress * 100)))
    return replace(task, lease_until=now + limits.lease_seconds, progress=percent, updated_at=now)


def succeed(task: Task, output: Any, now: float) -> Task:  # noqa: ANN401 - the output is a JSON value
    """End the task with what it gives."""
    return replace(step(task, Event.SUCCEED, now), output=output, progress=100)


def fail(task: Task, error: str, message: str, now: float) -> Task:
    """End this try with its cause."""
    failure = TryFailure(error=error, message=message, at=now)
    return replace(step(task, Event.FAIL, now), failures=(*task.failures, failure))


def requeue(task: Task, not_before: float, now: float) -> Task:
    """Another try, not before `not_before`."""
    return replace(step(task, Event.REQUEUE, now), not_before=not_before, progress=0)


def lease_lost(task: Task, now: float) -> bool:
    """Whether its worker has not been heard of for longer than a lease, or has had all its time."""
    return task.state is State.RUNNING and (now >= task.lease_until or now >= task.latest_end)
