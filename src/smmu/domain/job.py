"""The life of a job. Rule 1: every change of a job's state happens in this file.

If a transition is not in `TRANSITIONS` it does not exist. `now` is an argument (unix seconds); nothing is mutated.
`attempt` is the fencing number: whoever writes for a job names the attempt it works for, and an older one loses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from smmu.domain.errors import FINAL, Code, refuse
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import Decision
from smmu.domain.quick import quick, replace
from smmu.domain.values import ObjectRef


class State(StrEnum):
    """Where a job is."""

    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a job."""

    DISPATCH = "dispatch"  # an orchestrator has accepted this attempt's run
    START = "start"  # a worker has claimed its first task
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"  # asked for by the owner
    STOP = "stop"  # the run has ended after that
    RETRY = "retry"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.CREATED, Event.DISPATCH): State.QUEUED,
        (State.CREATED, Event.START): State.RUNNING,
        (State.CREATED, Event.FAIL): State.FAILED,
        (State.CREATED, Event.CANCEL): State.CANCELLED,
        (State.QUEUED, Event.START): State.RUNNING,
        (State.QUEUED, Event.FAIL): State.FAILED,
        (State.QUEUED, Event.CANCEL): State.CANCELLING,
        (State.RUNNING, Event.SUCCEED): State.SUCCEEDED,
        (State.RUNNING, Event.FAIL): State.FAILED,
        (State.RUNNING, Event.CANCEL): State.CANCELLING,
        (State.CANCELLING, Event.STOP): State.CANCELLED,
        (State.FAILED, Event.RETRY): State.CREATED,
        (State.CANCELLED, Event.RETRY): State.CREATED,
    }
)
TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
ACTIVE = frozenset(State) - TERMINAL

PROCESS, RENDITIONS = "process", "renditions"  # kinds of job: an upload's own, and one that makes some renditions later


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a job failed, in words its owner can act on. `retryable`: whether trying again can help."""

    code: Code
    message: str
    task_id: str | None = None
    retryable: bool = False


CANCELLED = Failure(  # what a media says whose job has not failed
    code=Code.JOB_CANCELLED,
    message="Its job was cancelled: retry the job, and it is processed after all.",
    retryable=True,
)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The processing of one uploaded file. `progress` is 0–100 and never goes back within an attempt.

    `events` counts the stored events of this job: the sequence number of the newest one. `checked_at` is when the
    sweeper last convinced itself that this attempt is still alive. `trace` is where the request that made it came from.
    `filename` is what the file was called when it was uploaded, or its media when a later job was asked for.
    `renditions` are the names of what a job of that kind is to make; an upload's own makes all that is planned.
    `warnings` are what it lacks although it has succeeded.
    """

    id: str
    owner: str
    upload_id: str
    media_id: str
    kind: str
    source: ObjectRef
    options: Options
    created_at: float
    updated_at: float
    started_at: float
    checked_at: float
    state: State = State.CREATED
    attempt: int = 1
    progress: int = 0
    events: int = 0
    error: Failure | None = None
    trace: str = ""
    filename: str = ""
    renditions: tuple[str, ...] = ()
    warnings: tuple[Decision, ...] = ()

    @property
    def run_name(self) -> str:
        """The name of this attempt's run: starting it twice is starting it once."""
        return f"{self.id}-a{self.attempt}"

    def next_deadline(self, limits: Limits) -> float | None:
        """When the sweeper must look at it if nothing happens; `None` when the job has ended."""
        if self.state in TERMINAL:
            return None
        wait = limits.dispatch_seconds if self.state is State.CREATED else limits.check_seconds
        return self.checked_at + wait

    def overdue(self, now: float, limits: Limits) -> bool:
        """Whether this attempt has had all the time a job may have."""
        return self.state in ACTIVE and now >= self.started_at + limits.job_seconds_max


def step(job: Job, event: Event, now: float) -> Job:
    """The job after `event`; `Refused` when the table has no such row."""
    target = TRANSITIONS.get((job.state, event))
    if target is None:
        raise _REFUSALS[event](job)
    return replace(job, state=target, updated_at=now, checked_at=now)


def allows(job: Job, event: Event) -> bool:
    """Whether `event` may happen now."""
    return (job.state, event) in TRANSITIONS


def succeed(job: Job, now: float, warnings: tuple[Decision, ...] = ()) -> Job:
    """All renditions are proven and the manifest is written."""
    return replace(step(job, Event.SUCCEED, now), progress=100, warnings=warnings)


def fail(job: Job, failure: Failure, now: float) -> Job:
    """End this attempt with its reason."""
    return replace(step(job, Event.FAIL, now), error=failure)


def retry(job: Job, now: float) -> Job:
    """Open a new attempt. A file that was refused, or cannot give what was asked for, will be so again."""
    if job.error is not None and job.error.code in FINAL:
        raise refuse(Code.JOB_NOT_RETRYABLE, f"Trying again cannot help: {job.error.message}")
    after = step(job, Event.RETRY, now)
    return replace(after, attempt=job.attempt + 1, progress=0, error=None, started_at=now)


def advance(job: Job, progress: int, now: float) -> Job:
    """The job with more progress; less than it has is ignored, and 100 is kept for success."""
    return replace(job, progress=max(job.progress, min(progress, 99)), updated_at=now)


def _not_cancellable(job: Job) -> Exception:
    return refuse(Code.JOB_NOT_CANCELLABLE, f"The job is {job.state} already: there is nothing to cancel.")


def _not_retryable(job: Job) -> Exception:
    return refuse(Code.JOB_NOT_RETRYABLE, f"The job is {job.state}: only a failed or cancelled job can be retried.")


def _not_possible(job: Job) -> Exception:
    return refuse(Code.JOB_CANCELLED, f"The job is {job.state}: this attempt may not change it any more.")


_REFUSALS = MappingProxyType(
    dict.fromkeys(Event, _not_possible) | {Event.CANCEL: _not_cancellable, Event.RETRY: _not_retryable}
)
