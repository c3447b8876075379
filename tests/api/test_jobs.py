"""Jobs over HTTP: look, poll cheaply, list, cancel, retry."""

import anyio
import httpx
import pytest

from smmu import wire
from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.speech import PretendRecognizer
from smmu.domain.limits import Limits
from tests.support.service import Service, a_service, completed, ended, is_problem


async def test_a_job_is_shown_with_its_tasks(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    waiting = await client.get(f"/jobs/{job_id}")
    assert int(waiting.headers["retry-after"]) >= 1
    async with service.working():
        await ended(client, job_id)
    answer = await client.get(f"/jobs/{job_id}")
    found = wire.JobAnswer.model_validate_json(answer.content)
    assert (found.state, found.progress, found.error) == ("succeeded", 100, None)
    assert {task.kind for task in found.tasks} == {"inspect", "render", "publish"}
    assert ("inspect", "succeeded", 100) in {(task.kind, task.state, task.progress) for task in found.tasks}
    assert "retry-after" not in answer.headers


async def test_a_job_that_failed_says_why(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client, pretend_file(refuse="rejected_encrypted")))["job_id"]
    async with service.working():
        found = await ended(client, job_id)
    assert found["state"] == "failed"
    assert found["error"]["code"] == "rejected_encrypted"
    assert found["error"]["retryable"] is False
    assert set(found["error"]) == {"code", "message", "task_id", "retryable"}
    is_problem(await client.post(f"/jobs/{job_id}/retry"), 409, "job_not_retryable")


async def test_a_job_that_succeeded_says_what_it_lacks() -> None:
    service = a_service(recognizer=PretendRecognizer("no wheel: install it"))
    async with service.client() as client, service.working():
        found = await ended(client, (await completed(client))["job_id"])
    lacks = {"subject": "speech", "choice": "engine missing", "reason": "no wheel: install it"}
    assert (found["state"], found["warnings"]) == ("succeeded", [lacks])


async def test_a_wish_that_the_file_cannot_grant_fails_its_job_for_good(
    service: Service, client: httpx.AsyncClient
) -> None:
    options = {"clip_start_s": 30, "clip_end_s": 40}
    job_id = (await completed(client, pretend_file(duration_s=20), options=options))["job_id"]
    async with service.working():
        found = await ended(client, job_id)
    assert (found["state"], found["error"]["code"], found["error"]["retryable"]) == ("failed", "invalid_options", False)
    assert found["error"]["message"] == "The clip starts at 30 s, and the file lasts 20.000 s: start it earlier."
    is_problem(await client.post(f"/jobs/{job_id}/retry"), 409, "job_not_retryable")


