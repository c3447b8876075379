"""The command line in this process, with an environment that says nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smmu.entrypoints.cli import run
from tests.support.served import Done

Smmu = Callable[..., Done]


@pytest.fixture
def smmu(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Smmu:
    for name in [name for name in os.environ if name.upper().startswith("SMMU_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def smmu(*arguments: str | Path, **changes: str) -> Done:
        for name, value in changes.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Done(status, out, err)

    return smmu
