"""Media over HTTP: look, list, rename, open, delete every byte."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from smmu import wire
from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.domain.facts import Kind
from smmu.domain.manifest import Rendition
from tests.support.service import CLIP, Service, a_service, completed, ended, is_problem


@pytest.fixture
async def media(service: Service, client: httpx.AsyncClient) -> dict[str, Any]:
    """What was made of a clip."""
    made = await completed(client, metadata={"album": "été"})
    async with service.working():
        await ended(client, made["job_id"])
    found: dict[str, Any] = (await client.get(f"/media/{made['media_id']}")).json()
    return found


async def test_a_media_shows_its_source_and_its_manifest(client: httpx.AsyncClient, media: dict[str, Any]) -> None:
    answer = await client.get(f"/media/{media['media_id']}")
    found = wire.MediaAnswer.model_validate_json(answer.content)
    assert (found.state, found.playable, found.filename) == ("ready", True, "clip.mp4")
    assert found.metadata == {"album": "été"}
    assert found.source["size"] == len(CLIP)
    assert found.classification["kind"] == "video"
    assert found.manifest is not None
    assert found.manifest.revision == 1
    assert "poster" in {rendition.name for rendition in found.manifest.renditions}


@pytest.mark.parametrize("wished", [True, False])
async def test_where_a_picture_was_taken_is_kept_nowhere_unless_that_is_wished(
    service: Service, client: httpx.AsyncClient, *, wished: bool
) -> None:
    data = pretend_file(Kind.IMAGE, latitude=-33.859217, longitude=151.2)
    made = await completed(client, data, filename="a.png", content_type="image/png", options={"read_metadata": wished})
    async with service.working():
        await ended(client, made["job_id"])
    answer = await client.get(f"/media/{made['media_id']}")
    assert (b"-33.859217" in answer.content) == wished
    assert (answer.json()["source"]["tags"] is not None) == wished
    records = [row.data for shelf in service.world.records.values() for row in shelf.rows.values()]
    objects = [row.data for row in service.world.objects.rows.values() if row.data != data]
    assert any(b"-33.859217" in one for one in (*records, *objects)) == wished


class Damaged(PretendEngine):
    """Its source is: what it makes tells of packets that nobody could decode."""

    async def render(self, *order: Any) -> tuple[Rendition, ...]:
        made = await PretendEngine.render(self, *order)
        return tuple(replace(one, proof=replace(one.proof, measures={"source_packets_undecodable": 3})) for one in made)


async def test_a_media_says_what_was_damaged_in_its_source() -> None:
    service = a_service(engine=Damaged(speed=None))
    async with service.client() as client:
        made = await completed(client)
        async with service.working():
            await ended(client, made["job_id"])
        known = (await service.system.library.get("ada", made["media_id"])).value
    assert known.manifest is not None
    document = json.loads(
        await (await service.system.platform.objects.open(known.manifest)).read(0, known.manifest.size)
    )
    assert [one["reason"] for one in document["plan"]["decisions"] if one["choice"] == "damaged"] == [
        "3 packets of it could not be decoded: that much is missing"
    ]


async def test_a_media_without_a_manifest_has_nothing_that_exists(client: httpx.AsyncClient) -> None:
    made = await completed(client)
    found = (await client.get(f"/media/{made['media_id']}")).json()
    assert (found["state"], found["playable"], found["manifest"]) == ("processing", False, None)
    assert found["source"] == {"filename": "clip.mp4", "size": len(CLIP), "content_type": "video/mp4"}


async def test_a_rendition_is_told_with_the_size_of_its_file_and_of_all_its_files(
    client: httpx.AsyncClient, media: dict[str, Any]
) -> None:
    link = f"/media/{media['media_id']}/renditions/manifest"
    manifest = (await client.get(link, follow_redirects=True)).json()
    listed = {one["name"]: one for one in manifest["renditions"]}
    for one in media["manifest"]["renditions"]:
        known = listed[one["name"]]
        assert {name: one[name] for name in ("path", "size", "sha256")} == {
            name: known[name] for name in ("path", "size", "sha256")
        }
        assert one["size_total"] == known.get("size_total", known["size"])
    assert any(one["size_total"] > one["size"] for one in media["manifest"]["renditions"])


async def test_a_media_that_is_rejected_says_why(service: Service, client: httpx.AsyncClient) -> None:
    made = await completed(client, pretend_file(refuse="rejected_corrupt"))
    async with service.working():
        job = await ended(client, made["job_id"])
    found = (await client.get(f"/media/{made['media_id']}")).json()
    assert (found["state"], found["error"]) == ("rejected", job["error"])
    assert (found["error"]["code"], found["error"]["retryable"]) == ("rejected_corrupt", False)
    assert job["filename"] == found["filename"] == "clip.mp4"


async def test_an_unchanged_media_answers_304(client: httpx.AsyncClient, media: dict[str, Any]) -> None:
    path = f"/media/{media['media_id']}"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-none-match": tag})).status_code == 304
    await client.patch(path, json={"filename": "b.mp4"})
    assert (await client.get(path, headers={"if-none-match": tag})).status_code == 200


async def test_renaming_changes_only_what_is_given(client: httpx.AsyncClient, media: dict[str, Any]) -> None:
    path = f"/media/{media['media_id']}"
    answer = await client.patch(path, json={"filename": "Größe 😀.mp4"})
    assert answer.status_code == 200
    assert (answer.json()["filename"], answer.json()["metadata"]) == ("Größe 😀.mp4", {"album": "été"})
    answer = await client.patch(path, json={"metadata": {}})
    assert (answer.json()["filename"], answer.json()["metadata"]) == ("Größe 😀.mp4", {})
    assert answer.headers["etag"] == (await client.get(path)).headers["etag"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"filename": "../x"}, "invalid_filename"),
        ({"filename": ""}, "invalid_filename"),
        ({"metadata": {"": "x"}}, "invalid_metadata"),
        ({"filename": 1}, "invalid_request"),
        ({"state": "ready"}, "invalid_request"),
    ],
)
async def test_a_bad_change_changes_nothing(
    client: httpx.AsyncClient, media: dict[str, Any], body: Any, code: str
) -> None:
    path = f"/media/{media['media_id']}"
    is_problem(await client.patch(path, json=body), 422, code)
    assert (await client.get(path)).json() == media


async def test_nothing_is_changed_that_was_not_seen(client: httpx.AsyncClient, media: dict[str, Any]) -> None:
    path = f"/media/{media['media_id']}"
    old = (await client.get(path)).headers["etag"]
    first = await client.patch(path, json={"filename": "b.mp4"}, headers={"if-match": old})
    assert first.status_code == 200
    for stale in (old, '"nonsense"', f"W/{first.headers['etag']}", '"v1", "v2"'):
        answer = await client.patch(path, json={"filename": "c.mp4"}, headers={"if-match": stale})
        is_problem(answer, 412, "precondition_failed")
        is_problem(await client.delete(path, headers={"if-match": stale}), 412, "precondition_failed")
    for fine in ("*", f"{old}, {first.headers['etag']}"):
        tag = (await client.get(path)).headers["etag"]
        answer = await client.patch(
            path, json={"metadata": {}}, headers={"if-match": fine.replace(first.headers["etag"], tag)}
        )
        assert answer.status_code == 200


async def test_media_are_listed_without_those_that_were_deleted(client: httpx.AsyncClient) -> None:
    made = [(await completed(client))["media_id"] for _ in range(4)]
    await client.delete(f"/media/{made[2]}")
    seen: list[str] = []
    path: str | None = "/media?limit=1"
    while path is not None:
        answer = await client.get(path)
        seen += [item.media_id for item in wire.MediaList.model_validate_json(answer.content).media]
        path = answer.links["next"]["url"] if "next" in answer.links else None
    assert seen == [made[3], made[1], made[0]]
    assert (await client.get("/media?state=ready")).json() == {"media": [], "cursor": None}
    is_problem(await client.get("/media?state=deleted"), 422, "invalid_request")


async def test_a_rendition_is_at_a_signed_address(client: httpx.AsyncClient, media: dict[str, Any]) -> None:
    answer = await client.get(f"/media/{media['media_id']}/renditions/poster")
    assert (answer.status_code, answer.content) == (307, b"")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["location"].startswith("http://service.test/blobs/")
    record = next(r for r in media["manifest"]["renditions"] if r["name"] == "poster")
    found = await client.get(answer.headers["location"])
    assert (found.status_code, len(found.content)) == (200, record["size"])
    assert found.headers["content-type"] == record["content_type"]


async def test_the_uploaded_file_is_given_back_under_its_name(client: httpx.AsyncClient, media: dict[str, Any]) -> None:
    await client.patch(f"/media/{media['media_id']}", json={"filename": 'Grö"ße, 50 %.mp4'})
    answer = await client.get(f"/media/{media['media_id']}/renditions/source")
    found = await client.get(answer.headers["location"])
    assert found.content == CLIP
    assert found.headers["content-disposition"] == (
        "attachment; filename=\"Gr___e, 50 _.mp4\"; filename*=UTF-8''Gr%C3%B6%22%C3%9Fe%2C%2050%20%25.mp4"
    )


async def test_a_rendition_that_is_in_no_manifest_does_not_exist(
    client: httpx.AsyncClient, media: dict[str, Any]
) -> None:
    is_problem(await client.get(f"/media/{media['media_id']}/renditions/8640p"), 404, "not_found")


async def test_deleting_removes_every_byte(service: Service, client: httpx.AsyncClient, media: dict[str, Any]) -> None:
    path = f"/media/{media['media_id']}"
    signed = (await client.get(f"{path}/renditions/source")).headers["location"]
    answer = await client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(service.world.objects.rows) == 0
    for gone in (await client.get(path), await client.delete(path), await client.get(f"{path}/renditions/source")):
        is_problem(gone, 404, "not_found")
    is_problem(await client.get(signed), 404, "not_found")
