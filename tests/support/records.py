"""Values of every kind that a ledger keeps, with every field that a test does not care about filled in."""

from typing import Any

from smmu.domain.errors import Code
from smmu.domain.events import JobEvent
from smmu.domain.job import Failure, Job
from smmu.domain.limits import Limits
from smmu.domain.media import Media, RenditionRecord
from smmu.domain.options import Options
from smmu.domain.parts import layout
from smmu.domain.pipeline import Weight
from smmu.domain.task import Task, TryFailure
from smmu.domain.upload import Upload
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.queue import Message, Topic
from smmu.ports.records import IdempotencyKey, Run, Value

OWNER, OTHER = "ada", "grace"
SOURCE = ObjectRef(key="raw/ada/upl_1/source", version="v1", etag="e1", size=1_000)
NOW = 1_750_000_000.0


def an_upload(name: str = "upl_1", **changed: Any) -> Upload:
    fields: dict[str, Any] = {
        "id": name,
        "owner": OWNER,
        "media_id": "med_1",
        "job_id": "job_1",
        "key": SOURCE.key,
        "storage_id": "s1",
        "filename": "Été à la plage.mov",
        "content_type": "video/quicktime",
        "layout": layout(1_000, Limits()),
        "checksum": Checksum(algorithm=Algorithm.CRC32C, value="AAAAAA=="),
        "metadata": {"title": "x"},
        "options": Options(),
        "reserved_bytes": 1_000,
        "created_at": NOW,
        "updated_at": NOW,
        "expires_at": NOW + 100,
    }
    return Upload(**(fields | changed))


def a_job(name: str = "job_1", **changed: Any) -> Job:
    fields: dict[str, Any] = {
        "id": name,
        "owner": OWNER,
        "upload_id": "upl_1",
        "media_id": "med_1",
        "kind": "video",
        "source": SOURCE,
        "options": Options(),
        "created_at": NOW,
        "updated_at": NOW,
        "started_at": NOW,
        "checked_at": NOW,
    }
    return Job(**(fields | changed))


def a_task(path: str = "job[body].0.inspect", **changed: Any) -> Task:
    fields: dict[str, Any] = {
        "id": "tsk_1",
        "owner": OWNER,
        "job_id": "job_1",
        "attempt": 1,
        "path": path,
        "does": "inspect",
        "name": "inspect",
        "weight": Weight.LIGHT,
        "input": {"plan": {"stages": [["a"], []]}},
        "seconds_max": 300,
        "created_at": NOW,
        "updated_at": NOW,
        "not_before": NOW,
    }
    return Task(**(fields | changed))


def a_media(name: str = "med_1", **changed: Any) -> Media:
    fields: dict[str, Any] = {
        "id": name,
        "owner": OWNER,
        "upload_id": "upl_1",
        "job_id": "job_1",
        "filename": "a.mov",
        "content_type": "video/quicktime",
        "source": SOURCE,
        "metadata": {},
        "created_at": NOW,
        "updated_at": NOW,
        "bytes_stored": 1_000,
    }
    return Media(**(fields | changed))


def an_event(seq: int = 1, **changed: Any) -> JobEvent:
    fields: dict[str, Any] = {
        "job_id": "job_1",
        "owner": OWNER,
        "seq": seq,
        "at": NOW,
        "attempt": 1,
        "type": "state",
        "data": {"state": "queued", "list": [1, 2.5, None, True]},
    }
    return JobEvent(**(fields | changed))


def a_run(name: str = "job_1-a1", **changed: Any) -> Run:
    fields: dict[str, Any] = {
        "name": name,
        "owner": OWNER,
        "job_id": "job_1",
        "attempt": 1,
        "state": "running",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Run(**(fields | changed))


def a_key(name: str = "k1", **changed: Any) -> IdempotencyKey:
    fields: dict[str, Any] = {
        "key": name,
        "owner": OWNER,
        "fingerprint": "f",
        "upload_id": "upl_1",
        "expires_at": NOW,
    }
    return IdempotencyKey(**(fields | changed))


def a_rendition() -> RenditionRecord:
    return RenditionRecord(
        name="poster",
        role="poster",
        file=SOURCE,
        path="poster.jpg",
        content_type="image/jpeg",
        size=10,
        sha256="00",
        size_total=30,
        width=640,
        language="de",
        title="German",
        purpose="forced",
    )


def one_of_each() -> tuple[Value, ...]:
    """A value of every type, with its optional fields filled in."""
    failure = Failure(code=Code.OUT_OF_MEMORY, message="too big", task_id="tsk_1", retryable=True)
    died = TryFailure(error="crashed", message="it died", at=NOW)
    return (
        an_upload(stored=SOURCE),
        a_job(error=failure, progress=40),
        a_task(failures=(died, died), output={"ref": "r", "n": 1}),
        a_run(),
        an_event(),
        a_media(renditions=(a_rendition(),), manifest=SOURCE, facts={"duration_s": 1.5}, error=failure),
        a_key(),
    )


def a_message(name: str = "m1", **changed: Any) -> Message:
    fields: dict[str, Any] = {"id": name, "topic": Topic.JOBS, "body": {"job_id": "job_1", "n": 1}, "group": OWNER}
    return Message(**(fields | changed))
