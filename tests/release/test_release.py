"""What scripts/release.py asks of Docker, AWS and Terraform, and what it makes of their answers."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from scripts import release as script
from tests.release.conftest import Programs, Release
from tests.support import terraform
from tests.support.images import DOCKERFILE, stages
from tests.support.listening import listening
from tests.support.served import serving

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
OF_COMMIT = ("--registry", REGISTRY, "--tag", "c0ffee")
INDEX, ARM, AMD, MADE_OF = (f"sha256:{digit * 64}" for digit in "0123")
MANIFESTS = [
    {"digest": MADE_OF, "platform": {"os": "unknown", "architecture": "unknown"}},
    {"digest": AMD, "platform": {"os": "linux", "architecture": "amd64"}},
    {"digest": ARM, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
]


def _pushed(programs: Programs, manifest: dict[str, object], *, anew: bool = False) -> None:
    known = {"imageId": {"imageDigest": INDEX}, "imageManifest": json.dumps(manifest)}
    programs.answer("ecr", "batch-get-image", told={"images": [known]}, anew=anew)


def test_the_images_are_those_of_the_dockerfile_and_of_infra() -> None:
    known = stages(DOCKERFILE.read_text(encoding="utf-8"))
    assert {
        target for target in script.TARGETS.values() if "ENTRYPOINT" not in dict(known[target].instructions)
    } == set()
    text = (terraform.INFRA / "modules/deployment/variables.tf").read_text(encoding="utf-8")
    told = re.search(r'variable "images" \{.*?object\(\{(.*?)\}\)', text, re.DOTALL)
    assert told
    assert set(re.findall(r"(\w+) =", told[1])) == set(script.TARGETS)
    assert 'variable "image_repository_arns"' in text


def test_what_is_pushed_brings_what_it_is_made_of_and_from(release: Release, programs: Programs) -> None:
    programs.answer("ecr", "describe-images", "smmu-worker", told={"imageDetails": [{"imageTags": ["c0ffee"]}]})
    programs.answer("ecr", "describe-images", told={"imageDetails": [{"imageTags": ["0ther"]}]})
    programs.answer("git", "rev-parse", told="c0ffee")
    programs.answer("git", "show", told="2026-11-25T12:00:00+00:00")
    status, out, _ = release("build", *OF_COMMIT, "--push", "--source", "https://git.example/smmu")
    built = programs.asked("docker", "buildx", "build")
    assert status == 0
    assert [command[command.index("--target") + 1] for command in built] == ["functions", "transcriber", "api"]
    assert out == "smmu-worker:c0ffee is there already\n"
    for command in built:
        assert {"--push", "--sbom=true", "--provenance=mode=max", "linux/arm64", "REVISION=c0ffee"} <= set(command)
        assert {"SOURCE=https://git.example/smmu", "CREATED=2026-11-25T12:00:00+00:00"} <= set(command)
    assert f"{REGISTRY}/smmu-api:c0ffee" in built[-1]


@pytest.mark.parametrize(("head", "changed"), [("0ther", ""), ("c0ffee", " M src/smmu/wire.py")])
def test_what_was_not_committed_is_not_pushed_as_if_it_were(
    release: Release, programs: Programs, head: str, changed: str
) -> None:
    programs.answer("git", "rev-parse", told=head)
    programs.answer("git", "status", told=changed)
    status, _, err = release("build", *OF_COMMIT, "--push")
    assert (status, err.partition(",")[0]) == (1, "release.py: What is here is not what was committed as c0ffee")
    assert programs.asked("docker") == programs.asked("aws") == []


def test_what_is_only_built_asks_nobody_and_stays_here(release: Release, programs: Programs) -> None:
    status, _, _ = release("build", "--registry", "local", "--tag", "try", "--architecture", "x86_64")
    assert status == 0
    assert programs.asked("aws") == []
    assert len(programs.asked("docker", "--load", "linux/amd64")) == len(script.TARGETS)
    assert programs.asked("docker", "--push") == []


@pytest.mark.parametrize(("architecture", "digest"), [("arm64", ARM), ("x86_64", AMD)])
def test_an_image_is_named_by_the_digest_for_its_machine(
    release: Release, programs: Programs, architecture: str, digest: str
) -> None:
    _pushed(programs, {"manifests": MANIFESTS})
    status, _, _ = release("plan", *OF_COMMIT, "--root", "here", "--architecture", architecture)
    told = programs.told("plan")
    assert status == 0
    assert told["images"]["workers"] == f"{REGISTRY}/smmu-worker@{digest}"
    assert set(told["images"]) == set(script.TARGETS)
    assert "arn:aws:ecr:eu-central-1:123456789012:repository/smmu-api" in told["image_repository_arns"]
    assert len(told["image_repository_arns"]) == len(script.TARGETS)
    assert programs.asked("aws", "ecr", "--region", "eu-central-1", "imageTag=c0ffee")


def test_an_image_without_an_index_is_named_by_its_own_digest(release: Release, programs: Programs) -> None:
    _pushed(programs, {"layers": []})
    release("plan", *OF_COMMIT, "--root", "here")
    assert programs.told("plan")["images"]["api"] == f"{REGISTRY}/smmu-api@{INDEX}"


def test_an_image_that_is_not_there_is_named(release: Release, programs: Programs) -> None:
    programs.answer("batch-get-image", told={"images": []})
    assert release("scanned", *OF_COMMIT) == (1, "", "release.py: smmu-functions has no image c0ffee.\n")


def test_an_image_for_other_machines_is_none(release: Release, programs: Programs) -> None:
    _pushed(programs, {"manifests": MANIFESTS[:2]})
    sentence = "release.py: smmu-functions:c0ffee was not built for arm64.\n"
    assert release("scanned", *OF_COMMIT) == (1, "", sentence)


@pytest.mark.parametrize("registry", ["registry.example", f"{REGISTRY}/smmu-api", ""])
def test_a_registry_is_one_of_ecr(release: Release, programs: Programs, registry: str) -> None:
    status, _, err = release("scanned", "--registry", registry, "--tag", "c0ffee")
    assert status == 1
    assert err.startswith(f"release.py: {registry!r} is no registry of ECR")
    assert programs.asked() == []


@pytest.fixture
def accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Findings that are accepted: none, at first."""
    path = tmp_path / "accepted"
    path.touch()
    monkeypatch.setattr(script, "ACCEPTED", path)
    return path


