"""A whole service in memory behind its HTTP API, and clients of it for two owners and for nobody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from fastapi import FastAPI

from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import AnyioClock, MemoryTelemetry
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.adapters.inmemory.world import World
from smmu.application.system import System, assemble
from smmu.domain.limits import Limits
from smmu.entrypoints.api.app import create_app
from smmu.entrypoints.api.metrics import Meter
from smmu.ports.media import MediaEngine
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import Clock

TOKENS = {"ada-token": "ada", "grace-token": "grace"}
BASE = "http://service.test"
CLIP = pretend_file(size=2_000)


@dataclass(slots=True, kw_only=True)
class Service:
    """One service. `telemetry` is what operators see, `world` all that is stored."""

    system: System
    app: FastAPI
    telemetry: MemoryTelemetry
    world: World
    runner: InlineTaskRunner
    clock: Clock
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, owner: str | None = "ada", base: str = BASE) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {owner}-token"} if owner else {}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Jobs are done while the block runs."""
        async with self.runner.working(self.system.perform), anyio.create_task_group() as group:
            group.start_soon(self.system.serve)
            yield
            group.cancel_scope.cancel()

    def stored(self) -> int:
        """How many records and objects there are."""
        return sum(len(shelf.rows) for shelf in self.world.records.values()) + len(self.world.objects.rows)


def a_service(
    *,
    limits: Limits | None = None,
    clock: Clock | None = None,
    engine: MediaEngine | None = None,
    recognizer: SpeechRecognizer | None = None,
    **options: Any,
) -> Service:
    limits, clock = limits or Limits(), clock or AnyioClock()
    world, runner, telemetry = World(), InlineTaskRunner(), MemoryTelemetry()
    platform = memory_platform(limits, clock=clock, world=world, tasks=runner, part_bytes_min=1)
    meter = Meter(telemetry)
    system = assemble(platform, engine or PretendEngine(speed=None), limits, meter, recognizer)
    app = create_app(system, StaticVerifier(TOKENS, clock), meter=meter, **options)
    return Service(system=system, app=app, telemetry=telemetry, world=world, runner=runner, clock=clock)


def a_request(data: bytes = CLIP, **changed: Any) -> dict[str, Any]:
    return {"filename": "clip.mp4", "size": len(data), "content_type": "video/mp4", **changed}


async def begun(client: httpx.AsyncClient, data: bytes = CLIP, **changed: Any) -> dict[str, Any]:
    answer = await client.post("/media/upload/init", json=a_request(data, **changed))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def sent(client: httpx.AsyncClient, data: bytes = CLIP, **changed: Any) -> dict[str, Any]:
    """An upload whose bytes have arrived."""
    upload = await begun(client, data, **changed)
    for part in upload["parts"]:
        start = (part["number"] - 1) * upload["part_size"]
        answer = await client.put(part["url"], content=data[start : start + upload["part_size"]])
        assert answer.status_code == 200, answer.text
    return upload


async def completed(client: httpx.AsyncClient, data: bytes = CLIP, **changed: Any) -> dict[str, Any]:
    """The answer to `complete`, which has the ids of the job and the media."""
    upload = await sent(client, data, **changed)
    answer = await client.post("/media/upload/complete", json={"upload_id": upload["upload_id"]})
    assert answer.status_code == 202, answer.text
    return {**upload, **answer.json()}


async def ended(client: httpx.AsyncClient, job_id: str, *, within: float = 60) -> dict[str, Any]:
    """The job, when nothing more will happen to it."""
    with anyio.fail_after(within):
        while True:
            found: dict[str, Any] = (await client.get(f"/jobs/{job_id}")).json()
            if found["state"] in ("succeeded", "failed", "cancelled"):
                return found
            await anyio.sleep(0.01)


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is a whole problem document, and give it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code), found
    assert found["message"] == found["detail"]
    assert found["detail"].rstrip()[-1] in ".!?"
    assert found["detail"].isprintable()
    assert found["type"]
    assert found["title"]
    assert found["instance"].startswith("/")
    assert found["request_id"] == answer.headers["x-request-id"]
    assert all(set(error) == {"pointer", "code", "message"} for error in found["errors"])
    assert "Traceback" not in answer.text
    return found
