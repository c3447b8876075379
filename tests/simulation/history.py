"""Every write of every record as it becomes durable, beneath all adapters, and the rules that no write may break.

These are the checks made at every step: only transitions of the domain's tables, terminal is terminal, numbers that
count never go back, one job of an upload, one manifest of an attempt.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from smmu.adapters.inmemory.world import RecordRow, Shelf, World
from smmu.domain import job, media, task, upload
from smmu.domain.events import JobEvent
from smmu.domain.job import Job
from smmu.domain.media import Media
from smmu.domain.task import Task
from smmu.domain.upload import Upload
from smmu.ports.records import HOME, IdempotencyKey, Key, Run, Table, Value, decode, key_of

_TYPES: Mapping[Table, type[Value]] = {table: kind for kind, table in HOME.items()}  # type: ignore[misc] # HOME's keys are the values' types


@dataclass(frozen=True, slots=True)
class Written:
    """One write."""

    at: float
    value: Value
    version: int


@dataclass(slots=True)
class History:
    """What was written, in order, and the newest of each record."""

    newest: dict[Key[Any], Written] = field(default_factory=dict)
    writes: list[Written] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def write(self, value: Value, version: int) -> None:
        key = key_of(value)
        before = self.newest.get(key)
        written = Written(anyio.current_time(), value, version)
        self.newest[key] = written
        self.writes.append(written)
        rule = _RULES.get(type(value))
        if rule is not None:
            problems = rule(before.value if before else None, value)
            self.broken += [f"{key.table} {key.id} at {written.at:.3f}: {problem}" for problem in problems]
        if isinstance(value, Job):
            self.broken += self._second_jobs(value)

    def of(self, kind: type[Any]) -> list[Any]:
        """The newest of every record of a type."""
        return [written.value for key, written in self.newest.items() if key.type is kind]

    def find(self, kind: type[Any], owner: str, record_id: str) -> Any:
        written = self.newest.get(Key(kind, owner, record_id))
        return written.value if written else None

    def _second_jobs(self, new: Job) -> list[str]:
        others = [known for known in self.of(Job) if known.upload_id == new.upload_id and known.id != new.id]
        twins = [known.id for known in others if known.kind == new.kind == job.PROCESS]
        at_work = [known.id for known in others if {known.state, new.state} <= job.ACTIVE]
        return [
            *(f"jobs {new.id}: upload {new.upload_id} has job {twin} already" for twin in twins),
            *(f"jobs {new.id}: {other} is at work on {new.media_id} as well" for other in at_work),
        ]


@dataclass(slots=True)
class WatchedShelf(Shelf[RecordRow]):
    """Tells the history of every row it is given."""

    table: Table = Table.JOBS
    history: History = field(default_factory=History)

    def put(self, key: str, row: RecordRow) -> None:
        Shelf.put(self, key, row)
        self.history.write(decode(_TYPES[self.table], row.data), row.version)


@dataclass(slots=True)
class WatchedWorld(World):
    """A world whose records have a history."""

    history: History = field(default_factory=History)

    def shelf(self, table: Table, owner: str) -> Shelf[RecordRow]:
        if (table, owner) not in self.records:
            self.records[table, owner] = WatchedShelf(table=table, history=self.history)
        return self.records[table, owner]


def _reached(table: Mapping[tuple[Any, Any], Any], old: Any, new: Any) -> bool:
    return any(state == old and target == new for (state, _), target in table.items())


def _job(old: Job | None, new: Job) -> Iterator[str]:
    if old is None:
        if (new.state, new.attempt, new.events) != (job.State.CREATED, 1, 1):
            yield f"begins as {new.state}, attempt {new.attempt}, with {new.events} events"
        return
    if old.state is new.state and old.state in job.TERMINAL:
        yield f"{new.state} is terminal, and is written again"
    if old.state is not new.state and not _reached(job.TRANSITIONS, old.state, new.state):
        yield f"goes from {old.state} to {new.state}, which is in no table"
    retried = old.state in job.TERMINAL
    if new.attempt != old.attempt + retried:
        yield f"is {new.state} at attempt {new.attempt}, after {old.state} at attempt {old.attempt}"
    if new.attempt == old.attempt and new.progress < old.progress:
        yield f"goes back from {old.progress} to {new.progress} %"
    if not 0 <= new.events - old.events <= 1:
        yield f"has {new.events} events, after {old.events}"
    if new.source != old.source:
        yield "is of another source"


def _task(old: Task | None, new: Task) -> Iterator[str]:
    if old is None:
        if new.state is not task.State.QUEUED:
            yield f"begins as {new.state}"
        return
    if old.state is new.state and new.state not in (task.State.RUNNING, task.State.QUEUED):
        yield f"is {new.state}, and is written again"
    if old.state is not new.state and not _reached(task.TRANSITIONS, old.state, new.state):
        yield from () if _buried(old, new) else (f"goes from {old.state} to {new.state}, which is in no table",)
    claimed = old.state is task.State.QUEUED and new.state is not task.State.QUEUED
    if new.fence != old.fence + (claimed and new.state is not task.State.CANCELLED):
        yield f"is {new.state} with fence {new.fence}, after {old.state} with fence {old.fence}"
    if new.fence == old.fence and new.state is task.State.RUNNING and new.progress < old.progress:
        yield f"goes back from {old.progress} to {new.progress} % under fence {new.fence}"
    if len(new.failures) < len(old.failures):
        yield "forgets how a try failed"


def _buried(old: Task, new: Task) -> bool:
    """A try that nobody claimed is claimed and ended in one write."""
    return (old.state, new.state) == (task.State.QUEUED, task.State.FAILED)


def _media(old: Media | None, new: Media) -> Iterator[str]:
    if old is None:
        return
    if old.state is not new.state and not _reached(media.TRANSITIONS, old.state, new.state):
        yield f"goes from {old.state} to {new.state}, which is in no table"
    if old.manifest != new.manifest:
        if new.revision != old.revision + 1:
            yield f"has another manifest as revision {new.revision}, after {old.revision}"
        if new.early and old.manifest is not None and not old.early:
            yield f"has less in revision {new.revision} than it had"
        if (new.job_id, new.attempt) == (old.job_id, old.attempt) and (new.early or not old.early):
            yield f"is published twice in attempt {new.attempt}"
    if new.job_id == old.job_id and new.attempt < old.attempt:
        yield f"goes back from attempt {old.attempt} to {new.attempt}"


def _upload(old: Upload | None, new: Upload) -> Iterator[str]:
    if old is None:
        return
    if old.state is not new.state and not _reached(upload.TRANSITIONS, old.state, new.state):
        yield f"goes from {old.state} to {new.state}, which is in no table"
    if (old.job_id, old.media_id, old.key) != (new.job_id, new.media_id, new.key):
        yield "changes what it is of"
    if old.stored is not None and new.stored != old.stored:
        yield "is pinned to other bytes"
    if new.cleaned and new.state is upload.State.COMPLETED:
        yield "is completed, and its bytes are removed"


def _event(old: JobEvent | None, _new: JobEvent) -> Iterator[str]:
    if old is not None:
        yield "has happened already: an event is written once"


def _run(old: Run | None, new: Run) -> Iterator[str]:
    if old is not None and old.state != "running":
        yield f"has ended ({old.state}), and is written again as {new.state}"


def _key(old: IdempotencyKey | None, new: IdempotencyKey) -> Iterator[str]:
    """No run lasts as long as a key is good for."""
    if old is not None and (old.upload_id, old.job_id) != (new.upload_id, new.job_id):
        yield f"was used for {old.upload_id}{old.job_id}, and now for {new.upload_id}{new.job_id}"


_RULES: Mapping[type[Any], Callable[[Any, Any], Iterator[str]]] = {
    Job: _job,
    Task: _task,
    Media: _media,
    Upload: _upload,
    JobEvent: _event,
    Run: _run,
    IdempotencyKey: _key,
}
