"""Runs the pipeline value in process: evaluate, queue what it wants, and again when a task has ended.

It keeps nothing: the journal is the task records, so advancing a run twice, late, or after a crash does no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smmu.application.jobs import Jobs
from smmu.application.messages import run_of, task_wants_worker
from smmu.application.runs import LedgerOrchestrator, RunState
from smmu.application.store import Store, until_settled
from smmu.domain import job, task
from smmu.domain.catalogue import pipeline
from smmu.domain.errors import Code
from smmu.domain.evaluate import Done, Failed, Ready, Waiting, evaluate
from smmu.domain.job import Failure, Job
from smmu.domain.pipeline import Step
from smmu.domain.task import Task
from smmu.ports.orchestrator import RunRequest
from smmu.ports.records import Stored
from smmu.ports.system import Clock

_BATCH = 25  # tasks queued in one commit
_ENDS: Mapping[job.State, RunState] = {  # what a job's end makes of its run
    job.State.SUCCEEDED: "succeeded",
    job.State.FAILED: "failed",
    job.State.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """Advances runs."""

    store: Store
    jobs: Jobs
    runs: LedgerOrchestrator
    clock: Clock

    async def advance(self, request: RunRequest) -> None:
        """Queue what the run wants next, or close it when it wants nothing more.

        Two may advance a run at once: who comes second evaluates again, and finds less to do or nothing.
        """
        stored = await self.store.find(Job, request.owner, request.job_id)
        status = await self.runs.describe(request)
        if stored is None or status is None or status.state != "running":
            return
        if stored.value.attempt != request.attempt:
            await self._close(request, "cancelled")
        elif stored.value.state in _ENDS:
            await self._close(request, _ENDS[stored.value.state])
        elif stored.value.state is job.State.CANCELLING:
            await self.jobs.settle(request)
        else:
            known = run_of(stored.value)
            await until_settled(lambda: self._evaluate(known))

    async def _evaluate(self, request: RunRequest) -> None:
        journal = await self._journal(request)
        document = {
            "job_id": request.job_id,
            "owner": request.owner,
            "attempt": request.attempt,
            "trace": request.trace,
        }
        records = {path: stored.value for path, stored in journal.items()}
        outcome = evaluate(self._pipeline(), document, records)
        if isinstance(outcome, Waiting):
            await self._queue(request, outcome.ready, journal)
        elif isinstance(outcome, Done):
            await self._close(request, "succeeded")
        else:
            await self._failed(request, outcome)

    def _pipeline(self) -> Step:
        return pipeline(self.store.limits)

    async def _journal(self, request: RunRequest) -> dict[str, Stored[Task]]:
        prefix = f"{request.job_id}/a{request.attempt}/"
        return {stored.value.path: stored async for stored in self.store.all(Task, request.owner, prefix)}

    async def _queue(self, request: RunRequest, ready: Sequence[Ready], journal: dict[str, Stored[Task]]) -> None:
        for start in range(0, len(ready), _BATCH):
            await self._queue_batch(request, ready[start : start + _BATCH], journal)

    async def _queue_batch(self, request: RunRequest, ready: Sequence[Ready], journal: dict[str, Stored[Task]]) -> None:
        now = self.clock.now()
        changes, messages = [], []
        for wanted in ready:
            known = journal.get(wanted.path)
            queued = _again(known, wanted, now) if known else _fresh(request, wanted, now)
            changes.append(self.store.put(queued, known.version if known else 0))
            messages.append(task_wants_worker(queued, "ready", now))
        await self.store.commit(changes, messages)

    async def _failed(self, request: RunRequest, outcome: Failed) -> None:
        """The pipeline records failures itself; this is for when even that step failed."""
        code = Code(outcome.error) if outcome.error in set(Code) else Code.INTERNAL
        failure = Failure(code=code, message=outcome.message, task_id=outcome.task_id, retryable=True)
        await self.jobs.fail(request, failure)
        await self._close(request, "failed")

    async def _close(self, request: RunRequest, state: RunState) -> None:
        await self.jobs.cancel_tasks(request)
        await self.runs.end(request, state)


def _again(known: Stored[Task], wanted: Ready, now: float) -> Task:
    return task.requeue(known.value, wanted.not_before, now)


def _fresh(request: RunRequest, wanted: Ready, now: float) -> Task:
    return task.opened(
        owner=request.owner,
        job_id=request.job_id,
        attempt=request.attempt,
        path=wanted.path,
        does=wanted.task.does,
        name=wanted.task.name,
        weight=wanted.task.weight,
        given=wanted.input,
        seconds_max=wanted.task.seconds_max,
        now=now,
        not_before=wanted.not_before,
        trace=request.trace,
    )
