"""Works until it is killed, and says on standard output what has been acknowledged, as soon as it is.

Run by test_crash.py as a process of its own: `writer.py FOLDER ROUND`.
"""

import json
import os
import sys
from itertools import count

import anyio

from smmu.adapters.embedded.platform import open_platform
from smmu.domain.limits import Limits
from smmu.domain.values import Algorithm
from smmu.ports.checksums import Digest
from smmu.ports.ledger import Change, Count, Put
from smmu.ports.platform import Platform
from smmu.ports.queue import Message, Topic
from smmu.ports.uploads import PartSlot, Session, StoredPart
from tests.support.delivery import deliver
from tests.support.records import a_job

PART = 200_000


def tell(did: str, **fact: object) -> None:
    os.write(1, (json.dumps({"did": did, **fact}) + "\n").encode())


def checksum(data: bytes) -> str:
    digest = Digest(Algorithm.CRC64NVME)
    digest.update(data)
    return digest.checksum().value


async def commits(platform: Platform, round_: str, lane: int) -> None:
    for number in count():
        name = f"job_{round_}_{lane}_{number}"
        message = Message(id=name, topic=Topic.JOBS, body={}, group="ada")
        changes: list[Change] = [Put(value=a_job(name), expect=0), Count(owner="ada", deltas={"jobs": 1})]
        await platform.ledger.commit(changes, [message])
        tell("committed", id=name)


async def puts(platform: Platform, round_: str) -> None:
    """New objects, and one that is overwritten again and again (whose last content only is promised)."""
    for number in count():
        data = os.urandom(100_000)
        await platform.objects.put("media/ada/again", data[:5_000], content_type="x/y")
        key = f"media/ada/{round_}/{number}"
        await platform.objects.put(key, data, content_type="x/y")
        tell("put", key=key, checksum=checksum(data))


async def uploads(platform: Platform, round_: str) -> None:
    for number in count():
        key = f"raw/ada/{round_}-{number}/source"
        session = await platform.uploads.begin(key, method="multipart", part_size=PART, content_type="x/y")
        data = [os.urandom(PART), os.urandom(PART), os.urandom(1_000)]
        parts = [await part(platform, session, n, body) for n, body in enumerate(data, 1)]
        data[0] = os.urandom(PART)
        parts[0] = await part(platform, session, 1, data[0])
        await platform.uploads.complete(session, parts)
        tell("object", key=key, checksum=checksum(b"".join(data)))


async def part(platform: Platform, session: Session, number: int, body: bytes) -> StoredPart:
    slot = PartSlot(number=number, size=len(body))
    (signed,) = await platform.uploads.sign(session, [slot], expires_at=platform.clock.now() + 60)
    stored = await deliver(platform, signed, body)
    named = {"key": session.key, "session": session.storage_id, "part_size": session.part_size}
    tell("part", number=number, etag=stored.etag, **named)
    return stored


async def main() -> None:
    folder, round_ = sys.argv[1:]
    async with open_platform(folder, Limits(), exclusive=True) as platform, anyio.create_task_group() as group:
        group.start_soon(commits, platform, round_, 1)
        group.start_soon(commits, platform, round_, 2)
        group.start_soon(puts, platform, round_)
        group.start_soon(uploads, platform, round_)


if __name__ == "__main__":
    anyio.run(main)
