"""The lasting record of an accepted file and what was made of it. Rule 1: every change of its state happens here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from smmu.domain.errors import Code, refuse
from smmu.domain.job import Failure
from smmu.domain.limits import Limits
from smmu.domain.manifest import Manifest
from smmu.domain.plan import Role
from smmu.domain.quick import quick, replace
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

    REVEAL = "reveal"  # something can be played, and more is being made
    PUBLISH = "publish"
    FAIL = "fail"
    REJECT = "reject"
    PROCESS = "process"  # a new attempt
    DELETE = "delete"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.PROCESSING, Event.REVEAL): State.PROCESSING,
        (State.PROCESSING, Event.PUBLISH): State.READY,
        (State.PROCESSING, Event.FAIL): State.FAILED,
        (State.PROCESSING, Event.REJECT): State.REJECTED,
        (State.PROCESSING, Event.PROCESS): State.PROCESSING,
        (State.FAILED, Event.PROCESS): State.PROCESSING,
        (State.READY, Event.PROCESS): State.PROCESSING,
        (State.READY, Event.PUBLISH): State.READY,
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


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A manifest that is not the newest any more. Until `until` (unix seconds) somebody may play what it lists."""

    manifest: ObjectRef
    until: float


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file of one owner, for as long as they keep it.

    `manifest` points at the newest manifest document and `revision` counts them; `renditions` is what it lists.
    `attempt` and `job_id` name the winner that wrote it. `bytes_stored` is what counts against the quota. `error` says
    why it is rejected or failed: also that its job was cancelled. `jobs` are those whose workers may still write; only
    the last of them may be at work. `replaced` are manifests that were the newest once. `early`: the manifest lists
    what a job made first, and lacks the rest. `chunks`: parts that a job needed, and nobody does any more, may still be
    stored.
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
    replaced: tuple[Replaced, ...] = ()
    jobs: tuple[str, ...] = ()
    cleaned: bool = False
    early: bool = False
    chunks: bool = False

    @property
    def writers(self) -> tuple[str, ...]:
        """The jobs whose workers may still write, at least one; the one that was opened last is the last."""
        return self.jobs or (self.job_id,)

    def next_deadline(self, limits: Limits) -> float | None:
        """When the sweeper must look: what was deleted may not be gone yet, and what nobody needs may go."""
        soon = self.updated_at + limits.check_seconds
        if self.state is State.DELETED:
            return None if self.cleaned else soon
        return soon if self.chunks else min((one.until for one in self.replaced), default=None)


def step(media: Media, event: Event, now: float) -> Media:
    """The media after `event`; `Refused` when the table has no such row."""
    target = TRANSITIONS.get((media.state, event))
    if target is None:
        raise refuse(Code.MEDIA_DELETED, f"The media is {media.state}: it cannot {event} any more.")
    return replace(media, state=target, updated_at=now)


def opened(media: Media, job_id: str, writing: Sequence[str], now: float) -> Media:
    """A later job is at work on it. `writing`: the other jobs whose workers may still write."""
    others = tuple(other for other in writing if other != job_id)
    return replace(media, jobs=(*others, job_id), updated_at=now)


def replacing(media: Media, now: float, limits: Limits) -> Media:
    """The media whose manifest is about to be replaced: whoever has begun to play it may see it to its end."""
    if media.manifest is None:
        return media
    lasts = max((record.duration_s or 0.0 for record in media.renditions), default=0.0)
    until = now + lasts + limits.playback_seconds + limits.read_url_seconds
    return replace(media, replaced=(*media.replaced, Replaced(manifest=media.manifest, until=until)))


def publish(
    media: Media, manifest: Manifest, document: ObjectRef, renditions: tuple[RenditionRecord, ...], now: float
) -> Media:
    """Make a manifest's revision the one that exists."""
    return _listing(step(media, Event.PUBLISH, now), manifest, document, renditions, early=False)


def reveal(
    media: Media, manifest: Manifest, document: ObjectRef, renditions: tuple[RenditionRecord, ...], now: float
) -> Media:
    """Make a revision that lists what a job has made first the one that exists, until it publishes."""
    return _listing(step(media, Event.REVEAL, now), manifest, document, renditions, early=True)


def fail(media: Media, event: Event, now: float) -> Media:
    """The media whose job has failed (FAIL), or whose file is no good (REJECT): what was published before stays."""
    after = step(media, event, now)
    if media.early and media.manifest is not None and event is Event.REJECT:
        gone = Replaced(manifest=media.manifest, until=now)  # nobody may play on what is rejected
        ended = tuple(replace(one, until=now) for one in media.replaced)
        none = replace(after, playable=False, early=False, manifest=None, renditions=())
        return replace(none, replaced=(*ended, gone), chunks=True)
    kept = media.manifest is not None and not media.early and event is Event.FAIL
    return replace(after, state=State.READY) if kept else after


def _listing(
    media: Media, manifest: Manifest, document: ObjectRef, renditions: tuple[RenditionRecord, ...], *, early: bool
) -> Media:
    return replace(
        media,
        early=early,
        job_id=manifest.job_id,
        playable=any(record.role in _PLAYED for record in renditions),
        revision=manifest.revision,
        attempt=manifest.attempt,
        manifest=document,
        renditions=renditions,
        error=None,
        classification=manifest.classification,
        facts=manifest.source,
    )
