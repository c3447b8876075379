"""A real worker asks for nothing that its session may not do, and for nothing at all outside of one.

All that arrives at the stand-in while jobs are done is judged by the policies of infra/, which the stand-in does not
look at.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from smmu.client.client import open_client
from smmu.domain.keys import owner_segment
from tests.support.aws.cloud import WORKER_KEY, Cloud
from tests.support.aws.errands import done, uploaded
from tests.support.aws.moto import REGION
from tests.support.aws.policies import Asked, allows, tagged
from tests.support.aws.trail import Seen, trail
from tests.support.infra import policy
from tests.support.media import clip, photo

pytestmark = [pytest.mark.slow, pytest.mark.served, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def seen(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """The requests of two owners' jobs, one after the other; one owner is no key segment as it is."""
    folder = tmp_path_factory.mktemp("narrowing")
    film = clip(folder / "clip.mp4", seconds=31, size=(64, 48))  # two chunks
    picture = photo(folder / "photo.jpg", size=(64, 48))

    async def ended(owner: str, file: Path, **options: Any) -> str:
        async with open_client(cloud.url, cloud.token(owner)) as client:
            job = await done(client, await uploaded(client, file, **options))
        assert job.state == "succeeded"
        return job.media_id

    async def work() -> None:
        picture_id = await ended("ada", picture)
        await ended("ada", film, watermark={"image": picture_id})
        await _picture_of(cloud, "auth0|64f1c", await ended("auth0|64f1c", picture))

    with trail() as found:
        anyio.run(work)
    return found.seen


async def _picture_of(cloud: Cloud, owner: str, media_id: str) -> None:
    """One on request, which the function that renders makes: it is a worker as well."""
    headers = {"authorization": f"Bearer {cloud.token(owner)}"}
    async with httpx.AsyncClient(base_url=cloud.url, headers=headers, timeout=60) as http:
        answer = await http.get(f"/media/{media_id}/image", params={"w": 64, "format": "jpeg"})
    assert answer.status_code == 307, answer.text
    async with httpx.AsyncClient() as http:
        assert (await http.get(answer.headers["location"])).headers["content-type"] == "image/jpeg"


def session_policy(cloud: Cloud) -> list[dict[str, Any]]:
    names = {
        "${local.raw}": f"arn:aws:s3:::{cloud.named.raw_bucket}",
        "${local.processed}": f"arn:aws:s3:::{cloud.named.processed_bucket}",
        "local.processed": f"arn:aws:s3:::{cloud.named.processed_bucket}",
        'aws_dynamodb_table.records["jobs"].arn': f"arn:aws:dynamodb:{REGION}:123456789012:table/{cloud.named.jobs_table}",
    }
    return policy("works_on_attempt", "keeps_jobs_of_owner", "makes_pictures", names=names)


def sessions(seen: Sequence[Seen]) -> dict[str, tuple[Seen, list[Asked]]]:
    """What was asked in each session, by its key, with how it was begun."""
    found: dict[str, tuple[Seen, list[Asked]]] = {}
    begun: list[Seen] = []
    for one in seen:
        if one.key_id == WORKER_KEY:
            begun.append(one)
        elif one.key_id.startswith("ASIA"):
            if one.key_id not in found:
                found[one.key_id] = (begun[-1], [])
            found[one.key_id][1].extend(one.asked)
    return found


def test_a_worker_itself_does_nothing_but_begin_sessions(seen: list[Seen]) -> None:
    own = [one for one in seen if one.key_id == WORKER_KEY]
    assert {one.operation for one in own} == {"sts:AssumeRole"}
    assert {one.tags["owner"] for one in own} == {owner_segment(owner) for owner in ("ada", "auth0|64f1c")}
    assert len(own) == len(sessions(seen)) >= 4


def test_who_makes_a_picture_on_request_has_no_attempts_files(cloud: Cloud, seen: list[Seen]) -> None:
    (asked,) = [asked for begun, asked in sessions(seen).values() if begun.tags["attempt"] == "0"]
    assert len(cloud.functions["render"].seconds) == 1
    assert {one.action for one in asked} == {"s3:GetObjectVersion", "s3:PutObject"}
    made = [one.resource for one in asked if one.action == "s3:PutObject"]
    assert [resource.rpartition("/")[0].rpartition("/")[2] for resource in made] == ["variants"]


def test_whatever_it_does_in_a_session_the_policy_allows(cloud: Cloud, seen: list[Seen]) -> None:
    statements = session_policy(cloud)
    assert all(one.asked for one in seen if one.key_id.startswith("ASIA"))
    for begun, asked in sessions(seen).values():
        refused = [one for one in asked if not allows(statements, _by(one, begun.tags))]
        assert refused == [], begun.tags


def test_every_session_that_makes_frames_reads_the_picture_that_is_laid_over_them(seen: list[Seen]) -> None:
    sources = [{one.resource for one in asked if "/source" in one.resource} for _, asked in sessions(seen).values()]
    both = [read for read in sources if len(read) > 1]
    assert len(both) == 4, "two chunks, their join, the poster"
    assert len(set[str]().union(*both)) == 2, "the film, and the picture that was sent before it"


def test_with_the_tags_of_another_it_could_do_none_of_it(cloud: Cloud, seen: list[Seen]) -> None:
    statements = session_policy(cloud)
    for begun, asked in sessions(seen).values():
        tags = {**begun.tags, "owner": "grace"}
        assert [one for one in asked if allows(statements, _by(one, tags))] == []


def test_it_does_all_that_the_policy_has_words_for(cloud: Cloud, seen: list[Seen]) -> None:
    """But for giving up a file that is sent in parts, and reading without a version."""
    did = {one.action for _, asked in sessions(seen).values() for one in asked}
    named = {action for one in session_policy(cloud) for action in one["Action"]}
    assert named - did == {"s3:AbortMultipartUpload", "s3:GetObject"}


def _by(asked: Asked, tags: Any) -> Asked:
    return Asked(action=asked.action, resource=asked.resource, context={**asked.context, **tagged(tags)})
