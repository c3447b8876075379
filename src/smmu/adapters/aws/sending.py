"""Sending files of our own to S3: what is small in one request, what is large in parts, with checksums all along.

Three parts of a large file are in memory at a time, the file never is. The object appears when all are there, if the
sum over them is the file's; on any failure, ours included, the parts are dropped (a deployment's lifecycle rule takes
those whose process died). IAM and requests: objects.py.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio import Path
from botocore.exceptions import BotoCoreError, ClientError

from smmu.domain.limits import MIB, PART_COUNT_MAX
from smmu.domain.values import Algorithm, Checksum
from smmu.ports.checksums import Digest, Span, combine

SMALL_BYTES_MAX = 16 * MIB
_SENDERS = 3
_ABORT_SECONDS = 30
_WHOLE = {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}


def checked(data: bytes) -> dict[str, str]:
    """The checksum of a body, as an argument of a call."""
    return {"ChecksumCRC64NVME": _crc(data).value}


async def send_file(
    s3: Any,  # noqa: ANN401 - the SDK makes its clients' types at run time
    path: Path,
    size: int,
    wanted: Mapping[str, str],
    condition: Mapping[str, str],
) -> Mapping[str, Any]:
    """The answer to completing it. `wanted` says where to and which type, `condition` when it may appear."""
    begun = await s3.create_multipart_upload(**wanted, **_WHOLE)
    where = {name: wanted[name] for name in ("Bucket", "Key")} | {"UploadId": begun["UploadId"]}
    try:
        sent = _Sent(s3, path, size, where)
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
    """A file on its way."""

    s3: Any
    path: Path
    size: int
    where: Mapping[str, str]
    parts: dict[int, dict[str, Any]] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)

    async def send_all(self) -> None:
        """Every part, a few at a time."""
        step = max(SMALL_BYTES_MAX, -(-self.size // PART_COUNT_MAX))
        waiting = iter([*enumerate(range(0, self.size, step), 1)])

        async def send_some() -> None:
            for number, start in waiting:
                await self._send(number, start, min(step, self.size - start))

        failed: list[Exception] = []
        async with anyio.create_task_group() as group:
            for _ in range(_SENDERS):
                group.start_soon(_first_failure, send_some, group.cancel_scope, failed)
        if failed:
            raise failed[0]

    def checksum(self) -> Checksum:
        """Of the whole file."""
        whole = combine([self.spans[number] for number in sorted(self.spans)])
        if whole is None:
            raise ValueError("CRCs can always be joined")
        return whole

    async def _send(self, number: int, start: int, length: int) -> None:
        async with await anyio.open_file(self.path, "rb") as file:
            await file.seek(start)
            data = await file.read(length)
        crc = _crc(data)
        told = await self.s3.upload_part(**self.where, PartNumber=number, Body=data, ChecksumCRC64NVME=crc.value)
        self.spans[number] = Span(crc, len(data))
        self.parts[number] = {"PartNumber": number, "ETag": told["ETag"], "ChecksumCRC64NVME": crc.value}


async def _first_failure(
    work: Callable[[], Awaitable[None]], scope: anyio.CancelScope, failed: list[Exception]
) -> None:
    """Do it; the first that fails ends all, as itself and not as one of a group."""
    try:
        await work()
    except Exception as error:  # noqa: BLE001 - raised again by who waits
        failed.append(error)
        scope.cancel()


def _crc(data: bytes) -> Checksum:
    digest = Digest(Algorithm.CRC64NVME)
    digest.update(data)
    return digest.checksum()
