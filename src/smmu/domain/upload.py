"""The life of an upload. Rule 1: every change of an upload's state happens in this file.

If a transition is not in `TRANSITIONS` it does not exist. Nothing here reads a clock or a store: `now` is an argument
(unix seconds), and every function returns a new value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from smmu.domain.errors import Code, Reason, Refused, refuse
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.parts import PartLayout
from smmu.domain.quick import quick, replace
from smmu.domain.values import Checksum, ObjectRef


class State(StrEnum):
    """Where an upload is."""

    OPEN = "open"
    COMPLETING = "completing"
    COMPLETED = "completed"
    REJECTED = "rejected"
    ABORTED = "aborted"
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to an upload."""

    COMPLETE = "complete"  # the client (or the sweeper for it) says that all bytes are there
    REOPEN = "reopen"  # they were not: parts are missing
    ACCEPT = "accept"  # the stored object passed every check
    REJECT = "reject"  # it did not
    ABORT = "abort"
    EXPIRE = "expire"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.OPEN, Event.COMPLETE): State.COMPLETING,
        (State.OPEN, Event.ACCEPT): State.COMPLETED,  # a single part needs no assembling: one write less
        (State.OPEN, Event.REJECT): State.REJECTED,
        (State.OPEN, Event.ABORT): State.ABORTED,
        (State.OPEN, Event.EXPIRE): State.EXPIRED,
        (State.COMPLETING, Event.REOPEN): State.OPEN,
        (State.COMPLETING, Event.ACCEPT): State.COMPLETED,
        (State.COMPLETING, Event.REJECT): State.REJECTED,
    }
)
TERMINAL = frozenset({State.COMPLETED, State.REJECTED, State.ABORTED, State.EXPIRED})


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A session in which one owner puts one file into storage.

    `job_id` and `media_id` are decided when the session begins, so that completing twice cannot make two of either.
    `storage_id` is the storage's own name of the session and never leaves the server. `layout.size` is the declared
    size; `reserved_bytes` is what counts against the quota meanwhile.
    `trace` is where the request that began it came from (`domain/trace.py`), as the text that records keep.
    `cleaned` says that nothing of a session that ended without a job is left in storage.
    """

    id: str
    owner: str
    media_id: str
    job_id: str
    key: str
    storage_id: str
    filename: str
    content_type: str
    layout: PartLayout
    checksum: Checksum | None
    metadata: Mapping[str, str]
    options: Options
    reserved_bytes: int
    created_at: float
    updated_at: float
    expires_at: float
    state: State = State.OPEN
    stored: ObjectRef | None = None
    rejection: tuple[Reason, ...] = field(default=())
    cleaned: bool = False
    trace: str = ""

    def next_deadline(self, limits: Limits) -> float | None:
        """When somebody must look at it again if nothing happens; `None` when nothing is left to do."""
        if self.state is State.OPEN:
            return self.expires_at
        if self.state is State.COMPLETING or (self.state is not State.COMPLETED and not self.cleaned):
            return self.updated_at + limits.completing_seconds
        return None


def step(upload: Upload, event: Event, now: float) -> Upload:
    """The upload after `event`. Raises `Refused` with the reason a client can act on when the table has no such row."""
    return replace(upload, state=_after(upload, event), updated_at=now)


def accept(upload: Upload, stored: ObjectRef, now: float) -> Upload:
    """Pin what was stored: a later overwrite through a still-living URL never reaches a worker."""
    return replace(upload, state=_after(upload, Event.ACCEPT), updated_at=now, stored=stored)


def reject(upload: Upload, reasons: tuple[Reason, ...], now: float) -> Upload:
    """Close the upload for good, keeping every reason so that a repeated call answers the same."""
    return replace(upload, state=_after(upload, Event.REJECT), updated_at=now, rejection=reasons)


def _after(upload: Upload, event: Event) -> State:
    target = TRANSITIONS.get((upload.state, event))
    if target is None:
        raise closed(upload)
    return target


def is_expired(upload: Upload, now: float) -> bool:
    """Whether its time is over, whatever the store's own clean-up has done about it."""
    return upload.state is State.EXPIRED or (upload.state is State.OPEN and now >= upload.expires_at)


def closed(upload: Upload) -> Refused:
    """Why nothing more can be done with this upload, as its owner should read it."""
    if upload.state is State.REJECTED and upload.rejection:
        return Refused(*upload.rejection)
    code, message = _CLOSED[upload.state]
    return refuse(code, message)


_CLOSED: Mapping[State, tuple[Code, str]] = MappingProxyType(
    {
        State.OPEN: (Code.UPLOAD_INCOMPLETE, "The upload is still open: send its parts, then complete it."),
        State.COMPLETING: (
            Code.UPLOAD_COMPLETING,
            "The upload is being completed: ask for its job in a moment.",
        ),
        State.COMPLETED: (
            Code.UPLOAD_COMPLETED,
            "The upload is complete: nothing more can be sent or aborted.",
        ),
        State.REJECTED: (Code.UPLOAD_REJECTED, "The uploaded file was refused: begin a new upload."),
        State.ABORTED: (Code.UPLOAD_ABORTED, "The upload was aborted: begin a new one."),
        State.EXPIRED: (Code.UPLOAD_EXPIRED, "The upload's time is over: begin a new one."),
    }
)
