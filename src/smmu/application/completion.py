"""What happens to an upload when its bytes are there, or never will be: check, pin, hand over, reject, close.

Three may want the same upload to end (the client, a repeated call, the sweeper). Each loads it, does what is left to
do and writes by condition: whoever is first wins, the others find it done. Every storage call here may be repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smmu.application.lines import of_job, of_upload
from smmu.application.messages import job_wants_dispatch
from smmu.application.store import Store
from smmu.domain import parts, quota, upload
from smmu.domain.admission import check_stored
from smmu.domain.errors import Code, Reason, Refused, refuse_if
from smmu.domain.job import PROCESS, Job
from smmu.domain.media import Media
from smmu.domain.sniff import sniff
from smmu.domain.upload import Event, State, Upload
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.errors import NotFound
from smmu.ports.ledger import Change, Count
from smmu.ports.objects import Found, ObjectStore
from smmu.ports.records import Stored
from smmu.ports.system import Clock, Telemetry
from smmu.ports.uploads import Session, StoredPart, UploadStore

STORED_TYPE = "application/octet-stream"  # what a source is served as: nobody has looked inside yet
_NAMED_MAX = 20  # missing parts named in a refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Ends uploads."""

    store: Store
    storage: UploadStore
    objects: ObjectStore
    clock: Clock
    telemetry: Telemetry

    async def go_on(
        self,
        stored: Stored[Upload],
        *,
        claimed: Sequence[tuple[int, str]] | None = None,
        checksum: Checksum | None = None,
        trace: str = "",
    ) -> Upload:
        """Take an open or completing upload to its end, or replay the end it has. Raises `Conflict`: load again."""
        known = stored.value
        if known.state is State.COMPLETED:
            return known
        if known.state in upload.TERMINAL:
            raise upload.closed(known)
        if known.state is State.OPEN and claimed is not None:
            refuse_if(parts.check_completion([number for number, _ in claimed], known.layout))
        if known.layout.method == "single":
            return await self._decide(stored, await self._sent(known, claimed), checksum, trace)
        arrived = await self.storage.list_parts(session_of(known))
        if known.state is State.OPEN:
            _require_all(known, arrived, claimed)
            stored = await self._begin_completing(stored)
        ref = await self._assemble(stored, arrived)
        return await self._decide(stored, Found(ref, await self.objects.open(ref)), checksum, trace)

    async def close(self, stored: Stored[Upload], event: Event) -> Upload:
        """End an open upload without a job (abort, expire) and drop its bytes."""
        ended = upload.step(stored.value, event, self.clock.now())
        await self._commit_end(stored, ended)
        self.telemetry.event("upload_closed", **of_upload(ended), state=ended.state)
        await self.clean(Stored(ended, stored.version + 1))
        return ended

    async def clean(self, stored: Stored[Upload]) -> None:
        """Remove what an upload that ended without a job left in storage, and remember that it is gone."""
        known = stored.value
        await self.storage.abort(session_of(known))
        await self.objects.delete(known.key)
        await self.store.commit([self.store.put(replace(known, cleaned=True), stored.version)])

    async def _sent(self, known: Upload, claimed: Sequence[tuple[int, str]] | None) -> Found:
        """The object of a single session. Its PUT has made it, once and for all: one look is all there is to do."""
        found = await self.objects.find(known.key)
        if found is None:
            raise Refused(*_incomplete((1,)))
        _require_all(known, [StoredPart(number=1, size=found.ref.size, etag=found.ref.etag)], claimed)
        return found

    async def _begin_completing(self, stored: Stored[Upload]) -> Stored[Upload]:
        """Assembling many parts may take minutes: nobody may abort meanwhile."""
        completing = upload.step(stored.value, Event.COMPLETE, self.clock.now())
        await self.store.commit([self.store.put(completing, stored.version)])
        return Stored(completing, stored.version + 1)

    async def _assemble(self, stored: Stored[Upload], arrived: Sequence[StoredPart]) -> ObjectRef:
        known = stored.value
        try:
            return await self.storage.complete(session_of(known), arrived)
        except NotFound:
            info = await self.objects.stat(known.key)
            if info is not None and info.ref.size == (known.layout.size or info.ref.size):
                return info.ref  # assembled before, by a call whose answer was lost
            if known.state is State.COMPLETING:
                reopened = upload.step(known, Event.REOPEN, self.clock.now())
                await self.store.commit([self.store.put(reopened, stored.version)])
            raise Refused(*_incomplete((1,))) from None

    async def _decide(self, stored: Stored[Upload], found: Found, checksum: Checksum | None, trace: str) -> Upload:
        reasons = await self._reasons(stored.value, found, checksum)
        if not reasons:
            return await self._accept(stored, found.ref, trace)
        rejected = upload.reject(stored.value, reasons, self.clock.now())
        await self._commit_end(stored, rejected)
        self.telemetry.event("upload_rejected", **of_upload(rejected), code=reasons[0].code)
        await self.clean(Stored(rejected, stored.version + 1))
        raise Refused(*reasons)

    async def _reasons(self, known: Upload, found: Found, checksum: Checksum | None) -> tuple[Reason, ...]:
        given = tuple(c for c in (known.checksum, checksum) if c is not None)
        head = await found.source.read(0, self.store.limits.sniff_bytes)
        return check_stored(
            declared_size=known.layout.size,
            stored_size=found.ref.size,
            declared_type=known.content_type,
            sniffed=sniff(head),
            limits=self.store.limits,
            checksums=given,
            stored_checksums=await self._measured(found.ref, given),
        )

    async def _measured(self, ref: ObjectRef, given: Sequence[Checksum]) -> dict[Algorithm, str]:
        found = [await self.storage.checksum(ref, wanted) for wanted in given]
        return {checksum.algorithm: checksum.value for checksum in found if checksum is not None}

    async def _accept(self, stored: Stored[Upload], ref: ObjectRef, trace: str) -> Upload:
        now = self.clock.now()
        done = upload.accept(stored.value, ref, now)
        job = _job_of(done, ref, trace or done.trace, now)
        changes: list[Change] = [
            self.store.put(done, stored.version),
            self.store.put(job),
            self.store.put(_media_of(done, ref, now)),
            Count(owner=done.owner, deltas=quota.settle(done)),
        ]
        await self.store.commit(changes, [job_wants_dispatch(job, "created")])
        self.telemetry.event("job_created", **of_job(job), bytes=ref.size)
        return done

    async def _commit_end(self, stored: Stored[Upload], ended: Upload) -> None:
        release = Count(owner=ended.owner, deltas=quota.settle(ended))
        await self.store.commit([self.store.put(ended, stored.version), release])


