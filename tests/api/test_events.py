"""Server-sent events: history first, then what happens; once each, in order, from any point on."""

import json
from typing import Any

import anyio
import httpx
import pytest

from smmu import wire
from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.media import PretendEngine
from smmu.entrypoints.api.app import create_app
from smmu.ports.identity import Principal
from tests.support.service import BASE, Service, a_service, completed, ended, is_problem


def frames(text: str) -> list[dict[str, str]]:
    """The events of a stream, as a browser takes them apart."""
    blocks = [block for block in text.split("\n\n") if block.startswith("id:")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def told(text: str) -> list[dict[str, Any]]:
    return [json.loads(frame["data"]) for frame in frames(text)]


async def test_the_history_of_a_job_is_told_in_order_and_ends(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    async with service.working():
        await ended(client, job_id)
    answer = await client.get(f"/jobs/{job_id}/events")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    found = frames(answer.text)
    assert [int(frame["id"]) for frame in found] == list(range(1, len(found) + 1))
    events = [wire.JobEvent.model_validate_json(frame["data"]) for frame in found]
    assert [event.type for event in events] == [frame["event"] for frame in found]
    states = [event.state for event in events if event.type == "state"]
    assert states == ["created", "queued", "running", "succeeded"]
    assert {event.name for event in events if event.type == "task"} >= {"inspect", "publish"}


async def test_a_first_event_that_an_older_release_has_stored_is_told_once(
    service: Service, client: httpx.AsyncClient
) -> None:
    done = await completed(client)
    jobs, owner = service.system.jobs, "ada"
    before = await jobs.events(owner, done["job_id"], 0)
    await jobs.store.commit([jobs.store.put(event) for event in before])
    await client.post(f"/jobs/{done['job_id']}/cancel")
    events = await jobs.events(owner, done["job_id"], 0)
    assert [event.seq for event in events] == [1, 2]
    assert [*await jobs.events(owner, done["job_id"], 0, 1)] == [*before] == [events[0]]


async def test_what_happens_is_told_while_it_happens(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    answers: list[httpx.Response] = []

    async def follow() -> None:
        answers.append(await client.get(f"/jobs/{job_id}/events"))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            async with service.working():
                await ended(client, job_id)
    assert told(answers[0].text)[-1]["state"] == "succeeded"


async def test_a_stream_goes_on_after_the_event_that_the_client_has(
    service: Service, client: httpx.AsyncClient
) -> None:
    job_id = (await completed(client))["job_id"]
    async with service.working():
        await ended(client, job_id)
    every = frames((await client.get(f"/jobs/{job_id}/events")).text)
    address = f"/jobs/{job_id}/events"
    assert frames((await client.get(f"{address}?after=3")).text) == every[3:]
    assert frames((await client.get(address, headers={"last-event-id": "4"})).text) == every[4:]
    newer = await client.get(f"{address}?after=1", headers={"last-event-id": "4"})
    assert frames(newer.text) == every[4:]


async def test_whoever_has_heard_everything_need_not_come_back(client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    await client.post(f"/jobs/{job_id}/cancel")
    last = frames((await client.get(f"/jobs/{job_id}/events")).text)[-1]["id"]
    answer = await client.get(f"/jobs/{job_id}/events", headers={"last-event-id": last})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_whoever_has_looked_at_a_job_goes_on_with_what_is_new_since(client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    seen = (await client.get(f"/jobs/{job_id}")).json()["last_event"]
    await client.post(f"/jobs/{job_id}/cancel")
    every = frames((await client.get(f"/jobs/{job_id}/events")).text)
    assert frames((await client.get(f"/jobs/{job_id}/events?after={seen}")).text) == every[seen:] == every[-1:]


async def test_the_end_of_one_attempt_is_not_the_end_of_the_stream(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    await client.post(f"/jobs/{job_id}/cancel")
    await client.post(f"/jobs/{job_id}/retry")
    async with service.working():
        await ended(client, job_id)
    events = told((await client.get(f"/jobs/{job_id}/events")).text)
    assert [e["state"] for e in events if e["type"] == "state"][:3] == ["created", "cancelled", "created"]
    assert (events[-1]["attempt"], events[-1]["state"]) == (2, "succeeded")


async def test_a_quiet_line_is_kept_warm() -> None:
    service = a_service(heartbeat_seconds=0.2)
    async with service.client() as client:
        job_id = (await completed(client))["job_id"]
        answers: list[httpx.Response] = []

        async def follow() -> None:
            answers.append(await client.get(f"/jobs/{job_id}/events"))

        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await anyio.sleep(1.2)
            await client.post(f"/jobs/{job_id}/cancel")
    assert answers[0].text.count(": still here\n\n") >= 2


async def test_a_stream_ends_when_the_server_is_about_to(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(client.get, f"/jobs/{job_id}/events")
            await anyio.sleep(0.1)
            service.app.state.drain.begin()
    is_problem(await client.get("/readyz"), 503, "world_unavailable")
    assert (await client.get("/healthz")).status_code == 200
    with anyio.fail_after(5):
        assert frames((await client.get(f"/jobs/{job_id}/events")).text) == []


async def test_a_stream_ends_with_its_token() -> None:
    service = a_service(engine=PretendEngine())
    until = service.clock.now() + 0.3
    verifier = StaticVerifier({"short": Principal(owner="ada", expires_at=until)}, service.clock)
    short = httpx.ASGITransport(app=create_app(service.system, verifier))
    async with service.client() as client:
        job_id = (await completed(client))["job_id"]
    headers = {"authorization": "Bearer short"}
    with anyio.fail_after(5):
        async with httpx.AsyncClient(transport=short, base_url=BASE, headers=headers) as client:
            assert (await client.get(f"/jobs/{job_id}/events")).status_code == 200
            is_problem(await client.get(f"/jobs/{job_id}/events"), 401, "unauthenticated")


@pytest.mark.parametrize("job_id", ["job_1", "job_" + "0" * 26])
async def test_there_are_no_events_of_a_job_that_is_not_there(client: httpx.AsyncClient, job_id: str) -> None:
    is_problem(await client.get(f"/jobs/{job_id}/events"), 404, "not_found")
