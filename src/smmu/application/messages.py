"""The messages that records send: small notes whose ids are pure functions of what they say.

A message is only a hint to look; the record it names is the truth, so losing or doubling one costs time, not work.
"""

from smmu.domain import pipeline
from smmu.domain.job import Job
from smmu.domain.task import Task
from smmu.ports.orchestrator import RunRequest
from smmu.ports.queue import Message, Topic


def job_wants_dispatch(job: Job, occasion: str) -> Message:
    """Look at a job: start its run, or end what its owner cancelled. `occasion` tells repeated notes apart."""
    return Message(
        id=f"{job.run_name}:{occasion}",
        topic=Topic.JOBS,
        body=_body_of(run_of(job)),
        group=job.owner,
    )


def run_wants_advance(request: RunRequest, occasion: str, delay: float = 0.0) -> Message:
    """Look at a run: what does its pipeline want next?"""
    return Message(
        id=f"{request.name}:advance:{occasion}",
        topic=Topic.RUNS,
        body=_body_of(request),
        group=request.owner,
        delay_seconds=delay,
    )


def task_wants_worker(task: Task, occasion: str, now: float) -> Message:
    """A task is queued: its next try may begin at `not_before`."""
    return Message(
        id=f"{task.id}:{len(task.failures)}:{occasion}",
        topic=Topic.HEAVY_TASKS if task.weight is pipeline.Weight.HEAVY else Topic.TASKS,
        body={
            "owner": task.owner,
            "record_id": task.record_id,
            "tries": len(task.failures),
            "job_id": task.job_id,
            "attempt": task.attempt,
            "trace": task.trace,
        },
        group=task.owner,
        delay_seconds=max(0.0, task.not_before - now),
    )


def run_of(job: Job) -> RunRequest:
    """The run of a job's present attempt."""
    return RunRequest(owner=job.owner, job_id=job.id, attempt=job.attempt, trace=job.trace)


def request_in(message: Message) -> RunRequest:
    """The run a `JOBS` or `RUNS` message is about. One that an older release sent tells no trace."""
    body = message.body
    return RunRequest(
        owner=str(body["owner"]),
        job_id=str(body["job_id"]),
        attempt=int(body["attempt"]),
        trace=str(body.get("trace", "")),
    )


def _body_of(request: RunRequest) -> dict[str, str | int]:
    return {
        "owner": request.owner,
        "job_id": request.job_id,
        "attempt": request.attempt,
        "trace": request.trace,
    }
