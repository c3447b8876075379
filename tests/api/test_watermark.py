"""A watermark over the API: one's own picture, pinned for all that is made of a film, asked about at init and again."""

import json
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.objects import MemoryObjectStore
from smmu.domain.facts import Kind
from smmu.domain.limits import Limits
from tests.support.narrowed import Narrowed
from tests.support.service import CLIP, Service, a_request, a_service, begun, completed, ended, is_problem

LOGO = pretend_file(Kind.IMAGE, size=900, width=400, height=100)
LONG = pretend_file(duration_s=30.0)
GONE = "The watermark's image is no longer kept: upload the video with another."
GONE_LATER = (
    "The watermark's image is no longer kept: name another as watermark in the options, or null to be without one;"
    " all that carries it is made again."
)


async def made(service: Service, client: httpx.AsyncClient, data: bytes = CLIP, **changed: Any) -> dict[str, Any]:
    """A media, when its job has ended."""
    upload = await completed(client, data, **changed)
    async with service.working():
        await ended(client, upload["job_id"])
    return await shown(client, upload["media_id"])


async def logo(service: Service, client: httpx.AsyncClient, data: bytes = LOGO) -> dict[str, Any]:
    return await made(service, client, data, filename="logo.png", content_type="image/png")


async def shown(client: httpx.AsyncClient, media_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/media/{media_id}")).json()
    return found


async def manifest_of(client: httpx.AsyncClient, media_id: str) -> dict[str, Any]:
    answer = await client.get(f"/media/{media_id}/renditions/manifest", follow_redirects=True)
    found: dict[str, Any] = answer.json()
    return found


async def carriers(client: httpx.AsyncClient, media_id: str) -> dict[str, Any]:
    """Which renditions were made with which picture."""
    manifest = await manifest_of(client, media_id)
    return {one["name"]: one["proof"]["measures"].get("watermark") for one in manifest["renditions"]}


def over(media: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"options": {"watermark": {"image": media["media_id"], **changed}}}


async def expire(service: Service, media: dict[str, Any]) -> None:
    """Remove the file that a media was made of, as a rule of the storage does it: no record tells of that."""
    source = (await service.system.library.get("ada", media["media_id"])).value.source
    await service.system.platform.objects.delete(source.key)


async def refused(client: httpx.AsyncClient, image: Any) -> dict[str, Any]:
    request = a_request(options={"watermark": {"image": image}})
    problem = is_problem(await client.post("/media/upload/init", json=request), 422, "invalid_watermark")
    assert problem["errors"][0]["pointer"] == "/options/watermark/image"
    return problem


async def test_a_film_has_the_very_picture_that_was_named(service: Service, client: httpx.AsyncClient) -> None:
    mark = await logo(service, client)
    film = await made(service, client, LONG, **over(mark, position="top-left", size=0.3))
    assert film["state"] == "ready"
    sha256 = (await manifest_of(client, mark["media_id"]))["source"]["sha256"]
    found = await carriers(client, film["media_id"])
    assert set(found.values()) == {sha256, None}
    assert all(carried is None for name, carried in found.items() if name.startswith("waveform"))
    assert all(carried for name, carried in found.items() if not name.startswith("waveform"))
    told = (await manifest_of(client, film["media_id"]))["plan"]["decisions"]
    assert ("watermark", "top-left, 30% of the short side") in {(one["subject"], one["choice"]) for one in told}


async def test_a_long_film_has_it_in_its_first_look_and_in_every_chunk() -> None:
    service = a_service(limits=Limits(chunks_from_seconds=20, chunk_seconds=6), engine=PretendEngine(speed=None))
    async with service.client() as client:
        mark = await logo(service, client)
        film = await made(service, client, LONG, **over(mark))
        assert (film["state"], film["manifest"]["revision"]) == ("ready", 2)
        found = await carriers(client, film["media_id"])
        assert all(carried for name, carried in found.items() if not name.startswith("waveform"))
        indexes = [key for key in service.world.objects.rows if "/chunks/" in key and key.endswith("index.json")]
        assert len(indexes) == 5
        for key in indexes:
            (rendition,) = [json.loads(service.world.objects.rows[key].data)["chunk"]]
            assert rendition["proof"]["measures"]["watermark"] == found["mp4"]


async def test_what_is_made_later_has_it_too(service: Service, client: httpx.AsyncClient) -> None:
    mark = await logo(service, client)
    film = await made(service, client, LONG, options={"rungs": [240], **over(mark)["options"]})
    path = f"/media/{film['media_id']}/renditions"
    answer = await client.post(path, json={"options": {"rungs": [480]}, "names": ["480p", "poster"]})
    async with service.working():
        assert (await ended(client, answer.json()["job_id"]))["state"] == "succeeded"
    assert {"480p", "poster"} <= {
        name for name, carried in (await carriers(client, film["media_id"])).items() if carried
    }
    await client.delete(f"/media/{mark['media_id']}")
    gone = is_problem(await client.post(path, json={"names": ["poster"]}), 422, "invalid_watermark")
    assert gone["detail"] == GONE_LATER


async def test_another_owners_picture_is_one_that_does_not_exist(service: Service, client: httpx.AsyncClient) -> None:
    mark = await logo(service, client)
    async with service.client("grace") as grace:
        theirs = await refused(grace, mark["media_id"])
        nobodys = await refused(grace, "med_00000000000000000000000000")
        assert theirs["detail"] == nobodys["detail"]
        assert theirs["detail"].startswith("There is no such picture")
        assert (await grace.get("/media")).json()["media"] == []
    await begun(client, **over(mark))


@pytest.mark.parametrize("image", ["logo.png", "job_00000000000000000000000000", "../raw", "med_"])
async def test_what_names_no_media_is_no_picture(client: httpx.AsyncClient, image: str) -> None:
    assert (await refused(client, image))["detail"].startswith("There is no such picture")


async def test_a_picture_that_is_not_ready_or_none_at_all_is_refused(
    service: Service, client: httpx.AsyncClient
) -> None:
    waiting = await completed(client, LOGO, filename="logo.png", content_type="image/png")
    assert "is processing: wait until it is ready" in (await refused(client, waiting["media_id"]))["detail"]
    film = await made(service, client)
    assert "is no picture" in (await refused(client, film["media_id"]))["detail"]
    huge = await logo(service, client, pretend_file(Kind.IMAGE, size=900, width=5_000, height=5_000))
    assert "at most 16,777,216 pixels" in (await refused(client, huge["media_id"]))["detail"]
    gone = await logo(service, client)
    await client.delete(f"/media/{gone['media_id']}")
    assert (await refused(client, gone["media_id"]))["detail"].startswith("There is no such picture")


async def test_a_picture_whose_file_storage_has_expired_is_refused(service: Service, client: httpx.AsyncClient) -> None:
    mark = await logo(service, client)
    film = await made(service, client, **over(mark))
    await expire(service, mark)
    assert (await shown(client, mark["media_id"]))["state"] == "ready"
    assert (await refused(client, mark["media_id"]))["detail"] == GONE
    later = await client.post(f"/media/{film['media_id']}/renditions", json={"names": ["poster"]})
    assert is_problem(later, 422, "invalid_watermark")["detail"] == GONE_LATER


async def test_a_picture_that_expires_before_the_film_is_planned_fails_the_job(
    service: Service, client: httpx.AsyncClient
) -> None:
    mark = await logo(service, client)
    upload = await completed(client, **over(mark))
    await expire(service, mark)
    async with service.working():
        job = await ended(client, upload["job_id"])
    assert (job["state"], job["error"]["code"]) == ("failed", "invalid_watermark")
    assert (job["error"]["message"], [task["name"] for task in job["tasks"]]) == (GONE, ["inspect", "record_failure"])


async def test_a_picture_that_goes_before_the_film_is_planned_fails_the_job(
    service: Service, client: httpx.AsyncClient
) -> None:
    mark = await logo(service, client)
    upload = await completed(client, **over(mark))
    await client.delete(f"/media/{mark['media_id']}")
    async with service.working():
        job = await ended(client, upload["job_id"])
    assert (job["state"], job["error"]["code"]) == ("failed", "invalid_watermark")
    assert job["error"]["message"] == GONE
    assert (await shown(client, upload["media_id"]))["state"] == "failed"


@pytest.mark.parametrize("store", [MemoryObjectStore, Narrowed])
async def test_a_picture_that_goes_after_the_film_was_planned_fails_the_job(
    service: Service, client: httpx.AsyncClient, store: type[MemoryObjectStore]
) -> None:
    worker = service.system.worker
    steps = replace(worker.steps, objects=store(service.world, service.clock))
    service = replace(service, system=replace(service.system, worker=replace(worker, steps=steps)))
    mark = await logo(service, client)
    upload = await completed(client, **over(mark))

    async def take_away() -> None:
        while not any("/plan-" in key and upload["media_id"] in key for key in service.world.objects.rows):
            await anyio.lowlevel.checkpoint()
        await expire(service, mark)

    async with anyio.create_task_group() as group:
        group.start_soon(take_away)
        async with service.working():
            job = await ended(client, upload["job_id"])
    assert (job["state"], job["error"]["code"]) == ("failed", "invalid_watermark")
    assert job["error"]["message"] == GONE


async def test_a_picture_and_a_sound_cannot_have_one(service: Service, client: httpx.AsyncClient) -> None:
    mark = await logo(service, client)
    for data, name, kind in ((LOGO, "b.png", "image/png"), (pretend_file(Kind.AUDIO, size=900), "b.wav", "audio/wav")):
        media = await made(service, client, data, filename=name, content_type=kind, **over(mark))
        assert (media["state"], media["error"]["code"]) == ("rejected", "invalid_options")
        assert media["error"]["message"].startswith("A watermark is laid over videos, and the file is an ")