@pytest.mark.parametrize(
    ("reasons", "severity", "status"),
    [("", "CRITICAL", 1), ("# nothing\n\nCVE-1 it is not reached\n", "CRITICAL", 0), ("", "HIGH", 0)],
)
def test_a_critical_finding_that_nobody_accepted_is_refused(
    release: Release, programs: Programs, accepted: Path, *, reasons: str, severity: str, status: int
) -> None:
    accepted.write_text(reasons)
    _pushed(programs, {"manifests": MANIFESTS})
    findings = {"findings": [{"name": "CVE-1", "severity": severity}], "findingSeverityCounts": {severity: 1}}
    programs.answer("describe-image-scan-findings", told={"imageScanFindings": findings})
    ended, _, err = release("scanned", *OF_COMMIT)
    assert ended == status, err
    assert ("smmu-api: CVE-1" in err) == bool(status)
    assert len(programs.asked("ecr", "wait", "image-scan-complete", f"imageDigest={ARM}")) == len(script.TARGETS)
    assert programs.asked("start-image-scan") == []


def test_a_scan_can_be_made_anew(release: Release, programs: Programs) -> None:
    _pushed(programs, {"manifests": MANIFESTS})
    programs.answer("describe-image-scan-findings", told={"imageScanFindings": {}})
    assert release("scanned", *OF_COMMIT, "--again")[0] == 0
    assert len(programs.asked("start-image-scan")) == len(script.TARGETS)


def test_what_is_accepted_has_its_reason(release: Release, programs: Programs, accepted: Path) -> None:
    accepted.write_text("CVE-1\n")
    assert release("scanned", *OF_COMMIT) == (1, "", "release.py: accepted accepts CVE-1 and does not say why.\n")
    assert programs.asked() == []


