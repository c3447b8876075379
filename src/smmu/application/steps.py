"""What the pipeline's tasks mean: inspect, render, reveal, publish, record a failure.

Each may be run twice, or by two workers at once: whatever it writes is under the fencing number of its claim, and what
makes a difference to anybody is one conditional commit. It raises what went wrong; `worker.py` gives that its name.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio

from smmu.application.chunks import Chunks, StoredPieces
from smmu.application.documents import PlanDocument, RenderDocument, leave, read_plan, read_render
from smmu.application.gate import Gate, question_of
from smmu.application.jobs import Jobs
from smmu.application.labelling import Labelling
from smmu.application.publication import Outcome, Publication
from smmu.application.revisions import facts_of, plan_revision
from smmu.application.transcription import Transcription, speech_of
from smmu.application.watermarks import watermark_of
from smmu.domain import keys, watermark
from smmu.domain.catalogue import INSPECT, PUBLISH, RECORD_FAILURE, RENDER, REVEAL
from smmu.domain.errors import Code, Reason, Refused, refuse, refuse_if
from smmu.domain.facts import MediaFacts
from smmu.domain.job import RENDITIONS, Failure, Job
from smmu.domain.judgement import judge, judge_declared, judge_options, judge_plan
from smmu.domain.limits import MIB, Limits
from smmu.domain.manifest import Rendition
from smmu.domain.media import Media
from smmu.domain.plan import Decision, Plan, PlannedTask, TaskKind
from smmu.domain.plan_extra import without
from smmu.domain.plan_watermark import gone
from smmu.domain.planner import plan
from smmu.domain.tags import cleaned
from smmu.domain.task import Task
from smmu.domain.values import ObjectRef
from smmu.domain.watermark import Watermark
from smmu.ports.errors import Denied, NotFound, TaskDied, WorldError
from smmu.ports.media import MediaEngine, Pieces, Progress, Sink
from smmu.ports.objects import Body, ObjectStore, Source
from smmu.ports.orchestrator import RunRequest
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import Clock

_READ_BYTES = 4 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSink(Sink):
    """An engine's finished files, put under one claim's prefix."""

    objects: ObjectStore
    prefix: str

    async def put(self, path: str, body: Body, content_type: str) -> None:
        """Store one file."""
        await self.objects.put(self.prefix + path, body, content_type=content_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The catalogue's tasks over the ports."""

    jobs: Jobs
    objects: ObjectStore
    engine: MediaEngine
    publication: Publication
    clock: Clock
    limits: Limits
    recognizer: SpeechRecognizer | None = None
    gate: Gate | None = None
    labelling: Labelling | None = None

    async def run(self, task: Task, job: Job, progress: Progress) -> Any:  # noqa: ANN401 - a JSON value
        """Do what the task says; what it gives, as a JSON value."""
        does: Mapping[str, Callable[[Task, Job, Progress], Awaitable[Any]]] = {
            INSPECT: self._inspect,
            RENDER: self._render,
            REVEAL: self._reveal,
            PUBLISH: self._publish,
            RECORD_FAILURE: self._record_failure,
        }
        return await does[task.does](task, job, progress)

    async def _inspect(self, task: Task, job: Job, _progress: Progress) -> dict[str, Any]:
        began = self.clock.now()
        media = (await self.jobs.store.get(Media, job.owner, job.media_id)).value
        found = await (self._look_again(job, media) if _later(job) else self._look(task, job, media))
        document = replace(found, seconds=self.clock.now() - began)
        ref = await leave(self.objects, f"{prefix_of(job)}plan-{task.fence}.json", document)
        stages = [
            {"tasks": [_reference(planned) for planned in stage.tasks], "early": stage.early}
            for stage in found.plan.stages
        ]
        return {"ref": ref, "stages": stages}

    async def _look(self, task: Task, job: Job, media: Media) -> PlanDocument:
        facts = await self.engine.inspect(await self._source(job))
        refuse_if((*judge(facts, self.limits), *judge_declared(media.content_type, facts)))
        refuse_if(judge_options(facts, job.options))
        facts = replace(facts, tags=cleaned(facts.tags) if facts.tags and job.options.read_metadata else None)
        judged = await self._judged(task, job, media, facts)
        made = plan(facts, job.options, self.limits, await speech_of(self.recognizer), await self._watermark(job))
        refuse_if(judge_plan(made, facts, self.limits))
        made = replace(made, decisions=(*judged, *made.decisions))
        return PlanDocument(facts=facts, plan=made, seconds=0.0)

    async def _watermark(self, job: Job) -> Watermark | None:
        return await watermark_of(self.jobs.store, self.objects, job.owner, job.options, named=False, later=_later(job))

    async def _judged(self, task: Task, job: Job, media: Media, facts: MediaFacts) -> tuple[Decision, ...]:
        """What the deployment's policy decided, where it has one."""
        if self.gate is None:
            return ()
        return (await self.gate.judge(question_of(job, media, facts), task.failures),)

    async def _look_again(self, job: Job, media: Media) -> PlanDocument:
        """The file is the very one that was looked at before: what was found then still holds."""
        speech, over = await speech_of(self.recognizer), await self._watermark(job)
        made = await plan_revision(self.objects, media, job, self.limits, speech, watermark=over)
        return PlanDocument(facts=facts_of(media), plan=made, seconds=0.0, former=media.manifest)

    async def _render(self, task: Task, job: Job, progress: Progress) -> dict[str, Any]:
        began = self.clock.now()
        document = await read_plan(self.objects, task.input["plan"])
        planned = _with_memory(document.plan.task(task.name), task)
        source = await self._source(job)
        prefix = f"{task.name}-{task.fence}/"
        sink = StoreSink(objects=self.objects, prefix=prefix_of(job) + prefix)
        chunks = Chunks(objects=self.objects, job=job, makes=self.engine.makes)
        pieces = await self._pieces(job, planned, await chunks.found(planned, document.plan))
        renditions: tuple[Rendition, ...] = ()
        if planned.kind is TaskKind.CHUNK:
            folder = f"{job.id}-a{job.attempt}-{task.fence}/"
            await self._chunk(chunks, source, planned, folder, progress, pieces=pieces)
        elif planned.kind is TaskKind.TRANSCRIBE:
            renditions = await self._transcription().render(source, planned, sink, progress)
        else:
            renditions = await self.engine.render(source, planned, sink, progress, pieces)
        refuse_if(_unproven(renditions))
        first = document.former is None and planned.name == document.plan.stages[0].tasks[0].name
        made = RenderDocument(
            task=task.name,
            prefix=prefix,
            renditions=renditions,
            source_sha256=await _sha256(source) if first else None,
            seconds=self.clock.now() - began,
        )
        ref = await leave(self.objects, f"{prefix_of(job)}{prefix}renditions.json", made)
        return {"ref": ref}

    async def _chunk(
        self, chunks: Chunks, source: Source, planned: PlannedTask, folder: str, progress: Progress, *, pieces: Pieces
    ) -> None:
        """Make a chunk, unless it is there."""
        if not await chunks.is_there(planned):
            sink = StoreSink(objects=self.objects, prefix=chunks.prefix(planned) + folder)
            made = await self.engine.render(source, planned, sink, progress, pieces)
            refuse_if(_unproven(made))
            await chunks.keep(planned, folder, made[0])
        await progress(1.0)

    async def _reveal(self, task: Task, job: Job, _progress: Progress) -> dict[str, Any]:
        found = await read_plan(self.objects, task.input["plan"])
        made = [await read_render(self.objects, made["ref"]) for made in task.input["rendered"]]
        return await self.publication.reveal(task, job, Outcome(found=found, made=made))

    async def _publish(self, task: Task, job: Job, _progress: Progress) -> dict[str, Any]:
        found, given = await read_plan(self.objects, task.input["plan"]), task.input["rendered"]
        made = [await read_render(self.objects, one["ref"]) for stage in given for one in stage if "ref" in one]
        found = replace(found, plan=without(found.plan, _failures(found.plan, given)))
        return await self.publication.publish(task, job, await self._labelled(task, job, found, made))

    async def _labelled(self, task: Task, job: Job, found: PlanDocument, made: Sequence[RenderDocument]) -> Outcome:
        """With what the deployment's classifier sees in it, where it has one and there is something to be seen."""
        looked = None if self.labelling is None else await self.labelling.look(prefix_of(job), made, task.failures)
        if looked is None:
            return Outcome(found=found, made=made)
        decided = replace(found.plan, decisions=(*found.plan.decisions, looked.decision))
        return Outcome(found=replace(found, plan=decided), made=made, seen=looked.found)

    def _transcription(self) -> Transcription:
        if self.recognizer is None:
            raise TaskDied("this worker has no engine that recognises speech, and the plan has", "crashed")
        return Transcription(engine=self.engine, recognizer=self.recognizer)

    async def _pieces(self, job: Job, planned: PlannedTask, chunks: Mapping[str, ObjectRef]) -> Pieces:
        """What a task needs besides its source."""
        if planned.watermark is None:
            return StoredPieces(objects=self.objects, refs=chunks)
        try:
            await self.objects.open(planned.watermark.image)
        except (NotFound, Denied) as error:  # of who may list nothing S3 hides what is gone; the source could be read
            raise Refused(gone(later=_later(job))) from error
        return StoredPieces(objects=self.objects, refs={**chunks, watermark.PIECE: planned.watermark.image})

    async def _source(self, job: Job) -> Source:
        try:
            return await self.objects.open(job.source)
        except NotFound as error:
            raise refuse(Code.SOURCE_EXPIRED, "The uploaded file is no longer kept: upload it again.") from error

    async def _lost(self, job: Job) -> Refused | None:
        """That the source is gone. Whoever read it may have been told else: S3 denies what is gone to who may not list.

        Who cannot look either knows no more, and the failure is recorded as it came.
        """
        try:
            await self._source(job)
        except Refused as refusal:
            return refusal
        except WorldError:
            return None
        return None

    async def _record_failure(self, task: Task, job: Job, _progress: Progress) -> None:
        error = task.input["error"]
        code = Code(error["error"]) if error["error"] in set(Code) else Code.INTERNAL
        lost = await self._lost(job) if code is Code.INTERNAL else None
        code, message = (lost.code, lost.message) if lost else (code, error["message"])
        failure = Failure(code=code, message=message, task_id=error.get("task_id"), retryable=code in _RETRYABLE)
        await self.jobs.fail(RunRequest(owner=job.owner, job_id=job.id, attempt=task.attempt, trace=job.trace), failure)


