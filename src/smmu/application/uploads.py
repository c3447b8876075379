"""Uploads: begin, sign, look, complete, abort, expire. The bytes themselves never pass here.

`complete` is idempotent by construction: the ids of its job and media were decided at `begin`, what it decides is one
conditional commit, and whoever comes second (a repeated call, the sweeper, another API process) replays the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smmu.application.completion import STORED_TYPE, Completion, session_of
from smmu.application.store import Store, until_settled
from smmu.application.watermarks import watermark_of
from smmu.domain import keys, parts, quota, upload
from smmu.domain.admission import UploadRequest, admit
from smmu.domain.errors import Code, Refused, refuse, refuse_if
from smmu.domain.trace import derived
from smmu.domain.upload import Upload
from smmu.domain.values import JOB, MEDIA, UPLOAD, Checksum
from smmu.ports.errors import Conflict, LimitReached
from smmu.ports.ledger import Change, Count
from smmu.ports.records import IdempotencyKey, Stored
from smmu.ports.system import Clock, IdSource
from smmu.ports.uploads import PartSlot, SignedPart, StoredPart, UploadStore

KEY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An open session and its first signed parts; `replayed` when an idempotency key had begun it before."""

    upload: Upload
    parts: Sequence[SignedPart]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What has arrived, by the storage's own account, and the part numbers that have not."""

    upload: Upload
    version: int
    stored: Sequence[StoredPart]
    missing: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """The use cases of uploading. Every call names the owner and sees nothing of anybody else's."""

    store: Store
    storage: UploadStore
    completion: Completion
    clock: Clock
    ids: IdSource

    async def begin(
        self,
        owner: str,
        request: UploadRequest,
        *,
        idempotency_key: str | None = None,
        fingerprint: str = "",
        trace: str = "",
    ) -> Begun:
        """Open a session, or `Refused` with every reason. With a key, repeating it answers the same session.

        `trace` is where the request comes from (a `traceparent`); without one it begins here.
        """
        used = None if idempotency_key is None else await self.store.find(IdempotencyKey, owner, idempotency_key)
        if used is not None and used.value.expires_at > self.clock.now():
            return await self._replay(used.value, fingerprint)
        refuse_if(admit(request, self.store.limits))
        await watermark_of(self.store, self.completion.objects, owner, request.options)
        opened = await self._open(owner, request, trace)
        try:
            await self._record(opened, self._use(opened, idempotency_key, fingerprint, used))
        except LimitReached as error:
            await self.storage.abort(session_of(opened))
            raise _over_quota(error) from error
        except Conflict:  # somebody used the same key at the same moment
            await self.storage.abort(session_of(opened))
            return await self.begin(
                owner, request, idempotency_key=idempotency_key, fingerprint=fingerprint, trace=trace
            )
        return Begun(upload=opened, parts=await self._sign_first(opened))

    async def get(self, owner: str, upload_id: str) -> Progress:
        """What any device of the owner needs to go on with an upload. `Refused` when it was given up or expired."""
        stored = await self.store.get(Upload, owner, upload_id)
        self._require_alive(stored.value)
        here = await self._arrived(stored.value)
        sizes = {part.number: part.size for part in here}
        missing = parts.missing(stored.value.layout, sizes) if stored.value.state is upload.State.OPEN else ()
        return Progress(upload=stored.value, version=stored.version, stored=here, missing=missing)

    async def sign(self, owner: str, upload_id: str, numbers: Sequence[int]) -> Sequence[SignedPart]:
        """Sign parts again. `Refused` when the upload is over, or for numbers that it does not have."""
        stored = await self.store.get(Upload, owner, upload_id)
        self._require_open(stored.value)
        refuse_if(parts.check_signing(numbers, stored.value.layout, self.store.limits))
        return await self._sign(stored.value, numbers)

    async def complete(
        self,
        owner: str,
        upload_id: str,
        *,
        claimed: Sequence[tuple[int, str]] | None = None,
        checksum: Checksum | None = None,
        trace: str = "",
    ) -> Upload:
        """All bytes are there: check, pin and hand over to a job. `claimed` are (number, etag) the client has seen.

        The job goes on with the request's `trace`, if it has one, else with its upload's.

        Answers the completed upload. Raises `Refused`: incomplete (stays open), or every reason of a rejection.
        """

        async def attempt() -> Upload:
            stored = await self.store.get(Upload, owner, upload_id)
            if stored.value.state is upload.State.OPEN:
                self._require_open(stored.value)
            return await self.completion.go_on(stored, claimed=claimed, checksum=checksum, trace=trace)

        return await until_settled(attempt)

    async def arrived(self, key: str) -> Upload | None:
        """Storage tells that this object is there: complete its upload, if its client has not. Raises as `complete`.

        `None` for an object that tells no upload: the sweeper finds it when the upload expires.
        """
        named = keys.upload_of(key)
        return None if named is None else await self.complete(*named)

    async def abort(self, owner: str, upload_id: str) -> Upload:
        """Give an upload up; repeating it is fine. `Refused` when it is complete or being completed."""

        async def attempt() -> Upload:
            stored = await self.store.get(Upload, owner, upload_id)
            if stored.value.state is upload.State.ABORTED:
                return stored.value
            return await self.completion.close(stored, upload.Event.ABORT)

        return await until_settled(attempt)

    async def _replay(self, used: IdempotencyKey, fingerprint: str) -> Begun:
        require_same(used, fingerprint)
        stored = await self.store.get(Upload, used.owner, used.upload_id)
        usable = stored.value.state is upload.State.OPEN and not upload.is_expired(stored.value, self.clock.now())
        return Begun(upload=stored.value, parts=await self._sign_first(stored.value) if usable else (), replayed=True)

    async def _open(self, owner: str, request: UploadRequest, trace: str) -> Upload:
        limits, now = self.store.limits, self.clock.now()
        layout = parts.layout(request.size, limits)
        upload_id = self.ids.new(UPLOAD)
        key = keys.source_key(owner, upload_id)
        session = await self.storage.begin(
            key, method=layout.method, part_size=layout.part_size, content_type=STORED_TYPE
        )
        return Upload(
            id=upload_id,
            owner=owner,
            media_id=self.ids.new(MEDIA),
            job_id=self.ids.new(JOB),
            key=key,
            storage_id=session.storage_id,
            filename=request.filename,
            content_type=request.content_type,
            layout=layout,
            checksum=request.checksum,
            metadata=request.metadata,
            options=request.options,
            reserved_bytes=limits.unknown_size_bytes if request.size is None else request.size,
            created_at=now,
            updated_at=now,
            expires_at=now + limits.upload_seconds,
            trace=trace or derived(upload_id).parent,
        )

    async def _record(self, opened: Upload, used: Sequence[Change]) -> None:
        reserve = Count(owner=opened.owner, deltas=quota.reserve(opened), at_most=quota.bounds(self.store.limits))
        await self.store.commit([self.store.put(opened), reserve, *used])

    def _use(
        self, opened: Upload, key: str | None, fingerprint: str, before: Stored[IdempotencyKey] | None
    ) -> Sequence[Change]:
        """The key as used by this upload, over what it was when we looked: nothing, or over."""
        if key is None:
            return ()
        expires = self.clock.now() + KEY_SECONDS
        used = IdempotencyKey(
            key=key, owner=opened.owner, fingerprint=fingerprint, upload_id=opened.id, expires_at=expires
        )
        return [self.store.put(used, before.version if before else 0)]

    async def _sign_first(self, opened: Upload) -> Sequence[SignedPart]:
        limits = self.store.limits
        first = limits.parts_signed_unsized if opened.layout.size is None else limits.parts_signed_at_init
        count = min(first, opened.layout.number_max)
        return await self._sign(opened, range(1, count + 1))

    async def _sign(self, opened: Upload, numbers: Sequence[int]) -> Sequence[SignedPart]:
        layout = opened.layout
        expires_at = min(self.clock.now() + self.store.limits.url_seconds_max, opened.expires_at)
        slots = [PartSlot(number=n, size=layout.size_of(n), size_max=layout.part_size) for n in numbers]
        checksum = opened.checksum if layout.method == "single" else None
        return await self.storage.sign(session_of(opened), slots, expires_at=expires_at, checksum=checksum)

    async def _arrived(self, known: Upload) -> Sequence[StoredPart]:
        if known.state not in (upload.State.OPEN, upload.State.COMPLETING):
            return ()
        return await self.storage.list_parts(session_of(known))

    def _require_alive(self, known: Upload) -> None:
        if upload.is_expired(known, self.clock.now()):
            raise upload.closed(replace(known, state=upload.State.EXPIRED))
        if known.state is upload.State.ABORTED:
            raise upload.closed(known)

    def _require_open(self, known: Upload) -> None:
        self._require_alive(known)
        if known.state is not upload.State.OPEN:
            raise upload.closed(known)


def require_same(used: IdempotencyKey, fingerprint: str) -> None:
    """Refuse a key that was used for another request."""
    if used.fingerprint != fingerprint:
        message = "This Idempotency-Key was used for another request: use a new one."
        raise refuse(Code.IDEMPOTENCY_KEY_REUSED, message)


def _over_quota(error: LimitReached) -> Refused:
    what = "bytes" if error.field == quota.BYTES else "open uploads"
    message = f"Your quota of {what} is used up: delete media or finish uploads, then try again."
    return refuse(Code.QUOTA_EXCEEDED, message)
