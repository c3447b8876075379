"""What end-to-end tests do again and again: send a file, wait until its job is over, ask a service what it has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from smmu.client.client import Client
from smmu.client.uploader import Wish
from smmu.wire import JobAnswer

PATIENCE = 90
_ENDED = ("succeeded", "failed", "cancelled")


async def uploaded(client: Client, path: Path, **options: Any) -> str:
    """The id of the job that a file's upload made."""
    return (await client.uploads.upload(Wish(path=path, options=options))).job_id


async def done(client: Client, job_id: str) -> JobAnswer:
    """The job, once it is over."""
    with anyio.fail_after(PATIENCE):
        while True:
            known = await client.jobs.get(job_id)
            if known.state in _ENDED:
                return known
            await anyio.sleep(0.2)


async def until(client: Client, job_id: str, state: str) -> JobAnswer:
    """The job, once it is in a state that it will not leave by itself."""
    with anyio.fail_after(PATIENCE):
        while True:
            known = await client.jobs.get(job_id)
            if known.state == state:
                return known
            assert known.state not in _ENDED, known
            await anyio.sleep(0.05)


async def eventually(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Until something holds that other processes bring about, which set no event of ours."""
    with anyio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110 - see above
            await anyio.sleep(0.1)
