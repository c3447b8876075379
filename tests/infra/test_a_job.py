"""A job, from a client's file to its renditions, on the resources that Terraform has made, with what it tells them.

Real are the resources' names, keys, index, queue, state machine and task definitions as applied; the handlers, the
variables and the filter are those that were applied, too. What brings events and runs processes is that of
tests/support/aws/cloud.py, because moto invokes no function of ours (mended_control.py).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smmu.adapters.aws.account import Resources
from smmu.client.client import open_client
from smmu.ports.queue import Topic
from tests.infra.conftest import NEEDS_TERRAFORM, Made
from tests.support.aws.cloud import HANDLERS, Cloud, Stage, deployed
from tests.support.aws.clusters import Cluster
from tests.support.aws.errands import done, uploaded
from tests.support.media import clip

pytestmark = NEEDS_TERRAFORM

_RESOURCES = ("raw_bucket", "processed_bucket", "jobs_table", "uploads_table", "media_table", "dead_letters")


@pytest.fixture
def cloud(made: Made, tmp_path: Path) -> Iterator[Cloud]:
    with deployed(tmp_path, _stage(made)) as opened:
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
    )


def _told_to_the_api(made: Made) -> dict[str, Any]:
    ecs = made.client("ecs")
    (service,) = ecs.describe_services(cluster="smmu-dev", services=["api"])["services"]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    return {one["name"]: one["value"] for one in container["environment"]}


async def test_a_film_becomes_its_renditions_on_what_terraform_made(cloud: Cloud, tmp_path: Path) -> None:
    async with open_client(cloud.url, cloud.token()) as client:
        job_id = await uploaded(client, clip(tmp_path / "clip.mp4", seconds=2, size=(640, 360)))
        ended = await done(client, job_id)
        media = await client.media.get(ended.media_id)
    assert media.manifest is not None
    assert {"hls", "mp4", "poster"} <= {rendition.name for rendition in media.manifest.renditions}
    assert {container.exit_code for container in cloud.containers.known.values()} == {0}
