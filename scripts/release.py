"""What brings images to a deployment on AWS, by hand (docs/deploy.md) and in .github/workflows the same.

    build      build the images of a commit, and with --push put them into ECR with what they are made of and from
    scanned    wait for ECR's scan of a commit's images, and refuse those with a critical finding
    plan       what bringing a commit's images to a deployment would change; without a commit, with what it has now
    deploy     bring them there, see that the API runs and answers, and otherwise bring back the images from before
    smoke      ask an API whether it is there, can work, and refuses strangers

Needs python3 and nothing else of Python's; docker with buildx, the AWS CLI and Terraform where a command uses them.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PROJECT = Path(__file__).resolve().parent.parent
ACCEPTED = PROJECT / "images" / "accepted-findings.txt"
# What infra/ calls it, and images/Dockerfile.
TARGETS = {"functions": "functions", "workers": "worker", "transcribers": "transcriber", "api": "api"}
COPIED = ("constraints.txt", "images", "LICENSE", "pyproject.toml", "README.md", "src")  # what decides about images
MACHINES = {"arm64": "arm64", "x86_64": "amd64"}  # what AWS calls it, and what images do
REFUSED = "CRITICAL"
SMOKE = (("/healthz", 200), ("/readyz", 200), ("/jobs", 401))
_LOOK_SECONDS = 0.5
_REGISTRY = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com")
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class Failed(Exception):
    """It cannot go on; why, in a sentence."""


def build(given: argparse.Namespace) -> None:
    """Build every image; with --push, those that the registry has not."""
    if given.push and (_git("rev-parse", "HEAD") != given.tag or _git("status", "--porcelain", "--", *COPIED)):
        raise Failed(f"What is here is not what was committed as {given.tag}, and would be pushed under its name.")
    for target in TARGETS.values():
        name = f"smmu-{target}"
        if given.push and _is_there(given.registry, name, given.tag):
            print(f"{name}:{given.tag} is there already")
            continue
        _run(_building(given, target, f"{given.registry}/{name}:{given.tag}"))


def _building(given: argparse.Namespace, target: str, called: str) -> list[str]:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    created = _git("show", "--no-patch", "--format=%cI", "HEAD")
    told = {"CREATED": created, "REVISION": given.tag, "SOURCE": given.source, "VERSION": version}
    command = ["docker", "buildx", "build", "--file", str(PROJECT / "images" / "Dockerfile"), "--target", target]
    command += ["--platform", f"linux/{MACHINES[given.architecture]}", "--tag", called]
    command += [word for name, value in told.items() for word in ("--build-arg", f"{name}={value}")]
    command += ["--push", "--sbom=true", "--provenance=mode=max"] if given.push else ["--load"]
    return [*command, str(PROJECT)]


def scanned(given: argparse.Namespace) -> None:
    """Wait for the scans, and refuse what they found. With --again they are made anew."""
    accepted = _accepted(ACCEPTED.read_text(encoding="utf-8"))
    refused = []
    for name, digest in _digests(given).values():
        asked = ("--region", _region(given.registry), "--repository-name", name, "--image-id", f"imageDigest={digest}")
        if given.again:
            _aws("ecr", "start-image-scan", *asked)
        _run(["aws", "ecr", "wait", "image-scan-complete", *asked])
        findings = _aws("ecr", "describe-image-scan-findings", *asked)["imageScanFindings"]
        refused += [f"{name}: {found}" for found in _refused(findings, accepted)]
        print(f"{name}: {findings.get('findingSeverityCounts', {})}")
    if refused:
        raise Failed(f"Critical findings that {ACCEPTED.name} does not accept: {', '.join(refused)}.")


def plan(given: argparse.Namespace) -> None:
    """Say what would change."""
    told = _of_commit(given) if given.tag else _of_deployment(given.root)
    if told:
        _terraform(given.root, told, "plan", "-lock=false")
    else:
        print(f"{given.root} has nothing deployed, and no commit is named: there is nothing to plan")


def deploy(given: argparse.Namespace) -> None:
    """Bring a commit's images there, or leave those that were there before."""
    before, now = _of_deployment(given.root), _of_commit(given)
    try:
        _bring(given, now)
    except Failed as failure:
        if not before:
            raise Failed(f"{failure} There are no images from before to go back to.") from failure
        print(f"release.py: {failure} Going back.", file=sys.stderr, flush=True)
        _bring(given, before)
        raise Failed(f"{failure} The images from before are back.") from failure


