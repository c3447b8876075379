"""The lasting record of an accepted file and what was made of it. Rule 1: every change of its state happens here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from smmu.domain.errors import Code, refuse
from smmu.domain.job import Failure
from smmu.domain.limits import Limits
from smmu.domain.manifest import Manifest
from smmu.domain.plan import Role
from smmu.domain.values import ObjectRef

_PLAYED = frozenset({Role.HLS, Role.DASH, Role.MP4, Role.AUDIO})


class State(StrEnum):
    """Where a media is."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    REJECTED = "rejected"
    DELETED = "deleted"


class Event(StrEnum):
    """What can happen to a media."""

    PUBLISH = "publish"
    FAIL = "fail"
    REJECT = "reject"
    PROCESS = "process"  # a new attempt
    DELETE = "delete"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.PROCESSING, Event.PUBLISH): State.READY,
        (State.PROCESSING, Event.FAIL): State.FAILED,
        (State.PROCESSING, Event.REJECT): State.REJECTED,
        (State.PROCESSING, Event.PROCESS): State.PROCESSING,
        (State.FAILED, Event.PROCESS): State.PROCESSING,
        (State.READY, Event.PROCESS): State.PROCESSING,
        (State.READY, Event.DELETE): State.DELETED,
        (State.FAILED, Event.DELETE): State.DELETED,
        (State.REJECTED, Event.DELETE): State.DELETED,
        (State.PROCESSING, Event.DELETE): State.DELETED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionRecord:
    """What the media record keeps of a rendition; its proof and all its files are in the manifest document.

    As there, `size` and `sha256` are of the file at `path`, and `size_total` is of all its files.
    """

    name: str
    role: str
    file: ObjectRef
    path: str
    content_type: str
    size: int
    sha256: str
    size_total: int
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    bitrate_bps: int | None = None
    codecs: str | None = None
    language: str | None = None
    title: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file of one owner, for as long as they keep it.

    `manifest` points at the newest manifest document and `revision` counts them; `renditions` is what it lists.
    `attempt` and `job_id` name the winner that wrote it. `bytes_stored` is what counts against the quota. `error` says
    why it is rejected or failed.
    """

    id: str
    owner: str
    upload_id: str
    job_id: str
    filename: str
    content_type: str
    source: ObjectRef
    metadata: Mapping[str, str]
    created_at: float
    updated_at: float
    bytes_stored: int
    state: State = State.PROCESSING
    playable: bool = False
    classification: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    attempt: int = 0
    manifest: ObjectRef | None = None
    renditions: tuple[RenditionRecord, ...] = ()
    error: Failure | None = None
    cleaned: bool = False

    def next_deadline(self, limits: Limits) -> float | None:
        """When the sweeper must look: a deleted media whose bytes may not all be gone yet."""
        unclean = self.state is State.DELETED and not self.cleaned
        return self.updated_at + limits.check_seconds if unclean else None


def step(media: Media, event: Event, now: float) -> Media:
    """The media after `event`; `Refused` when the table has no such row."""
    target = TRANSITIONS.get((media.state, event))
    if target is None:
        raise refuse(Code.MEDIA_DELETED, f"The media is {media.state}: it cannot {event} any more.")
    return replace(media, state=target, updated_at=now)


def publish(
    media: Media, manifest: Manifest, document: ObjectRef, renditions: tuple[RenditionRecord, ...], now: float
) -> Media:
    """Make a manifest's revision the one that exists."""
    ready = step(media, Event.PUBLISH, now)
    return replace(
        ready,
        playable=any(record.role in _PLAYED for record in renditions),
        revision=manifest.revision,
        attempt=manifest.attempt,
        manifest=document,
        renditions=renditions,
        error=None,
        classification=manifest.classification,
        facts=manifest.source,
    )
