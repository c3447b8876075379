"""What must be true when all faults are over and the world has had time: the promise, word by word."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from smmu.adapters.inmemory.world import ObjectRow
from smmu.domain import job, keys, media, quota, task, upload
from smmu.domain.events import JobEvent
from smmu.domain.job import Job
from smmu.domain.media import Media
from smmu.domain.task import Task
from smmu.domain.upload import Upload
from smmu.domain.values import ObjectRef
from smmu.ports.records import Run
from tests.simulation.history import WatchedWorld


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """An upload whose client was told that a job has it."""

    owner: str
    upload_id: str
    job_id: str
    media_id: str
    size: int


ORPHANED_SECONDS = 3600 + 600 + 30  # the sweeper's slack, and how seldom it looks


def verdict(world: WatchedWorld, acknowledged: list[Acknowledged], expired_at: float) -> list[str]:
    """Everything that is not as it was promised. What was begun before `expired_at` has had all its time."""
    history = world.history
    problems = [problem for known in acknowledged for problem in _kept(world, known)]
    problems += [problem for known in history.of(Job) for problem in _settled(world, known)]
    problems += [problem for known in history.of(Job) for problem in _told(world, known)]
    problems += [problem for known in history.of(Media) for problem in _gone(world, known)]
    problems += _orphans(world, expired_at - ORPHANED_SECONDS)
    problems += _quotas(world)
    problems += _messages(world)
    return problems


def is_quiet(world: WatchedWorld) -> bool:
    """Whether nothing is left to do."""
    of, busy = world.history.of, (task.State.QUEUED, task.State.RUNNING)
    return not (
        world.outbox
        or any(world.queue.values())
        or any(known.state in job.ACTIVE for known in of(Job))
        or any(known.state in busy for known in of(Task))
        or any(known.state == "running" for known in of(Run))
        or any(known.state is media.State.DELETED and not known.cleaned for known in of(Media))
        or any(known.chunks for known in of(Media))
    )


def _kept(world: WatchedWorld, known: Acknowledged) -> Iterator[str]:
    """An acknowledged job is there, has ended, and its bytes are what was sent."""
    of_upload = world.history.find(Job, known.owner, known.job_id)
    kept = world.history.find(Upload, known.owner, known.upload_id)
    if of_upload is None or kept is None or kept.state is not upload.State.COMPLETED:
        yield f"LOST: {known.job_id} was acknowledged, and is not there"
        return
    if of_upload.state not in job.TERMINAL:
        yield f"LOST: {known.job_id} was acknowledged, and is {of_upload.state} for ever"
    source = _stored(world, of_upload.source)
    if _is_deleted(world, of_upload):
        return
    if source is None or len(source.data) != known.size:
        yield f"LOST: the bytes of {known.job_id} were acknowledged, and are not there"


def _settled(world: WatchedWorld, known: Job) -> Iterator[str]:
    """What has ended has nothing at work any more, and says the truth about what it made."""
    if known.state in job.ACTIVE:
        return
    of_media = world.history.find(Media, known.owner, known.media_id)
    tasks = [found for found in world.history.of(Task) if found.job_id == known.id]
    at_work = [found.name for found in tasks if found.state in (task.State.QUEUED, task.State.RUNNING)]
    if at_work:
        yield f"{known.id} is {known.state}, and {', '.join(at_work)} is still at work"
    runs = [run.name for run in world.history.of(Run) if run.job_id == known.id and run.state == "running"]
    if runs:
        yield f"{known.id} is {known.state}, and {', '.join(runs)} is still running"
    last = world.history.find(Run, known.owner, known.run_name)
    if last is not None and last.state not in (known.state, "running"):
        yield f"{known.id} is {known.state}, and its run is {last.state}"
    if _is_deleted(world, known):
        return
    if known.state is job.State.SUCCEEDED:
        yield from _succeeded(world, known, of_media)
    elif of_media.state is media.State.PROCESSING:
        yield f"{known.id} is {known.state}, and its media is processing for ever"
    if known.state is job.State.FAILED and (known.error is None or not known.error.message):
        yield f"{known.id} failed without a reason"


def _is_deleted(world: WatchedWorld, known: Job) -> bool:
    of_media = world.history.find(Media, known.owner, known.media_id)
    return of_media is not None and of_media.state is media.State.DELETED


def _gone(world: WatchedWorld, known: Media) -> Iterator[str]:
    """What was deleted has no byte in storage, and nobody thinks that it might."""
    if known.state is not media.State.DELETED:
        return
    if not known.cleaned:
        yield f"{known.id} was deleted, and is being cleaned for ever"
    prefix = keys.media_prefix(known.owner, known.id)
    left = [key for key in world.objects.rows if key.startswith(prefix) or key == known.source.key]
    if left:
        yield f"{known.id} was deleted, and these are left of it: {', '.join(sorted(left))}"


def _succeeded(world: WatchedWorld, known: Job, of_media: Media) -> Iterator[str]:
    done = [one for one in world.history.of(Job) if (one.media_id, one.state) == (of_media.id, job.State.SUCCEEDED)]
    if of_media.state is not media.State.READY or of_media.revision < len(done):
        yield f"{known.id} succeeded, of {len(done)}; its media is {of_media.state} at revision {of_media.revision}"
    if of_media.job_id == known.id:
        yield from _published(world, known, of_media)
    elif not any(one.id == of_media.job_id for one in done):
        yield f"{of_media.id} was published by {of_media.job_id}, which did not succeed"


def _published(world: WatchedWorld, known: Job, of_media: Media) -> Iterator[str]:
    """The newest manifest: all that it lists was made by tries that won, in whichever job, and is there."""
    if of_media.attempt != known.attempt:
        yield f"{known.id} succeeded at attempt {known.attempt}; its media is of {of_media.attempt}"
    document = _stored(world, of_media.manifest) if of_media.manifest else None
    if of_media.manifest is None or document is None:
        yield f"{known.id} succeeded, and its manifest is not there"
        return
    told = json.loads(document.data)
    if (told["job_id"], told["attempt"], told["revision"]) != (known.id, known.attempt, of_media.revision):
        yield f"{known.id}: the manifest is of {told['job_id']}, {told['attempt']}, revision {told['revision']}"
    left = [key for key in world.objects.rows if key.startswith(keys.chunks_prefix(known.owner, known.media_id))]
    if left:
        yield f"{known.id} succeeded, and chunks are left that nobody needs: {', '.join(left)}"
    folder = keys.folder_of(of_media.manifest.key)
    winners = tuple(_winners(world, of_media))
    for rendition in told["renditions"]:
        for file in rendition.get("files", [rendition]):
            yield from _file(world, folder, file, winners)
    yield from _again(known, told)


def _winners(world: WatchedWorld, of_media: Media) -> Iterator[str]:
    """The folders of tries that succeeded, of every job of a media."""
    owner, jobs = of_media.owner, {one.id: one for one in world.history.of(Job) if one.media_id == of_media.id}
    for found in world.history.of(Task):
        if found.job_id in jobs and found.state is task.State.SUCCEEDED:
            attempt = keys.attempt_prefix(owner, of_media.id, found.job_id, found.attempt)
            yield f"{attempt}{found.name}-{found.fence}/"


def _again(known: Job, told: dict[str, Any]) -> Iterator[str]:
    """What a later job was to make is its own."""
    paths = {rendition["name"]: rendition["path"] for rendition in told["renditions"]}
    for name in known.renditions:
        if not paths.get(name, "").startswith(f"{known.id}-a{known.attempt}/"):
            yield f"{known.id} was to make {name}, which is at {paths.get(name)}"


def _file(world: WatchedWorld, folder: str, file: dict[str, Any], winners: tuple[str, ...]) -> Iterator[str]:
    row = world.objects.rows.get(folder + file["path"])
    if row is None:
        yield f"{file['path']} is in the manifest, and not in storage"
    elif (len(row.data), hashlib.sha256(row.data).hexdigest()) != (file["size"], file["sha256"]):
        yield f"{file['path']} in storage is not what the manifest says"
    if not (folder + file["path"]).startswith(winners):
        yield f"{file['path']} was not made by a try that won ({', '.join(sorted(winners))})"


def _told(world: WatchedWorld, known: Job) -> Iterator[str]:
    """The stored events are numbered from 2 without a gap (1 is the job itself), and the last state told is the state."""
    told = [event for event in world.history.of(JobEvent) if event.job_id == known.id]
    numbers = sorted(event.seq for event in told)
    if numbers != list(range(2, known.events + 1)):
        yield f"{known.id} has {known.events} events, and stored are {numbers}"
    states = [event.data["state"] for event in told if event.type == "state"]
    if states and states[-1] != known.state:
        yield f"{known.id} is {known.state}, and its last event says {states[-1]}"


def _orphans(world: WatchedWorld, before: float) -> Iterator[str]:
    """No session of the storage outlives all uploads that might be its own."""
    for name, row in world.sessions.items():
        if row.state == "open" and row.begun_at < before:
            yield f"session {name} of {row.key} is open for ever"


def _quotas(world: WatchedWorld) -> list[str]:
    """What is counted is what is there: kept files, and what open uploads have reserved."""
    counted: Counter[tuple[str, str]] = Counter()
    for known in world.history.of(Media):
        if known.state is not media.State.DELETED:
            counted[known.owner, quota.BYTES] += known.bytes_stored
    for known in world.history.of(Upload):
        if known.state in (upload.State.OPEN, upload.State.COMPLETING):
            counted[known.owner, quota.BYTES] += known.reserved_bytes
            counted[known.owner, quota.OPEN] += 1
    kept = {(owner, name): value for owner, all_of in world.counters.items() for name, value in all_of.items()}
    return [
        f"{owner} is charged {kept.get((owner, name), 0)} {name}, and has {counted[owner, name]}"
        for owner, name in sorted({*kept, *counted})
        if kept.get((owner, name), 0) != counted[owner, name]
    ]


def _messages(world: WatchedWorld) -> list[str]:
    left = [*world.outbox.values(), *(row.data for rows in world.queue.values() for row in rows.values())]
    return [f"a message goes round for ever: {data.decode()}" for data in left]


def _stored(world: WatchedWorld, ref: ObjectRef) -> ObjectRow | None:
    row = world.objects.rows.get(ref.key)
    return row if row is not None and row.ref == ref else None
