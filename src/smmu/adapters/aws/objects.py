"""`S3ObjectStore`: an object is an S3 object, a version is its VersionId.

Reading names the version and the ETag, so that nobody ever reads other bytes than those that were looked at, whatever
is written to the key meanwhile. Every body is sent with its CRC-64/NVME, which S3 verifies before it stores anything.

Storage layout: `media/…` in the processed bucket, `raw/…` in the raw one (buckets.py). Both must keep versions.

IAM on both buckets: `s3:GetObject`, `s3:GetObjectVersion`, `s3:PutObject`, `s3:DeleteObject`, `s3:DeleteObjectVersion`,
`s3:ListBucketVersions`, `s3:AbortMultipartUpload`; `s3:ListBucket`, without which what is not there is 403 instead of
404; `kms:GenerateDataKey` and `kms:Decrypt` on the buckets' key.

Requests: `stat`, `open` and `find` one HEAD; `put` one PUT, or for a file over 16 MiB one for every 16 MiB and two
around them; a read one GET; `delete` one listing, and one deletion if something is there; `delete_all` these two for
each 1,000 versions; `list` one for 1,000 versions; `sign_read` none. A job of one film with 400 segments: about 400
PUT, 1 listing, 13 HEAD, 10–40 GET: 0.2 cents.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from anyio import Path

from smmu.adapters.aws import sending
from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.buckets import RAW, Buckets, pins, ref_of
from smmu.adapters.aws.errors import translating
from smmu.domain.values import ObjectRef
from smmu.ports.errors import AlreadyExists, Conflict, NotFound, Unavailable
from smmu.ports.objects import (
    Body,
    Found,
    LocalFile,
    ObjectInfo,
    ObjectStore,
    ReadLink,
    Source,
    attachment,
    check_folder,
)
from smmu.ports.system import Clock

_BATCH = 1_000  # what S3 deletes at once
_READS = 3  # tries of a range
_WRITES = 3  # tries of a first write that meets another first write


@dataclass(frozen=True, slots=True)
class S3Source(Source):
    """One version of an object."""

    buckets: Buckets
    ref: ObjectRef

    @property
    def size(self) -> int:
        """See the port."""
        return self.ref.size

    @property
    def local_path(self) -> str | None:
        """The bytes are elsewhere."""
        return None

    async def read(self, start: int, length: int) -> bytes:
        """See the port. One GET; a few where bodies are cut off, because the SDK repeats requests and no bodies."""
        if start < 0 or length < 0:
            raise ValueError(f"a range of {length} bytes from {start}")
        end = min(start + length, self.ref.size)
        if end <= start:
            return b""
        for _ in range(_READS - 1):
            with suppress(Unavailable):
                return await self._read(start, end)
        return await self._read(start, end)

    async def _read(self, start: int, end: int) -> bytes:
        wanted = {**self.buckets.where(self.ref.key), **pins(self.ref), "Range": f"bytes={start}-{end - 1}"}
        try:
            with translating(self.ref.key):
                answer = await self.buckets.s3.get_object(**wanted)
                async with answer["Body"] as body:
                    return bytes(await body.read())
        except AlreadyExists as error:  # the condition on the ETag did not hold
            raise NotFound(f"{self.ref.key} holds other bytes") from error


class S3ObjectStore(ObjectStore):
    """The objects of one deployment. The clients are the caller's to close."""

    def __init__(self, clients: Clients, resources: Resources, clock: Clock) -> None:
        self._buckets = Buckets.of(clients, resources, clock)
        self._s3 = clients.s3

    async def stat(self, key: str) -> ObjectInfo | None:
        """See the port."""
        found = await self._buckets.head(key)
        return found[0] if found else None

    async def open(self, ref: ObjectRef) -> Source:
        """See the port. The version is there even when a newer one is."""
        if await self._buckets.head(ref.key, **pins(ref)) is None:
            raise NotFound(f"the pinned version of {ref.key} is gone")
        return S3Source(self._buckets, ref)

    async def find(self, key: str) -> Found | None:
        """See the port."""
        info = await self.stat(key)
        return None if info is None else Found(info.ref, S3Source(self._buckets, info.ref))

    async def put(self, key: str, body: Body, *, content_type: str, if_absent: bool = False) -> ObjectRef:
        """See the port. A file is read piece by piece and left where it is."""
        wanted = {**self._buckets.where(key), "ContentType": content_type}
        condition = {"IfNoneMatch": "*"} if if_absent else {}
        if isinstance(body, LocalFile):
            path = Path(body.path)
            size = (await path.stat()).st_size
            if size > sending.SMALL_BYTES_MAX:
                return ref_of(key, await sending.send_parts(self._s3, _reading(path), size, wanted, condition), size)
            body = await path.read_bytes()
        return await self._put(key, body, {**wanted, **condition})

    async def delete(self, key: str) -> None:
        """See the port."""
        await self.clear(key)

    async def clear(self, key: str) -> int:
        """Remove every version and every mark of a deletion; how many there were."""
        bucket = self._buckets.holding(key)
        found = [entry async for entry in self._entries(bucket, key, only=True)]
        # The oldest first: if this breaks off, an old version never becomes the newest.
        for at in range(0, len(found), _BATCH):
            await self._remove(bucket, found[::-1][at : at + _BATCH])
        return len(found)

    async def delete_all(self, folder: str) -> None:
        """See the port."""
        check_folder(folder)
        bucket, batch = self._buckets.holding(folder), list[Mapping[str, Any]]()
        async for entry in self._entries(bucket, folder):
            batch.append(entry)
            if len(batch) == _BATCH:
                await self._remove(bucket, batch)
                batch = []
        await self._remove(bucket, batch)

    async def list(self, prefix: str) -> AsyncIterator[ObjectRef]:
        """See the port. Only a prefix that says less than `raw/` looks into both buckets."""
        if prefix.startswith(RAW):
            async for ref in self._newest(self._buckets.raw, prefix):
                yield ref
            return
        sent_is_due = RAW.startswith(prefix)
        async for ref in self._newest(self._buckets.processed, prefix):
            if sent_is_due and ref.key > RAW:
                sent_is_due = False
                async for sent in self._newest(self._buckets.raw, RAW):
                    yield sent
            yield ref
        if sent_is_due:
            async for sent in self._newest(self._buckets.raw, RAW):
                yield sent

    async def sign_read(self, ref: ObjectRef, *, expires_at: float, filename: str | None = None) -> ReadLink:
        """See the port. Asks nobody, so it does not know whether the object is still there."""
        query = {"versionId": ref.version}
        if filename is not None:
            query["response-content-disposition"] = attachment(filename)
        signer = await self._buckets.signer(expires_at)
        url = signer.presign("GET", self._buckets.place(ref.key), ref.key, query=query, headers={})
        return ReadLink(url=url, expires_at=signer.expires_at)

    async def _put(self, key: str, data: bytes, wanted: Mapping[str, Any]) -> ObjectRef:
        """Two first writes at once: S3 may refuse both with 409 and wants them tried again; then one gets 412."""
        for _ in range(_WRITES):
            try:
                with translating(key):
                    told = await self._s3.put_object(**wanted, **sending.body(data))
                return ref_of(key, told, len(data))
            except Conflict:
                continue
        raise Unavailable(f"others write to {key} at the same time")

    async def _remove(self, bucket: str, entries: Sequence[Mapping[str, Any]]) -> None:
        if not entries:
            return
        named, first = [{name: entry[name] for name in ("Key", "VersionId")} for entry in entries], entries[0]["Key"]
        with translating(first):
            told = await self._s3.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
        if failed := told.get("Errors"):
            raise Unavailable(f"{len(failed)} versions from {first} on are still there: {failed[0].get('Code')}")

    async def _newest(self, bucket: str, prefix: str) -> AsyncIterator[ObjectRef]:
        """Newest versions in key order, those that are no marks of a deletion."""
        async for entry in self._entries(bucket, prefix):
            if entry["IsLatest"] and "Size" in entry:
                yield ref_of(entry["Key"], entry, entry["Size"])

    async def _entries(self, bucket: str, prefix: str, *, only: bool = False) -> AsyncIterator[Mapping[str, Any]]:
        """Versions and marks of deletions, by key, the newest of each first; with `only`, those of the key `prefix`."""
        place: dict[str, str] = {}
        while True:
            with translating(prefix):
                page = await self._s3.list_object_versions(Bucket=bucket, Prefix=prefix, **place)
            entries = sorted([*page.get("Versions", ()), *page.get("DeleteMarkers", ())], key=_order)
            mine = [*takewhile(lambda entry: not only or entry["Key"] == prefix, entries)]
            for entry in mine:
                yield entry
            if not page["IsTruncated"] or len(mine) < len(entries):
                return
            place = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def _reading(path: Path) -> sending.Reading:
    async def read(start: int, length: int) -> bytes:
        async with await path.open("rb") as file:
            await file.seek(start)
            return await file.read(length)

    return read


def _order(entry: Mapping[str, Any]) -> tuple[str, bool, float]:
    """Markers and versions come in lists of their own; together they are by key, then newest first."""
    return entry["Key"], not entry["IsLatest"], -entry["LastModified"].timestamp()
