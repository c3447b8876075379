"""Records as messages: what of the domain is shown, and under which name. Pure functions, both directions."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

from smmu import wire
from smmu.application.jobs import Seen
from smmu.application.uploads import Begun, Progress
from smmu.domain import upload
from smmu.domain.admission import UploadRequest, admit
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.job import Failure, Job
from smmu.domain.limits import Limits
from smmu.domain.media import Media, RenditionRecord
from smmu.domain.options import parse_options
from smmu.domain.task import Task
from smmu.domain.upload import Upload
from smmu.domain.values import Algorithm, Checksum
from smmu.ports.uploads import SignedPart
from smmu.wire import moment

Absolute = Callable[[str], str]


# --- what clients send


def upload_request(asked: wire.InitRequest, limits: Limits) -> UploadRequest:
    """A request to begin an upload. Raises `Refused` for a checksum or options that cannot be.

    Whoever is refused for these learns of everything else at once: hence the look at what admission will say.
    """
    claims = partial(
        UploadRequest,
        filename=asked.filename,
        size=asked.size,
        content_type=asked.content_type,
        metadata=asked.metadata,
    )
    try:
        return claims(checksum=checksum(asked.checksum), options=parse_options(asked.options))
    except Refused as refusal:
        raise Refused(*admit(claims(), limits), *refusal.reasons) from refusal


def checksum(given: wire.Checksum | None) -> Checksum | None:
    """A checksum of the domain, which cannot be wrong."""
    if given is None:
        return None
    try:
        return Checksum(algorithm=Algorithm(given.algorithm), value=given.value)
    except ValueError as error:
        words = f"The value is not a {given.algorithm} digest in base 64: {error}."
        raise refuse(Code.INVALID_CHECKSUM, words, "/checksum/value") from error


# --- uploads


def init_answer(begun: Begun, now: float, absolute: Absolute) -> wire.InitAnswer:
    """The answer to `init`."""
    known = begun.upload
    return wire.InitAnswer(
        upload_id=known.id,
        media_id=known.media_id,
        state=known.state,
        method=known.layout.method,
        part_size=known.layout.part_size,
        part_count=known.layout.part_count,
        parts=part_urls(begun.parts, absolute),
        expires_at=moment(known.expires_at),
        server_time=moment(now),
    )


def part_urls(parts: Sequence[SignedPart], absolute: Absolute) -> list[wire.PartUrl]:
    """Where parts go."""
    return [
        wire.PartUrl(
            number=part.number,
            size=part.size,
            url=absolute(part.url),
            headers=dict(part.headers),
            expires_at=moment(part.expires_at),
        )
        for part in parts
    ]


def upload_answer(progress: Progress, now: float) -> wire.UploadAnswer:
    """What any device of the owner needs to go on."""
    known = progress.upload
    return wire.UploadAnswer(
        upload_id=known.id,
        media_id=known.media_id,
        job_id=known.job_id if known.state is upload.State.COMPLETED else None,
        state=known.state,
        method=known.layout.method,
        filename=known.filename,
        size=known.layout.size,
        content_type=known.content_type,
        part_size=known.layout.part_size,
        part_count=known.layout.part_count,
        parts=[wire.ArrivedPart(number=part.number, size=part.size, etag=part.etag) for part in progress.stored],
        missing=list(progress.missing),
        errors=[wire.Fault(pointer=r.pointer, code=r.code, message=r.message) for r in known.rejection],
        created_at=moment(known.created_at),
        updated_at=moment(known.updated_at),
        expires_at=moment(known.expires_at),
        server_time=moment(now),
    )


def complete_answer(done: Upload) -> wire.CompleteAnswer:
    """The answer to `complete`: the same whenever it is asked again."""
    return wire.CompleteAnswer(job_id=done.job_id, media_id=done.media_id, state=done.state)


# --- jobs


def job_summary(known: Job) -> wire.JobSummary:
    """A job in a list."""
    return wire.JobSummary(
        job_id=known.id,
        media_id=known.media_id,
        upload_id=known.upload_id,
        kind=known.kind,
        filename=known.filename,
        state=known.state,
        attempt=known.attempt,
        progress=known.progress,
        error=_failure(known.error),
        created_at=moment(known.created_at),
        updated_at=moment(known.updated_at),
    )


def job_answer(seen: Seen) -> wire.JobAnswer:
    """A job with its tasks."""
    return wire.JobAnswer(
        **dict(job_summary(seen.job)),
        last_event=seen.job.events,
        warnings=[wire.WarningAnswer(**asdict(one)) for one in seen.job.warnings],
        tasks=[_task(task) for task in seen.tasks],
    )


def _failure(error: Failure | None) -> wire.FailureAnswer | None:
    if error is None:
        return None
    return wire.FailureAnswer(code=error.code, message=error.message, task_id=error.task_id, retryable=error.retryable)


def _task(task: Task) -> wire.TaskAnswer:
    return wire.TaskAnswer(task_id=task.id, kind=task.does, name=task.name, state=task.state, progress=task.progress)


def renditions_answer(opened: Job) -> wire.RenditionsAnswer:
    """The answer to a wish for renditions."""
    return wire.RenditionsAnswer(job_id=opened.id, media_id=opened.media_id, state=opened.state)


# --- media


def media_summary(known: Media) -> wire.MediaSummary:
    """A media in a list."""
    return wire.MediaSummary(
        media_id=known.id,
        upload_id=known.upload_id,
        job_id=known.job_id,
        state=known.state,
        error=_failure(known.error),
        playable=known.playable,
        filename=known.filename,
        content_type=known.content_type,
        metadata=dict(known.metadata),
        classification=dict(known.classification),
        created_at=moment(known.created_at),
        updated_at=moment(known.updated_at),
    )


def media_answer(known: Media) -> wire.MediaAnswer:
    """A media with its source and its newest manifest."""
    declared = {"filename": known.filename, "size": known.source.size, "content_type": known.content_type}
    return wire.MediaAnswer(**dict(media_summary(known)), source={**declared, **known.facts}, manifest=_manifest(known))


def _manifest(known: Media) -> wire.ManifestAnswer | None:
    if known.manifest is None:
        return None
    return wire.ManifestAnswer(
        revision=known.revision,
        attempt=known.attempt,
        job_id=known.job_id,
        renditions=[_rendition(record) for record in known.renditions],
    )


def _rendition(record: RenditionRecord) -> wire.RenditionAnswer:
    return wire.RenditionAnswer(
        name=record.name,
        role=record.role,
        path=record.path,
        content_type=record.content_type,
        size=record.size,
        sha256=record.sha256,
        size_total=record.size_total,
        width=record.width,
        height=record.height,
        duration_s=record.duration_s,
        bitrate_bps=record.bitrate_bps,
        codecs=record.codecs,
        language=record.language,
        title=record.title,
        purpose=record.purpose,
    )
