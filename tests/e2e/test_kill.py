"""No acknowledged job is lost or doubled, however often and whenever the server is killed.

`smmu serve` is killed with SIGKILL at SMMU_KILL_ROUNDS seeded moments (10 in .ci/run, 50 in `make kill`) spread over all
stages, its own start among them, with at least 8 jobs in flight each time, and started again on the same folder.
"""

import hashlib
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from smmu.bootstrap.opening import open_system
from smmu.bootstrap.settings import EmbeddedPlatform, Settings
from smmu.client.client import Client, open_client
from smmu.client.patience import Patience
from smmu.entrypoints.exporting import export, paths_in
from tests.e2e.conftest import Files
from tests.support.served import Server, launch, start
from tests.support.siege import OWNER, Siege, stages

ROUNDS = int(os.environ.get("SMMU_KILL_ROUNDS", "10"))
SEED = 20_261_123
IN_FLIGHT, TOPPED_UP = 8, 12
STAGES = ("queued", "inspect", "render", "publish", "uploading", "starting")
AIM_SECONDS = 2.0  # how long a stage is waited for; a moment that never comes is killed in all the same
END_SECONDS = 240.0
BRIEF = Patience(tries=2, tries_at_first=2, first_seconds=0.01, longest_seconds=0.05)

pytestmark = [pytest.mark.kill, pytest.mark.timeout(120 + 15 * ROUNDS + END_SECONDS)]


async def test_no_acknowledged_job_is_lost_or_doubled(tmp_path: Path, files: Files) -> None:
    data = tmp_path / "data"
    chance = random.Random(SEED)
    often = [files.photo, files.photo, files.song, files.song, files.clip, files.torn]
    siege = Siege(often, chance)
    for number in range(ROUNDS):
        await kill_once(siege, data, STAGES[number % len(STAGES)])
    ended = await end_of(siege, data)
    assert {job_id: ended[job_id] for job_id in siege.promised} == {
        job_id: "rejected" if file == files.torn else "succeeded" for job_id, file in siege.promised.items()
    }
    assert set(ended) == set(siege.promised), "a job that nobody was promised"
    await require_renditions(siege, data, tmp_path)
    assert left_over(data) == []
    assert len(STAGES) > ROUNDS or {"queued", "inspect", "render", "uploading"} <= set(siege.hit), siege.hit


async def kill_once(siege: Siege, data: Path, stage: str) -> None:
    """Start a server, bring at least 8 jobs in flight, and kill it in `stage`."""
    if stage == "starting" and len(siege.in_flight) >= IN_FLIGHT:
        await kill_while_starting(siege, data)
        return
    async with besieged(data) as (server, client):
        await siege.go_on(client)
        await siege.top_up(client, TOPPED_UP)
        async with anyio.create_task_group() as group:
            if stage == "uploading":
                group.start_soon(siege.upload_and_be_cut_off, client)
                await anyio.sleep(siege.chance.uniform(0.0, 0.15))
            reached = await aim(siege, client, stage)
            assert len(siege.in_flight) >= IN_FLIGHT
            server.process.send_signal(signal.SIGKILL)
        siege.hit.update(reached | ({stage} & {"uploading"}))
    await to_thread.run_sync(server.process.wait)


async def kill_while_starting(siege: Siege, data: Path) -> None:
    process = await to_thread.run_sync(launch, data, data.with_suffix(".log"))
    await anyio.sleep(siege.chance.uniform(0.3, 2.0))
    process.kill()
    await to_thread.run_sync(process.wait)
    siege.hit["starting"] += 1


async def aim(siege: Siege, client: Client, stage: str) -> set[str]:
    """Wait until some job is in `stage`, but never until fewer than 8 are in flight; where jobs are then."""
    reached: set[str] = set()
    with anyio.move_on_after(AIM_SECONDS):
        while stage not in reached:
            jobs = await siege.look(client)
            reached = stages(jobs)
            if len(jobs) < IN_FLIGHT + 2:
                await siege.top_up(client, TOPPED_UP)
            if stage == "uploading":
                break
    await siege.look(client)
    if len(siege.in_flight) < IN_FLIGHT:
        await siege.top_up(client, TOPPED_UP)
    return reached


async def end_of(siege: Siege, data: Path) -> dict[str, str]:
    """The last server sees everything through: how each job ended."""
    async with besieged(data) as (server, client):
        await siege.go_on(client)
        with anyio.fail_after(END_SECONDS):
            for job_id in siege.in_flight:
                async for _ in client.jobs.watch(job_id):
                    pass
        jobs = await siege.all_jobs(client)
        server.ask()
    assert await to_thread.run_sync(server.wait) == 0
    assert len({job.upload_id for job in jobs}) == len(jobs), "two jobs of one upload"
    rejected = {job.job_id for job in jobs if job.error and job.error.code.startswith("rejected_")}
    return {job.job_id: "rejected" if job.job_id in rejected else job.state for job in jobs}


async def require_renditions(siege: Siege, data: Path, folder: Path) -> None:
    """Everything that any manifest lists is there, and is what it says."""
    settings = Settings(platform=EmbeddedPlatform(kind="embedded", data=data))
    async with open_system(settings, exclusive=False) as running:
        for job_id in siege.promised:
            job = (await running.system.jobs.get(OWNER, job_id)).job
            if job.error is not None:
                continue
            media = (await running.system.library.get(OWNER, job.media_id)).value
            target = folder / "out" / media.id
            target.parent.mkdir(exist_ok=True)
            manifest = await export(running.system.platform.objects, media, target, folder / f"aside-{media.id}")
            assert set(paths_in(manifest))
            for rendition in manifest["renditions"]:
                for file in rendition.get("files", [rendition]):
                    digest = hashlib.sha256((target / file["path"]).read_bytes()).hexdigest()
                    assert digest == file["sha256"], json.dumps(file)


def left_over(data: Path) -> list[str]:
    """What work in progress is still on the disk."""
    return [str(path) for folder in ("tmp", "incoming") for path in (data / folder).rglob("*")]


@asynccontextmanager
async def besieged(data: Path) -> AsyncIterator[tuple[Server, Client]]:
    server = await to_thread.run_sync(start, data)
    try:
        async with open_client(server.url, server.token(OWNER), patience=BRIEF) as client:
            yield server, client
    except BaseException:
        server.process.kill()
        raise