OLD = {key: f"{REGISTRY}/smmu-{name}@{AMD}" for key, name in script.TARGETS.items()}


def _deployed(programs: Programs, url: str, runs: str = "api:2") -> None:
    """A deployment, whose API is `runs`."""
    told = {
        "images": OLD,
        "service": {"cluster": "smmu-dev", "name": "api", "task_definition": "api:2"},
        "settings": {"SMMU_PLATFORM__REGION": "eu-central-1"},
        "url": url,
    }
    programs.answer("terraform", "output", told={"deployment": {"value": told}})
    programs.answer("ecs", "describe-services", told={"services": [{"taskDefinition": runs}]})
    _pushed(programs, {"manifests": MANIFESTS})


def test_a_plan_without_a_commit_is_of_the_images_that_are_deployed(release: Release, programs: Programs) -> None:
    _deployed(programs, "http://127.0.0.1:1")
    assert release("plan", "--registry", REGISTRY, "--root", "infra/environments/dev")[0] == 0
    assert programs.told("plan")["images"] == OLD
    (planned,) = programs.asked("terraform", "plan", "-chdir=infra/environments/dev")
    assert "-lock=false" in planned
    assert programs.asked("aws") == programs.asked("apply") == []


def test_before_the_first_deployment_there_is_nothing_to_plan(release: Release, programs: Programs) -> None:
    programs.answer("terraform", "output", told={})
    status, out, _ = release("plan", "--registry", REGISTRY, "--root", "here")
    assert (status, out) == (0, "here has nothing deployed, and no commit is named: there is nothing to plan\n")
    assert programs.asked("plan") == []


def test_a_commit_is_brought_there_and_looked_at(release: Release, programs: Programs) -> None:
    with _answering(200, 200, 401) as url:
        _deployed(programs, url)
        status, out, err = release("deploy", *OF_COMMIT, "--root", "here")
    assert (status, err) == (0, "")
    assert programs.told("apply")["images"]["api"] == f"{REGISTRY}/smmu-api@{ARM}"
    assert len(programs.asked("terraform", "apply", "-auto-approve")) == 1
    assert programs.asked("aws", "ecs", "wait", "services-stable", "smmu-dev", "api", "eu-central-1")
    assert out.splitlines() == ["the API runs api:2", *(f"{url}{path} answers {told}" for path, told in script.SMOKE)]


@pytest.mark.parametrize(
    ("runs", "answers", "complaint"),
    [("api:2", 503, "/healthz answers 503, and not 200. Going back."), ("api:1", 200, "The API runs api:1, not api:2")],
)
def test_what_does_not_come_up_is_followed_by_the_images_from_before(
    release: Release, programs: Programs, runs: str, answers: int, complaint: str
) -> None:
    with _answering(answers) as url:
        _deployed(programs, url, runs)
        status, _, err = release("deploy", *OF_COMMIT, "--root", "here", "--seconds", "0")
    assert status == 1
    assert complaint in err
    assert len(programs.asked("terraform", "apply")) == 2
    assert programs.told("apply")["images"] == OLD


def test_what_is_back_has_still_failed(release: Release, programs: Programs) -> None:
    with _answering(503, 200, 200, 401) as url:
        _deployed(programs, url)
        status, _, err = release("deploy", *OF_COMMIT, "--root", "here", "--seconds", "0")
    assert status == 1
    assert err.splitlines()[-1].endswith("/healthz answers 503, and not 200. The images from before are back.")


def test_a_first_deployment_has_nothing_to_go_back_to(release: Release, programs: Programs) -> None:
    programs.answer("terraform", "output", told={})
    programs.answer("terraform", "apply", told=1)
    _pushed(programs, {"manifests": MANIFESTS})
    status, _, err = release("deploy", *OF_COMMIT, "--root", "here")
    assert status == 1
    assert err.splitlines()[-1].endswith("ended with status 1. There are no images from before to go back to.")


