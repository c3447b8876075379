"""Every contract test runs once on each stage whose platform can do what the test's module needs (`NEEDS`)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from smmu.ports.platform import Capability, Platform
from tests.support.aws.differences import expect_known_differences
from tests.support.folders import quick_folder
from tests.support.platforms import STAGES, Stage


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        needs: frozenset[Capability] = getattr(metafunc.module, "NEEDS", frozenset())
        module = metafunc.module.__name__.rpartition(".")[2]
        stages: tuple[Stage, ...] = getattr(metafunc.module, "STAGES", STAGES)
        able = [stage for stage in stages if needs <= stage.capabilities and module in (stage.modules or {module})]
        rows = [pytest.param(stage, marks=stage.marks, id=stage.name) for stage in able]
        metafunc.parametrize("stage", rows, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    expect_known_differences(items)


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    chosen: Stage = request.param
    return chosen


@pytest.fixture
def anyio_backend(stage: Stage) -> Any:
    return stage.backend()


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as made:
        yield Path(made, "data")


@pytest.fixture
async def platform(stage: Stage, folder: Path) -> AsyncIterator[Platform]:
    async with stage.open(folder) as opened:
        yield opened
