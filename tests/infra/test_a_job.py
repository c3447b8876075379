"""A job, from a client's file to its renditions, on the resources that Terraform has made, with what it tells them.

Real are the resources' names, keys, index, queue, state machine and task definitions as applied; the handlers, the
variables and the filter are those that were applied, too. What brings events and runs processes is that of
tests/support/aws/cloud.py, because moto invokes no function of ours (mended_control.py).
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from smmu.adapters.aws.account import Resources, open_clients
from smmu.adapters.aws.models import model_store
from smmu.adapters.embedded.system import SystemClock
from smmu.adapters.inmemory.system import FixedClock
from smmu.adapters.speech.kept import keep
from smmu.client.client import Client, open_client
from smmu.ports.queue import Topic
from tests.infra.conftest import NEEDS_TERRAFORM, Made
from tests.support.aws import moto
from tests.support.aws.cloud import HANDLERS, Cloud, Stage, deployed
from tests.support.aws.clusters import Cluster
from tests.support.aws.errands import PATIENCE, done, uploaded
from tests.support.media import clip, photo
from tests.support.speech import recorded, speak, tiny_model

pytestmark = NEEDS_TERRAFORM

_A_QUARTER_OF_AN_HOUR = 900
_RESOURCES = ("raw_bucket", "processed_bucket", "jobs_table", "uploads_table", "media_table", "dead_letters")


@pytest.fixture(scope="module")
def cloud(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with deployed(tmp_path_factory.mktemp("deployed"), _stage(made)) as opened:
        yield opened


def _stage(made: Made) -> Stage:
    known = {name: made.client("lambda").get_function(FunctionName=f"smmu-dev-{name}") for name in HANDLERS}
    functions = {name: one["Configuration"] for name, one in known.items()}
    told = {name: one["Environment"]["Variables"] for name, one in functions.items()}
    named = told["sweep"]
    (stream,) = made.mapping("relay")["FilterCriteria"]["Filters"]
    return Stage(
        named=Resources(
            **{name: named[f"SMMU_PLATFORM__{name.upper()}"] for name in _RESOURCES},
            queues={Topic.JOBS: named["SMMU_PLATFORM__JOBS_QUEUE"]},
            state_machine=named["SMMU_PLATFORM__STATE_MACHINE"],
            cluster=named["SMMU_PLATFORM__CLUSTER"],
        ),
        cluster=Cluster(named["SMMU_PLATFORM__CLUSTER"], "smmu-dev", "", ""),
        functions={name: one["FunctionArn"] for name, one in functions.items()},
        handlers={name: one["ImageConfigResponse"]["ImageConfig"]["Command"][0] for name, one in functions.items()},
        told={**told, "api": _told_to_the_api(made), "worker": {}},
        messages=stream["Pattern"],
        arrivals=made.client("sqs").get_queue_url(QueueName="smmu-dev-arrivals")["QueueUrl"],
    )


def _told_to_the_api(made: Made) -> dict[str, Any]:
    ecs = made.client("ecs")
    (service,) = ecs.describe_services(cluster="smmu-dev", services=["api"])["services"]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    return {one["name"]: one["value"] for one in container["environment"]}


async def test_a_film_becomes_its_renditions_on_what_terraform_made(cloud: Cloud, tmp_path: Path) -> None:
    async with open_client(cloud.url, cloud.token()) as client:
        job_id = await uploaded(client, clip(tmp_path / "clip.mp4", seconds=2, size=(640, 360), tone=False))
        ended = await done(client, job_id)
        media = await client.media.get(ended.media_id)
    assert media.manifest is not None
    assert {"hls", "mp4", "poster"} <= {rendition.name for rendition in media.manifest.renditions}
    assert {container.exit_code for container in cloud.containers.known.values()} == {0}


async def test_a_photo_is_small_and_needs_no_container_and_its_pictures_need_none_either(
    cloud: Cloud, tmp_path: Path
) -> None:
    before = set(cloud.containers.known)
    async with open_client(cloud.url, cloud.token()) as client:
        ended = await done(client, await uploaded(client, photo(tmp_path / "photo.jpg", size=(640, 480))))
        media = await client.media.get(ended.media_id)
        assert media.manifest is not None
        (wanted,) = [one for one in media.manifest.renditions if one.name == "image-320-jpeg"]
        await client.media.bring(ended.media_id, wanted, tmp_path / "out")
    headers = {"authorization": f"Bearer {cloud.token()}"}
    async with httpx.AsyncClient(base_url=cloud.url, headers=headers, timeout=60) as http:
        manifest = await http.get(f"/media/{ended.media_id}/renditions/manifest")
        picture = await http.get(f"/media/{ended.media_id}/image", params={"w": 64, "h": 64, "fit": "cover"})
    assert (ended.state, manifest.status_code, picture.status_code) == ("succeeded", 307, 307)
    async with httpx.AsyncClient() as http:
        told = (await http.get(manifest.headers["location"])).json()
        found = await http.get(picture.headers["location"])
    (choice,) = [one for one in told["plan"]["decisions"] if one["subject"] == "images"]
    assert choice["choice"] == "needs no machine of its own"
    assert "on Lambda" in choice["reason"]
    assert (found.headers["content-type"], found.content[8:12]) == ("image/webp", b"WEBP")
    assert set(cloud.containers.known) == before


async def test_what_is_said_is_written_down_with_the_model_of_the_deployments_bucket(
    cloud: Cloud, tmp_path: Path
) -> None:
    """The function that plans has no model; the worker finds its own where the deployment keeps it."""
    async with open_clients(moto.account()) as clients:
        models = model_store(clients, Resources(models_bucket="smmu-dev-models"), SystemClock())
        assert models is not None
        await keep(models, recorded(tiny_model(tmp_path / "tiny")), lambda _done, _total: None)
    async with open_client(cloud.url, cloud.token()) as client:
        job_id = await uploaded(client, speak(tmp_path / "voice.wav", pause=1.0))
        ended = await done(client, job_id)
        media = await client.media.get(ended.media_id)
        assert media.manifest is not None
        (wanted,) = [one for one in media.manifest.renditions if one.name == "transcript"]
        written = json.loads((await client.media.bring(ended.media_id, wanted, tmp_path / "out")).read_text())
    assert (written["engine"], written["language"]) == ("faster-whisper tiny", "en")
    assert written["voiced"]


async def test_a_file_whose_client_says_no_more_becomes_its_renditions_all_the_same(
    cloud: Cloud, tmp_path: Path
) -> None:
    """S3's event, the rule and the queue are the applied ones; the queue's delay is over when its clock says so."""
    taken = photo(tmp_path / "photo.jpg", size=(640, 480)).read_bytes()
    token = cloud.token("grace")
    wanted = {"filename": "photo.jpg", "size": len(taken), "content_type": "image/jpeg"}
    async with httpx.AsyncClient(base_url=cloud.url, headers={"authorization": f"Bearer {token}"}) as http:
        begun = (await http.post("/media/upload/init", json=wanted)).raise_for_status().json()
    (part,) = begun["parts"]
    async with httpx.AsyncClient() as http:
        (await http.put(part["url"], content=taken, headers=part["headers"])).raise_for_status()
    later = FixedClock(time.time() + _A_QUARTER_OF_AN_HOUR)  # noqa: TID251 - queues go by the machine's clock
    async with open_client(cloud.url, token) as client:
        assert (await client.jobs.list()).jobs == []
        with moto.keep_time(later):
            assert (await done(client, await _first_job(client))).state == "succeeded"


async def _first_job(client: Client) -> str:
    """The job of an owner who had none, once there is one."""
    with anyio.fail_after(PATIENCE):
        while True:
            known = (await client.jobs.list()).jobs
            if known:
                return known[0].job_id
            await anyio.sleep(0.1)
