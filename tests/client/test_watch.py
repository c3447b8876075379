"""The client watches a job to its end: over events, over a line that breaks, and where there are no events at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from smmu.client.client import Client
from smmu.client.errors import NotUnderstood, ServerRefused
from smmu.client.events import server_events
from smmu.client.jobs import Glimpse
from smmu.client.media import Damaged, is_whole
from smmu.client.uploader import Wish
from tests.support.remote import Remote, once


async def watched(client: Client, job_id: str) -> list[Glimpse]:
    return [glimpse async for glimpse in client.jobs.watch(job_id)]


async def test_watching_ends_with_the_job(service: Remote, film: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        glimpses = await watched(client, done.job_id)
    assert glimpses[-1] == Glimpse(state="succeeded", progress=100)
    assert [glimpse.progress for glimpse in glimpses] == sorted(glimpse.progress for glimpse in glimpses)


async def test_a_job_that_is_over_is_seen_once(service: Remote, film: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        await watched(client, done.job_id)
        assert await watched(client, done.job_id) == [Glimpse(state="succeeded", progress=100)]


async def test_a_stream_that_broke_goes_on_after_the_last_event(service: Remote, film: Path) -> None:
    half = b'id: 2\nevent: state\ndata: {"job_id": "j", "seq": 2, "type": "state", "at": "2026-01-01T00:00:00Z"'
    half += b', "attempt": 1, "state": "queued", "progress": 0}\n\nid: 3\nevent: st'
    stream = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=half)
    service.network.faults.append(once("GET", "/events", stream))
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        assert (await watched(client, done.job_id))[-1].state == "succeeded"
    assert asked_after(service)[-1] == "2"


async def test_watching_begins_with_the_present_and_tells_nothing_twice(service: Remote, film: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        ended = (await client.jobs.get(done.job_id)).model_dump(mode="json")
        task = {"task_id": "t", "kind": "render", "name": "video", "state": "running", "progress": 35}
        present = {**ended, "state": "running", "progress": 40, "last_event": 7, "tasks": [task]}
        event = 'data: {"job_id": "j", "seq": 8, "type": "state", "at": "2026-01-01T00:00:00Z", "attempt": 1'
        stream = f'id: 8\nevent: state\n{event}, "state": "succeeded", "progress": 100}}\n\n'
        events = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
        service.network.faults += [
            once("GET", "/events", events),
            once("GET", "/jobs/", httpx.Response(200, json=present)),
        ]
        glimpses = await watched(client, done.job_id)
    assert glimpses == [
        Glimpse(state="running", progress=40, task="video 35 %"),
        Glimpse(state="succeeded", progress=100),
    ]
    assert asked_after(service) == ["7"]


async def test_a_server_that_does_not_count_events_tells_all_of_them(service: Remote, film: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        known = (await client.jobs.get(done.job_id)).model_dump(mode="json", exclude={"last_event"})
        older = httpx.Response(200, json={**known, "state": "created", "progress": 0})
        service.network.faults.append(once("GET", "/jobs/", older))
        assert (await watched(client, done.job_id))[-1].state == "succeeded"
    assert asked_after(service)[0] == ""


def asked_after(service: Remote) -> list[str]:
    """After which events the streams went on that were asked for."""
    return [seen.headers["last-event-id"] for seen in service.network.seen if "/events" in seen.url.path]


@pytest.mark.parametrize("happens", [httpx.Response(502), httpx.ReadTimeout("silence"), httpx.Response(200, text="?")])
async def test_without_events_it_asks_again_and_again(
    service: Remote, film: Path, happens: httpx.Response | Exception
) -> None:
    service.network.faults.extend(once("GET", "/events", happens) for _ in range(9))
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        assert (await watched(client, done.job_id))[-1].state == "succeeded"
    assert service.network.count("GET", "/events") == 3


async def test_watching_what_does_not_exist_is_refused(service: Remote) -> None:
    async with service.client() as client:
        with pytest.raises(ServerRefused) as refused:
            await watched(client, "job_00000000000000000000000000")
    assert refused.value.code == "not_found"


async def test_jobs_are_listed_newest_first_and_by_state(service: Remote, film: Path, song: Path) -> None:
    async with service.client() as client:
        ids = [(await client.uploads.upload(Wish(path=path))).job_id for path in (film, song)]
        for job_id in ids:
            await watched(client, job_id)
        assert [job.job_id for job in (await client.jobs.list()).jobs] == ids[::-1]
        assert (await client.jobs.list(state="failed")).jobs == []


async def test_a_job_that_is_over_cannot_be_cancelled_or_retried(service: Remote, song: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=song))
        await watched(client, done.job_id)
        with pytest.raises(ServerRefused) as refused:
            await client.jobs.cancel(done.job_id)
        assert refused.value.code == "job_not_cancellable"
        with pytest.raises(ServerRefused) as refused:
            await client.jobs.retry(done.job_id)
        assert refused.value.code == "job_not_retryable"


# --- renditions


async def test_a_rendition_is_downloaded_and_checked(service: Remote, film: Path, tmp_path: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        await watched(client, done.job_id)
        media = await client.media.get(done.media_id)
        assert media.manifest is not None
        poster = next(rendition for rendition in media.manifest.renditions if rendition.role == "poster")
        target = await client.media.download(done.media_id, poster, tmp_path / "poster.jpg")
    assert target.stat().st_size == poster.size


async def test_a_download_tells_how_far_it_is(service: Remote, film: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        await watched(client, done.job_id)
        media = await client.media.get(done.media_id)
        assert media.manifest is not None
        first = next(rendition for rendition in media.manifest.renditions if is_whole(rendition))
        await client.media.download(
            done.media_id, first, tmp_path / "it", progress=lambda *numbers: told.append(numbers)
        )
    assert told[0] == (0, first.size)
    assert told[-1] == (first.size, first.size)


async def test_a_rendition_is_brought_to_its_place_in_a_folder_and_nowhere_else(
    service: Remote, film: Path, tmp_path: Path
) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        await watched(client, done.job_id)
        media = await client.media.get(done.media_id)
        assert media.manifest is not None
        poster = next(rendition for rendition in media.manifest.renditions if rendition.role == "poster")
        assert await client.media.bring(done.media_id, poster, tmp_path / "d") == tmp_path / "d" / poster.path
        for path in ("../poster.jpg", "/poster.jpg", "a/../../b", ""):
            with pytest.raises(NotUnderstood):
                await client.media.bring(done.media_id, poster.model_copy(update={"path": path}), tmp_path / "d")
    assert (tmp_path / "d" / poster.path).stat().st_size == poster.size


async def test_media_are_listed_newest_first_and_by_state(service: Remote, film: Path, song: Path) -> None:
    async with service.client() as client:
        sent = [await client.uploads.upload(Wish(path=path)) for path in (film, song)]
        for done in sent:
            await watched(client, done.job_id)
        newest, oldest = [done.media_id for done in sent[::-1]]
        page = await client.media.list(limit=1)
        assert [known.media_id for known in page.media] == [newest]
        assert [known.media_id for known in (await client.media.list(cursor=page.cursor)).media] == [oldest]
        assert (await client.media.list(state="failed")).media == []


async def test_a_download_that_breaks_off_begins_again(service: Remote, film: Path, tmp_path: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        await watched(client, done.job_id)
        media = await client.media.get(done.media_id)
        assert media.manifest is not None
        service.network.faults.append(once("GET", "/blobs/", httpx.ReadError("cut")))
        service.network.faults.append(once("GET", "/blobs/", httpx.Response(503)))
        await client.media.download(done.media_id, media.manifest.renditions[0], tmp_path / "it")
    assert service.network.count("GET", "/blobs/") == 3


async def test_a_rendition_that_arrives_damaged_is_not_kept(service: Remote, film: Path, tmp_path: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        await watched(client, done.job_id)
        media = await client.media.get(done.media_id)
        assert media.manifest is not None
        service.network.faults.append(once("GET", "/blobs/", httpx.Response(200, content=b"something else")))
        with pytest.raises(Damaged, match="arrived damaged"):
            await client.media.download(done.media_id, media.manifest.renditions[0], tmp_path / "it")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]


# --- the format of events


async def events_in(text: str) -> list[tuple[str, str, str]]:
    async def lines() -> AsyncIterator[str]:
        for line in text.split("\n"):
            yield line

    return [(event.id, event.type, event.data) async for event in server_events(lines())]


async def test_an_event_is_there_when_its_empty_line_is() -> None:
    assert await events_in("id: 7\nevent: task\ndata: {}\n\ndata: later") == [("7", "task", "{}")]


async def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert await events_in(": still here\n\nretry: 1000\n\ndata:x\n\n") == [("", "message", "x")]


async def test_data_of_several_lines_is_joined_and_the_id_stays() -> None:
    assert await events_in("id: 1\ndata: a\ndata: b\n\ndata: c\n\n") == [
        ("1", "message", "a\nb"),
        ("1", "message", "c"),
    ]