@pytest.mark.terraform
def test_what_terraform_is_told_it_understands_and_what_it_says_is_understood(
    release: Release, programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (programs.folder / "terraform").unlink()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", os.devnull)
    variables = (terraform.INFRA / "environments/dev/variables.tf").read_text(encoding="utf-8")
    (tmp_path / "main.tf").write_text(
        _ROOT + "\n".join(re.findall(r'^variable "image.*?^}', variables, re.MULTILINE | re.DOTALL))
    )
    _pushed(programs, {"manifests": MANIFESTS})
    programs.answer("ecs", "describe-services", told={"services": [{"taskDefinition": "api:2"}]})
    subprocess.run(["terraform", f"-chdir={tmp_path}", "init"], check=True, capture_output=True)
    here = ("--root", tmp_path)
    assert "nothing to plan" in release("plan", "--registry", REGISTRY, *here)[1]
    with _answering(200, 200, 401) as url:
        assert release("deploy", *OF_COMMIT, *here, "--url", url)[0] == 0
    assert "No changes" in release("plan", "--registry", REGISTRY, *here)[1]
    _pushed(programs, {"layers": []}, anew=True)
    assert INDEX in release("plan", *OF_COMMIT, *here)[1]
    with _answering(503, 200, 200, 401) as url:
        status, _, err = release("deploy", *OF_COMMIT, *here, "--url", url, "--seconds", "0")
    assert (status, err.splitlines()[-1].endswith("The images from before are back.")) == (1, True)
    assert "No changes" in release("plan", "--registry", REGISTRY, *here)[1]
    assert ARM in (tmp_path / "terraform.tfstate").read_text(encoding="utf-8")


_ROOT = """
output "deployment" {
  value = {
    images   = var.images
    url      = "http://127.0.0.1:1"
    service  = { cluster = "smmu-dev", name = "api", task_definition = "api:2" }
    settings = { SMMU_PLATFORM__REGION = "eu-central-1" }
  }
}
"""


def test_a_commit_is_named_where_one_is_needed(release: Release, programs: Programs) -> None:
    with pytest.raises(SystemExit):
        release("deploy", "--registry", REGISTRY, "--root", "here")
    assert programs.asked() == []


def test_a_program_that_fails_or_is_missing_is_named(
    release: Release, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.answer("aws", told=254)
    assert release("scanned", *OF_COMMIT) == (1, "", "release.py: aws ecr batch-get-image ended with status 254.\n")
    monkeypatch.setenv("PATH", "/nowhere")
    assert release("scanned", *OF_COMMIT) == (1, "", "release.py: aws is not there.\n")


# --- smoke


@contextmanager
def _answering(*statuses: int) -> Iterator[str]:
    """An address that answers so, one after the other, and then always as the last time."""
    left = list(statuses)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.send_header("content-length", "0")
            self.end_headers()

    with listening(Answers) as origin:
        yield origin


def test_an_api_is_asked_until_it_is_there(release: Release) -> None:
    with _answering(503, 200, 502, 200, 401) as url:
        status, out, err = release("smoke", "--url", f"{url}/", "--seconds", "60")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"{url}/jobs answers 401"


@pytest.mark.parametrize(
    ("statuses", "complaint"),
    [((503,), "/healthz answers 503, and not 200"), ((200,), "/jobs answers 200, and not 401")],
)
def test_an_api_that_does_not_come_up_or_lets_strangers_in_has_failed(
    release: Release, statuses: tuple[int, ...], complaint: str
) -> None:
    with _answering(*statuses) as url:
        status, _, err = release("smoke", "--url", url, "--seconds", "0")
    assert status == 1
    assert complaint in err


def test_an_address_where_nobody_is_has_failed(release: Release) -> None:
    status, _, err = release("smoke", "--url", "http://127.0.0.1:1", "--seconds", "0")
    assert status == 1
    assert "/healthz answers nothing (" in err
    assert release("smoke", "--url", "file:///etc/passwd")[2].endswith("http://HOST or https://HOST.\n")


@pytest.mark.served
def test_a_real_api_passes(release: Release, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        status, _, err = release("smoke", "--url", server.url)
    assert (status, err) == (0, "")
