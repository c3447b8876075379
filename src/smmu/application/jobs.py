"""Jobs: look, list, cancel, retry, dispatch, settle.

A job's row is the truth. Messages and runs only make things happen sooner: whatever is lost between two writes is
found again by the sweeper, which calls the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smmu.application.lines import of_job
from smmu.application.messages import job_wants_dispatch, run_of
from smmu.application.store import Store, first_told, told_state, until_settled
from smmu.domain import job, media, task
from smmu.domain.errors import FINAL, Code, Refused, refuse
from smmu.domain.events import JobEvent
from smmu.domain.job import Event, Failure, Job, State
from smmu.domain.media import Media
from smmu.domain.task import Task
from smmu.domain.values import ObjectRef
from smmu.ports.errors import Conflict, NotFound
from smmu.ports.ledger import Change, Page, Query
from smmu.ports.objects import ObjectStore
from smmu.ports.orchestrator import Orchestrator, RunRequest
from smmu.ports.records import Stored
from smmu.ports.system import Clock, Telemetry

_LATE_SECONDS = 300  # after the last lease of a job nobody writes for it any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A job as its owner sees it, with the tasks of its present attempt. `version` changes when anything does."""

    job: Job
    version: int
    tasks: Sequence[Task]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The use cases of jobs."""

    store: Store
    objects: ObjectStore
    orchestrator: Orchestrator
    clock: Clock
    telemetry: Telemetry

    async def get(self, owner: str, job_id: str) -> Seen:
        """The job and its tasks; `Refused` when there is none."""
        stored = await self.store.get(Job, owner, job_id)
        tasks = [item.value async for item in self.store.all(Task, owner, tasks_of(stored.value))]
        return Seen(job=stored.value, version=stored.version, tasks=tasks)

    async def page(
        self, owner: str, *, state: str | None = None, kind: str | None = None, after: str | None = None, limit: int
    ) -> Page[Job]:
        """The owner's jobs, the newest first."""
        return await self.store.ledger.query(
            Query(type=Job, owner=owner, state=state, kind=kind, after=after, limit=limit, newest=True)
        )

    async def events(self, owner: str, job_id: str, after: int, limit: int = 100) -> Sequence[JobEvent]:
        """The events after that number, in order. The first is the job's making, and is not stored."""
        page = await self.store.ledger.query(
            Query(type=JobEvent, owner=owner, prefix=f"{job_id}/", after=f"{job_id}/{after:010d}", limit=limit)
        )
        stored = [item.value for item in page.items]
        known = None if after else await self.store.find(Job, owner, job_id)
        if known is None or (stored and stored[0].seq == 1):  # as jobs of older releases have it
            return stored
        return [first_told(known.value), *stored][:limit]

    async def cancel(self, owner: str, job_id: str) -> Job:
        """Ask a job to end. One that has not begun is cancelled at once, another when its run has stopped."""

        async def attempt() -> Job:
            stored = await self.store.get(Job, owner, job_id)
            if stored.value.state in (State.CANCELLING, State.CANCELLED):
                return stored.value
            now = self.clock.now()
            after, event = told_state(job.step(stored.value, Event.CANCEL, now), now)
            changes: list[Change] = [self.store.put(after, stored.version), self.store.put(event)]
            if after.state is State.CANCELLED:
                changes += await self._media_change(after, media.Event.FAIL)
            await self.store.commit(changes, [job_wants_dispatch(after, "cancel")])
            if after.state is State.CANCELLED:
                self.telemetry.event("job_cancelled", **of_job(after))
            return after

        return await until_settled(attempt)

    async def retry(self, owner: str, job_id: str) -> Job:
        """Open a new attempt of a failed or cancelled job on the same source."""

        async def attempt() -> Job:
            stored = await self.store.get(Job, owner, job_id)
            now = self.clock.now()
            after, event = told_state(job.retry(stored.value, now), now)
            await self.require_source(after.source)
            changes: list[Change] = [self.store.put(after, stored.version), self.store.put(event)]
            changes += await self._media_reopened(after)
            await self.store.commit(changes, [job_wants_dispatch(after, "created")])
            cause = stored.value.error.code if stored.value.error else Code.JOB_CANCELLED
            self.telemetry.event("job_retried", **of_job(after), cause=cause)
            return after

        return await until_settled(attempt)

    async def dispatch(self, request: RunRequest) -> None:
        """See that a job's present attempt has a run, or that a cancelled one has none. Repeating it is fine."""
        stored = await self.store.find(Job, request.owner, request.job_id)
        if stored is None or stored.value.attempt != request.attempt:
            return
        if stored.value.state is State.CREATED:
            await self.orchestrator.start(run_of(stored.value))
            await self._dispatched(stored)
        elif stored.value.state in (State.CANCELLING, State.CANCELLED):
            await self.settle(request)

    async def end(self, owner: str, job_id: str) -> Job:
        """Cancel a job if it can be, and stop what its present attempt has at work. What has ended closes itself."""
        try:
            known = await self.cancel(owner, job_id)
        except Refused:
            return (await self.store.get(Job, owner, job_id)).value
        await self.stop(run_of(known))
        return known

    async def end_all(self, known: Media) -> bool:
        """End every job whose workers may still write for a media; whether none of them does any more."""
        ended = [await self.end(known.owner, job_id) for job_id in known.writers]
        return all(one.state in job.TERMINAL for one in ended) and not await self.still_writing(known)

    async def still_writing(self, known: Media) -> list[str]:
        """The jobs of a media whose workers may still write: until the last lease is over, and somewhat longer."""
        now = self.clock.now()
        return [one for one in known.writers if now < await self._last_lease(known.owner, one) + _LATE_SECONDS]

    async def require_idle(self, known: Media, but: str = "") -> None:
        """Refuse while a job (`but` this one) is at work on a media: the one that was opened last."""
        newest = known.writers[-1]
        stored = None if newest == but else await self.store.find(Job, known.owner, newest)
        if stored is not None and stored.value.state in job.ACTIVE:
            words = f"Job {newest} is at work on this media: wait for its end, or cancel it."
            raise refuse(Code.MEDIA_BUSY, words)

    async def require_source(self, source: ObjectRef) -> None:
        """Refuse when the uploaded file is not kept any more."""
        try:
            await self.objects.open(source)
        except NotFound as error:
            message = "The uploaded file is no longer kept: upload it again."
            raise refuse(Code.SOURCE_EXPIRED, message) from error

    async def stop(self, request: RunRequest) -> None:
        """Stop whatever an attempt still has at work; its job is not touched."""
        await self.orchestrator.cancel(request)
        await self.cancel_tasks(request)

    async def settle(self, request: RunRequest) -> None:
        """Stop everything of a job that is being cancelled, then call it cancelled."""
        await self.stop(request)

        async def attempt() -> None:
            stored = await self.store.find(Job, request.owner, request.job_id)
            if stored is None or stored.value.state is not State.CANCELLING or stored.value.attempt != request.attempt:
                return
            now = self.clock.now()
            after, event = told_state(job.step(stored.value, Event.STOP, now), now)
            changes: list[Change] = [self.store.put(after, stored.version), self.store.put(event)]
            await self.store.commit([*changes, *await self._media_change(after, media.Event.FAIL)])
            self.telemetry.event("job_cancelled", **of_job(after))

        await until_settled(attempt)

    async def fail(self, request: RunRequest, failure: Failure) -> None:
        """End an attempt with its reason, and its media with it. What has ended already stays as it is."""

        async def attempt() -> None:
            stored = await self.store.find(Job, request.owner, request.job_id)
            if stored is None or stored.value.attempt != request.attempt or stored.value.state in job.TERMINAL:
                return
            if stored.value.state is State.CANCELLING:
                return  # the owner's wish goes first: `settle` ends it
            now = self.clock.now()
            after, event = told_state(job.fail(stored.value, failure, now), now)
            what = media.Event.REJECT if failure.code in FINAL else media.Event.FAIL
            changes: list[Change] = [self.store.put(after, stored.version), self.store.put(event)]
            await self.store.commit([*changes, *await self._media_change(after, what)])
            fault = "file" if failure.code in FINAL else "service"
            self.telemetry.event(
                "job_failed", **of_job(after), code=failure.code, fault=fault, faulty=int(fault == "service")
            )

        await until_settled(attempt)

    async def cancel_tasks(self, request: RunRequest) -> None:
        """Cancel every task of an attempt that has not ended: its worker finds out at its next heartbeat."""
        prefix = f"{request.job_id}/a{request.attempt}/"
        for stored in [stored async for stored in self.store.all(Task, request.owner, prefix)]:
            await self._cancel_task(stored)

    async def _cancel_task(self, stored: Stored[Task]) -> None:
        async def attempt() -> None:
            now = await self.store.find(Task, stored.value.owner, stored.value.record_id)
            if now is None or (now.value.state, task.Event.CANCEL) not in task.TRANSITIONS:
                return
            cancelled = task.step(now.value, task.Event.CANCEL, self.clock.now())
            await self.store.commit([self.store.put(cancelled, now.version)])

        await until_settled(attempt)

    async def _dispatched(self, stored: Stored[Job]) -> None:
        now = self.clock.now()
        after, event = told_state(job.step(stored.value, Event.DISPATCH, now), now)
        try:
            await self.store.commit([self.store.put(after, stored.version), self.store.put(event)])
        except Conflict:
            return  # its first task has started it, or its owner has cancelled it
        self.telemetry.event("job_dispatched", **of_job(after), seconds=round(now - after.started_at, 3))

    async def _last_lease(self, owner: str, job_id: str) -> float:
        """When the last lease of any worker that was ever at this job runs out, or ran out."""
        return max(
            [stored.value.lease_until async for stored in self.store.all(Task, owner, f"{job_id}/")], default=0.0
        )

    async def _media_reopened(self, known: Job) -> list[Change]:
        """What a new attempt changes in its media: who is at work on it, and of an upload's own job its state."""
        stored = await self.store.find(Media, known.owner, known.media_id)
        if stored is None or stored.value.state is media.State.DELETED:
            return []
        await self.require_idle(stored.value, but=known.id)
        await self._require_newest(stored.value, known)
        now = self.clock.now()
        after = media.opened(stored.value, known.id, await self.still_writing(stored.value), now)
        if known.kind == job.PROCESS:
            after = replace(media.step(after, media.Event.PROCESS, now), error=None)
        return [self.store.put(after, stored.version)]

    async def _require_newest(self, of_media: Media, known: Job) -> None:
        """A job of renditions whose options are older than what is published would take the newer ones back."""
        if known.kind == job.PROCESS or of_media.job_id == known.id:
            return
        published = await self.store.find(Job, known.owner, of_media.job_id)
        later = published is not None and published.value.created_at > known.created_at
        if published is not None and later and published.value.options != known.options:
            words = "A later job has changed this media since: ask for the renditions anew."
            raise refuse(Code.JOB_NOT_RETRYABLE, words)

    async def _media_change(self, known: Job, event: media.Event) -> list[Change]:
        if known.kind != job.PROCESS:
            return []  # the media is what it was before: it is there whole, without what this job was to add
        stored = await self.store.find(Media, known.owner, known.media_id)
        if stored is None or (stored.value.state, event) not in media.TRANSITIONS:
            return []
        now = self.clock.now()
        failed = event in (media.Event.FAIL, media.Event.REJECT)
        change = media.fail if failed else media.step
        after = change(stored.value, event, now)
        lost = failed and after.state is not media.State.READY
        why = (known.error or job.CANCELLED) if lost else None
        return [self.store.put(replace(after, error=why), stored.version)]


def tasks_of(known: Job) -> str:
    """What the ids of the tasks of a job's present attempt start with."""
    return f"{known.id}/a{known.attempt}/"
