"""Every HTTP message, once: the API parses and writes with these models, and the client too.

Requests are strict: an unknown field, a number written as text or a time without a zone is refused, because a misspelt
wish must not look granted. Answers ignore what they do not know, so that an older client reads a newer server.
Times are RFC 3339 in UTC; sizes are bytes. Whether a filename, a size or a type is acceptable is the domain's question.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from smmu.domain import job, media, task, upload
from smmu.domain.events import JobEvent as StoredEvent
from smmu.domain.options_schema import SCHEMA

JSON: Final = "application/json"
PROBLEM_JSON: Final = "application/problem+json"
EVENT_STREAM: Final = "text/event-stream"

_INTEGER_MAX = 2**63 - 1  # what every ledger and every client's language can hold

Whole = Annotated[int, Field(ge=-_INTEGER_MAX - 1, le=_INTEGER_MAX)]
# Made, because pydantic would copy a `{}` deeply for each message that leaves it out; described as what it is.
_NOTHING: Any = Field(default_factory=dict, json_schema_extra={"default": {}})
Method = Literal["single", "multipart"]
Wishes = Annotated[dict[str, Any], WithJsonSchema(SCHEMA)]


class Request(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """What the server says."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def moment(unix_seconds: float) -> datetime:
    """A time of the domain as it stands in a message."""
    return datetime.fromtimestamp(unix_seconds, UTC)


# --- uploads


class Checksum(Request):
    """A checksum of the whole file, as S3 writes it: the big-endian digest in base 64."""

    algorithm: Literal["crc64nvme", "crc32c", "sha256"]
    value: str = Field(max_length=100)


class InitRequest(Request):
    """`POST /media/upload/init`. `size` is `null` when the client does not know it."""

    filename: str
    size: Whole | None = None
    content_type: str = ""
    checksum: Checksum | None = None
    metadata: dict[str, str] = _NOTHING
    options: Wishes = _NOTHING


class PartUrl(Answer):
    """Where one part goes: PUT exactly `size` bytes (`null`: at most `part_size`) with these headers."""

    number: int
    size: int | None
    url: str
    headers: dict[str, str] = {}
    expires_at: AwareDatetime


class InitAnswer(Answer):
    """An open upload and its first signed parts. `expires_at` is the end of the upload; each URL ends sooner."""

    upload_id: str
    media_id: str
    state: upload.State
    method: Method
    part_size: int
    part_count: int | None
    parts: list[PartUrl]
    expires_at: AwareDatetime
    server_time: AwareDatetime


class ArrivedPart(Answer):
    """A part that is there, as the storage measured it."""

    number: int
    size: int
    etag: str


class UploadAnswer(Answer):
    """`GET /media/upload/{id}`: what any device needs to go on. `job_id` once it is completed, `errors` if refused."""

    upload_id: str
    media_id: str
    job_id: str | None = None
    state: upload.State
    method: Method
    filename: str
    size: int | None
    content_type: str
    part_size: int
    part_count: int | None
    parts: list[ArrivedPart]
    missing: list[int]
    errors: list["Fault"] = []
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: AwareDatetime
    server_time: AwareDatetime


class PartsRequest(Request):
    """`POST /media/upload/{id}/parts`: sign these again."""

    numbers: list[Whole]


class PartsAnswer(Answer):
    """Freshly signed parts."""

    upload_id: str
    parts: list[PartUrl]
    server_time: AwareDatetime


class SentPart(Request):
    """A part as the client knows it; quotes around the ETag are fine."""

    number: Whole
    etag: str = Field(default="", max_length=200)


class CompleteRequest(Request):
    """`POST /media/upload/complete`: all bytes are there."""

    upload_id: str = Field(max_length=100)
    parts: list[SentPart] | None = None
    checksum: Checksum | None = None


class CompleteAnswer(Answer):
    """What became of the upload. `state` is the upload's, so that repeating the call repeats the answer."""

    job_id: str
    media_id: str
    state: upload.State


# --- jobs


class TaskAnswer(Answer):
    """One task. `kind` is what it does; `name` tells tasks of one kind apart."""

    task_id: str
    kind: str
    name: str
    state: task.State
    progress: int


class FailureAnswer(Answer):
    """Why a job failed, and whether trying again can help."""

    code: str
    message: str
    task_id: str | None = None
    retryable: bool = False


class JobSummary(Answer):
    """A job as a list shows it. `filename` is what its file was called when it was uploaded, or asked for again."""

    job_id: str
    media_id: str
    upload_id: str
    kind: str
    filename: str = ""
    state: job.State
    attempt: int
    progress: int
    error: FailureAnswer | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class WarningAnswer(Answer):
    """A decision of the plan: of what (`subject`), what was decided (`choice`), and why."""

    subject: str
    choice: str
    reason: str


