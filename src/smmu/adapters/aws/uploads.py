"""`S3UploadStore`: a multipart session is a multipart upload of S3's, a single one is nothing but its signed PUT.

What S3 answers to CompleteMultipartUpload may be lost, late, or an error although the object was made. Whatever it was,
the object at the key decides: it is this upload's if its size and ETag are those that follow from these parts.

No checksum algorithm is asked for at CreateMultipartUpload: S3 then computes CRC-64/NVME over the whole object by
itself from any parts, and a session that names an algorithm refuses parts without its header, which browsers omit.

Storage layout: objects and open uploads under `raw/…` in the raw bucket. What a URL that still lives brings after its
session was aborted is an object that no record names; a deployment's lifecycle rules and its storage events see it.

IAM on the raw bucket: `s3:PutObject`, `s3:AbortMultipartUpload`, `s3:ListMultipartUploadParts`,
`s3:ListBucketMultipartUploads`, `s3:GetObject`, `s3:GetObjectVersion`, `s3:ListBucket`, and those of `delete` in
objects.py; `kms:GenerateDataKey` and `kms:Decrypt` on its key.

Requests: signing none, its credentials come from the client; `begin` none or one; `list_parts` one HEAD, or one listing
for 1,000 parts; `complete` one HEAD, after one POST for multipart; `checksum` one HEAD; `abort` two; `orphans` one for
1,000 open uploads. An upload of one part costs 1 PUT and 2 HEAD (0.0006 cents), one of 10,000 parts 5.4 cents.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Literal

import anyio
from anyio.lowlevel import checkpoint

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.buckets import RAW, Buckets, pins, unquoted
from smmu.adapters.aws.errors import translating
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.pauses import pauses
from smmu.domain.limits import PART_BYTES_MAX, PART_BYTES_MIN, PART_COUNT_MAX, SINGLE_PUT_BYTES_MAX
from smmu.domain.values import Algorithm, Checksum, ObjectRef
from smmu.ports.errors import AlreadyExists, Conflict, NotFound, Throttled, Unavailable
from smmu.ports.system import Clock
from smmu.ports.uploads import PartSlot, Session, SignedForm, SignedPart, StoredPart, UploadForms, UploadStore

_SIGNED_AT_A_TIME: Final = 200  # about 2 ms of the event loop
_MD5 = re.compile("[0-9a-f]{32}")
_NAMES: Final = {
    Algorithm.CRC64NVME: "ChecksumCRC64NVME",
    Algorithm.CRC32C: "ChecksumCRC32C",
    Algorithm.SHA256: "ChecksumSHA256",
}


class S3UploadStore(UploadStore, UploadForms):
    """The upload sessions of one deployment. `part_bytes_min` is S3's own, and lower only for a stand-in of it."""

    def __init__(
        self, clients: Clients, resources: Resources, clock: Clock, *, part_bytes_min: int = PART_BYTES_MIN
    ) -> None:
        self._buckets = Buckets.of(clients, resources, clock)
        self._s3 = clients.s3
        self._objects = S3ObjectStore(clients, resources, clock)
        self._part_bytes_min = part_bytes_min

    async def begin(
        self, key: str, *, method: Literal["single", "multipart"], part_size: int, content_type: str
    ) -> Session:
        """See the port."""
        if method == "single":
            return Session(key=key, storage_id="", method=method, content_type=content_type)
        if not self._part_bytes_min <= part_size <= PART_BYTES_MAX:
            raise ValueError(f"parts of {part_size} bytes")
        with translating(key):
            begun = await self._s3.create_multipart_upload(**self._buckets.where(key), ContentType=content_type)
        return Session(key=key, storage_id=begun["UploadId"], method=method, part_size=part_size)

    async def sign(
        self,
        session: Session,
        parts: Sequence[PartSlot],
        *,
        expires_at: float,
        checksum: Checksum | None = None,
    ) -> Sequence[SignedPart]:
        """See the port. Gives way to others every few milliseconds, however many parts there are."""
        if checksum is not None and session.method != "single":
            raise ValueError("only the one part of a single session can have the object's checksum")
        for part in parts:
            _check_slot(session, part)
        place, signer = self._buckets.place(session.key), await self._buckets.signer(expires_at)
        sent = _headers(session, checksum) if session.method == "single" else {}
        signed = []
        for count, part in enumerate(parts):
            if count % _SIGNED_AT_A_TIME == 0:
                await checkpoint()
            url = signer.presign(
                "PUT", place, session.key, query=_query(session, part), headers={**sent, **_length(part)}
            )
            signed.append(
                SignedPart(number=part.number, size=part.size, url=url, expires_at=signer.expires_at, headers=sent)
            )
        return signed

    async def sign_form(
        self,
        session: Session,
        *,
        size_min: int,
        size_max: int,
        expires_at: float,
        checksum: Checksum | None = None,
    ) -> SignedForm:
        """See the port."""
        if session.method != "single" or not 0 <= size_min <= size_max <= SINGLE_PUT_BYTES_MAX:
            raise ValueError(f"no form takes {size_min} to {size_max} bytes of a {session.method} session")
        signer = await self._buckets.signer(expires_at)
        fields = {
            "key": session.key,
            "Content-Type": session.content_type,
            "success_action_status": "201",
            **_checksum_fields(checksum),
        }
        bucket = self._buckets.holding(session.key)
        signed = signer.form(fields, bucket=bucket, size_min=size_min, size_max=size_max)
        return SignedForm(url=self._buckets.place(session.key).url, fields=signed, expires_at=signer.expires_at)

    async def list_parts(self, session: Session) -> Sequence[StoredPart]:
        """See the port."""
        if session.method == "single":
            found = await self._buckets.head(session.key)
            return [_whole(found[0].ref)] if found else []
        try:
            return [part async for part in self._parts(session)]
        except NotFound:
            return []

    async def complete(self, session: Session, parts: Sequence[StoredPart]) -> ObjectRef:
        """See the port. Parts named twice or out of order are a bug: `ValueError`."""
        numbers = [part.number for part in parts]
        if numbers != sorted(set(numbers)):
            raise ValueError("parts are named once, in order")
        if session.method == "single":
            return await self._look(session, parts)
        if not parts:
            raise NotFound("an upload of no parts")
        failed, etag = None, etag_of_parts(parts)
        try:
            etag = await self._join(session, parts)
        except (NotFound, AlreadyExists, Conflict, Throttled, Unavailable) as error:
            failed = error
        # Who meets others that complete it gets 409, perhaps before the object of the first is there.
        for pause in (0, *pauses()) if isinstance(failed, Conflict) else (0,):
            await anyio.sleep(pause)
            if made := await self._made(session, parts, etag):
                return made
        raise _meant(failed) from failed

    async def checksum(self, ref: ObjectRef, wanted: Checksum) -> Checksum | None:
        """See the port. S3 knows CRC-64/NVME of every object, and another algorithm's where it was signed."""
        found = await self._buckets.head(ref.key, **pins(ref), ChecksumMode="ENABLED")
        if found is None:
            raise NotFound(f"the pinned version of {ref.key} is gone")
        value = found[1].get(_NAMES[wanted.algorithm])
        if value is None or found[1].get("ChecksumType") != "FULL_OBJECT":
            return None
        return Checksum(algorithm=wanted.algorithm, value=value)

    async def abort(self, session: Session) -> None:
        """See the port. Parts may arrive while S3 aborts, and stay: so it is asked again until nothing is left."""
        if session.method == "single":
            await self._objects.clear(session.key)
            return
        for pause in (0, *pauses()):
            await anyio.sleep(pause)
            if await self._is_aborted(session):
                return
        raise Unavailable(f"parts of {session.key} keep arriving")

    async def orphans(self, before: float) -> Sequence[Session]:
        """See the port. S3 does not keep the size of parts."""
        return [
            Session(key=upload["Key"], storage_id=upload["UploadId"], method="multipart")
            async for upload in self._open()
            if upload["Initiated"].timestamp() < before
        ]

    async def _parts(self, session: Session) -> AsyncIterator[StoredPart]:
        place: dict[str, Any] = {}
        while True:
            with translating(session.key):
                page = await self._s3.list_parts(**self._upload(session), **place)
            for part in page.get("Parts", ()):
                yield StoredPart(number=part["PartNumber"], size=part["Size"], etag=unquoted(part["ETag"]))
            if not page["IsTruncated"]:
                return
            place = {"PartNumberMarker": page["NextPartNumberMarker"]}

    async def _open(self) -> AsyncIterator[Mapping[str, Any]]:
        place: dict[str, str] = {}
        while True:
            with translating("open uploads"):
                page = await self._s3.list_multipart_uploads(Bucket=self._buckets.raw, Prefix=RAW, **place)
            for upload in page.get("Uploads", ()):
                yield upload
            if not page["IsTruncated"]:
                return
            place = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    async def _look(self, session: Session, parts: Sequence[StoredPart]) -> ObjectRef:
        found = await self._buckets.head(session.key)
        if found is None or [*parts] != [_whole(found[0].ref)]:
            raise NotFound("the file is missing or is another one")
        return found[0].ref

    async def _join(self, session: Session, parts: Sequence[StoredPart]) -> str:
        """Ask S3 to make the object, if there is none; its ETag."""
        with translating(session.key):
            told = await self._s3.complete_multipart_upload(
                **self._upload(session),
                IfNoneMatch="*",
                MpuObjectSize=sum(part.size for part in parts),
                MultipartUpload={"Parts": [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]},
            )
        return unquoted(told["ETag"])

    async def _made(self, session: Session, parts: Sequence[StoredPart], etag: str | None) -> ObjectRef | None:
        """The object, if it is these parts'."""
        found = await self._buckets.head(session.key)
        if found is None or (found[0].ref.etag, found[0].ref.size) != (etag, sum(part.size for part in parts)):
            return None
        return found[0].ref

    async def _is_aborted(self, session: Session) -> bool:
        try:
            with translating(session.key):
                await self._s3.abort_multipart_upload(**self._upload(session))
                await self._s3.list_parts(**self._upload(session), MaxParts=1)
        except NotFound:
            return True
        return False

    def _upload(self, session: Session) -> dict[str, str]:
        return {**self._buckets.where(session.key), "UploadId": session.storage_id}