def session_of(known: Upload) -> Session:
    """The storage's session of an upload."""
    layout = known.layout
    if layout.method == "single":
        return Session(key=known.key, storage_id="", method="single", content_type=STORED_TYPE)
    return Session(key=known.key, storage_id=known.storage_id, method="multipart", part_size=layout.part_size)


def _require_all(known: Upload, arrived: Sequence[StoredPart], claimed: Sequence[tuple[int, str]] | None) -> None:
    missing = parts.missing(known.layout, {part.number: part.size for part in arrived})
    refuse_if(_incomplete(missing))
    refuse_if(_other_parts(arrived, claimed or ()))


def _incomplete(missing: Sequence[int]) -> tuple[Reason, ...]:
    if not missing:
        return ()
    named = ", ".join(str(number) for number in missing[:_NAMED_MAX])
    more = f" and {len(missing) - _NAMED_MAX} more" if len(missing) > _NAMED_MAX else ""
    return (
        Reason(code=Code.UPLOAD_INCOMPLETE, message=f"Parts are missing: {named}{more}. Send them, then complete."),
    )


def _other_parts(arrived: Sequence[StoredPart], claimed: Sequence[tuple[int, str]]) -> tuple[Reason, ...]:
    etags = {part.number: part.etag for part in arrived}
    return tuple(
        Reason(
            code=Code.UPLOAD_INCOMPLETE,
            message=f"Part {number} in storage is not the one you name: send it again, then complete.",
            pointer=f"/parts/{at}/etag",
        )
        for at, (number, etag) in enumerate(claimed)
        if etag and etag.strip('"') != etags.get(number, "").strip('"')
    )


def _job_of(done: Upload, ref: ObjectRef, trace: str, now: float) -> Job:
    return Job(
        id=done.job_id,
        owner=done.owner,
        upload_id=done.id,
        media_id=done.media_id,
        kind=PROCESS,
        source=ref,
        options=done.options,
        filename=done.filename,
        created_at=now,
        updated_at=now,
        started_at=now,
        checked_at=now,
        events=1,  # its making, which `first_told` tells
        trace=trace,
    )


def _media_of(done: Upload, ref: ObjectRef, now: float) -> Media:
    return Media(
        id=done.media_id,
        owner=done.owner,
        upload_id=done.id,
        job_id=done.job_id,
        filename=done.filename,
        content_type=done.content_type,
        source=ref,
        metadata=done.metadata,
        created_at=now,
        updated_at=now,
        bytes_stored=ref.size,
    )
