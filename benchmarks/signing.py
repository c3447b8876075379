"""How long the URLs of a large upload take to sign: 10,000 parts by our signer, and by the SDK's own.

CPU seconds of this process; and the longest that the store keeps the event loop from others while it signs, seen by a
task that does nothing but give way. That too in CPU time: what else the machine does is not the store's doing.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import botocore.session
from anyio.lowlevel import checkpoint
from botocore.config import Config

from benchmarks.figures import Figure
from smmu.adapters.aws.account import Account, Resources, open_clients
from smmu.adapters.aws.uploads import S3UploadStore
from smmu.adapters.embedded.system import SystemClock
from smmu.ports.uploads import PartSlot, Session

_PARTS, _PART_BYTES, _SECONDS, _ROUNDS = 10_000, 16 << 20, 900, 5
_REGION, _KEY, _CREDENTIALS = "eu-central-1", "raw/ada/upl_1/source", ("AKIDEXAMPLE", "a-secret-that-is-none")
_CPU_SECONDS_MAX, _BLOCK_SECONDS_MAX = 0.5, 0.01
_RESOURCES = Resources(raw_bucket="raw", processed_bucket="made")
_SESSION = Session(key=_KEY, storage_id="u" * 128, method="multipart", part_size=_PART_BYTES)


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    assert folder.is_dir()
    parts, rounds = (500, 1) if quick else (_PARTS, _ROUNDS)
    ours = [anyio.run(_ours, parts) for _ in range(rounds)]
    theirs = [_theirs(parts // 10) * 10 for _ in range(rounds)]  # a tenth of the work: it is even, and it is long
    cpu, block = statistics.median(taken for taken, _ in ours), statistics.median(longest for _, longest in ours)
    return [
        Figure(
            name=f"signing {parts:,} parts for S3, CPU",
            measured=f"{cpu:.3f} s (the SDK's own signer {statistics.median(theirs):.1f} s)",
            target=f"< {_CPU_SECONDS_MAX} s",
            met=cpu < _CPU_SECONDS_MAX,
        ),
        Figure(
            name=f"signing {parts:,} parts for S3, longest block of the event loop",
            measured=f"{block * 1000:.1f} ms",
            target=f"≤ {_BLOCK_SECONDS_MAX * 1000:.0f} ms",
            met=block <= _BLOCK_SECONDS_MAX,
        ),
    ]


async def _ours(count: int) -> tuple[float, float]:
    """CPU seconds, and the longest that another task waited for its turn."""
    slots = [PartSlot(number=number, size=_PART_BYTES) for number in range(1, count + 1)]
    waits: list[float] = []
    async with open_clients(Account(region=_REGION, credentials=_CREDENTIALS)) as clients:
        store = S3UploadStore(clients, _RESOURCES, SystemClock())
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, waits)
            await checkpoint()
            begun = time.process_time()
            signed = await store.sign(_SESSION, slots, expires_at=SystemClock().now() + _SECONDS)
            taken = time.process_time() - begun
            await checkpoint()
            group.cancel_scope.cancel()
    assert len({part.url for part in signed}) == count
    return taken, max(waits)


async def _watch(waits: list[float]) -> None:
    while True:
        begun = time.process_time()
        await checkpoint()
        waits.append(time.process_time() - begun)


def _theirs(count: int) -> float:
    sign = _signer()
    sign(1)  # what it learns at its first URL is not counted
    begun = time.process_time()
    urls = {sign(number) for number in range(1, count + 1)}
    taken = time.process_time() - begun
    assert len(urls) == count
    return taken


def _signer() -> Callable[[int], Any]:
    client = botocore.session.Session().create_client(
        "s3",
        region_name=_REGION,
        aws_access_key_id=_CREDENTIALS[0],
        aws_secret_access_key=_CREDENTIALS[1],
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )
    told = {"Bucket": "raw", "Key": _KEY, "UploadId": _SESSION.storage_id, "ContentLength": _PART_BYTES}

    def sign(number: int) -> Any:  # noqa: ANN401 - the SDK has no types
        return client.generate_presigned_url("upload_part", {**told, "PartNumber": number}, _SECONDS)

    return sign
