"""Publishing: verify what was made, write the manifest last, and make it the one that exists in a single commit.

Everything before the commit may be lost or done twice; after it the media is ready and the job has succeeded.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from smmu.application.documents import JSON, PlanDocument, RenderDocument, adapter
from smmu.application.lines import of_job
from smmu.application.messages import run_of, run_wants_advance
from smmu.application.playlists import Playlists
from smmu.application.revisions import in_order, read_former
from smmu.application.search import Search
from smmu.application.store import Store, told, told_state, until_settled
from smmu.domain import job, keys, media, task
from smmu.domain.classification import classify
from smmu.domain.errors import Code, refuse
from smmu.domain.job import PROCESS, Job
from smmu.domain.labels import seen_before
from smmu.domain.manifest import Manifest, RenderedFile, Rendition, moved, to_document, verify
from smmu.domain.media import Media, RenditionRecord
from smmu.domain.plan import Decision, Plan, Role
from smmu.domain.plan_learnt import settled
from smmu.domain.shortfalls import shortfalls
from smmu.domain.task import Task
from smmu.domain.values import ObjectRef
from smmu.ports.objects import ObjectStore
from smmu.ports.records import Stored
from smmu.ports.system import Clock, Telemetry

_COMPLETED = frozenset({Role.HLS, Role.DASH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a job has come to: what was found and planned, what was made of it, and what a classifier has `seen`."""

    found: PlanDocument
    made: Sequence[RenderDocument]
    seen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Revision:
    """A manifest to be committed, what the media's record keeps of it, and what its key starts with.

    `warnings` are what the plan says that it lacks.
    """

    manifest: Manifest
    warnings: tuple[Decision, ...]
    records: tuple[RenditionRecord, ...]
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Turns proven renditions into a manifest's revision."""

    store: Store
    objects: ObjectStore
    search: Search
    clock: Clock
    telemetry: Telemetry

    async def publish(self, claim: Task, known: Job, outcome: Outcome) -> dict[str, Any]:
        """Publish, or find it done. Raises `Refused` when a rendition is missing, unproven or not in storage."""

        async def attempt() -> dict[str, Any]:
            now = await self.store.get(Job, known.owner, known.id)
            stored = await self.store.get(Media, known.owner, known.media_id)
            if _is_done(now.value, claim.attempt):
                return {"revision": stored.value.revision}
            lasting = outcome.found.plan.lasting
            revision = await self._revision(claim, now.value, stored.value, _of(outcome, lasting))
            chunked = any(task.joins for stage in lasting.stages for task in stage.tasks)
            chunked |= known.kind == PROCESS and known.attempt > 1  # which an earlier attempt's plan may have asked for
            of_media = Stored(replace(stored.value, chunks=stored.value.chunks or chunked), stored.version)
            return await self._commit(claim, now, of_media, revision)

        return await until_settled(attempt)

    async def reveal(self, claim: Task, known: Job, outcome: Outcome) -> dict[str, Any]:
        """Let what is made already be played, unless something better can be. Raises as `publish` does."""

        async def attempt() -> dict[str, Any]:
            now = await self.store.get(Job, known.owner, known.id)
            stored = await self.store.get(Media, known.owner, known.media_id)
            if _is_done(now.value, claim.attempt) or not _is_worse(stored.value, now.value):
                return {"revision": stored.value.revision}
            early = _of(outcome, outcome.found.plan.early)
            revision = await self._revision(claim, now.value, stored.value, early)
            return await self._commit_early(claim, now, stored, revision)

        return await until_settled(attempt)

    async def _commit_early(
        self, claim: Task, now: Stored[Job], stored: Stored[Media], revision: _Revision
    ) -> dict[str, Any]:
        known, moment, manifest = now.value, self.clock.now(), revision.manifest
        claimed = await self._still_claimed(claim)
        ref = await self._written(claim, revision)
        before = media.replacing(stored.value, moment, self.store.limits)
        shown = media.reveal(before, manifest, ref, revision.records, moment)
        told_of = {"state": known.state, "progress": known.progress, "playable": True}
        after, event = told(known, moment, "state", told_of)
        ended = task.succeed(claimed.value, {"revision": manifest.revision}, moment)
        changes = [
            self.store.put(after, now.version),
            self.store.put(event),
            self.store.put(shown, stored.version),
            self.store.put(ended, claimed.version),
        ]
        await self.store.commit(changes, [run_wants_advance(run_of(known), f"{claim.id}:{claim.fence}:revealed")])
        seconds = round(moment - known.started_at, 3)
        self.telemetry.event("media_revealed", **of_job(known), revision=manifest.revision, seconds=seconds)
        return {"revision": manifest.revision}

    async def _written(self, claim: Task, revision: _Revision) -> ObjectRef:
        document = json.dumps(to_document(revision.manifest), indent=2).encode()
        name = f"{revision.prefix}-{revision.manifest.revision}-{claim.fence}.json"
        return await self.objects.put(name, document, content_type=JSON)

    async def _revision(self, claim: Task, known: Job, stored: Media, outcome: Outcome) -> _Revision:
        """All that the commit writes down, once every rendition is there and proven."""
        found, made = outcome.found, outcome.made
        attempt = keys.attempt_prefix(known.owner, known.media_id, known.id, known.attempt)
        former = None if found.former is None else await read_former(self.objects, stored)
        folder = attempt if former is None else keys.media_prefix(known.owner, known.media_id)
        inside = attempt.removeprefix(folder)
        wanted = {task.name for stage in found.plan.stages for task in stage.tasks}
        mine = (part for part in made if part.task in wanted)
        new = tuple(moved(one, inside + part.prefix) for part in mine for one in part.renditions)
        every = new if former is None else in_order(former.renditions, new)
        if any(one.role in _COMPLETED for one in new):
            playlists = Playlists(objects=self.objects, prefix=folder, folder=f"{inside}{claim.name}-{claim.fence}/")
            every = await playlists.complete(every)
        names = {one.name for one in new}
        files = await self._verify(tuple(one for one in every if one.name in names), found.plan, folder, attempt)
        kept = {record.name: record for record in stored.renditions}
        return _Revision(
            manifest=_manifest(known, stored, outcome, every),
            warnings=shortfalls(found.plan.decisions),
            records=tuple(
                _record(one, files) if one.name in names else replace(kept[one.name], path=one.path) for one in every
            ),
            prefix=f"{attempt}manifest" if former is None else attempt.rstrip("/"),
        )

    async def _verify(self, new: tuple[Rendition, ...], made: Plan, folder: str, attempt: str) -> dict[str, ObjectRef]:
        """Every file of what this attempt has made, by its path in the folder of the manifest."""
        problems = verify(new, made)
        if problems:
            raise refuse(Code.PROOF_FAILED, " ".join(problems))
        there = {ref.key: ref async for ref in self.objects.list(attempt)}
        return {file.path: _require(file, there.get(folder + file.path)) for one in new for file in one.files}

    async def _commit(
        self, claim: Task, now: Stored[Job], stored: Stored[Media], revision: _Revision
    ) -> dict[str, Any]:
        known, moment, manifest = now.value, self.clock.now(), revision.manifest
        claimed = await self._still_claimed(claim)
        ref = await self._written(claim, revision)
        before = media.replacing(stored.value, moment, self.store.limits)
        ready = media.publish(before, manifest, ref, revision.records, moment)
        ready = replace(ready, content_type=str(manifest.source["content_type"]))
        await self.search.keep(ready)
        after, event = told_state(job.succeed(known, moment, revision.warnings), moment)
        ended = task.succeed(claimed.value, {"revision": manifest.revision}, moment)
        changes = [
            self.store.put(after, now.version),
            self.store.put(event),
            self.store.put(ready, stored.version),
            self.store.put(ended, claimed.version),
        ]
        await self.store.commit(changes, [run_wants_advance(run_of(known), f"{claim.id}:{claim.fence}:published")])
        self.telemetry.event(
            "job_succeeded",
            **of_job(known),
            revision=manifest.revision,
            kind=manifest.classification["kind"],
            seconds=round(moment - known.started_at, 3),
            faulty=0,
        )
        return {"revision": manifest.revision}

    async def _still_claimed(self, claim: Task) -> Stored[Task]:
        """The publishing task ends in the commit that publishes: who has lost its claim publishes nothing."""
        stored = await self.store.get(Task, claim.owner, claim.record_id)
        if stored.value.fence != claim.fence or stored.value.state is not task.State.RUNNING:
            raise refuse(Code.INTERRUPTED, "Another worker publishes this job.")
        return stored


