"""Sending bytes of our own to S3: what is small in one request, what is large in parts, with checksums all along.

Three parts of what is large are in memory at a time, the whole never is. The object appears when all are there, if the
sum over them is the file's; on any failure, ours included, the parts are dropped (a deployment's lifecycle rule takes
those whose process died). IAM and requests: objects.py.
"""

import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import anyio
from botocore.exceptions import BotoCoreError, ClientError

from smmu.adapters.aws.errors import translating
from smmu.domain.limits import MIB, PART_COUNT_MAX
from smmu.domain.values import Algorithm, Checksum
from smmu.ports.checksums import Digest, Span, combine
from smmu.ports.errors import NotFound, Unavailable

SMALL_BYTES_MAX = 16 * MIB
_SENDERS = 3
_CHUNK_BYTES = 256 * 1024
_ABORT_SECONDS = 30
_WHOLE = {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}


Reading = Callable[[int, int], Awaitable[bytes]]
"""Bytes from a place, as many as are asked for."""


class Chunks(io.BytesIO):
    """A body as the SDK should send it. It iterates over bodies, and `BytesIO` gives lines: of a film, 256 bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes in pieces that are worth a system call each."""
        while chunk := self.read(_CHUNK_BYTES):
            yield chunk


def body(data: bytes) -> dict[str, Any]:
    """A body and its checksum, as arguments of a call."""
    return {"Body": Chunks(data), "ChecksumCRC64NVME": crc_of(data).value}


async def send_parts(
    s3: Any,  # noqa: ANN401 - the SDK makes its clients' types at run time
    read: Reading,
    size: int,
    wanted: Mapping[str, str],
    condition: Mapping[str, str] = MappingProxyType({}),
) -> Mapping[str, Any]:
    """The answer to completing it. `wanted` says where to and which type, `condition` when it may appear.

    The SDK repeats a completion whose answer was lost, and S3 may know nothing of its upload any more: `Unavailable`.
    """
    key = wanted["Key"]
    try:
        with translating(key):
            return await _send_parts(s3, read, size, wanted, condition)
    except NotFound as error:
        raise Unavailable(f"{key} may have been written, or not") from error


async def _send_parts(
    s3: Any,  # noqa: ANN401 - as above
    read: Reading,
    size: int,
    wanted: Mapping[str, str],
    condition: Mapping[str, str],
) -> Mapping[str, Any]:
    begun = await s3.create_multipart_upload(**wanted, **_WHOLE)
    where = {name: wanted[name] for name in ("Bucket", "Key")} | {"UploadId": begun["UploadId"]}
    try:
        sent = _Sent(s3, read, size, where)
        await sent.send_all()
        told: Mapping[str, Any] = await s3.complete_multipart_upload(
            **where,
            **condition,
            MultipartUpload={"Parts": [sent.parts[number] for number in sorted(sent.parts)]},
            MpuObjectSize=size,
            ChecksumType="FULL_OBJECT",
            ChecksumCRC64NVME=sent.checksum().value,
        )
    except BaseException:
        bounded = anyio.move_on_after(_ABORT_SECONDS, shield=True)
        with bounded, suppress(BotoCoreError, ClientError):  # what failed before is what matters
            await s3.abort_multipart_upload(**where)
        raise
    return told


@dataclass(slots=True)
class _Sent:
    """Bytes on their way."""

    s3: Any
    read: Reading
    size: int
    where: Mapping[str, str]
    parts: dict[int, dict[str, Any]] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)

    async def send_all(self) -> None:
        """Every part, a few at a time."""
        step = max(SMALL_BYTES_MAX, -(-self.size // PART_COUNT_MAX))
        waiting = iter([*enumerate(range(0, self.size, step), 1)])

        failed: list[Exception] = []

        async def send_some() -> None:
            for number, start in waiting:
                if failed:  # others finish what they are at: a request that is cut off may still arrive
                    return
                try:
                    await self._send(number, start, min(step, self.size - start))
                except Exception as error:  # noqa: BLE001 - raised again below, as itself and not as one of a group
                    failed.append(error)

        async with anyio.create_task_group() as group:
            for _ in range(_SENDERS):
                group.start_soon(send_some)
        if failed:
            raise failed[0]

    def checksum(self) -> Checksum:
        """Of the whole."""
        whole = combine([self.spans[number] for number in sorted(self.spans)])
        if whole is None:
            raise ValueError("CRCs can always be joined")
        return whole

    async def _send(self, number: int, start: int, length: int) -> None:
        data = await self.read(start, length)
        sent = body(data)
        told = await self.s3.upload_part(**self.where, PartNumber=number, **sent)
        crc = sent["ChecksumCRC64NVME"]
        self.spans[number] = Span(Checksum(algorithm=Algorithm.CRC64NVME, value=crc), len(data))
        self.parts[number] = {"PartNumber": number, "ETag": told["ETag"], "ChecksumCRC64NVME": crc}


def crc_of(data: bytes) -> Checksum:
    """The CRC-64/NVME of these bytes."""
    digest = Digest(Algorithm.CRC64NVME)
    digest.update(data)
    return digest.checksum()
