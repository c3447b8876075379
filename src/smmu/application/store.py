"""Small sentences over the ledger that every use case speaks: load or refuse, put a value with its deadline, repeat.

Every write of a record goes through `put`, so that no record is ever stored without its deadline: what has none is
what nobody needs to look at again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from smmu.domain.errors import Code, refuse
from smmu.domain.events import JobEvent
from smmu.domain.job import Job, State
from smmu.domain.limits import Limits
from smmu.domain.media import Media
from smmu.domain.task import Task
from smmu.domain.upload import Upload
from smmu.ports.errors import Conflict
from smmu.ports.ledger import Change, Ledger, Put, Query
from smmu.ports.queue import Message, Topic
from smmu.ports.records import IdempotencyKey, Key, Stored, T, Value

R = TypeVar("R")
_NAMES: dict[type[object], str] = {Upload: "upload", Job: "job", Media: "media"}
_CONFLICTS_MAX = 50  # each means that somebody else got on, so this many in a row is a bug, not bad luck


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A ledger with the product's deadlines, and a bell for the relay.

    `heard` are the topics that somebody receives on this platform. Messages are hints, so others are left out.
    """

    ledger: Ledger
    limits: Limits
    ring: Callable[[], None]
    heard: frozenset[Topic] = frozenset(Topic)

    async def get(self, kind: type[T], owner: str, record_id: str) -> Stored[T]:
        """The record, or `Refused` as not found: another owner's answers exactly as a missing one."""
        stored = await self.ledger.load(Key(kind, owner, record_id))
        if stored is None:
            raise refuse(Code.NOT_FOUND, f"There is no such {_NAMES.get(kind, 'record')}.")
        return stored

    async def find(self, kind: type[T], owner: str, record_id: str) -> Stored[T] | None:
        """The record, or `None`."""
        return await self.ledger.load(Key(kind, owner, record_id))

    async def all(self, kind: type[T], owner: str, prefix: str) -> AsyncIterator[Stored[T]]:
        """Every record of an owner whose id starts with `prefix`, oldest first."""
        after: str | None = None
        while True:
            page = await self.ledger.query(Query(type=kind, owner=owner, prefix=prefix, after=after))
            for item in page.items:
                yield item
            if page.cursor is None:
                return
            after = page.cursor

    def put(self, value: Value, expect: int = 0) -> Put:
        """The change that writes `value` over version `expect`."""
        return Put(value=value, expect=expect, due_at=deadline(value, self.limits))

    async def commit(self, changes: Sequence[Change], messages: Sequence[Message] = ()) -> None:
        """Commit, and ring for the relay when something is to be sent."""
        outgoing = [message for message in messages if message.topic in self.heard]
        await self.ledger.commit(changes, outgoing)
        if outgoing:
            self.ring()


def deadline(value: Value, limits: Limits) -> float | None:
    """When somebody must look at a record again if nothing happens."""
    if isinstance(value, (Upload, Job, Media, Task)):
        return value.next_deadline(limits)
    return value.expires_at if isinstance(value, IdempotencyKey) else None  # a run's and an event's job has one


async def until_settled(attempt: Callable[[], Awaitable[R]]) -> R:
    """Load, decide and write, again and again, as long as somebody else wrote in between."""
    for _ in range(_CONFLICTS_MAX):
        try:
            return await attempt()
        except Conflict:
            continue
    return await attempt()


def told(
    job: Job, now: float, kind: Literal["state", "progress", "task"], data: dict[str, Any]
) -> tuple[Job, JobEvent]:
    """The job with one more event in its history, and that event: both go into the same commit."""
    seq = job.events + 1
    event = JobEvent(job_id=job.id, owner=job.owner, seq=seq, at=now, attempt=job.attempt, type=kind, data=data)
    return replace(job, events=seq, updated_at=now), event


def told_state(job: Job, now: float) -> tuple[Job, JobEvent]:
    """The event of a job that has just changed its state."""
    data: dict[str, Any] = {"state": job.state, "progress": job.progress}
    if job.error is not None:
        data["error"] = {"code": job.error.code, "message": job.error.message}
    return told(job, now, "state", data)


def first_told(job: Job) -> JobEvent:
    """The event of a job's making. Its job counts it and says all of it, so it is never stored."""
    data = {"state": State.CREATED, "progress": 0}
    return JobEvent(job_id=job.id, owner=job.owner, seq=1, at=job.created_at, attempt=1, type="state", data=data)


def told_task(job: Job, task: Task, now: float) -> tuple[Job, JobEvent]:
    """The event of a task that has just changed."""
    data = {"task_id": task.id, "name": task.name, "state": task.state, "progress": task.progress, "job": job.progress}
    return told(job, now, "task", data)
