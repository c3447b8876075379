"""The images have what their programs import, and are what infra/ runs. No engine builds them here: they are read."""

import json
import re
import subprocess
import sys

import pytest

from scripts.release import COPIED
from tests.support import terraform
from tests.support.images import DOCKERFILE, Stage, distributions, modules_without, stages
from tests.support.served import environment
from tests.support.source import PROJECT

STAGES = stages(DOCKERFILE.read_text(encoding="utf-8"))
TARGETS = ("api", "worker", "transcriber", "functions")
NAMED = {
    "SMMU_PLATFORM__KIND": "aws",
    "SMMU_PLATFORM__REGION": "eu-central-1",
    **{f"SMMU_PLATFORM__{name}_BUCKET": "bucket" for name in ("RAW", "PROCESSED")},
    **{f"SMMU_PLATFORM__{name}_TABLE": "table" for name in ("JOBS", "UPLOADS", "MEDIA")},
    **{f"SMMU_PLATFORM__{name}": "https://sqs.example/queue" for name in ("JOBS_QUEUE", "DEAD_LETTERS")},
    "SMMU_PLATFORM__STATE_MACHINE": "arn:aws:states:eu-central-1:123456789012:stateMachine:one",
    "SMMU_PLATFORM__CLUSTER": "one",
    # The choice of an engine is told to all, and most have none.
    "SMMU_PLATFORM__MODELS_BUCKET": "models",
    "SMMU_SPEECH__ENGINE": "faster-whisper",
    "SMMU_SPEECH__MODEL": "small",
}
PROGRAMS = {
    "api": ("smmu.entrypoints.cli.commands", "smmu.entrypoints.server", "smmu.adapters.aws"),
    "worker": (
        *("smmu.entrypoints.cli.commands", "smmu.entrypoints.worker"),
        *("smmu.adapters.aws", "smmu.adapters.media"),
    ),
    "transcriber": ("smmu.entrypoints.worker", "smmu.adapters.aws", "smmu.adapters.speech.kept", "faster_whisper"),
    "functions": ("awslambdaric.bootstrap", "smmu.entrypoints.lambdas", "smmu.adapters.aws", "smmu.adapters.media"),
}
# Imports each module and what is in it, then opens the product as all of them do; what is not installed is not found.
_TRY = """
import importlib, pkgutil, sys
import anyio
absent, *modules = sys.argv[1:]
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent.split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
for name in modules:
    module = importlib.import_module(name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
        importlib.import_module(found.name)
from smmu.bootstrap.opening import open_system
from smmu.bootstrap.settings import load_settings
async def main():
    async with open_system(load_settings()):
        print("open")
anyio.run(main)
"""


def _try(extra: str, *modules: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _TRY, ",".join(sorted(modules_without(extra))), *modules]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment(**NAMED))


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_what_its_programs_import(target: str) -> None:
    done = _try(target, *PROGRAMS[target])
    assert (done.returncode, done.stdout) == (0, "open\n"), done.stderr


def test_what_an_image_has_not_is_not_found() -> None:
    done = _try("api", "smmu.adapters.media.decode")
    assert "ModuleNotFoundError: No module named 'av'" in done.stderr


@pytest.mark.parametrize(
    ("target", "absent"),
    [
        ("api", {"av", "numpy", "pillow", "pillow-heif", "pyvips-binary", "awslambdaric"}),
        ("worker", {"fastapi", "uvicorn", "awslambdaric", "faster-whisper", "ctranslate2"}),
        ("transcriber", {"fastapi", "uvicorn", "awslambdaric", "pocketsphinx"}),
        ("functions", {"fastapi", "uvicorn", "typer"}),
    ],
)
def test_an_image_has_nothing_of_the_others(target: str, absent: set[str]) -> None:
    installed = distributions(target)
    assert {"smart-media-uploader", "aiobotocore", "dependency-injector", "botocore"} <= installed
    assert installed & (absent | {"moto", "pytest", "hypothesis"}) == set()


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_installs_the_extra_of_its_name(target: str) -> None:
    (copied,) = STAGES[target].all_of("COPY")
    assert copied == f"--from={target}-installed /opt/smmu /opt/smmu"
    assert STAGES[f"{target}-installed"].last("RUN").endswith(f"install '.[{target}]'")
    assert "PIP_CONSTRAINT=/source/constraints.txt" in STAGES[f"{target}-installed"].last("ENV")


