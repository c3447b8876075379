"""What a line says of a record: its ids, its owner and its trace, by the same names everywhere. Never a file's name."""

from smmu.domain.job import Job
from smmu.domain.task import Task
from smmu.domain.trace import id_in
from smmu.domain.upload import Upload
from smmu.ports.orchestrator import RunRequest
from smmu.ports.queue import Message
from smmu.ports.records import Value

_IDS = ("job_id", "attempt", "owner", "record_id", "upload_id")


def of_job(job: Job) -> dict[str, object]:
    """Of a job."""
    return {
        "job_id": job.id,
        "media_id": job.media_id,
        "upload_id": job.upload_id,
        "owner": job.owner,
        "attempt": job.attempt,
        "trace_id": id_in(job.trace),
    }


def of_upload(upload: Upload) -> dict[str, object]:
    """Of an upload. It knows the ids of the job and the media that it may become."""
    return {
        "job_id": upload.job_id,
        "media_id": upload.media_id,
        "upload_id": upload.id,
        "owner": upload.owner,
        "trace_id": id_in(upload.trace),
    }


def of_task(task: Task) -> dict[str, object]:
    """Of a task; `task` is what the plan calls it, `does` what kind of work it is."""
    return {
        "job_id": task.job_id,
        "owner": task.owner,
        "attempt": task.attempt,
        "task_id": task.id,
        "task": task.name,
        "does": task.does,
        "trace_id": id_in(task.trace),
    }


def of_run(request: RunRequest) -> dict[str, object]:
    """Of a run."""
    return {
        "job_id": request.job_id,
        "owner": request.owner,
        "attempt": request.attempt,
        "trace_id": id_in(request.trace),
    }


def of_message(message: Message) -> dict[str, object]:
    """Of a message: the ids that its body names, before anybody has read the record."""
    body = message.body
    told: dict[str, object] = {name: body[name] for name in _IDS if name in body}
    return {**told, "trace_id": id_in(str(body.get("trace", "")))}


def of_record(value: Value) -> dict[str, object]:
    """Of whatever record the sweeper has found."""
    match value:
        case Job():
            return of_job(value)
        case Task():
            return of_task(value)
        case Upload():
            return of_upload(value)
        case _:
            return {"owner": value.owner}
