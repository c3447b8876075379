"""Uploading over HTTP: begin, send, look, sign again, complete, abort."""

from typing import Any

import anyio
import httpx
import pytest

from smmu import wire
from smmu.adapters.inmemory.system import FixedClock
from smmu.domain.errors import Code
from smmu.domain.limits import MIB, Limits
from tests.support.service import (
    CLIP,
    Service,
    a_request,
    a_service,
    begun,
    completed,
    is_problem,
    sent,
)

SMALL_PARTS = Limits(single_bytes_max=MIB, part_bytes_preferred=5 * MIB)


async def test_an_upload_begins_with_its_signed_parts(client: httpx.AsyncClient) -> None:
    answer = await client.post("/media/upload/init", json=a_request())
    assert answer.status_code == 201
    found = wire.InitAnswer.model_validate_json(answer.content)
    assert answer.headers["location"] == f"/media/upload/{found.upload_id}"
    assert (found.state, found.method, found.part_size, found.part_count) == ("open", "single", len(CLIP), 1)
    assert [(part.number, part.size) for part in found.parts] == [(1, len(CLIP))]
    assert found.parts[0].url.startswith("http://service.test/blobs/")
    assert found.server_time < found.parts[0].expires_at < found.expires_at


async def test_without_a_size_a_first_batch_is_signed_and_the_rest_when_it_is_wanted(client: httpx.AsyncClient) -> None:
    upload = await begun(client, size=None)
    assert [part["number"] for part in upload["parts"]] == [*range(1, Limits().parts_signed_unsized + 1)]
    more = {"numbers": [len(upload["parts"]) + 1]}
    answer = await client.post(f"/media/upload/{upload['upload_id']}/parts", json=more)
    assert [part["number"] for part in answer.json()["parts"]] == more["numbers"]


async def test_addresses_are_those_of_the_public_url() -> None:
    service = a_service(public_url="https://media.example.com/api/")
    async with service.client() as client:
        upload = await begun(client)
    assert upload["parts"][0]["url"].startswith("https://media.example.com/api/blobs/")


async def test_every_reason_of_a_refusal_is_listed(service: Service, client: httpx.AsyncClient) -> None:
    bad = a_request(filename="../x.mp4", size=0, content_type="application/zip", options={"nope": 1})
    answer = await client.post("/media/upload/init", json=bad)
    found = is_problem(answer, 422, "invalid_filename")
    assert [error["pointer"] for error in found["errors"]] == ["/filename", "/size", "/content_type", "/options/nope"]
    assert service.stored() == 0


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"size": 0}, 422, "file_empty"),
        ({"size": -1}, 422, "invalid_size"),
        ({"size": 2**50}, 413, "file_too_large"),
        ({"content_type": "application/zip"}, 415, "type_not_admitted"),
        ({"filename": "a/b.mp4"}, 422, "invalid_filename"),
        ({"checksum": {"algorithm": "sha256", "value": "!"}}, 422, "invalid_checksum"),
        ({"metadata": {"k": "v" * 9_000}}, 422, "invalid_metadata"),
        ({"options": {"preset": "best"}}, 422, "invalid_options"),
        ({"options": {"rungs": [241]}}, 422, "invalid_options"),
        ({"options": {"clip_start_s": 2, "clip_end_s": 1}}, 422, "invalid_options"),
    ],
)
async def test_a_refusal_has_its_status(
    service: Service, client: httpx.AsyncClient, changed: dict[str, Any], status: int, code: str
) -> None:
    is_problem(await client.post("/media/upload/init", json=a_request(**changed)), status, code)
    assert service.stored() == 0


async def test_the_upload_tells_what_has_arrived_and_what_is_missing() -> None:
    service = a_service(limits=SMALL_PARTS)
    data = CLIP.ljust(11 * MIB, b"\x00")
    async with service.client() as client:
        upload = await begun(client, data)
        await client.put(upload["parts"][1]["url"], content=data[5 * MIB : 10 * MIB])
        answer = await client.get(f"/media/upload/{upload['upload_id']}")
    found = wire.UploadAnswer.model_validate_json(answer.content)
    assert [(part.number, part.size) for part in found.parts] == [(2, 5 * MIB)]
    assert found.missing == [1, 3]
    assert (found.filename, found.size, found.job_id) == ("clip.mp4", 11 * MIB, None)