class JobAnswer(JobSummary):
    """`GET /jobs/{id}`: a job with the tasks of its present attempt.

    `warnings` are what it lacks although it has succeeded: captions whose engine is missing or failed, labels or a
    policy's word that nobody gave. `last_event` is the number of its newest event: `GET /jobs/{id}/events?after=` it
    tells what is new since.
    """

    last_event: int | None = None
    warnings: list[WarningAnswer] = []
    tasks: list[TaskAnswer]


class JobList(Answer):
    """`GET /jobs`, the newest first. `cursor` continues the list; `null` at its end."""

    jobs: list[JobSummary]
    cursor: str | None = None


class JobEvent(BaseModel):
    """One server-sent event of a job: `id` is `seq`, `event` is `type`, and this is its `data`.

    `state`: the job's `state`, `progress` and, when it failed, `error`; `playable` when something of it can be played
    before all is made. `task`: the task's `task_id`, `name`, `state` and `progress`, and the progress of its `job`.
    Other members may be added.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    job_id: str
    seq: int
    type: Literal["state", "progress", "task"]
    at: AwareDatetime
    attempt: int
    state: str | None = None
    progress: int | None = None
    error: FailureAnswer | None = None
    playable: bool | None = None
    task_id: str | None = None
    name: str | None = None
    job: int | None = None


def job_event(event: StoredEvent) -> JobEvent:
    """A stored event as it is sent."""
    head = {"job_id": event.job_id, "seq": event.seq, "type": event.type, "at": moment(event.at)}
    return JobEvent.model_validate({**event.data, **head, "attempt": event.attempt})


# --- media


class RenditionAnswer(Answer):
    """One output that exists. The file at `path`, of `size` and `sha256`, is at `/media/{media_id}/renditions/{name}`.

    `size_total` is of all its files. What a player offers has a `title` for its menu, and maybe a `purpose`.
    """

    name: str
    role: str
    path: str
    content_type: str
    size: int
    sha256: str
    size_total: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    bitrate_bps: int | None = None
    codecs: str | None = None
    language: str | None = None
    title: str | None = None
    purpose: str | None = None


class ManifestAnswer(Answer):
    """The newest revision: what is not listed here does not exist."""

    revision: int
    attempt: int
    job_id: str
    renditions: list[RenditionAnswer]


class MediaSummary(Answer):
    """A media as a list shows it. `error` says why it is rejected or failed: `job_cancelled` when its job was."""

    media_id: str
    upload_id: str
    job_id: str
    state: media.State
    error: FailureAnswer | None = None
    playable: bool
    filename: str
    content_type: str
    metadata: dict[str, str]
    classification: dict[str, Any]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class MediaAnswer(MediaSummary):
    """`GET /media/{id}`. `source` is what was declared until the file was inspected, then what was found."""

    source: dict[str, Any]
    manifest: ManifestAnswer | None


class MediaList(Answer):
    """`GET /media`, the newest first. `cursor` continues the list; `null` at its end."""

    media: list[MediaSummary]
    cursor: str | None = None


class PlaybackAnswer(Answer):
    """`POST /media/{id}/playback`: where it plays, for whoever has these addresses, until `expires_at`.

    What there is none of is `null`. Of a sound, `mp4_url` is its AAC. A picture has `image_url` alone, which takes
    `?w=&h=&fit=&format=`.
    """

    hls_url: str | None
    dash_url: str | None
    mp4_url: str | None
    image_url: str | None = None
    expires_at: AwareDatetime


class RenditionsRequest(Request):
    """`POST /media/{id}/renditions`: make these again, or for the first time.

    `names` are of renditions, there or not. `options` are added to those that the media was made with (`preset`,
    `rungs`, `codecs`, `image_widths`, `image_formats`); without `names`, all that they add is made.
    """

    names: list[Annotated[str, Field(min_length=1, max_length=100)]] = []
    options: Wishes = _NOTHING


class RenditionsAnswer(Answer):
    """The job that makes them. What the media has stays as it is until that has succeeded."""

    job_id: str
    media_id: str
    state: job.State


class MediaPatch(Request):
    """`PATCH /media/{id}`: what is absent or `null` stays as it is; `metadata` is replaced as a whole."""

    filename: str | None = None
    metadata: dict[str, str] | None = None


# --- what is said about the service, and what is said when it refuses


class Health(Answer):
    """`GET /healthz` and `/readyz`."""

    status: Literal["ok"] = "ok"


class Fault(Answer):
    """One reason of a refusal; `pointer` is a JSON pointer into the request, "" when it is about no field."""

    pointer: str = ""
    code: str
    message: str


class Problem(Answer):
    """An RFC 9457 problem document. `code` is stable; `message` repeats `detail` for clients that look there."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    message: str
    errors: list[Fault] = []
    request_id: str = ""


UploadAnswer.model_rebuild()
