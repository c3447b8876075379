"""The sweeper: looks at every record whose deadline has passed, and puts right what no message will.

It decides on the record itself and writes by condition, so two sweepers, or one that is late, do no harm. With it,
losing any message or any process costs time and never a job.
"""

import itertools
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import anyio

from smmu.application.attic import Attic
from smmu.application.completion import Completion
from smmu.application.jobs import Jobs
from smmu.application.library import Library
from smmu.application.lines import of_record
from smmu.application.messages import job_wants_dispatch, run_of, run_wants_advance, task_wants_worker
from smmu.application.store import Store
from smmu.application.worker import Worker
from smmu.domain import job, media, task, upload
from smmu.domain.errors import Code, Refused
from smmu.domain.job import Failure, Job
from smmu.domain.media import Media
from smmu.domain.task import Task
from smmu.domain.upload import Upload
from smmu.ports.about import About
from smmu.ports.errors import Conflict, WorldError
from smmu.ports.ledger import Remove
from smmu.ports.orchestrator import Orchestrator, RunRequest
from smmu.ports.queue import Message
from smmu.ports.records import IdempotencyKey, Key, Stored, Value
from smmu.ports.system import Clock, Telemetry
from smmu.ports.uploads import UploadStore

_BATCH = 100
_ORPHANS_EVERY = 60  # sweeps: listing sessions is dear, and nothing hurries
_FOREVER = 1e12
_ORPHAN_SLACK_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Puts right what is overdue."""

    store: Store
    jobs: Jobs
    orchestrator: Orchestrator
    completion: Completion
    library: Library
    attic: Attic
    worker: Worker
    storage: UploadStore
    clock: Clock
    telemetry: Telemetry
    every_seconds: float = 10.0

    async def run(self) -> None:
        """Sweep until cancelled."""
        stuck = 0
        for sweep in itertools.count():
            swept = 0
            try:
                swept, stuck = await self.once(_BATCH + stuck)
                if sweep % _ORPHANS_EVERY == 0:
                    await self.sweep_orphans()
                self.telemetry.event("swept", looked=swept, stuck=stuck)
            except WorldError as error:
                self.telemetry.event("sweep_failed", error=str(error))
            if swept < _BATCH:
                await anyio.sleep(self.every_seconds)

    async def once(self, limit: int = _BATCH) -> tuple[int, int]:
        """Look at one batch of overdue records: how many there were, and how many could not be put right.

        The next batch has room for those as well: what is stuck must not keep others from being looked at.
        """
        overdue = await self.store.ledger.due(self.clock.now(), limit)
        right = [await self._look(key, abandoned=False) for key in overdue]
        return len(overdue), right.count(False)

    async def take_over(self) -> None:
        """On one machine, when a new process starts alone: nobody else is alive, so every lease is void."""
        for key in await self.store.ledger.due(_FOREVER, 1_000_000):
            await self._look(key, abandoned=True)

    async def sweep_orphans(self) -> None:
        """Abort storage sessions that no open upload owns any more, long after they could have been in use."""
        before = self.clock.now() - self.store.limits.upload_seconds - _ORPHAN_SLACK_SECONDS
        for session in await self.storage.orphans(before):
            lost = await self.storage.list_parts(session)
            await self.storage.abort(session)
            self.telemetry.event("orphan_aborted", parts=len(lost), bytes=sum(part.size for part in lost))

    async def look_at(self, request: RunRequest) -> None:
        """Look at a job now, because its run is said to have ended."""
        await self._look(Key(Job, request.owner, request.job_id), abandoned=False)

    async def _look(self, key: Key[Any], *, abandoned: bool) -> bool:
        try:
            stored = await self.store.ledger.load(key)
            if stored is not None:
                with About(**of_record(stored.value)):
                    await self._put_right(stored, abandoned=abandoned)
        except Conflict:
            return True  # somebody is at it: good
        except (Refused, WorldError) as error:
            self.telemetry.event("not_put_right", table=key.table, id=key.id, error=str(error))
            return False
        except Exception:  # noqa: BLE001 - the boundary: a record that nobody can read must not keep others overdue
            self.telemetry.event("bug", table=key.table, id=key.id, stack=traceback.format_exc())
            return False
        return True

    async def _put_right(self, stored: Stored[Value], *, abandoned: bool) -> None:
        if isinstance(stored.value, Task):
            await self._task(Stored(stored.value, stored.version), abandoned=abandoned)
            return
        looks: dict[type[Value], Callable[[Stored[Any]], Awaitable[None]]] = {
            Upload: self._upload,
            Job: self._job,
            Media: self._media,
            IdempotencyKey: self._key,
        }
        await looks[type(stored.value)](stored)

    async def _upload(self, stored: Stored[Upload]) -> None:
        known, now = stored.value, self.clock.now()
        if known.state is upload.State.COMPLETING:
            await self._complete(stored)
        elif known.state is upload.State.COMPLETED:
            return  # by its client, since this list was made: its bytes are its job's now
        elif known.state in upload.TERMINAL:
            await self.completion.clean(stored)
        elif upload.is_expired(known, now) and not await self._complete(stored):
            await self.completion.close(stored, upload.Event.EXPIRE)

    async def _complete(self, stored: Stored[Upload]) -> bool:
        """Complete what the client forgot, when all parts are there; whether it is over now, one way or another."""
        try:
            await self.completion.go_on(stored)
        except Refused as refusal:
            return refusal.code is not Code.UPLOAD_INCOMPLETE
        return True

    async def _job(self, stored: Stored[Job]) -> None:
        known, now = stored.value, self.clock.now()
        if known.state in job.TERMINAL:
            return
        if known.overdue(now, self.store.limits):
            words = "The job took longer than a job may."
            await self.jobs.fail(run_of(known), Failure(code=Code.JOB_TIMED_OUT, message=words, retryable=True))
            await self.jobs.stop(run_of(known))
        elif known.state is job.State.CANCELLING:
            await self.jobs.settle(run_of(known))
        elif known.state is job.State.CREATED:
            await self._remind(stored, job_wants_dispatch(known, f"swept-{int(now)}"))
        else:
            await self._check_run(stored)

    async def _check_run(self, stored: Stored[Job]) -> None:
        """Compare a job that should be at work with its run, and settle the difference."""
        known, now = stored.value, self.clock.now()
        status = await self.orchestrator.describe(run_of(known))
        if status is None:
            await self.orchestrator.start(run_of(known))
            await self._remind(stored, job_wants_dispatch(known, f"swept-{int(now)}"))
        elif status.state == "running":
            await self._remind(stored, run_wants_advance(run_of(known), f"swept-{int(now)}"))
        else:
            words = f"The run of this job ended ({status.state}) without a result."
            await self.jobs.fail(run_of(known), Failure(code=Code.INTERNAL, message=words, retryable=True))

    async def _remind(self, stored: Stored[Job], message: Message) -> None:
        checked = replace(stored.value, checked_at=self.clock.now())
        await self.store.commit([self.store.put(checked, stored.version)], [message])

    async def _task(self, stored: Stored[Task], *, abandoned: bool) -> None:
        known, now = stored.value, self.clock.now()
        of_task = await self.store.find(Job, known.owner, known.job_id)
        if of_task is None or of_task.value.attempt != known.attempt or of_task.value.state in job.TERMINAL:
            cancelled = task.step(known, task.Event.CANCEL, now)
            request = RunRequest(owner=known.owner, job_id=known.job_id, attempt=known.attempt, trace=known.trace)
            message = run_wants_advance(request, f"swept-{int(now)}")  # its run may not know that all is over
            await self.store.commit([self.store.put(cancelled, stored.version)], [message])
        elif known.state is task.State.QUEUED:
            touched = replace(known, updated_at=now)
            message = task_wants_worker(touched, f"swept-{int(now)}", now)
            await self.store.commit([self.store.put(touched, stored.version)], [message])
        elif abandoned or task.lease_lost(known, now):
            words = "Its worker was not heard of any more."
            await self.worker.bury(known.owner, known.record_id, len(known.failures), Code.INTERRUPTED, words)

    async def _media(self, stored: Stored[Media]) -> None:
        if stored.value.state is media.State.DELETED:
            await self.library.clean(stored)
        elif stored.value.chunks:
            await self.library.tidy(stored)
        else:
            await self.attic.clear(stored)

    async def _key(self, stored: Stored[IdempotencyKey]) -> None:
        if self.clock.now() < stored.value.expires_at:
            return
        key: Key[Any] = Key(IdempotencyKey, stored.value.owner, stored.value.key)
        await self.store.commit([Remove(key=key, expect=stored.version)])