def etag_of_parts(parts: Sequence[StoredPart]) -> str | None:
    """The ETag that S3 gives to their object: the MD5 of the parts' MD5s, and how many they were.

    `None` where the parts' ETags are no MD5s, as with customer keys: nobody can tell beforehand then.
    """
    if not all(_MD5.fullmatch(part.etag) for part in parts):
        return None
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _meant(failed: Exception | None) -> Exception:
    """What it means that S3 failed in this way and that the object is not there."""
    match failed:
        case Conflict():  # others complete it at the same time, and none of them has yet
            return Unavailable("the upload is being completed")
        case AlreadyExists() | None:
            return NotFound("the object was deleted or replaced since")
        case _:
            return failed


def _whole(ref: ObjectRef) -> StoredPart:
    """An object as the one part of its single session."""
    return StoredPart(number=1, size=ref.size, etag=ref.etag)


def _check_slot(session: Session, part: PartSlot) -> None:
    size = part.size_max if part.size is None else part.size
    single = session.method == "single"
    numbers, bytes_max = (1, SINGLE_PUT_BYTES_MAX) if single else (PART_COUNT_MAX, session.part_size)
    if not (1 <= part.number <= numbers and 0 <= size <= bytes_max):
        raise ValueError(f"a {session.method} session has no part {part.number} of {size} bytes")


def _headers(session: Session, checksum: Checksum | None) -> dict[str, str]:
    """What the sender of a whole object sends with it: it is the first and only one, of this type and checksum."""
    told = {_header(checksum.algorithm): checksum.value} if checksum else {}
    return {"content-type": session.content_type, "if-none-match": "*", **told}


def _header(algorithm: Algorithm) -> str:
    return f"x-amz-checksum-{algorithm}"


def _checksum_fields(checksum: Checksum | None) -> dict[str, str]:
    """A form says the algorithm by itself, too: a value alone is not looked at."""
    if checksum is None:
        return {}
    return {"x-amz-checksum-algorithm": checksum.algorithm.upper(), _header(checksum.algorithm): checksum.value}


def _length(part: PartSlot) -> dict[str, str]:
    return {} if part.size is None else {"content-length": str(part.size)}


def _query(session: Session, part: PartSlot) -> dict[str, str]:
    if session.method == "single":
        return {}
    return {"partNumber": str(part.number), "uploadId": session.storage_id}
