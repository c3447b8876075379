"""Searching over HTTP: one's own media by names, metadata and what is said in them."""

import json

import httpx
import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.speech import PretendRecognizer
from smmu.bootstrap.embedding import open_in_memory, send, until_over
from smmu.domain.admission import UploadRequest
from smmu.domain.facts import Kind
from tests.support.service import Service, completed, ended, is_problem


async def ids(client: httpx.AsyncClient, **query: str) -> list[str]:
    answer = await client.get("/search", params=query)
    assert answer.status_code == 200, answer.text
    return [one["media_id"] for one in answer.json()["media"]]


@pytest.fixture
async def media(service: Service, client: httpx.AsyncClient) -> list[str]:
    """Two media, the newest first."""
    made = [await completed(client, filename=name, metadata={"place": "Visby"}) for name in ("sea.mp4", "Sky.mp4")]
    async with service.working():
        for one in made:
            await ended(client, one["job_id"])
    return [one["media_id"] for one in reversed(made)]


async def test_media_are_found_by_name_and_by_metadata(client: httpx.AsyncClient, media: list[str]) -> None:
    assert await ids(client, q="visb") == media
    assert await ids(client, q="visby SKY") == media[:1]
    assert await ids(client, q="mountain") == []


async def test_a_new_name_is_found_and_the_old_one_not_any_more(client: httpx.AsyncClient, media: list[str]) -> None:
    await client.patch(f"/media/{media[0]}", json={"filename": "cloud.mp4"})
    assert (await ids(client, q="cloud"), await ids(client, q="sky")) == (media[:1], [])


async def test_what_is_deleted_is_not_found(client: httpx.AsyncClient, media: list[str]) -> None:
    await client.delete(f"/media/{media[0]}")
    assert await ids(client, q="visby") == media[1:]


async def test_pages_go_on(client: httpx.AsyncClient, media: list[str]) -> None:
    first = await client.get("/search", params={"q": "visby", "limit": "1"})
    assert [one["media_id"] for one in first.json()["media"]] == media[:1]
    assert first.headers["link"].endswith('rel="next"')
    assert await ids(client, q="visby", limit="1", cursor=first.json()["cursor"]) == media[1:]
    other = await client.get("/search", params={"q": "sky", "cursor": first.json()["cursor"]})
    is_problem(other, 422, "invalid_request")


@pytest.mark.parametrize("q", [None, "", "  ", "!?"])
async def test_a_question_needs_a_word(client: httpx.AsyncClient, q: str | None) -> None:
    answer = await client.get("/search", params={} if q is None else {"q": q})
    is_problem(answer, 422, "invalid_request")


async def test_media_are_found_by_what_is_said_in_them() -> None:
    data = pretend_file(Kind.AUDIO, duration_s=10)
    async with open_in_memory(PretendEngine(speed=None), recognizer=PretendRecognizer()) as system:
        begun = (await system.uploads.begin("ada", UploadRequest(filename="x.wav", size=len(data)))).upload
        (part,) = await system.uploads.sign("ada", begun.id, [1])
        await send(system, part, data)
        done = await system.uploads.complete("ada", begun.id)
        await until_over(system, "ada", done.job_id or "")
        made = (await system.library.get("ada", done.media_id)).value
        (transcript,) = [record.file for record in made.renditions if record.name == "transcript"]
        source = await system.platform.objects.open(transcript)
        said = json.loads(await source.read(0, source.size))["text"]
        assert [one.value.id for one in (await system.search.find("ada", said, limit=5)).items] == [made.id]
        assert (await system.search.find("eve", said, limit=5)).items == ()