async def test_polling_an_unchanged_job_answers_304(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    tag = (await client.get(f"/jobs/{job_id}")).headers["etag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = await client.get(f"/jobs/{job_id}", headers={"if-none-match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    async with service.working():
        await ended(client, job_id)
    answer = await client.get(f"/jobs/{job_id}", headers={"if-none-match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


async def test_a_job_is_cancelled_once_however_often_it_is_asked(client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    for _ in range(2):
        answer = await client.post(f"/jobs/{job_id}/cancel")
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/jobs/{job_id}"
        assert wire.JobAnswer.model_validate_json(answer.content).state == "cancelled"


async def test_a_cancelled_job_can_be_retried(service: Service, client: httpx.AsyncClient) -> None:
    job_id = (await completed(client))["job_id"]
    await client.post(f"/jobs/{job_id}/cancel")
    answer = await client.post(f"/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json()["attempt"]) == (202, 2)
    async with service.working():
        assert (await ended(client, job_id))["state"] == "succeeded"
    is_problem(await client.post(f"/jobs/{job_id}/retry"), 409, "job_not_retryable")
    is_problem(await client.post(f"/jobs/{job_id}/cancel"), 409, "job_not_cancellable")


async def test_the_media_of_a_cancelled_job_says_so_until_it_is_tried_again(client: httpx.AsyncClient) -> None:
    done = await completed(client)
    await client.post(f"/jobs/{done['job_id']}/cancel")
    found = (await client.get(f"/media/{done['media_id']}")).json()
    assert (found["state"], found["error"]["code"], found["error"]["retryable"]) == ("failed", "job_cancelled", True)
    assert found["error"]["message"] == "Its job was cancelled: retry the job, and it is processed after all."
    (listed,) = (await client.get("/media")).json()["media"]
    assert listed["error"] == found["error"]
    await client.post(f"/jobs/{done['job_id']}/retry")
    again = (await client.get(f"/media/{done['media_id']}")).json()
    assert (again["state"], again["error"]) == ("processing", None)


async def test_a_running_job_is_cancelled_when_its_tasks_have_stopped() -> None:
    service = a_service(engine=PretendEngine(speed=0.001))
    async with service.client() as client, service.working():
        job_id = (await completed(client))["job_id"]
        while (await client.get(f"/jobs/{job_id}")).json()["state"] != "running":
            continue
        answer = await client.post(f"/jobs/{job_id}/cancel")
        assert answer.json()["state"] in ("cancelling", "cancelled")
        cancelled = await ended(client, job_id)
        assert cancelled["state"] == "cancelled"
        media = (await client.get(f"/media/{cancelled['media_id']}")).json()
        assert (media["state"], media["error"]["code"]) == ("failed", "job_cancelled")


async def test_jobs_are_listed_page_by_page_the_newest_first(client: httpx.AsyncClient) -> None:
    made = []
    for _ in range(5):
        made.append((await completed(client))["job_id"])
        await anyio.sleep(0.002)  # of two that begin in one millisecond an id does not tell which was first
    seen: list[str] = []
    path: str | None = "/jobs?limit=2"
    while path is not None:
        answer = await client.get(path)
        page = wire.JobList.model_validate_json(answer.content)
        seen += [job.job_id for job in page.jobs]
        assert ("link" in answer.headers) == (page.cursor is not None)
        path = answer.links["next"]["url"] if page.cursor else None
    assert seen == made[::-1]


async def test_jobs_are_filtered_by_state_and_kind(client: httpx.AsyncClient) -> None:
    first, second = [(await completed(client))["job_id"] for _ in range(2)]
    await client.post(f"/jobs/{first}/cancel")

    async def listed(query: str) -> list[str]:
        return [job["job_id"] for job in (await client.get(f"/jobs?{query}")).json()["jobs"]]

    assert await listed("state=cancelled") == [first]
    assert await listed("state=created") == [second]
    assert await listed("kind=process&state=created") == [second]
    assert await listed("kind=other") == []


@pytest.mark.parametrize("query", ["state=created&", "kind=other&", ""])
async def test_a_cursor_is_for_the_list_and_the_owner_it_was_given_to(service: Service, query: str) -> None:
    async with service.client() as client, service.client("grace") as other:
        for _ in range(2):
            await completed(client)
        cursor = (await client.get("/jobs?kind=process&limit=1")).json()["cursor"]
        assert (await client.get(f"/jobs?kind=process&cursor={cursor}")).status_code == 200
        is_problem(await client.get(f"/jobs?{query}cursor={cursor}"), 422, "invalid_request")
        is_problem(await other.get(f"/jobs?kind=process&cursor={cursor}"), 422, "invalid_request")


async def test_a_page_is_never_longer_than_allowed() -> None:
    service = a_service(limits=Limits(page_items_default=1, page_items_max=2))
    async with service.client() as client:
        for _ in range(3):
            await completed(client)
        assert len((await client.get("/jobs")).json()["jobs"]) == 1
        is_problem(await client.get("/jobs?limit=3"), 422, "invalid_request")


async def test_all_that_is_wrong_with_a_list_is_said_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.get("/jobs?state=lost&limit=0")
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/state", "/limit"]
