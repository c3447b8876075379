"""A worker: claims a task, does it under a lease, and commits how it ended.

The claim raises the task's fencing number. Whoever holds an older one (a worker that slept past its lease, a doubled
delivery) finds that out at its next conditional write and stops: nothing it does after that makes a difference.
"""

import traceback
from dataclasses import dataclass
from typing import Any

import anyio

from smmu.application import lines
from smmu.application.causes import cause_of
from smmu.application.messages import run_wants_advance
from smmu.application.steps import Steps
from smmu.application.store import Store, told_state, told_task, until_settled
from smmu.domain import job, task
from smmu.domain.errors import WORDS, Code, Refused
from smmu.domain.job import Job
from smmu.domain.progress import overall
from smmu.domain.task import State, Task
from smmu.ports.about import About
from smmu.ports.errors import Conflict, TaskDied, WorldError
from smmu.ports.orchestrator import RunRequest
from smmu.ports.records import Stored
from smmu.ports.system import Clock, Telemetry

_NEWS_TRIES = 3
_GOODBYE_SECONDS = 5.0  # what an interrupted worker may take to say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one try ended: with an output, or with the error that the pipeline's rules match."""

    output: Any = None
    error: str = ""
    message: str = ""


@dataclass(slots=True, kw_only=True)
class Claim:
    """A task held under a lease: `stored` is its newest version, `fraction` the work done, `told` the percents told."""

    stored: Stored[Task]
    fraction: float = 0.0
    told: int = 0
    lost: bool = False

    async def note(self, fraction: float) -> None:
        """Remember progress; the heartbeat tells it."""
        self.fraction = max(self.fraction, fraction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Performs tasks."""

    store: Store
    steps: Steps
    clock: Clock
    telemetry: Telemetry

    async def perform(self, owner: str, record_id: str, tries: int) -> None:
        """Do try number `tries` of a task, unless it was done or is being done already."""
        known = await self.claim(owner, record_id, tries)
        if known is None:
            return
        claim, of_job = known
        with About(**{**lines.of_job(of_job), **lines.of_task(claim.stored.value)}):
            await self._do(claim, of_job)

    async def _do(self, claim: Claim, of_job: Job) -> None:
        try:
            ended = await self._under_lease(claim, of_job)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_GOODBYE_SECONDS, shield=True):
                await self._end(claim, Ended(error=Code.INTERRUPTED, message="The worker was asked to stop."))
            raise
        if not claim.lost:
            await self._end(claim, ended)

    async def claim(self, owner: str, record_id: str, tries: int) -> tuple[Claim, Job] | None:
        """Take the task, and start its job if it is the first; `None` when this try is not to be had."""

        async def attempt() -> tuple[Claim, Job] | None:
            stored = await self.store.find(Task, owner, record_id)
            if stored is None or stored.value.state is not State.QUEUED or len(stored.value.failures) != tries:
                return None
            started = await self._start_job(stored.value)
            if started is None:
                return None
            claimed = task.claim(stored.value, self.clock.now(), self.store.limits)
            await self.store.commit([self.store.put(claimed, stored.version)])
            self._tell_started(stored.value, claimed)
            return Claim(stored=Stored(claimed, stored.version + 1)), started

        return await until_settled(attempt)

    async def bury(self, owner: str, record_id: str, tries: int, error: str, message: str, *, detail: str = "") -> None:
        """Record the end of a try whose worker cannot do so itself any more. What has ended stays as it is.

        `message` is for the owner, `detail` for operators.
        """

        async def attempt() -> None:
            stored = await self.store.find(Task, owner, record_id)
            if stored is None or len(stored.value.failures) != tries:
                return
            now, dead = self.clock.now(), stored.value
            if dead.state is State.QUEUED:
                dead = task.claim(dead, now, self.store.limits)
            if dead.state is State.RUNNING:
                await self._commit_end(Stored(task.fail(dead, error, message, now), stored.version), detail)

        await until_settled(attempt)

    async def _start_job(self, known: Task) -> Job | None:
        async def attempt() -> Job | None:
            stored = await self.store.find(Job, known.owner, known.job_id)
            if stored is None or stored.value.attempt != known.attempt:
                return None
            if not job.allows(stored.value, job.Event.START):
                return stored.value if stored.value.state is job.State.RUNNING else None
            now = self.clock.now()
            after, event = told_state(job.step(stored.value, job.Event.START, now), now)
            await self.store.commit([self.store.put(after, stored.version), self.store.put(event)])
            return after

        return await until_settled(attempt)

    async def _under_lease(self, claim: Claim, of_job: Job) -> Ended:
        await self._tell(claim)
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep, claim, group.cancel_scope)
            ended = Ended(error=Code.TIMED_OUT, message=WORDS[Code.TIMED_OUT])
            with anyio.move_on_after(claim.stored.value.seconds_max):
                ended = await self._try(claim, of_job)
            group.cancel_scope.cancel()
        return ended

    async def _try(self, claim: Claim, of_job: Job) -> Ended:
        known = claim.stored.value
        try:
            return Ended(output=await self.steps.run(known, of_job, claim.note))
        except Refused as refusal:
            return Ended(error=refusal.code, message=refusal.message)
        except TaskDied as death:
            return Ended(error=death.cause, message=str(death))
        except WorldError as error:
            self.telemetry.event("world_failed", error=repr(error))
            return _unmeant(error)
        except Exception as error:  # noqa: BLE001 - the boundary: a bug fails one task, and is told with its trace
            self.telemetry.event("bug", stack=traceback.format_exc())
            return _unmeant(error)

    async def _keep(self, claim: Claim, scope: anyio.CancelScope) -> None:
        """Renew the lease and tell progress; when the claim is lost, stop the work."""
        limits = self.store.limits
        beat_at = self.clock.now() + limits.heartbeat_seconds
        while True:
            await anyio.sleep(limits.progress_seconds)
            percent = int(claim.fraction * 100)
            moved = percent >= claim.told + limits.progress_percent
            if not moved and self.clock.now() < beat_at:
                continue
            beat_at = self.clock.now() + limits.heartbeat_seconds
            if not await self._beat(claim):
                claim.lost = True
                scope.cancel()
                return
            if moved:
                claim.told = percent
                await self._tell(claim)

    async def _beat(self, claim: Claim) -> bool:
        known = claim.stored
        renewed = task.heartbeat(known.value, claim.fraction, self.clock.now(), self.store.limits)
        try:
            await self.store.commit([self.store.put(renewed, known.version)])
        except Conflict:
            return await self._still_ours(claim)
        except WorldError as error:
            self.telemetry.event("heartbeat_failed", error=str(error))
            return await self._still_ours(claim)
        claim.stored = Stored(renewed, known.version + 1)
        return True

    async def _still_ours(self, claim: Claim) -> bool:
        """After a write that failed or may have: look. Not knowing is not losing: the lease decides that."""
        held = claim.stored.value
        try:
            stored = await self.store.find(Task, held.owner, held.record_id)
        except WorldError:
            return self.clock.now() < held.lease_until
        if stored is None or stored.value.fence != held.fence or stored.value.state is not State.RUNNING:
            return False
        claim.stored = stored
        return True

    async def _end(self, claim: Claim, ended: Ended) -> None:
        async def attempt() -> None:
            if not await self._still_ours(claim):
                return
            now, known = self.clock.now(), claim.stored
            if ended.error:
                after = task.fail(known.value, ended.error, ended.message, now)
            else:
                after = task.succeed(known.value, ended.output, now)
            await self._commit_end(Stored(after, known.version))
            claim.stored = Stored(after, known.version + 1)

        await until_settled(attempt)
        await self._tell(claim)

    async def _commit_end(self, ended: Stored[Task], detail: str = "") -> None:
        known = ended.value
        request = RunRequest(owner=known.owner, job_id=known.job_id, attempt=known.attempt, trace=known.trace)
        message = run_wants_advance(request, f"{known.id}:{known.fence}:{known.state}")
        await self.store.commit([self.store.put(known, ended.version)], [message])
        last = known.failures[-1] if known.failures else None
        self.telemetry.event(
            "task_ended",
            **lines.of_task(known),
            state=known.state,
            failed=int(known.state is State.FAILED),
            error=last.error if last and known.state is State.FAILED else "",
            detail=detail,
            seconds=round(known.updated_at - known.started_at, 3),
        )

    def _tell_started(self, queued: Task, claimed: Task) -> None:
        waited = claimed.started_at - max(queued.updated_at, queued.not_before)
        self.telemetry.event(
            "task_started",
            **lines.of_task(claimed),
            weight=claimed.weight,
            tries=len(claimed.failures),
            seconds=round(max(0.0, waited), 3),
        )

    async def _tell(self, claim: Claim) -> None:
        """Put the task's news into its job's progress and history. News may be lost; the records stay right."""
        try:
            for _ in range(_NEWS_TRIES):
                if await self._told(claim.stored.value):
                    return
        except WorldError as error:
            self.telemetry.event("news_not_told", error=str(error))

    async def _told(self, known: Task) -> bool:
        stored = await self.store.find(Job, known.owner, known.job_id)
        if stored is None or stored.value.attempt != known.attempt or stored.value.state is not job.State.RUNNING:
            return True  # nobody is waiting for it
        now, prefix = self.clock.now(), f"{known.job_id}/a{known.attempt}/"
        tasks = [item.value async for item in self.store.all(Task, known.owner, prefix)]
        after, event = told_task(job.advance(stored.value, overall(tasks), now), known, now)
        try:
            await self.store.commit([self.store.put(after, stored.version), self.store.put(event)])
        except Conflict:
            return False
        return True


def _unmeant(error: Exception) -> Ended:
    """The end of a try that nobody meant to fail."""
    code = cause_of(error)
    return Ended(error=code, message=WORDS[code])
