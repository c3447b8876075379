"""The programs in docs/embedding.md, policy.md and classification.md, word for word, where nothing but the base install can be imported."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import smmu
from tests.support.source import PROJECT

BLOCKED = (
    *("fastapi", "starlette", "uvicorn", "av", "pyvips", "PIL", "pillow_heif", "numpy", "typer", "rich", "httpx"),
    *("pydantic_settings", "dependency_injector", "jwt", "boto3", "aiobotocore"),
)
GUARD = f"""
import sys

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED}:
            raise ImportError(f"{{name}} is not installed here")

sys.meta_path.insert(0, Guard())
"""


def block(language: str, page: str = "embedding.md") -> str:
    text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """In a folder of its own, so that the project is not importable by accident."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", "program.py"], cwd=folder, check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize("page", ["embedding.md", "policy.md", "classification.md"])
def test_the_program_of_the_document_prints_what_the_document_says(tmp_path: Path, page: str) -> None:
    done = run(tmp_path, GUARD + block("python", page))
    assert done.stderr == ""
    assert done.stdout == block("text", page)


def test_the_program_is_short() -> None:
    assert len(block("python").strip().splitlines()) < 30


def test_the_guard_guards(tmp_path: Path) -> None:
    done = run(tmp_path, GUARD + "import fastapi")
    assert "fastapi is not installed here" in done.stderr


@pytest.mark.parametrize("name", smmu.__all__)
def test_everything_that_is_offered_is_there(name: str) -> None:
    assert getattr(smmu, name) is not None


def test_what_is_not_offered_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = smmu.nothing


def test_importing_the_package_loads_nothing_else(tmp_path: Path) -> None:
    done = run(tmp_path, "import sys, smmu; print(sorted(name for name in sys.modules if name.startswith('smmu')))")
    assert done.stdout.strip() == "['smmu']"
