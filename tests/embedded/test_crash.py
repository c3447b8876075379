"""A process is killed at a moment nobody chose: what it had acknowledged is there, and nothing is torn."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from smmu.adapters.embedded.platform import open_platform
from smmu.domain.job import Job
from smmu.domain.limits import Limits
from smmu.domain.values import Algorithm
from smmu.ports.checksums import Digest
from smmu.ports.ledger import Query
from smmu.ports.platform import Platform
from smmu.ports.queue import Topic
from smmu.ports.records import Key
from smmu.ports.uploads import Session
from tests.support.delivery import content

ROUNDS = int(os.environ.get("SMMU_KILL_ROUNDS", "4"))
WRITER = Path(__file__).with_name("writer.py")
PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.kill

Told = dict[str, Any]


def run_and_kill(folder: Path, round_: int, seconds: float) -> list[Told]:
    """What the writer said was done before it was killed."""
    writer = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), str(round_)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"},
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()  # it has begun to work
    time.sleep(seconds)  # noqa: TID251 - chance is the point
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read()
    writer.wait()
    writer.stdout.close()
    lines = (first + rest).splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def etag(data: bytes) -> str:
    digest = Digest(Algorithm.CRC64NVME)
    digest.update(data)
    return digest.checksum().value


async def test_what_was_acknowledged_survives_and_nothing_is_torn(folder: Path) -> None:
    chance = random.Random(7)
    told: list[Told] = []
    for round_ in range(ROUNDS):
        told += run_and_kill(folder, round_, chance.uniform(0.05, 0.6))
        async with open_platform(str(folder), Limits(), exclusive=True) as platform:
            for fact in told:
                await CHECKS[fact["did"]](platform, fact)
            await check_nothing_is_left_over(folder, platform)
            await check_nothing_is_half_done(platform)
    assert {fact["did"] for fact in told} >= {"committed", "put", "part"}


async def check_committed(platform: Platform, fact: Told) -> None:
    stored = await platform.ledger.load(Key(Job, "ada", fact["id"]))
    assert stored is not None
    assert stored.version == 1


async def check_put(platform: Platform, fact: Told) -> None:
    data = await content(platform, fact["key"])
    assert data is not None
    assert etag(data) == fact["checksum"]


async def check_part(platform: Platform, fact: Told) -> None:
    session = Session(key=fact["key"], storage_id=fact["session"], method="multipart", part_size=fact["part_size"])
    parts = {part.number: part for part in await platform.uploads.list_parts(session)}
    if await platform.objects.stat(fact["key"]) is None:
        assert parts[fact["number"]].etag == fact["etag"] or fact["number"] == 1  # part 1 is sent over and over


async def check_object(platform: Platform, fact: Told) -> None:
    await check_put(platform, fact)


async def check_nothing_is_left_over(folder: Path, platform: Platform) -> None:
    open_sessions = {session.storage_id for session in await platform.uploads.orphans(before=2e10)}
    incoming = {path.name for path in (folder / "incoming").iterdir()}
    asides = incoming - open_sessions
    assert len(asides) <= len(open_sessions)  # the one part that was sent again, if it counted
    refs = [ref async for ref in platform.objects.list("")]
    files = {path.name for path in (folder / "objects").glob("*/*")}
    assert files == {ref.version for ref in refs}
    for ref in refs:
        data = await content(platform, ref.key)
        assert data is not None
        assert len(data) == ref.size
    assert await platform.queue.receive(Topic.JOBS, limit=1, lease_seconds=1, wait_seconds=0) == ()


async def check_nothing_is_half_done(platform: Platform) -> None:
    """Each commit wrote one record, counted one and left one message: the three are one number."""
    jobs = len((await platform.ledger.query(Query(type=Job, owner="ada", limit=1_000_000))).items)
    assert len(await platform.ledger.outgoing(1_000_000)) == jobs
    assert (await platform.ledger.counters("ada")).get("jobs", 0) == jobs


CHECKS = {"committed": check_committed, "put": check_put, "part": check_part, "object": check_object}