async def test_parts_are_signed_again() -> None:
    service = a_service(limits=SMALL_PARTS)
    async with service.client() as client:
        upload = await begun(client, CLIP.ljust(11 * MIB, b"\x00"))
        answer = await client.post(f"/media/upload/{upload['upload_id']}/parts", json={"numbers": [3, 1]})
        found = wire.PartsAnswer.model_validate_json(answer.content)
        wrong = await client.post(f"/media/upload/{upload['upload_id']}/parts", json={"numbers": [1, 9]})
    assert [(part.number, part.size) for part in found.parts] == [(3, MIB), (1, 5 * MIB)]
    assert is_problem(wrong, 422, "invalid_part")["errors"][0]["pointer"] == "/numbers/1"


async def test_completing_makes_one_job_however_often_it_is_asked(client: httpx.AsyncClient) -> None:
    upload = await sent(client)
    answers: list[httpx.Response] = []

    async def complete() -> None:
        answers.append(await client.post("/media/upload/complete", json={"upload_id": upload["upload_id"]}))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(complete)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    found = wire.CompleteAnswer.model_validate_json(answers[0].content)
    assert answers[0].headers["location"] == f"/jobs/{found.job_id}"
    assert int(answers[0].headers["retry-after"]) >= 1
    assert found.media_id == upload["media_id"]
    assert len((await client.get("/jobs")).json()["jobs"]) == 1


async def test_an_incomplete_upload_says_what_is_missing_and_stays_open(client: httpx.AsyncClient) -> None:
    upload = await begun(client)
    answer = await client.post("/media/upload/complete", json={"upload_id": upload["upload_id"]})
    assert "1" in is_problem(answer, 409, "upload_incomplete")["detail"]
    assert (await client.get(f"/media/upload/{upload['upload_id']}")).json()["state"] == "open"


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x93\x01\x02\xfe" * 99, "type_unrecognised"), (b"%PDF-1.7\n" + b"\n" * 500, "type_mismatch")],
)
async def test_bytes_of_another_type_are_refused_for_good(client: httpx.AsyncClient, data: bytes, code: str) -> None:
    upload = await sent(client, data)
    wanted = {"upload_id": upload["upload_id"]}
    for _ in range(2):
        is_problem(await client.post("/media/upload/complete", json=wanted), 422, code)
    found = (await client.get(f"/media/upload/{upload['upload_id']}")).json()
    assert found["state"] == "rejected"
    assert found["errors"][0]["code"] == code
    again = await client.post(f"/media/upload/{upload['upload_id']}/parts", json={"numbers": [1]})
    is_problem(again, 422, code)


async def test_what_was_stored_is_not_a_request_of_a_wrong_type(client: httpx.AsyncClient) -> None:
    upload = await sent(client, b"%PDF-1.7\n" + b"\n" * 500, filename="clip", content_type="")
    answer = await client.post("/media/upload/complete", json={"upload_id": upload["upload_id"]})
    is_problem(answer, 422, "type_not_admitted")


async def test_a_wrong_checksum_is_refused(client: httpx.AsyncClient) -> None:
    upload = await sent(client)
    wrong = {"upload_id": upload["upload_id"], "checksum": {"algorithm": "crc32c", "value": "AAAAAA=="}}
    is_problem(await client.post("/media/upload/complete", json=wrong), 422, "checksum_mismatch")


async def test_a_part_that_is_another_one_is_named(client: httpx.AsyncClient) -> None:
    upload = await sent(client)
    wrong = {"upload_id": upload["upload_id"], "parts": [{"number": 1, "etag": '"other"'}]}
    answer = await client.post("/media/upload/complete", json=wrong)
    assert is_problem(answer, 409, "upload_incomplete")["errors"][0]["pointer"] == "/parts/0/etag"