def _bring(given: argparse.Namespace, variables: Mapping[str, Any]) -> None:
    _terraform(given.root, variables, "apply", "-auto-approve")
    known = _outputs(given.root)
    _settle(known["settings"]["SMMU_PLATFORM__REGION"], known["service"])
    _ask(given.url or known["url"], given.seconds)


def _settle(region: str, service: Mapping[str, str]) -> None:
    """Wait for the API's containers. ECS goes back to those from before by itself, and calls that stable, too."""
    asked = ("--region", region, "--cluster", service["cluster"], "--services", service["name"])
    _run(["aws", "ecs", "wait", "services-stable", *asked])
    (found,) = _aws("ecs", "describe-services", *asked)["services"]
    if found["taskDefinition"] != service["task_definition"]:
        raise Failed(f"The API runs {found['taskDefinition']}, not {service['task_definition']}: ECS went back.")
    print(f"the API runs {found['taskDefinition']}")


def smoke(given: argparse.Namespace) -> None:
    """Ask until all is as it should be, or the time is over."""
    _ask(given.url, given.seconds)


def _ask(url: str, seconds: float) -> None:
    if not url.startswith(("http://", "https://")):
        raise Failed(f"{url!r} is not the address of an API: http://HOST or https://HOST.")
    end = time.monotonic() + seconds
    for path, wanted in SMOKE:
        place = f"{url.rstrip('/')}{path}"
        while (answered := _status(place)) != wanted:
            if time.monotonic() > end:
                raise Failed(f"{place} answers {answered}, and not {wanted}.")
            time.sleep(_LOOK_SECONDS)  # noqa: TID251 - no event loop here
        print(f"{place} answers {answered}")


