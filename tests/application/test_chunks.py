"""A long film's job: what is there is not made again, something plays early, and nothing is left over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import httpx
import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.objects import MemoryObjectStore
from smmu.adapters.inmemory.system import AnyioClock
from smmu.adapters.inmemory.world import World
from smmu.application.chunks import Chunks
from smmu.domain.errors import Code, refuse
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask, TaskKind
from smmu.domain.watermark import Watermark
from smmu.ports.errors import TaskDied
from smmu.ports.media import NO_PIECES, MediaEngine, Pieces, Progress, Sink
from smmu.ports.objects import Source
from tests.support.records import SOURCE, a_job
from tests.support.service import Service, a_service, completed, ended

LONG = Limits(chunks_from_seconds=10, chunk_seconds=6, progress_seconds=0.05)
FILM = pretend_file(size=3_000, duration_s=20.0)
CHUNKS = ["chunk-0000", "chunk-0001", "chunk-0002"]


@dataclass
class Watched(MediaEngine):
    """The pretend engine; remembers what it made, dies of the tasks it is told to, and can be held up at one."""

    made: list[str] = field(default_factory=list)
    pieces: dict[str, int] = field(default_factory=dict)
    kills: set[str] = field(default_factory=set)
    holds: dict[str, anyio.Event] = field(default_factory=dict)
    version: str = "one"
    rejects: bool = False
    container: str = "mp4"
    inner: PretendEngine = field(default_factory=lambda: PretendEngine(speed=None))

    @property
    def makes(self) -> str:
        return self.version

    async def inspect(self, source: Source) -> Any:
        if self.rejects:
            raise refuse(Code.REJECTED_CORRUPT, "The file is damaged.")
        return replace(await self.inner.inspect(source), container=self.container)

    async def render(
        self, source: Source, task: PlannedTask, sink: Sink, progress: Progress, pieces: Pieces = NO_PIECES
    ) -> tuple[Rendition, ...]:
        if task.name in self.holds:
            await self.holds[task.name].wait()
        if task.name in self.kills:
            raise TaskDied("as it was told to", "crashed")
        self.made.append(task.name)
        self.pieces[task.name] = len(pieces.sizes)
        return await self.inner.render(source, task, sink, progress, pieces)

    def listen(self, source: Source, task: PlannedTask, progress: Progress) -> Any:
        return self.inner.listen(source, task, progress)


@pytest.fixture
def anyio_backend() -> Any:
    """In virtual time: waiting for retries and for the sweeper costs nothing."""
    return ("trio", {"clock": _clock()})


def _clock() -> Any:
    from trio.testing import MockClock  # noqa: PLC0415 - asyncio alone has no such thing

    return MockClock(autojump_threshold=0)


@pytest.fixture
def engine() -> Watched:
    return Watched()


@pytest.fixture
def service(engine: Watched) -> Service:
    return a_service(engine=engine, limits=LONG, clock=AnyioClock())


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with service.client() as opened:
        yield opened


async def playable(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = (await client.get(path)).json()
        if found["playable"]:
            return found
        await anyio.sleep(0.5)


def stored(service: Service, part: str) -> list[str]:
    return [key for key in service.world.objects.rows if part in key]


async def test_a_long_film_is_made_stage_by_stage(client: httpx.AsyncClient, service: Service, engine: Watched) -> None:
    made = await completed(client, FILM)
    async with service.working():
        job = await ended(client, made["job_id"])
    assert job["state"] == "succeeded", job
    assert engine.made[0] == "first-look"
    assert sorted(name for name in engine.made if name.startswith("chunk")) == CHUNKS
    assert (engine.made[-1], engine.pieces["video"]) == ("video", 2 * len(CHUNKS))
    media = (await client.get(f"/media/{made['media_id']}")).json()
    assert (media["state"], media["manifest"]["revision"]) == ("ready", 2)
    assert "chunk-0000" not in {one["name"] for one in media["manifest"]["renditions"]}


async def test_it_can_be_played_while_the_rest_is_made(
    client: httpx.AsyncClient, service: Service, engine: Watched
) -> None:
    engine.holds["chunk-0001"] = anyio.Event()
    made = await completed(client, FILM)
    path = f"/media/{made['media_id']}"
    async with service.working():
        with anyio.fail_after(60):
            media = await playable(client, path)
        assert (media["state"], media["manifest"]["revision"]) == ("processing", 1)
        assert [one["name"] for one in media["manifest"]["renditions"]] == ["240p", "hls-audio", "hls"]
        early = (await client.post(f"{path}/playback")).json()
        async with service.client(None) as player:
            assert (await player.get(early["hls_url"])).status_code == 200
            engine.holds["chunk-0001"].set()
            assert (await ended(client, made["job_id"]))["state"] == "succeeded"
            assert (await player.get(early["hls_url"])).status_code == 200, "who began early plays on"
    assert (await client.get(path)).json()["manifest"]["revision"] == 2
    events = (await client.get(f"/jobs/{made['job_id']}/events")).text
    assert events.count('"playable":true') == 1


async def test_a_retry_makes_nothing_again_that_is_there(
    client: httpx.AsyncClient, service: Service, engine: Watched
) -> None:
    engine.kills = {"video"}
    made = await completed(client, FILM)
    async with service.working():
        assert (await ended(client, made["job_id"]))["state"] == "failed"
        media = (await client.get(f"/media/{made['media_id']}")).json()
        assert (media["state"], media["playable"]) == ("failed", True), "what was made first still plays"
        engine.kills, engine.made = set(), []
        await client.post(f"/jobs/{made['job_id']}/retry")
        assert (await ended(client, made["job_id"]))["state"] == "succeeded"
    assert [name for name in engine.made if name.startswith("chunk")] == []
    assert engine.pieces["video"] == 2 * len(CHUNKS)


async def test_what_was_made_of_a_file_that_is_rejected_later_is_played_by_nobody_and_removed(
    client: httpx.AsyncClient, service: Service, engine: Watched
) -> None:
    engine.kills = {"video"}
    made = await completed(client, FILM)
    path = f"/media/{made['media_id']}"
    async with service.working():
        assert (await ended(client, made["job_id"]))["state"] == "failed"
        early = (await client.post(f"{path}/playback")).json()
        engine.rejects = True
        await client.post(f"/jobs/{made['job_id']}/retry")
        assert (await ended(client, made["job_id"]))["error"]["code"] == "rejected_corrupt"
        async with service.client(None) as player:
            assert (await player.get(early["hls_url"])).status_code == 404
        await anyio.sleep(1200)
        assert [key for key in stored(service, made["media_id"]) if "m4s" in key or "m3u8" in key] == []
        assert stored(service, "/chunks/") == []
    media = (await client.get(path)).json()
    assert (media["state"], media["playable"], media["error"]["code"]) == ("rejected", False, "rejected_corrupt")


async def test_a_film_that_no_worker_would_end_is_refused_before_any_has_begun(
    client: httpx.AsyncClient, service: Service, engine: Watched
) -> None:
    engine.container = "mpegts"
    made = await completed(client, pretend_file(size=3_000, duration_s=80_000.0))
    async with service.working():
        error = (await ended(client, made["job_id"]))["error"]
    assert (error["code"], engine.made) == ("rejected_duration", [])
    assert error["message"].startswith("It lasts 22.2 hours in mpegts, which one worker alone would have to decode")


async def test_another_encoder_is_another_chunk(client: httpx.AsyncClient, service: Service, engine: Watched) -> None:
    engine.kills = {"video"}
    made = await completed(client, FILM)
    async with service.working():
        await ended(client, made["job_id"])
        engine.kills, engine.made, engine.version = set(), [], "two"
        await client.post(f"/jobs/{made['job_id']}/retry")
        assert (await ended(client, made["job_id"]))["state"] == "succeeded"
    assert sorted(name for name in engine.made if name.startswith("chunk")) == CHUNKS


async def test_when_all_is_made_the_chunks_are_swept_away(client: httpx.AsyncClient, service: Service) -> None:
    made = await completed(client, FILM)
    async with service.working():
        await ended(client, made["job_id"])
        assert stored(service, "/chunks/") != []
        await anyio.sleep(600)
        assert stored(service, "/chunks/") == []
        path = f"/media/{made['media_id']}"
        assert (await client.get(path)).json()["state"] == "ready"
        await client.delete(path)
        await anyio.sleep(600)
    assert stored(service, made["media_id"]) == []


def test_a_chunk_with_another_watermark_is_another_chunk() -> None:
    mark = Watermark(image=SOURCE, sha256="1", width=4, height=2, position="center", size=0.2, margin=0.0, opacity=1.0)
    task = PlannedTask(name="chunk-0000", kind=TaskKind.CHUNK, renditions=(), memory_bytes=1, seconds_max=1)
    chunks = Chunks(objects=MemoryObjectStore(World(), AnyioClock()), job=a_job(), makes="one")
    other = replace(SOURCE, version="v2")
    marks = [None, mark, replace(mark, image=other), replace(mark, sha256="2"), replace(mark, opacity=0.5)]
    assert len({chunks.prefix(replace(task, watermark=one)) for one in marks}) == len(marks)
    assert chunks.prefix(replace(task, watermark=mark)) == chunks.prefix(replace(task, watermark=replace(mark)))