async def test_an_aborted_upload_answers_every_call_with_just_that(client: httpx.AsyncClient) -> None:
    upload_id = (await sent(client))["upload_id"]
    assert (await client.delete(f"/media/upload/{upload_id}")).status_code == 204
    assert (await client.delete(f"/media/upload/{upload_id}")).status_code == 204
    for answer in await every_other_call(client, upload_id):
        is_problem(answer, 409, "upload_aborted")


async def test_an_expired_upload_answers_every_call_with_just_that() -> None:
    clock = FixedClock()
    service = a_service(clock=clock)
    async with service.client() as client:
        upload_id = (await begun(client))["upload_id"]
        clock.advance(service.system.limits.upload_seconds + 1)
        for answer in await every_other_call(client, upload_id):
            is_problem(answer, 410, "upload_expired")


async def every_other_call(client: httpx.AsyncClient, upload_id: str) -> list[httpx.Response]:
    return [
        await client.get(f"/media/upload/{upload_id}"),
        await client.post(f"/media/upload/{upload_id}/parts", json={"numbers": [1]}),
        await client.post("/media/upload/complete", json={"upload_id": upload_id}),
    ]


async def test_a_completed_upload_cannot_be_aborted(client: httpx.AsyncClient) -> None:
    upload = await completed(client)
    is_problem(await client.delete(f"/media/upload/{upload['upload_id']}"), 409, "upload_completed")
    found = (await client.get(f"/media/upload/{upload['upload_id']}")).json()
    assert (found["state"], found["job_id"]) == ("completed", upload["job_id"])


async def test_a_quota_that_is_used_up_says_what_it_is_and_what_is_left() -> None:
    service = a_service(limits=Limits(owner_bytes_max=len(CLIP) + 10))
    async with service.client() as client:
        await begun(client)
        answer = await client.post("/media/upload/init", json=a_request())
    found = is_problem(answer, 429, Code.QUOTA_EXCEEDED)
    assert found["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["ratelimit-policy"].startswith(f'"bytes";q={len(CLIP) + 10};qu="content-bytes"')
    assert answer.headers["ratelimit"].startswith('"bytes";r=10')


# --- Idempotency-Key


@pytest.mark.parametrize("key", ['"8e03978e-40d5"', "8e03978e-40d5", '"a \\"quoted\\" word"', '"' + "k" * 255 + '"'])
async def test_a_key_makes_one_upload_of_two_requests(client: httpx.AsyncClient, key: str) -> None:
    first, second = [
        await client.post("/media/upload/init", json=a_request(), headers={"idempotency-key": key}) for _ in range(2)
    ]
    assert first.json()["upload_id"] == second.json()["upload_id"]
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert (await client.put(second.json()["parts"][0]["url"], content=CLIP)).status_code == 200


async def test_a_key_is_the_same_with_and_without_quotes_and_however_the_body_is_written(
    client: httpx.AsyncClient,
) -> None:
    body = b'{"size": 2000,\n "content_type": "video/mp4", "filename": "clip.mp4"}'
    first = await client.post("/media/upload/init", json=a_request(), headers={"idempotency-key": "k-1"})
    second = await client.post("/media/upload/init", content=body, headers={"idempotency-key": '"k-1"'})
    assert first.json()["upload_id"] == second.json()["upload_id"]


async def test_a_key_used_for_another_request_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-1"}
    await client.post("/media/upload/init", json=a_request(), headers=headers)
    answer = await client.post("/media/upload/init", json=a_request(filename="b.mp4"), headers=headers)
    is_problem(answer, 422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", '""', '"' + "k" * 256 + '"', "k" * 256, '"open', "two words", "gr\xfc\xdfe"])
async def test_what_is_no_key_is_refused(service: Service, client: httpx.AsyncClient, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    answer = await client.post("/media/upload/init", json=a_request(), headers=headers)
    is_problem(answer, 422, "invalid_request")
    assert service.stored() == 0


async def test_owners_keys_do_not_meet(service: Service, client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-1"}
    mine = await client.post("/media/upload/init", json=a_request(), headers=headers)
    async with service.client("grace") as other:
        theirs = await other.post("/media/upload/init", json=a_request(), headers=headers)
    assert theirs.status_code == 201
    assert mine.json()["upload_id"] != theirs.json()["upload_id"]
