"""What only a real server and a real connection show: streaming, clients that go away, a server that ends."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import uvicorn

from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.objects import MemorySource
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.application.system import assemble
from smmu.domain.limits import MIB, Limits
from smmu.entrypoints.api.app import create_app
from smmu.entrypoints.api.routes import Api
from smmu.entrypoints.api.server import DrainingServer
from smmu.ports.errors import NotFound
from tests.support.service import TOKENS, Service, a_service, begun, completed, is_problem, sent

BIG = pretend_file().ljust(24 * MIB, b"\x5a")


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[tuple[DrainingServer, str]]:
    """The application at a port of this machine, until the block ends or the server does."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", http="httptools")
        server = DrainingServer(config, app.state.drain.begin)
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listener])
            await until(lambda: server.started)
            yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True


@asynccontextmanager
async def visited(service: Service) -> AsyncIterator[tuple[DrainingServer, httpx.AsyncClient]]:
    headers = {"authorization": "Bearer ada-token"}
    async with served(service.app) as (server, url), httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield server, client


def listeners(service: Service) -> int:
    """How many streams the server believes to be open."""
    return len(service.app.state.drain._waiting)


async def until(condition: Any, seconds: float = 3.0) -> None:
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for is a server's and has no event
            await anyio.sleep(0.02)


async def test_events_arrive_within_a_second_of_happening(service: Service) -> None:
    late: list[float] = []
    async with visited(service) as (_, client):
        job_id = (await completed(client))["job_id"]
        async with service.working(), client.stream("GET", f"/jobs/{job_id}/events") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("id: "):
                    stored = await service.system.jobs.events("ada", job_id, int(line[4:]) - 1, 1)
                    late.append(service.clock.now() - stored[0].at)
    assert late
    assert max(late) < 1.0


async def test_a_stream_stops_when_its_client_has_gone(service: Service) -> None:
    async with visited(service) as (_, client):
        job_id = (await completed(client))["job_id"]
        async with client.stream("GET", f"/jobs/{job_id}/events"):
            await until(lambda: listeners(service) == 1)
        await until(lambda: listeners(service) == 0)


async def test_a_server_that_ends_does_not_wait_for_streams(service: Service) -> None:
    ended = anyio.Event()
    async with visited(service) as (server, client):
        job_id = (await completed(client))["job_id"]

        async def follow() -> None:
            async with client.stream("GET", f"/jobs/{job_id}/events") as stream:
                async for _ in stream.aiter_bytes():
                    continue
            ended.set()

        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await until(lambda: listeners(service) == 1)
            server.should_exit = True
            with anyio.fail_after(3):
                await ended.wait()


async def test_a_sender_that_goes_away_leaves_nothing(service: Service) -> None:
    async with visited(service) as (_, client):
        upload = await begun(client, BIG)
        address = httpx.URL(upload["parts"][0]["url"])
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(f"PUT {address.path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BIG)}\r\n\r\n".encode())
        writer.write(BIG[: 3 * MIB])
        await writer.drain()
        writer.close()
        await until(lambda: 499 in {status for *_, status in _answers(service)})
        assert len(service.world.objects.rows) == 0
        assert (await client.put(str(address), content=BIG)).status_code == 200
    assert service.telemetry.named("bug") == []


def _answers(service: Service) -> list[tuple[str, str, int]]:
    meter: Any = service.system.telemetry
    return list(meter.answers)


async def test_a_refused_sender_hears_why(service: Service) -> None:
    async with visited(service) as (_, client):
        upload = await begun(client)
        is_problem(await client.put(upload["parts"][0]["url"], content=b"x" * 100_000), 422, "invalid_part")
        is_problem(await client.get("/jobs/job_1"), 404, "not_found")


async def test_a_readers_connection_that_breaks_ends_the_reading() -> None:
    service = a_service()
    async with visited(service) as (_, client):
        upload = await sent(client, BIG)
        made = await client.post("/media/upload/complete", json={"upload_id": upload["upload_id"]})
        path = f"/media/{made.json()['media_id']}/renditions/source"
        url = (await client.get(path)).headers["location"]
        async with client.stream("GET", url) as stream:
            assert stream.status_code == 200
            assert await anext(stream.aiter_raw(1024))
        whole = await client.get(url, headers={"range": f"bytes={len(BIG) - 5}-"})
        assert (whole.status_code, whole.content) == (206, BIG[-5:])


async def test_an_answer_that_breaks_off_is_no_whole_answer_and_operators_hear_of_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails_later(_: MemorySource, start: int, length: int) -> bytes:
        if start > MIB:
            raise NotFound("overwritten")
        return BIG[start : start + length]

    async with visited(service) as (_, client):
        made = await completed(client, BIG)
        url = (await client.get(f"/media/{made['media_id']}/renditions/source")).headers["location"]
        monkeypatch.setattr(MemorySource, "read", fails_later)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(url)
        assert (await client.get("/healthz")).status_code == 200
    (told,) = service.telemetry.named("answer_broken")
    assert told["path"] == "/blobs"


async def test_a_long_file_is_streamed_in_and_out_of_a_folder(tmp_path: Path) -> None:
    limits = Limits(single_bytes_max=8 * MIB, part_bytes_preferred=10 * MIB)
    async with open_platform(str(tmp_path / "data"), limits, exclusive=True) as platform:
        system = assemble(platform, PretendEngine(), limits, MemoryTelemetry())
        app = create_app(system, StaticVerifier(TOKENS, platform.clock))
        headers = {"authorization": "Bearer ada-token"}
        async with served(app) as (_, url), httpx.AsyncClient(base_url=url, headers=headers) as client:
            made = await completed(client, BIG)
            link = (await client.get(f"/media/{made['media_id']}/renditions/source")).headers["location"]
            whole = await client.get(link)
            part = await client.get(link, headers={"range": "bytes=300000-900000"})
            await client.delete(f"/media/{made['media_id']}")
            is_problem(await client.get(link), 404, "not_found")
    assert whole.content == BIG
    assert (part.status_code, part.content) == (206, BIG[300_000:900_001])


async def test_a_platform_with_addresses_of_its_own_serves_none_here(service: Service) -> None:
    system = replace(service.system, platform=replace(service.system.platform, gateway=None))
    app = create_app(system, StaticVerifier(TOKENS, service.clock))
    assert isinstance(app, Api)
    assert not [path for path in app.openapi()["paths"] if path.startswith("/blobs")]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x.test") as client:
        is_problem(await client.get("/blobs/x.y"), 404, "not_found")