_RETRYABLE = frozenset(
    {
        Code.OUT_OF_MEMORY,
        Code.CRASHED,
        Code.STALLED,
        Code.TIMED_OUT,
        Code.INTERRUPTED,
        Code.WORLD_UNAVAILABLE,
        Code.DISK_FULL,
        Code.INTERNAL,
        Code.PROOF_FAILED,
    }
)


def prefix_of(job: Job) -> str:
    """Where everything that a job's present attempt makes is kept."""
    return keys.attempt_prefix(job.owner, job.media_id, job.id, job.attempt)


def _later(job: Job) -> bool:
    """Whether its file was looked at before, by the job that came with it."""
    return job.kind == RENDITIONS


def _reference(planned: PlannedTask) -> dict[str, Any]:
    """What an orchestrator needs to know of a planned task: its name and what to run it on."""
    return {
        "task": planned.name,
        "family": planned.family.value,
        "cores": planned.cores,
        "memory_bytes": planned.memory_bytes,
        "seconds_max": planned.seconds_max,
        "extra": planned.extra,
        "small": planned.small,
    }


def _failures(plan: Plan, given: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """Why tasks of the plan have made nothing, by their names. What was `given` lies as the plan does."""
    return {
        task.name: one["message"]
        for stage, gave in zip(plan.stages, given, strict=True)
        for task, one in zip(stage.tasks, gave, strict=True)
        if "ref" not in one
    }


def _with_memory(planned: PlannedTask, task: Task) -> PlannedTask:
    """Each try that ran out of memory is followed by one with twice as much."""
    died = sum(failure.error == Code.OUT_OF_MEMORY for failure in task.failures)
    return replace(planned, memory_bytes=planned.memory_bytes << died)


def _unproven(renditions: tuple[Rendition, ...]) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            code=Code.PROOF_FAILED,
            message=f"{made.name} is not what was planned: {check.name} should be {check.expected},"
            f" it is {check.measured}.",
        )
        for made in renditions
        for check in made.proof.failures
    )


async def _sha256(source: Source) -> str:
    digest = hashlib.sha256()
    for start in range(0, source.size, _READ_BYTES):
        digest.update(await source.read(start, _READ_BYTES))
        await anyio.lowlevel.checkpoint()
    return digest.hexdigest()
