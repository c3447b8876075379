"""What the workflows say that no linter knows: that they run what is here, and believe nobody whom they need not.

The linters themselves are `make lint-delivery`.
"""

import re
import tomllib
from pathlib import Path

import pytest

from scripts.release import main
from tests.support import terraform
from tests.support.source import PROJECT

GITHUB = PROJECT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ALL = [*WORKFLOWS, *sorted(GITHUB.glob("actions/*/action.yml"))]
TEXT = {path.name: path.read_text(encoding="utf-8") for path in ALL}
USED = re.compile(r"uses: ([\w./-]+)(?:@(\S+))?(?: # (\S+))?")


def _uses() -> list[tuple[str, str, str]]:
    return [found for text in TEXT.values() for found in USED.findall(text)]


def test_other_peoples_actions_are_named_by_commit_and_each_by_one() -> None:
    known: dict[str, set[tuple[str, str]]] = {}
    for action, commit, version in _uses():
        if action.startswith("./"):
            assert (PROJECT / action).exists()
        else:
            assert re.fullmatch(r"[0-9a-f]{40}", commit), action
            assert re.fullmatch(r"v\d+\.\d+\.\d+", version), action
            known.setdefault(action, set()).add((commit, version))
    assert {action: pins for action, pins in known.items() if len(pins) > 1} == {}
    assert {action.partition("/")[0] for action in known} == {"actions", "aws-actions", "hashicorp"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_rights_and_a_job_those_that_it_needs(path: Path) -> None:
    text = TEXT[path.name]
    granted = re.findall(r"^      ([\w-]+): (write|read)\b", text, re.MULTILINE)
    assert "\npermissions: {}\n" in text
    assert set(granted) <= {("contents", "read"), ("id-token", "write")}
    assert ("id-token" in text) == ("AWS_ACCOUNT_ID" in text or "deploy.yml" in text)
    assert "secrets." not in text
    assert "pull_request_target" not in text
    assert "workflow_run" not in text


def test_continuous_integration_runs_what_anybody_runs_on_every_python() -> None:
    text = TEXT["ci.yml"]
    pythons = re.search(r"python: (\[.*\])", text)
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = [one.rpartition(" ")[2] for one in project["classifiers"] if ":: Python :: 3" in one]
    assert pythons
    assert re.findall(r"[\d.]+", pythons[1]) == told
    assert "run: .ci/run\n" in text
    assert f"{terraform.VARIABLE}: ${{{{ runner.temp }}}}/mirror" in text
    assert "providers mirror" in text


def test_one_terraform_is_used_everywhere_and_infra_allows_it() -> None:
    versions = {found for text in TEXT.values() for found in re.findall(r"terraform_version: (\S+)", text)}
    (version,) = versions
    major, minor, _ = map(int, version.split("."))
    needed = re.search(r">= (\d+)\.(\d+), < 2\.0", (terraform.INFRA / "bootstrap/versions.tf").read_text())
    assert needed
    assert major == 1
    assert (major, minor) >= tuple(map(int, needed.groups()))


def test_roles_are_those_that_the_account_has() -> None:
    told = {found for text in TEXT.values() for found in re.findall(r"\b(smmu-ci-[a-z]+)", text)}
    text = (terraform.INFRA / "modules" / "releases" / "workflows.tf").read_text(encoding="utf-8")
    assert told == {"smmu-ci-push", "smmu-ci-plan", "smmu-ci-deploy"}
    assert 'name                 = "smmu-ci-${each.key}"' in text
    for name in ("push = [", "plan = [", '"deploy-${name}" => ['):
        assert name in text


def test_state_is_where_bootstrap_keeps_it() -> None:
    text = (terraform.INFRA / "bootstrap" / "main.tf").read_text(encoding="utf-8")
    assert 'bucket = "smmu-state-${local.account}-${var.region}"' in text
    assert 'backend-config="bucket=smmu-state-$ACCOUNT-$REGION"' in TEXT["action.yml"]
    assert 'name                        = "smmu-state-lock"' in text
    assert 'backend-config="dynamodb_table=smmu-state-lock"' in TEXT["action.yml"]


@pytest.mark.parametrize("command", ["build", "scanned", "plan", "deploy", "smoke"])
def test_what_is_asked_of_the_release_script_is_something_that_it_knows(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    known = set(re.findall(r"(--[a-z]+)", capsys.readouterr().out))
    lines = [line for text in TEXT.values() for line in text.splitlines() if f"release.py {command} " in line]
    assert lines
    for line in lines:
        assert set(re.findall(r" (--[a-z]+)", line.partition("release.py")[2].partition("||")[0])) <= known
