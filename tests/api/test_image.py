"""Pictures on request over HTTP: made once, kept with the media, gone with it."""

from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.domain.errors import Code, Refused
from smmu.domain.facts import Kind
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask
from smmu.ports.errors import TaskDied
from smmu.ports.media import NO_PIECES, MediaEngine, Pieces, Progress, Sink
from smmu.ports.objects import Source
from tests.support.service import Service, a_service, completed, ended, is_problem

PICTURE = pretend_file(Kind.IMAGE, size=2_000, width=4000, height=3000)


@dataclass
class CountingEngine(MediaEngine):
    """The pretend engine; counts what it makes on request, and dies when it is told to."""

    made: list[str] = field(default_factory=list)
    dies: bool = False
    inner: PretendEngine = field(default_factory=lambda: PretendEngine(speed=None))
    busy: anyio.Event | None = None

    async def inspect(self, source: Source) -> Any:
        return await self.inner.inspect(source)

    @property
    def makes(self) -> str:
        return self.inner.makes

    async def render(
        self, source: Source, task: PlannedTask, sink: Sink, progress: Progress, pieces: Pieces = NO_PIECES
    ) -> tuple[Rendition, ...]:
        if task.name == "variant":
            self.made.append(task.renditions[0].name)
            if self.busy is not None:
                await self.busy.wait()
            if self.dies:
                raise TaskDied("as it was told to", "out_of_memory")
        return await self.inner.render(source, task, sink, progress, pieces)

    def listen(self, source: Source, task: PlannedTask, progress: Progress) -> Any:
        return self.inner.listen(source, task, progress)


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def service(engine: CountingEngine) -> Service:
    return a_service(engine=engine, limits=Limits(variants_max=3))


@pytest.fixture
async def path(service: Service, client: httpx.AsyncClient) -> str:
    """Where the variants of a picture are."""
    return f"/media/{await ready(service, client, PICTURE, 'a.png', 'image/png')}/image"


async def ready(service: Service, client: httpx.AsyncClient, data: bytes, filename: str, content_type: str) -> str:
    made = await completed(client, data, filename=filename, content_type=content_type)
    async with service.working():
        await ended(client, made["job_id"])
    media_id: str = made["media_id"]
    return media_id


async def test_a_picture_is_made_when_it_is_first_asked_for(
    client: httpx.AsyncClient, path: str, engine: CountingEngine
) -> None:
    for _ in range(3):
        answer = await client.get(path, params={"w": 640, "format": "jpeg"})
        assert answer.status_code == 307
        picture = await client.get(answer.headers["location"], headers={"authorization": ""})
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert len(engine.made) == 1


async def test_two_at_once_make_one(
    service: Service, client: httpx.AsyncClient, path: str, engine: CountingEngine
) -> None:
    engine.busy = anyio.Event()
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append((await client.get(path, params={"w": 320})).status_code)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
        while not engine.made:
            await anyio.lowlevel.checkpoint()
        engine.busy.set()
    assert statuses == [307] * 5
    assert len(engine.made) == 1
    assert len(variants(service)) == 1


async def test_one_that_failed_can_be_asked_for_again(
    client: httpx.AsyncClient, path: str, engine: CountingEngine
) -> None:
    engine.dies = True
    is_problem(await client.get(path, params={"w": 320}), 500, "out_of_memory")
    engine.dies = False
    assert (await client.get(path, params={"w": 320})).status_code == 307


async def test_a_media_has_so_many_and_no_more(client: httpx.AsyncClient, path: str) -> None:
    for side in (64, 96, 128):
        assert (await client.get(path, params={"w": side})).status_code == 307
    is_problem(await client.get(path, params={"w": 160}), 429, "quota_exceeded")
    assert (await client.get(path, params={"w": 128})).status_code == 307


async def test_a_media_has_no_more_when_many_are_asked_for_at_once(
    service: Service, client: httpx.AsyncClient, path: str
) -> None:
    answers: list[httpx.Response] = []

    async def ask(side: int) -> None:
        answers.append(await client.get(path, params={"w": side}))

    async with anyio.create_task_group() as group:
        for side in (64, 96, 128, 160, 192, 256):
            group.start_soon(ask, side)
    assert sorted(answer.status_code for answer in answers) == [307] * 3 + [429] * 3
    assert len(variants(service)) == 3


async def test_they_go_with_their_media(service: Service, client: httpx.AsyncClient, path: str) -> None:
    await client.get(path, params={"w": 640})
    assert len(variants(service)) == 1
    await client.delete(path.removesuffix("/image"))
    assert variants(service) == []
    is_problem(await client.get(path, params={"w": 640}), 404, "not_found")


async def test_one_that_is_made_while_its_media_is_deleted_is_not_kept(
    service: Service, client: httpx.AsyncClient, path: str, engine: CountingEngine
) -> None:
    engine.busy = anyio.Event()

    async def ask() -> None:
        is_problem(await client.get(path, params={"w": 320}), 404, "not_found")

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        while not engine.made:
            await anyio.lowlevel.checkpoint()
        await client.delete(path.removesuffix("/image"))
        engine.busy.set()
    assert variants(service) == []


async def test_what_is_no_picture_or_not_ready_has_none(service: Service, client: httpx.AsyncClient) -> None:
    film = await ready(service, client, pretend_file(size=2_000), "clip.mp4", "video/mp4")
    is_problem(await client.get(f"/media/{film}/image?w=320"), 409, "not_a_picture")
    waiting = await completed(client, PICTURE, filename="a.png", content_type="image/png")
    is_problem(await client.get(f"/media/{waiting['media_id']}/image?w=320"), 409, "media_not_ready")


async def test_none_is_made_where_the_api_decodes_nothing(service: Service, path: str) -> None:
    elsewhere = replace(service.system.variants, maker=None)
    with pytest.raises(Refused) as caught:
        await elsewhere.link("ada", path.split("/")[2], {"w": "320"})
    assert caught.value.code is Code.NOT_MADE_HERE


async def test_a_wrong_wish_is_refused_with_all_that_is_wrong(client: httpx.AsyncClient, path: str) -> None:
    problem = is_problem(await client.get(path, params={"w": 7, "fit": "fill"}), 422, "invalid_variant")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/w", "/fit"]


def variants(service: Service) -> list[str]:
    return [key for key in service.world.objects.rows if "/variants/" in key]
