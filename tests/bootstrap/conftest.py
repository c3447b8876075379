"""Settings are read from the environment, so each test here begins with one that says nothing."""

import os

import pytest


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("SMMU_")]:
        monkeypatch.delenv(name)
