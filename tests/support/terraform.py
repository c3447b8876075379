"""Terraform with the provider of a mirror on this machine, in a copy of infra/, against a stand-in of AWS.

Nothing is downloaded: the provider is looked for where mirrors usually are and in the top-level directories, or where
`SMMU_TERRAFORM_MIRROR` says. What the copy is told beside infra/ is an override file: where AWS answers, and that the
state is kept in the copy.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from smmu.adapters.aws.account import Account
from tests.support.source import PROJECT

INFRA = PROJECT / "infra"
VARIABLE = "SMMU_TERRAFORM_MIRROR"
_CONFIGURATION = "TF_CLI_CONFIG_FILE"
_PROVIDER = "hashicorp/aws/5.100.0/linux_amd64"  # the one that infra's lock files have seen
_USUAL = ("~/.terraform.d/plugins", "~/.local/share/terraform/plugins", "/usr/share/terraform/plugins")
_SECONDS_MAX = 420
_NOT_OURS = ("dev", "proc", "run", "sys", "tmp")
_SERVICES = (
    "applicationautoscaling",
    "budgets",
    "cloudfront",
    "cloudwatch",
    "cloudwatchlogs",
    "cognitoidp",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "elasticloadbalancingv2",
    "events",
    "iam",
    "kms",
    "lambda",
    "s3",
    "s3control",
    "sfn",
    "sns",
    "sqs",
    "sts",
)


class TerraformFailed(Exception):
    """What it said."""


@cache
def program() -> str | None:
    """Where terraform is."""
    return shutil.which("terraform")


@cache
def mirror() -> Path | None:
    """The root of a mirror that has the provider: it holds a host's folder, and that `hashicorp/aws`."""
    return next((place for place in _places() if any(place.glob(f"*/{_PROVIDER}"))), None)


def is_present() -> bool:
    """Whether terraform and its provider are here. In CI they must be: a test of them then fails where they are not."""
    return (program() is not None and mirror() is not None) or os.environ.get("CI") == "true"


def _places() -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        yield Path(named)
        return
    yield from (Path(usual).expanduser() for usual in _USUAL)
    for top in sorted(Path("/").iterdir()):
        if top.name not in _NOT_OURS and os.access(top, os.R_OK) and top.is_dir():
            yield top
            yield from sorted(place for place in top.glob("*") if os.access(place, os.R_OK) and place.is_dir())


def formatted() -> str:
    """The files of infra/ that `terraform fmt` would write otherwise."""
    return _run(
        [_program(), "fmt", "-check", "-recursive", str(INFRA)],
        cwd=INFRA,
        environment={_CONFIGURATION: os.devnull},
        may_fail=True,
    )


def _program() -> str:
    found = program()
    assert found is not None, "terraform is not here, and infra/ must be tested"
    return found


@dataclass(frozen=True, slots=True)
class Workspace:
    """One root module (`environments/dev`) of a copy of infra/."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, root: str, account: Account) -> "Workspace":
        """A copy in `folder`, initialised."""
        place = mirror()
        assert place is not None, f"no mirror has {_PROVIDER}: set {VARIABLE}"
        shutil.copytree(INFRA, folder / "infra", ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars"))
        cli = folder / "terraform.tfrc"
        cli.write_text(
            f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(str(place))}\n  }}\n}}\n"
        )
        made = cls(folder / "infra" / root, {_CONFIGURATION: str(cli), "TF_IN_AUTOMATION": "1"})
        (made.root / "override.tf.json").write_text(json.dumps(_override(account)))
        made("init", "-no-color", "-input=false", "-lockfile=readonly")
        return made

    def __call__(self, *command: str) -> str:
        """Run a command; what it said. Raises `TerraformFailed`."""
        return _run([_program(), *command], cwd=self.root, environment=self.environment)

    def set(self, variables: Mapping[str, Any]) -> None:
        """Give the root's variables."""
        (self.root / "terraform.tfvars.json").write_text(json.dumps(variables))

    def apply(self) -> None:
        self("apply", "-no-color", "-input=false", "-auto-approve", "-parallelism=20")

    def changes(self) -> list[dict[str, Any]]:
        """What another `apply` would change: of each resource, as `terraform show -json` tells it."""
        self("plan", "-no-color", "-input=false", "-out=again", "-parallelism=20")
        planned = json.loads(self("show", "-json", "again"))["resource_changes"]
        return [one for one in planned if one["mode"] == "managed" and one["change"]["actions"] != ["no-op"]]

    def destroy(self) -> None:
        self("destroy", "-no-color", "-input=false", "-auto-approve", "-parallelism=20", "-refresh=false")

    def outputs(self) -> Any:
        return {name: told["value"] for name, told in json.loads(self("output", "-json")).items()}

    def made(self) -> list[str]:
        """The addresses of what it has made."""
        return [line for line in self("state", "list").splitlines() if ".data." not in line]


def _override(account: Account) -> dict[str, Any]:
    key, secret = account.credentials or ("", "")
    return {
        "terraform": {"backend": {"local": {}}},
        "provider": {
            "aws": {
                "access_key": key,
                "secret_key": secret,
                "skip_credentials_validation": True,
                "skip_metadata_api_check": True,
                "skip_region_validation": True,
                "s3_use_path_style": True,
                "endpoints": [dict.fromkeys(_SERVICES, account.endpoint)],
            }
        },
    }


def _run(command: list[str], *, cwd: Path, environment: Mapping[str, str], may_fail: bool = False) -> str:
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_SECONDS_MAX,  # the provider waits for long for what a stand-in never answers
        )
        said.seek(0)
        words = said.read()
    if done.returncode and not may_fail:
        raise TerraformFailed(f"{' '.join(command[1:])}: exit status {done.returncode}\n{words[-6_000:]}")
    return words
