"""What a ledger keeps: which aggregate lives in which table, and how it is encoded.

The stored form is JSON, and what is read is held against its class. Inside the program a record is a frozen dataclass.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from smmu.domain.events import JobEvent
from smmu.domain.job import Job
from smmu.domain.media import Media
from smmu.domain.task import Task
from smmu.domain.upload import Upload


class Table(StrEnum):
    """The tables. On AWS tasks, runs and events share the jobs table; that is the adapter's business."""

    UPLOADS = "uploads"
    JOBS = "jobs"
    TASKS = "tasks"
    RUNS = "runs"
    EVENTS = "events"
    MEDIA = "media"
    KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of the pipeline for one attempt of a job, as an in-process orchestrator remembers it."""

    name: str
    owner: str
    job_id: str
    attempt: int
    state: str  # running | succeeded | failed | cancelled
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """What an `Idempotency-Key` was used for: `fingerprint` of the request and the upload, or the job, that it made."""

    key: str
    owner: str
    fingerprint: str
    expires_at: float
    upload_id: str = ""
    job_id: str = ""


Value = Upload | Job | Task | Run | JobEvent | Media | IdempotencyKey
T = TypeVar("T", bound=Value)
T_co = TypeVar("T_co", bound=Value, covariant=True)

HOME: dict[type[object], Table] = {
    Upload: Table.UPLOADS,
    Job: Table.JOBS,
    Task: Table.TASKS,
    Run: Table.RUNS,
    JobEvent: Table.EVENTS,
    Media: Table.MEDIA,
    IdempotencyKey: Table.KEYS,
}
_ID_IN: dict[type[object], str] = {Task: "record_id", JobEvent: "record_id", Run: "name", IdempotencyKey: "key"}


def table_of(kind: type[object]) -> Table:
    """The table a type lives in."""
    return HOME[kind]


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """Where one record is. Every record is under its owner: there is no way to name one without."""

    type: type[T]
    owner: str
    id: str

    @property
    def table(self) -> Table:
        """The table it is in."""
        return table_of(self.type)


@dataclass(frozen=True, slots=True)
class Stored(Generic[T_co]):
    """A record as it was read. `version` counts its writes from 1; a conditional write names the one it saw."""

    value: T_co
    version: int


def key_of(value: T) -> Key[T]:
    """The key a value is stored under."""
    return Key(type(value), value.owner, record_id(value))


def record_id(value: Value) -> str:
    """The id of a value within its table and owner."""
    id_: str = getattr(value, _ID_IN.get(type(value), "id"))
    return id_


def state_of(value: Value) -> str:
    """The state a list can be filtered by ("" where there is none)."""
    return "" if isinstance(value, (JobEvent, IdempotencyKey)) else str(value.state)


def kind_of(value: Value) -> str:
    """The kind a list can be filtered by ("" where there is none)."""
    return value.kind if isinstance(value, Job) else ""


_encode = msgspec.json.Encoder().encode


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401 - mypy holds classes of dataclasses for unhashable
    """Built when first used: most programs read few of the types."""
    return msgspec.json.Decoder(kind)


def encode(value: Value) -> bytes:
    """The stored form: JSON."""
    return _encode(value)


def decode(kind: type[T], data: bytes | str) -> T:
    """The value of a stored form. Raises `msgspec.ValidationError` when it is not one (we have a bug)."""
    anything: Any = kind
    value: T = _decoder(anything).decode(data)
    return value
