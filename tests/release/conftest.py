"""Programs that a release asks, as fakes on PATH: they say what they were told to, and write down what was asked."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scripts.release import main

_FAKE = """
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
asked = [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]
for word in asked:
    if word.startswith("-var-file="):
        (folder / f"told-{asked[2]}").write_bytes(pathlib.Path(word.partition("=")[2]).read_bytes())
with (folder / "asked").open("a") as lines:
    lines.write(json.dumps(asked) + "\\n")
for words, told in json.loads((folder / "answers").read_text()):
    if set(words) <= set(asked):
        sys.exit(told) if isinstance(told, int) else print(told if isinstance(told, str) else json.dumps(told))
        break
"""


@dataclass(slots=True)
class Programs:
    """`aws`, `docker`, `git` and `terraform`. Of the answers the first holds whose words were all said; a number is a status."""

    folder: Path
    _answers: list[tuple[Sequence[str], object]] = field(default_factory=list)

    def answer(self, *words: str, told: object, anew: bool = False) -> None:
        """Before all other answers, when it is `anew`."""
        self._answers.insert(0 if anew else len(self._answers), (words, told))
        (self.folder / "answers").write_text(json.dumps(self._answers))

    def told(self, command: str) -> Any:
        """The variables that Terraform was last given with that command."""
        return json.loads((self.folder / f"told-{command}").read_text())

    def asked(self, *words: str) -> list[list[str]]:
        """The commands with all of these words, in order."""
        path = self.folder / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [command for command in map(json.loads, lines) if set(words) <= set(command)]


@dataclass(frozen=True, slots=True)
class Release:
    """`scripts/release.py` in this process."""

    capfd: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        self.capfd.readouterr()
        status = main(list(map(str, arguments)))
        return (status, *self.capfd.readouterr())


@pytest.fixture
def release(capfd: pytest.CaptureFixture[str]) -> Release:
    return Release(capfd)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "answers").write_text("[]")
    for name in ("aws", "docker", "git", "terraform"):
        (folder / name).write_text(f"#!{sys.executable}{_FAKE}")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Programs(folder)
