"""Models in a deployment's bucket: put there by the command, read by a worker with no more rights than it is given."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.models import model_store
from smmu.adapters.embedded.system import SystemClock
from smmu.adapters.speech.kept import bring, keep
from smmu.domain.limits import MIB
from smmu.ports.errors import NotFound
from smmu.ports.objects import ObjectStore
from tests.support.aws.cloud import machine_of, settings_of
from tests.support.aws.moto import account
from tests.support.aws.policies import Asked, allows
from tests.support.aws.trail import trail
from tests.support.infra import policy
from tests.support.served import smmu
from tests.support.speech import nominal_model

LARGE = bytes(17 * MIB)  # more than is sent in one request


@pytest.fixture
def models(clients: Clients, resources: Resources) -> ObjectStore:
    store = model_store(clients, resources, SystemClock())
    assert store is not None
    return store


async def test_a_deployment_without_a_bucket_has_no_models(clients: Clients, resources: Resources) -> None:
    assert model_store(clients, replace(resources, models_bucket=""), SystemClock()) is None


async def test_a_model_comes_out_as_it_was_put(models: ObjectStore, tmp_path: Path) -> None:
    there = nominal_model(tmp_path / "tiny", LARGE)
    await keep(models, there, lambda _done, _total: None)
    assert (there / "model.bin").stat().st_size == len(LARGE)
    found = await bring(models, "tiny", tmp_path / "models")
    assert (found / "model.bin").read_bytes() == LARGE


async def test_a_model_that_is_not_there_is_told(models: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="smmu models fetch tiny --deploy"):
        await bring(models, "tiny", tmp_path / "models")


async def test_a_worker_asks_for_no_more_than_its_policy_allows(
    models: ObjectStore, resources: Resources, tmp_path: Path
) -> None:
    await keep(models, nominal_model(tmp_path / "tiny"), lambda _done, _total: None)
    with trail() as seen:
        await bring(models, "tiny", tmp_path / "models")
        with pytest.raises(NotFound):
            await bring(models, "base", tmp_path / "models")
    asked = [request for one in seen.seen for request in one.asked]
    arn = f"arn:aws:s3:::{resources.models_bucket}"
    granted = policy("reads_model", names={"${local.models}": arn, "local.models": arn, "${var.speech_model}": "tiny"})
    of_tiny = [one for one in asked if "/models/base/" not in one.resource]
    assert len(of_tiny) > 5
    assert [one for one in of_tiny if not allows(granted, one)] == []
    assert not any(allows(granted, one) for one in asked if one not in of_tiny)
    for action, key in (("GetObject", "models/small/model.json"), ("PutObject", "models/tiny/model.json")):
        assert not allows(granted, Asked(action=f"s3:{action}", resource=f"{arn}/{key}"))


async def test_one_command_brings_a_model_to_the_deployment_that_the_settings_name(
    models: ObjectStore, resources: Resources, tmp_path: Path
) -> None:
    there = nominal_model(tmp_path / "here" / "tiny")
    told: dict[str, Any] = {**machine_of(account(), tmp_path / "scratch"), **settings_of(account(), resources)}
    told["SMMU_SPEECH__MODELS"] = str(there.parent)
    done = await to_thread.run_sync(partial(smmu, "models", "fetch", "tiny", "--deploy", **told))
    assert (done.status, done.out) == (0, f"{there}\n"), done.err
    assert (await bring(models, "tiny", tmp_path / "models")).is_dir()