def _is_done(known: Job, attempt: int) -> bool:
    """Whether this attempt has published already; `Refused` when it may not any more."""
    if known.attempt == attempt and known.state is job.State.SUCCEEDED:
        return True
    if known.attempt != attempt or not job.allows(known, job.Event.SUCCEED):
        raise refuse(Code.JOB_CANCELLED, f"The job is {known.state} at attempt {known.attempt}: nothing is published.")
    return False


def _is_worse(stored: Media, known: Job) -> bool:
    """Whether the newest revision is worth less than the first things that this attempt has made."""
    return stored.manifest is None or (stored.early and (stored.job_id, stored.attempt) != (known.id, known.attempt))


def _require(file: RenderedFile, ref: ObjectRef | None) -> ObjectRef:
    if ref is None or ref.size != file.size:
        raise refuse(Code.PROOF_FAILED, f"{file.path} is not in storage as it was made.")
    return ref


def _of(outcome: Outcome, part: Plan) -> Outcome:
    """The same, of a part of its plan."""
    return replace(outcome, found=replace(outcome.found, plan=part))


def _manifest(known: Job, stored: Media, outcome: Outcome, renditions: tuple[Rendition, ...]) -> Manifest:
    found, made = outcome.found, outcome.made
    facts = adapter(PlanDocument).dump_python(found, mode="json")
    sha256 = next((part.source_sha256 for part in made if part.source_sha256), None)
    seconds = {f"render_{part.task}": round(part.seconds, 3) for part in made}
    return Manifest(
        revision=stored.revision + 1,
        job_id=known.id,
        media_id=known.media_id,
        attempt=known.attempt,
        source=_source(stored, facts["facts"], sha256 or stored.facts.get("sha256")),
        classification={**classify(found.facts, renditions), **(outcome.seen or seen_before(stored.classification))},
        plan={"decisions": [asdict(one) for one in settled(found.plan.decisions, renditions)]},
        renditions=renditions,
        timings={"inspect": round(found.seconds, 3), **seconds},
        cost={"worker_seconds": round(found.seconds + sum(part.seconds for part in made), 3)},
    )


def _source(stored: Media, facts: Mapping[str, Any], sha256: str | None) -> dict[str, Any]:
    head = {"filename": stored.filename, "size": stored.source.size, "sha256": sha256}
    return {**head, **facts}


def _record(rendition: Rendition, files: dict[str, ObjectRef]) -> RenditionRecord:
    main = rendition.files[0]
    return RenditionRecord(
        name=rendition.name,
        role=rendition.role,
        file=files[main.path],
        path=main.path,
        content_type=main.content_type,
        size=main.size,
        sha256=main.sha256,
        size_total=rendition.size,
        width=rendition.width,
        height=rendition.height,
        duration_s=rendition.duration_s,
        bitrate_bps=rendition.bitrate_bps,
        codecs=rendition.codecs,
        language=rendition.language,
        title=rendition.title,
        purpose=rendition.purpose,
    )
