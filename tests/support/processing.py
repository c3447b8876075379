"""A file's way through a system in one process: sent, processed, and what its manifest says."""

import json
from typing import Any

from smmu.application.system import System
from smmu.bootstrap.embedding import send, until_over
from smmu.domain.admission import UploadRequest
from smmu.domain.job import Job
from tests.support.deployment import OWNER


async def processed(system: System, data: bytes, **asked: Any) -> Job:
    """The file's job, when it is over. What is `asked` besides its size is as in an upload's request."""
    request = UploadRequest(**{"filename": "file", "size": len(data), **asked})
    begun = (await system.uploads.begin(OWNER, request)).upload
    (part,) = await system.uploads.sign(OWNER, begun.id, [1])
    await send(system, part, data)
    done = await system.uploads.complete(OWNER, begun.id)
    assert done.job_id is not None
    return await until_over(system, OWNER, done.job_id)


async def manifest_of(system: System, media_id: str) -> dict[str, Any]:
    """The newest manifest, as it is stored."""
    made = (await system.library.get(OWNER, media_id)).value
    assert made.manifest is not None
    source = await system.platform.objects.open(made.manifest)
    read: dict[str, Any] = json.loads(await source.read(0, source.size))
    assert {**made.classification} == read["classification"]
    return read
