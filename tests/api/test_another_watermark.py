"""A film's watermark is its own; later it is taken away or another is laid over, on all that carries one at once."""

from typing import Any

import httpx
import pytest

from smmu.adapters.inmemory.media import pretend_file
from smmu.domain.facts import Kind
from tests.api.test_watermark import GONE_LATER, LONG, carriers, expire, logo, made, manifest_of, over, shown
from tests.support.service import Service, ended, is_problem

OTHER = pretend_file(Kind.IMAGE, size=950, width=300, height=300)
SHOWS = {"hls_video", "mp4", "poster", "preview"}


async def film_of(service: Service, client: httpx.AsyncClient, mark: dict[str, Any] | None) -> dict[str, Any]:
    return await made(service, client, LONG, options={"rungs": [240, 480], **(over(mark)["options"] if mark else {})})


async def marks(client: httpx.AsyncClient, media_id: str) -> set[Any]:
    """The pictures that are over what shows one, by their digests."""
    roles = {one["name"]: one["role"] for one in (await manifest_of(client, media_id))["renditions"]}
    return {mark for name, mark in (await carriers(client, media_id)).items() if roles[name] in SHOWS}


async def changed(service: Service, client: httpx.AsyncClient, film: dict[str, Any], **body: Any) -> set[str]:
    """The names that a wish made again."""
    answer = await client.post(f"/media/{film['media_id']}/renditions", json=body)
    assert answer.status_code == 202, answer.text
    async with service.working():
        assert (await ended(client, answer.json()["job_id"]))["state"] == "succeeded"
    job_id = answer.json()["job_id"]
    manifest = (await shown(client, film["media_id"]))["manifest"]
    return {one["name"] for one in manifest["renditions"] if f"{job_id}-a1/" in one["path"]}


async def digest(client: httpx.AsyncClient, mark: dict[str, Any]) -> str:
    found: str = (await manifest_of(client, mark["media_id"]))["source"]["sha256"]
    return found


async def test_another_is_over_all_that_shows_one_and_stays_the_films_own(
    service: Service, client: httpx.AsyncClient
) -> None:
    first, second = await logo(service, client), await logo(service, client, OTHER)
    film = await film_of(service, client, first)
    await client.delete(f"/media/{first['media_id']}")
    gone = await client.post(f"/media/{film['media_id']}/renditions", json={"names": ["poster"]})
    assert is_problem(gone, 422, "invalid_watermark")["detail"] == GONE_LATER
    again = await changed(service, client, film, names=["poster"], **over(second))
    assert {"240p", "480p", "mp4", "poster", "preview", "hls", "dash"} <= again
    assert not {"storyboard", "waveform"} & again
    assert await marks(client, film["media_id"]) == {await digest(client, second)}
    assert await changed(service, client, film, names=["poster"]) == {"poster"}
    assert "720p" in await changed(service, client, film, options={"rungs": [720]})
    assert await marks(client, film["media_id"]) == {await digest(client, second)}


async def test_null_takes_it_away(service: Service, client: httpx.AsyncClient) -> None:
    mark = await logo(service, client)
    film = await film_of(service, client, mark)
    await expire(service, mark)
    assert {"240p", "480p", "mp4", "poster", "preview"} <= await changed(
        service, client, film, options={"watermark": None}
    )
    assert await marks(client, film["media_id"]) == {None}


async def test_a_film_without_one_gets_one(service: Service, client: httpx.AsyncClient) -> None:
    film = await film_of(service, client, None)
    mark = await logo(service, client)
    assert "480p" in await changed(service, client, film, **over(mark, position="center"))
    assert await marks(client, film["media_id"]) == {await digest(client, mark)}


async def test_the_same_again_is_nothing_to_make(service: Service, client: httpx.AsyncClient) -> None:
    mark = await logo(service, client)
    film = await film_of(service, client, mark)
    answer = await client.post(f"/media/{film['media_id']}/renditions", json=over(mark))
    is_problem(answer, 409, "nothing_to_make")


@pytest.mark.parametrize("image", ["med_00000000000000000000000000", "logo.png"])
async def test_another_has_to_be_there(service: Service, client: httpx.AsyncClient, image: str) -> None:
    film = await film_of(service, client, None)
    body = {"options": {"watermark": {"image": image}}}
    answer = await client.post(f"/media/{film['media_id']}/renditions", json=body)
    assert is_problem(answer, 422, "invalid_watermark")["detail"].startswith("There is no such picture")


async def test_no_film_has_two_of_them(service: Service, client: httpx.AsyncClient) -> None:
    film = await film_of(service, client, None)
    mark = await logo(service, client)
    body = {"options": {"preset": "preview-only", **over(mark)["options"]}}
    answer = await client.post(f"/media/{film['media_id']}/renditions", json=body)
    refused = is_problem(answer, 422, "invalid_options")
    assert refused["detail"].startswith("The watermark cannot be changed, since 480p would stay as it is")
