"""Renditions that are made later: one again, or one that was not asked for, and nothing else is touched."""

from typing import Any

import anyio
import httpx
import pytest

from smmu import wire
from smmu.adapters.inmemory.media import pretend_file
from smmu.adapters.inmemory.system import FixedClock
from smmu.domain.facts import Kind
from smmu.domain.limits import Limits
from tests.support.service import CLIP, Service, a_service, completed, ended, is_problem

HOURS = 3_600


async def film(service: Service, client: httpx.AsyncClient, data: bytes = CLIP, **changed: Any) -> dict[str, Any]:
    """A media that is ready, as it is shown."""
    made = await completed(client, data, **changed)
    async with service.working():
        await ended(client, made["job_id"])
    return await shown(client, made["media_id"])


async def shown(client: httpx.AsyncClient, media_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/media/{media_id}")).json()
    return found


async def asked(client: httpx.AsyncClient, media_id: str, **body: Any) -> dict[str, Any]:
    """The answer to a wish that is granted."""
    answer = await client.post(f"/media/{media_id}/renditions", json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/jobs/{found['job_id']}"
    assert answer.headers["retry-after"] == "1"
    return found


async def remade(service: Service, client: httpx.AsyncClient, media_id: str, **body: Any) -> dict[str, Any]:
    """The media when that is done."""
    found = await asked(client, media_id, **body)
    async with service.working():
        assert (await ended(client, found["job_id"]))["state"] == "succeeded"
    return await shown(client, media_id)


def by_name(media: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {made["name"]: made for made in media["manifest"]["renditions"]}


def inside(rendition: dict[str, Any], job_id: str) -> bool:
    return f"{job_id}-a1/" in rendition["path"]


async def bytes_of(client: httpx.AsyncClient, media_id: str, name: str) -> bytes:
    answer = await client.get(f"/media/{media_id}/renditions/{name}", follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.content


async def manifest_of(client: httpx.AsyncClient, media_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.Response(200, content=await bytes_of(client, media_id, "manifest")).json()
    return found


async def test_one_rendition_is_made_again_and_the_others_stay_as_they_are(
    service: Service, client: httpx.AsyncClient
) -> None:
    before = await film(service, client)
    told = await manifest_of(client, before["media_id"])
    begun = await asked(client, before["media_id"], names=["poster"])
    assert begun == {"job_id": begun["job_id"], "media_id": before["media_id"], "state": "created"}
    async with service.working():
        job = await ended(client, begun["job_id"])
    assert (job["state"], job["kind"], job["media_id"]) == ("succeeded", "renditions", before["media_id"])
    assert job["filename"] == before["filename"] != ""
    assert [task["name"] for task in job["tasks"] if task["kind"] == "render"] == ["poster"]
    after = await shown(client, before["media_id"])
    assert (after["state"], after["manifest"]["revision"], after["job_id"]) == ("ready", 2, begun["job_id"])
    assert list(by_name(after)) == list(by_name(before))
    assert [name for name, made in by_name(after).items() if inside(made, begun["job_id"])] == ["poster"]
    again = await manifest_of(client, before["media_id"])
    for old, new in zip(told["renditions"], again["renditions"], strict=True):
        assert (old["sha256"], old["proof"]) == (new["sha256"], new["proof"])
        assert await bytes_of(client, before["media_id"], new["name"])
    assert again["source"] == told["source"]
    assert again["classification"] == told["classification"]
    reasons = {one["subject"]: (one["choice"], one["reason"]) for one in again["plan"]["decisions"]}
    assert reasons["poster"] == ("made again", "asked for")


async def test_what_options_add_is_made_and_the_playlists_are_written_again(
    service: Service, client: httpx.AsyncClient
) -> None:
    before = await film(service, client, options={"rungs": [360]})
    after = await remade(service, client, before["media_id"], options={"rungs": [720]})
    assert set(by_name(after)) - set(by_name(before)) == {"720p"}
    changed = [name for name, made in by_name(after).items() if inside(made, after["job_id"])]
    assert sorted(changed) == ["720p", "dash", "hls"]
    again = await remade(service, client, before["media_id"], options={"codecs": ["av1"]}, names=["720p-av1"])
    assert [name for name in by_name(again) if "av1" in name] == ["720p-av1"]
    every = await remade(service, client, before["media_id"], options={"codecs": ["hevc"]})
    assert {name for name in by_name(every) if "p-" in name} == {"720p-av1", "720p-hevc", "360p-av1", "360p-hevc"}


async def test_what_a_preset_left_out_is_added_later(service: Service, client: httpx.AsyncClient) -> None:
    before = await film(service, client, pretend_file(duration_s=20.0), options={"preset": "preview-only"})
    one = await remade(service, client, before["media_id"], names=["storyboard"], options={"preset": "web"})
    assert set(by_name(one)) - set(by_name(before)) == {"storyboard"}
    rest = await remade(service, client, before["media_id"], options={"preset": "web"})
    assert {"480p", "720p", "waveform"} <= set(by_name(rest))


async def test_an_mp4_takes_its_rung_and_its_sound_along(service: Service, client: httpx.AsyncClient) -> None:
    before = await film(service, client)
    after = await remade(service, client, before["media_id"], names=["mp4"])
    changed = [name for name, made in by_name(after).items() if inside(made, after["job_id"])]
    assert sorted(changed) == ["720p", "dash", "hls", "hls-audio", "mp4"]


async def test_a_picture_gets_another_width_and_another_format(service: Service, client: httpx.AsyncClient) -> None:
    image = pretend_file(Kind.IMAGE, size=2_000, width=2_000, height=1_000)
    before = await film(service, client, image, filename="photo.jpg", content_type="image/jpeg")
    after = await remade(
        service, client, before["media_id"], options={"image_widths": [800], "image_formats": ["avif"]}
    )
    added = set(by_name(after)) - set(by_name(before))
    assert {"image-800-webp", "image-800-jpeg", "image-800-avif", "image-640-avif"} <= added
    assert {name for name, made in by_name(after).items() if inside(made, after["job_id"])} == added


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (422, "invalid_request", "")),
        ({"names": ["8640p"]}, (422, "unknown_rendition", "/names/0")),
        ({"names": ["poster", "1080p"]}, (422, "unknown_rendition", "/names/1")),
        ({"names": [""]}, (422, "invalid_request", "/names/0")),
        ({"names": ["x"] * 101}, (422, "invalid_request", "/names")),
        ({"names": ["\n\x00😀"]}, (422, "unknown_rendition", "/names/0")),
        ({"names": "poster"}, (422, "invalid_request", "/names")),
        ({"what": 1}, (422, "invalid_request", "/what")),
        ({"options": {"rungs": [7]}}, (422, "invalid_options", "/options/rungs")),
        ({"options": {"clip_start_s": 1}}, (422, "invalid_options", "/options/clip_start_s")),
        ({"options": {"mute": True}}, (422, "invalid_options", "/options/mute")),
        ({"options": {"bogus": 1}}, (422, "invalid_options", "/options/bogus")),
        ({"options": {"rungs": [1080]}}, (409, "nothing_to_make", "/options")),
        ({"options": {"preset": "web"}}, (409, "nothing_to_make", "/options")),
    ],
)
async def test_a_wish_that_cannot_be_granted_says_why_and_makes_no_job(
    service: Service, client: httpx.AsyncClient, body: Any, refusal: tuple[int, str, str]
) -> None:
    status, code, pointer = refusal
    before = await film(service, client, options={"rungs": [240, 360, 480, 720]})
    problem = is_problem(await client.post(f"/media/{before['media_id']}/renditions", json=body), status, code)
    assert problem["errors"][0]["pointer"] == pointer
    assert await shown(client, before["media_id"]) == before
    assert len((await client.get("/jobs")).json()["jobs"]) == 1


async def test_a_rung_that_the_film_is_too_small_for_is_refused_with_the_planners_reason(
    service: Service, client: httpx.AsyncClient
) -> None:
    before = await film(service, client)
    answer = await client.post(f"/media/{before['media_id']}/renditions", json={"names": ["1080p"]})
    found = is_problem(answer, 422, "unknown_rendition")
    assert found["detail"] == "1080p cannot be made (skipped: the source's short side is 720)."


async def test_nobody_elses_media_and_none_that_is_not_ready(service: Service, client: httpx.AsyncClient) -> None:
    made = await completed(client)
    body = {"names": ["poster"]}
    path = f"/media/{made['media_id']}/renditions"
    is_problem(await client.post(path, json=body), 409, "media_not_ready")
    is_problem(await service.client("grace").post(path, json=body), 404, "not_found")
    is_problem(await service.client(None).post(path, json=body), 401, "unauthenticated")
    async with service.working():
        await ended(client, made["job_id"])
    await client.delete(f"/media/{made['media_id']}")
    is_problem(await client.post(path, json=body), 404, "not_found")


async def test_a_source_that_is_gone_is_said_at_once(service: Service, client: httpx.AsyncClient) -> None:
    before = await film(service, client)
    for key in [key for key in service.world.objects.rows if key.startswith("raw/")]:
        await service.system.platform.objects.delete(key)
    answer = await client.post(f"/media/{before['media_id']}/renditions", json={"names": ["poster"]})
    is_problem(answer, 409, "source_expired")


async def test_one_job_at_a_time_works_on_a_media(service: Service, client: httpx.AsyncClient) -> None:
    before = await film(service, client)
    path = f"/media/{before['media_id']}/renditions"
    answers: list[httpx.Response] = []

    async def ask(name: str) -> None:
        answers.append(await client.post(path, json={"names": [name]}))

    async with anyio.create_task_group() as group:
        for name in ("poster", "waveform", "mp4"):
            group.start_soon(ask, name)
    (won,) = [answer for answer in answers if answer.status_code == 202]
    for lost in [answer for answer in answers if answer is not won]:
        assert won.json()["job_id"] in is_problem(lost, 409, "media_busy")["detail"]
    async with service.working():
        await ended(client, won.json()["job_id"])
    await remade(service, client, before["media_id"], names=["poster"])


async def test_a_repeated_request_with_its_key_makes_one_job(service: Service, client: httpx.AsyncClient) -> None:
    before = await film(service, client)
    path, key = f"/media/{before['media_id']}/renditions", {"idempotency-key": "k-1"}
    first = await client.post(path, json={"names": ["poster"]}, headers=key)
    again = await client.post(path, json={"names": ["poster"]}, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["job_id"] == first.json()["job_id"]
    assert again.headers["idempotent-replayed"] == "true"
    is_problem(await client.post(path, json={"names": ["mp4"]}, headers=key), 422, "idempotency_key_reused")
    upload = {"filename": "a.mp4", "size": 5, "content_type": "video/mp4"}
    is_problem(await client.post("/media/upload/init", json=upload, headers=key), 422, "idempotency_key_reused")


async def test_a_cancelled_one_leaves_the_media_as_it_was_and_can_be_retried(
    service: Service, client: httpx.AsyncClient
) -> None:
    before = await film(service, client)
    begun = await asked(client, before["media_id"], names=["poster"])
    assert (await shown(client, before["media_id"]))["state"] == "ready"
    assert (await client.post(f"/media/{before['media_id']}/playback")).status_code == 200
    await client.post(f"/jobs/{begun['job_id']}/cancel")
    after = await shown(client, before["media_id"])
    assert (after["state"], after["manifest"]) == ("ready", before["manifest"])
    other = await asked(client, before["media_id"], names=["waveform"])
    is_problem(await client.post(f"/jobs/{begun['job_id']}/retry"), 409, "media_busy")
    async with service.working():
        await ended(client, other["job_id"])
        answer = await client.post(f"/jobs/{begun['job_id']}/retry")
        assert answer.status_code == 202, answer.text
        await ended(client, begun["job_id"])
    found = await shown(client, before["media_id"])
    assert found["manifest"]["revision"] == 3
    assert "-a2/" in by_name(found)["poster"]["path"]
    assert inside(by_name(found)["waveform"], other["job_id"])


async def test_older_wishes_do_not_take_newer_ones_back(service: Service, client: httpx.AsyncClient) -> None:
    before = await film(service, client)
    older = await asked(client, before["media_id"], options={"codecs": ["h264", "hevc"]})
    await client.post(f"/jobs/{older['job_id']}/cancel")
    await remade(service, client, before["media_id"], options={"codecs": ["h264", "av1"]})
    is_problem(await client.post(f"/jobs/{older['job_id']}/retry"), 409, "job_not_retryable")
    after = await remade(service, client, before["media_id"], options={"codecs": ["h264", "hevc"]})
    assert {"720p-av1", "720p-hevc"} <= set(by_name(after))


async def test_a_failed_one_leaves_the_media_ready_and_can_be_retried(
    service: Service, client: httpx.AsyncClient
) -> None:
    before = await film(service, client)
    begun = await asked(client, before["media_id"], names=["poster"])
    lost = {key: row for key, row in service.world.objects.rows.items() if key.startswith("raw/")}
    for key in lost:
        del service.world.objects.rows[key]
    async with service.working():
        job = await ended(client, begun["job_id"])
        assert (job["state"], job["error"]["code"]) == ("failed", "source_expired")
        after = await shown(client, before["media_id"])
        assert (after["state"], after["playable"], after["manifest"]) == ("ready", True, before["manifest"])
        service.world.objects.rows.update(lost)
        assert (await client.post(f"/jobs/{begun['job_id']}/retry")).status_code == 202
        assert (await ended(client, begun["job_id"]))["state"] == "succeeded"
    assert (await shown(client, before["media_id"]))["manifest"]["revision"] == 2


async def test_who_is_playing_goes_on_and_what_was_replaced_is_removed_after_the_last_of_them() -> None:
    clock = FixedClock()
    service = a_service(clock=clock)
    async with service.client() as client, service.client(None) as player:
        before = await film(service, client, pretend_file(duration_s=HOURS))
        playing = (await client.post(f"/media/{before['media_id']}/playback")).json()
        began = (await player.get(playing["hls_url"])).content
        after = await remade(service, client, before["media_id"], names=["720p"])
        assert (await player.get(playing["hls_url"])).content == began
        fresh = (await client.post(f"/media/{before['media_id']}/playback")).json()
        assert (await player.get(fresh["hls_url"])).status_code == 200
        gone = [by_name(before)[name]["path"] for name in ("720p", "hls", "dash")]
        first = next(key for key in service.world.objects.rows if key.endswith(gone[0])).removesuffix(gone[0])
        clock.advance(7 * HOURS - 1)
        await service.system.sweeper.once()
        assert all(first + path in service.world.objects.rows for path in gone)
        assert (await player.get(playing["hls_url"])).content == began
        clock.advance(1_000)
        await service.system.sweeper.once()
        assert not any(first + path in service.world.objects.rows for path in gone)
        for name in by_name(after):
            assert await bytes_of(client, before["media_id"], name)
        assert await service.system.sweeper.once() == (0, 0)


async def test_a_deleted_media_leaves_nothing_of_any_of_its_revisions(
    service: Service, client: httpx.AsyncClient
) -> None:
    before = await film(service, client)
    await remade(service, client, before["media_id"], names=["poster"])
    begun = await asked(client, before["media_id"], names=["mp4"])
    assert (await client.delete(f"/media/{before['media_id']}")).status_code == 204
    assert len(service.world.objects.rows) == 0
    assert (await ended(client, begun["job_id"]))["state"] == "cancelled"


async def test_a_media_cannot_be_changed_without_end_while_all_of_it_may_be_played() -> None:
    service = a_service(limits=Limits(replaced_max=1))
    async with service.client() as client:
        before = await film(service, client)
        await remade(service, client, before["media_id"], names=["poster"])
        answer = await client.post(f"/media/{before['media_id']}/renditions", json={"names": ["poster"]})
        is_problem(answer, 409, "media_busy")


async def test_the_answer_is_the_wires(service: Service, client: httpx.AsyncClient) -> None:
    before = await film(service, client)
    found = await asked(client, before["media_id"], names=["poster"])
    assert wire.RenditionsAnswer.model_validate(found).job_id == found["job_id"]