def test_there_is_one_base_and_its_bytes_are_named() -> None:
    named = [stage for stage in STAGES.values() if stage.base not in STAGES]
    assert [stage.name for stage in named] == ["python"]
    assert re.fullmatch(r"python:3\.13-slim-\w+@sha256:[0-9a-f]{64}", named[0].base)


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_a_user_without_rights_and_without_build_tools(target: str) -> None:
    stage = STAGES[target]
    user, group = stage.last("USER").split(":")
    assert int(user) >= 10_000 <= int(group)
    assert stage.instructions[-1][0] in {"ENTRYPOINT", "CMD"}
    done = " ".join(stage.all_of("RUN"))
    assert f"--uid {user}" in done
    assert "pip uninstall" in done
    assert "apt-get" not in done
    assert "pip install" not in done


def test_what_is_copied_into_images_is_what_the_build_is_shown() -> None:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    shown = {line[1:] for line in lines if line.startswith("!")}
    copied = {word for words in STAGES["sources"].all_of("COPY") for word in words.split()[:-1]}
    assert [line for line in lines if line and not line.startswith(("#", "!"))] == ["*", "**/__pycache__"]
    assert shown == copied == set(COPIED) - {"images"}
    assert all((PROJECT / name).exists() for name in shown)


# --- what infra/ runs


def _module(name: str) -> str:
    return (terraform.INFRA / "modules" / name / "main.tf").read_text(encoding="utf-8")


def _container(name: str) -> dict[str, str]:
    """What a container definition says, as far as it is said in one line."""
    told = _module(name).partition("container_definitions = jsonencode([{")[2]
    return dict(re.findall(r"^    (\w+)\s*= (.*)$", told, re.MULTILINE))


def _json(stage: Stage, instruction: str) -> list[str]:
    words: list[str] = json.loads(stage.last(instruction))
    return words


def test_the_api_is_started_as_the_image_would_start_it() -> None:
    port = re.search(r"^  port = (\d+)$", _module("api"), re.MULTILINE)
    assert port
    command = json.loads(_container("api")["command"].replace("tostring(local.port)", f'"{port[1]}"'))
    assert command == _json(STAGES["api"], "CMD")
    assert STAGES["api"].last("EXPOSE") == port[1]
    assert f"http://127.0.0.1:{port[1]}/healthz" in STAGES["api"].last("HEALTHCHECK")
    assert 'path                = "/healthz"' in (terraform.INFRA / "modules/api/balancer.tf").read_text()


@pytest.mark.parametrize(("target", "module"), [("api", "api"), ("worker", "workers"), ("transcriber", "workers")])
def test_a_container_writes_to_its_volume_alone_which_belongs_to_its_user(target: str, module: str) -> None:
    stage, told = STAGES[target], _container(module)
    (volume,) = stage.all_of("VOLUME")
    assert told["readonlyRootFilesystem"] == "true"
    assert f'containerPath = "{volume}", readOnly = false' in told["mountPoints"]
    instructions = [name for name, words in stage.instructions if name == "VOLUME" or words.startswith("chown")]
    assert instructions == ["RUN", "VOLUME"]
    assert f"chown {stage.last('USER')} {volume}" in " ".join(stage.all_of("RUN"))
    assert f"HOME={volume}" in stage.last("ENV")
    assert "user" not in told, "the image says who"


@pytest.mark.parametrize("target", ["api", "worker", "transcriber"])
def test_what_is_given_as_the_command_is_a_command_of_smmu(target: str) -> None:
    assert _json(STAGES[target], "ENTRYPOINT") == ["smmu"]
    template = (terraform.INFRA / "modules/pipeline/pipeline.asl.json.tftpl").read_text(encoding="utf-8")
    assert set(re.findall(r"States\.Array\('(\w+)', \$\.family", template)) == {"worker"}
    assert _json(STAGES["worker"], "CMD")[0] == "worker"


def test_a_function_is_a_handler_in_lambdas_own_runtime() -> None:
    stage = STAGES["functions"]
    assert _json(stage, "ENTRYPOINT") == ["/opt/smmu/bin/python", "-m", "awslambdaric"]
    (handler,) = _json(stage, "CMD")
    assert handler.startswith("smmu.entrypoints.lambdas.")
    assert 'command = ["${local.handlers}.${each.value.handler}"]' in _module("functions")
    assert "entry_point" not in _module("functions")
