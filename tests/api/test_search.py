"""Searching over HTTP: one's own media by names, metadata and what is said in them."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import httpx
import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.speech import PretendRecognizer
from smmu.application.library import Library
from smmu.application.search import Search
from smmu.bootstrap.embedding import open_in_memory, send, until_over
from smmu.domain.admission import UploadRequest
from smmu.domain.facts import Kind
from smmu.domain.media import Media
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


@pytest.mark.parametrize("wished", [True, False])
async def test_media_are_found_by_what_their_files_say_where_that_is_kept(
    service: Service, client: httpx.AsyncClient, *, wished: bool
) -> None:
    data = pretend_file(Kind.AUDIO, title="Nocturne")
    made = await completed(client, data, filename="a.wav", content_type="audio/wav", options={"read_metadata": wished})
    async with service.working():
        await ended(client, made["job_id"])
    assert await ids(client, q="nocturne") == [made["media_id"]] * wished


async def test_a_new_name_is_found_and_the_old_one_not_any_more(client: httpx.AsyncClient, media: list[str]) -> None:
    await client.patch(f"/media/{media[0]}", json={"filename": "cloud.mp4"})
    assert (await ids(client, q="cloud"), await ids(client, q="sky")) == (media[:1], [])


async def test_what_is_deleted_is_not_found(client: httpx.AsyncClient, media: list[str]) -> None:
    await client.delete(f"/media/{media[0]}")
    assert await ids(client, q="visby") == media[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late(Search):
    """Keeps the words of the first call only after something else has happened to the media."""

    meanwhile: list[Callable[[], Awaitable[object]]]

    async def keep(self, known: Media) -> None:
        if self.meanwhile:
            await self.meanwhile.pop()()
        await Search.keep(self, known)


def late(service: Service, meanwhile: Callable[[], Awaitable[object]]) -> Library:
    known = service.system.search
    search = Late(store=known.store, objects=known.objects, index=known.index, meanwhile=[meanwhile])
    return replace(service.system.library, search=search)


async def test_words_that_are_written_last_are_those_of_the_newest_name(service: Service, media: list[str]) -> None:
    library = service.system.library
    slow = late(service, lambda: library.change("ada", media[0], filename="newest.mp4"))
    await slow.change("ada", media[0], filename="older.mp4")
    find = service.system.search.index.find
    assert [await find("ada", frozenset({word}), after=None, limit=9) for word in ("newest", "older")] == [
        media[:1],
        [],
    ]


async def test_no_word_of_a_deleted_media_is_kept_by_who_was_changing_it(service: Service, media: list[str]) -> None:
    library = service.system.library
    await late(service, lambda: library.delete("ada", media[0])).change("ada", media[0], filename="older.mp4")
    find = service.system.search.index.find
    assert [await find("ada", frozenset({word}), after=None, limit=9) for word in ("older", "visby")] == [[], media[1:]]


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
