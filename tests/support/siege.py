"""A client that keeps at least so many jobs in flight while the server is killed under it, and remembers every promise.

What the server has acknowledged is a promise: that job must end, once. An upload that was broken off is gone on with at
the next server, as a client does; one whose very beginning was never answered is nobody's.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from smmu.client.client import Client
from smmu.client.errors import ClientError
from smmu.client.uploader import Wish
from smmu.domain.job import TERMINAL
from smmu.wire import JobAnswer, JobSummary

OWNER = "ada"


@dataclass
class Siege:
    """What was sent, and what was promised: the file by job, and by upload for those without an answer."""

    files: Sequence[Path]
    chance: random.Random
    promised: dict[str, Path] = field(default_factory=dict)
    broken_off: dict[str, Path] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    hit: Counter[str] = field(default_factory=Counter)

    @property
    def in_flight(self) -> list[str]:
        return [job_id for job_id in self.promised if job_id not in self.over]

    async def go_on(self, client: Client) -> None:
        """Finish the uploads that were broken off."""
        for upload_id, file in list(self.broken_off.items()):
            await self._upload(client, file, upload_id)

    async def top_up(self, client: Client, wanted: int) -> None:
        """Upload until so many jobs are in flight."""
        await self.look(client)
        async with anyio.create_task_group() as group:
            for _ in range(wanted - len(self.in_flight)):
                group.start_soon(self._upload, client, self.chance.choice(self.files), None)

    async def upload_and_be_cut_off(self, client: Client) -> None:
        """Uploads that nobody waits for: the server dies under some of them."""
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(self._upload, client, self.chance.choice(self.files), None)

    async def _upload(self, client: Client, file: Path, resume: str | None) -> None:
        known = [resume] if resume else []

        def opened(upload_id: str, _parts: int) -> None:
            known.append(upload_id)
            self.broken_off[upload_id] = file

        try:
            done = await client.uploads.upload(Wish(path=file, resume=resume), opened=opened)
        except ClientError:
            return  # the server is gone; what it has opened is gone on with later
        self.promised[done.job_id] = file
        for upload_id in known:
            self.broken_off.pop(upload_id, None)

    async def look(self, client: Client) -> list[JobAnswer]:
        """The jobs that are in flight now, with their tasks."""
        seen: list[JobAnswer] = []

        async def one(job_id: str) -> None:
            seen.append(await client.jobs.get(job_id))

        async with anyio.create_task_group() as group:
            for job_id in self.in_flight:
                group.start_soon(one, job_id)
        self.over |= {job.job_id for job in seen if job.state in TERMINAL}
        return [job for job in seen if job.state not in TERMINAL]

    async def all_jobs(self, client: Client) -> list[JobSummary]:
        """Every job that the server knows of."""
        jobs: list[JobSummary] = []
        cursor: str | None = None
        while True:
            page = await client.jobs.list(limit=100, cursor=cursor)
            jobs += page.jobs
            cursor = page.cursor
            if cursor is None:
                return jobs


def stages(jobs: Sequence[JobAnswer]) -> set[str]:
    """Where jobs are: queued, or the kinds of the tasks that are at work."""
    at_work = {task.kind for job in jobs for task in job.tasks if task.state == "running"}
    waiting = {"queued" for job in jobs if job.state in ("created", "queued")}
    return at_work | waiting
