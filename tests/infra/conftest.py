"""`environments/dev`, applied once against the stand-in, for all tests of what it made; its end is tested, too."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import terraform
from tests.support.aws import machines, mended_cloudfront, mended_control, moto
from tests.support.aws.cloud import harness_client
from tests.support.terraform import Workspace

_PLACE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
_DIGEST = f"sha256:{'0' * 64}"
VARIABLES: dict[str, Any] = {
    "region": moto.REGION,
    "images": {
        "functions": f"{_PLACE}/smmu-functions@{_DIGEST}",
        "workers": f"{_PLACE}/smmu-worker@{_DIGEST}",
        "transcribers": f"{_PLACE}/smmu-transcriber@{_DIGEST}",
        "api": f"{_PLACE}/smmu-api@{_DIGEST}",
    },
    "image_repository_arns": [
        f"arn:aws:ecr:{moto.REGION}:123456789012:repository/smmu-{name}" for name in ("worker", "transcriber", "api")
    ],
    "client_cidrs": ["192.0.2.0/24"],
    "origins": ["https://app.example"],
    "speech_model": "tiny",
    "render": {"seconds": 12, "concurrency": 4},
    "delivery": "signed-cookies",
    "delivery_site": {
        "domain": "cdn.acme.example",
        "cookie_domain": "acme.example",
        "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/site",
    },
}
NEEDS_TERRAFORM = [
    pytest.mark.terraform,
    pytest.mark.slow,
    pytest.mark.served,
    pytest.mark.aws,
    pytest.mark.timeout(900),
]


@dataclass(slots=True)
class Made:
    """What was made, and how long that took."""

    workspace: Workspace
    outputs: dict[str, Any]
    addresses: list[str]
    seconds: float
    there: bool = True

    def client(self, service: str) -> Any:
        return harness_client(moto.account(), service)

    def mapping(self, function: str) -> dict[str, Any]:
        """What brings events to a function, as it was made."""
        told = self.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        (found,) = (one for one in told if one["FunctionArn"].endswith(f":smmu-dev-{function}"))
        return dict(found)

    def destroy(self) -> float:
        """Destroy it, once; the seconds."""
        begun = time.monotonic()
        if self.there:
            self.workspace.destroy()
            self.there = False
        return time.monotonic() - begun


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test command itself is told by variables of ours is no setting of a deployment.

    But for where the provider is: Terraform is run in tests, too.
    """
    for name in [name for name in os.environ if name.startswith("SMMU_") and name != terraform.VARIABLE]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    account = moto.account()
    mended_control.mend()
    mended_cloudfront.mend()
    machines.interpret()  # before there is a state machine: another part of moto keeps those that run
    workspace = Workspace.of(tmp_path_factory.mktemp("terraform"), "environments/dev", account)
    workspace.set(VARIABLES)
    begun = time.monotonic()
    workspace.apply()
    seconds = time.monotonic() - begun
    return Made(workspace, workspace.outputs()["deployment"], workspace.made(), seconds)


@pytest.fixture
def root(tmp_path: Path) -> Callable[[str], Workspace]:
    """Makes a workspace of a root module."""
    return lambda name: Workspace.of(tmp_path, name, moto.account())