def _status(url: str) -> int | str:
    """The status, or why there is none."""
    try:
        with urlopen(Request(url, headers={"accept": "application/json"}), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as refusal:
        return refusal.code
    except (OSError, HTTPException) as error:
        return f"nothing ({error})"


# --- ECR


def _digests(given: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Repository and digest of each image of a commit, by what infra/ calls it."""
    return {key: (f"smmu-{target}", _digest(given, f"smmu-{target}")) for key, target in TARGETS.items()}


def _digest(given: argparse.Namespace, name: str) -> str:
    """The digest for one kind of machine: Lambda takes no index, which is what a tag with an SBOM names."""
    asked = ("--repository-name", name, "--image-ids", f"imageTag={given.tag}", "--accepted-media-types", *_MANIFESTS)
    known = _aws("ecr", "batch-get-image", "--region", _region(given.registry), *asked)["images"]
    if not known:
        raise Failed(f"{name} has no image {given.tag}.")
    manifest = json.loads(known[0]["imageManifest"])
    if "manifests" not in manifest:
        return str(known[0]["imageId"]["imageDigest"])
    wanted = {"os": "linux", "architecture": MACHINES[given.architecture]}  # what it is made of is for "unknown"
    for one in manifest["manifests"]:
        if wanted.items() <= one["platform"].items():
            return str(one["digest"])
    raise Failed(f"{name}:{given.tag} was not built for {given.architecture}.")


def _is_there(registry: str, name: str, tag: str) -> bool:
    asked = ("--region", _region(registry), "--repository-name", name, "--filter", "tagStatus=TAGGED")
    return any(tag in one["imageTags"] for one in _aws("ecr", "describe-images", *asked)["imageDetails"])


def _refused(findings: Mapping[str, Any], accepted: set[str]) -> Iterator[str]:
    for found in findings.get("findings", ()):
        if found["severity"] == REFUSED and found["name"] not in accepted:
            yield str(found["name"])


def _accepted(text: str) -> set[str]:
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    bare = [words[0] for words in lines if len(words) == 1]
    if bare:
        raise Failed(f"{ACCEPTED.name} accepts {', '.join(bare)} and does not say why.")
    return {words[0] for words in lines}


def _of_commit(given: argparse.Namespace) -> dict[str, Any]:
    found = _digests(given)
    return _variables({key: f"{given.registry}/{name}@{digest}" for key, (name, digest) in found.items()})


def _of_deployment(root: str) -> dict[str, Any]:
    """The images that a deployment has now; none before the first."""
    known = _outputs(root)
    return _variables(known["images"]) if "images" in known else {}


def _variables(uris: Mapping[str, str]) -> dict[str, Any]:
    """What the environments of infra/ are told of images."""
    repositories = sorted({uri.partition("@")[0] for uri in uris.values()})
    return {"images": dict(uris), "image_repository_arns": [_arn(*one.split("/", 1)) for one in repositories]}


def _arn(registry: str, name: str) -> str:
    account, region = _place(registry)
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"


def _region(registry: str) -> str:
    return _place(registry)[1]


def _place(registry: str) -> tuple[str, str]:
    found = _REGISTRY.fullmatch(registry)
    if not found:
        raise Failed(f"{registry!r} is no registry of ECR: ACCOUNT.dkr.ecr.REGION.amazonaws.com.")
    return found[1], found[2]


# --- Terraform, and programs in general


def _terraform(root: str, variables: Mapping[str, Any], *command: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".tfvars.json") as file:
        json.dump(variables, file)
        file.flush()
        _run(["terraform", f"-chdir={root}", *command, "-input=false", "-no-color", f"-var-file={file.name}"])


def _outputs(root: str) -> dict[str, Any]:
    """What a root module says of its deployment; empty before the first `apply`."""
    known = json.loads(_said("terraform", f"-chdir={root}", "output", "-json"))
    return dict(known["deployment"]["value"]) if "deployment" in known else {}


def _git(*words: str) -> str:
    return _said("git", "-C", str(PROJECT), *words).strip()


def _aws(*words: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(_said("aws", *words, "--output", "json") or "{}")


def _said(*command: str) -> str:
    return _run(list(command), stdout=subprocess.PIPE).stdout


def _run(command: list[str], stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, check=True, text=True, stdout=stdout)
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not there.") from None
    except subprocess.CalledProcessError as error:
        raise Failed(f"{' '.join(command[:3])} ended with status {error.returncode}.") from None


def _parser() -> argparse.ArgumentParser:
    images, place, patience = (argparse.ArgumentParser(add_help=False) for _ in range(3))
    images.add_argument("--registry", required=True, help="ACCOUNT.dkr.ecr.REGION.amazonaws.com")
    images.add_argument("--tag", help="the commit")
    images.add_argument("--architecture", choices=sorted(MACHINES), default="arm64")
    place.add_argument("--root", required=True, help="infra/environments/..., initialised")
    patience.add_argument("--seconds", type=float, default=120, help="how long the API may take to come up")

    parser = argparse.ArgumentParser(prog="release.py", description="Bring images to a deployment on AWS.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(does: Callable[[argparse.Namespace], None], *parents: argparse.ArgumentParser) -> Any:  # noqa: ANN401
        made = commands.add_parser(does.__name__, help=(does.__doc__ or "").splitlines()[0], parents=parents)
        made.set_defaults(does=does)
        return made

    made = command(build, images)
    made.add_argument("--push", action="store_true")
    made.add_argument("--source", default="", help="where the source is, for the label of that name")
    command(scanned, images).add_argument("--again", action="store_true", help="scan them anew")
    command(plan, images, place)
    command(deploy, images, place, patience).add_argument("--url", help="the API's address, if not its own")
    command(smoke, patience).add_argument("--url", required=True, help="the API's address")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.does in {build, scanned, deploy} and not given.tag:
        parser.error("--tag is missing: which commit?")
    try:
        given.does(given)
    except Failed as failure:
        print(f"release.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
