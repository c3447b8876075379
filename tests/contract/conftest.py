"""Every contract test runs once on each stage whose platform can do what the test's module needs (`NEEDS`)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from smmu.ports.platform import Capability, Platform
from tests.support.folders import quick_folder
from tests.support.platforms import STAGES, Stage


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        needs: frozenset[Capability] = getattr(metafunc.module, "NEEDS", frozenset())
        able = [stage for stage in STAGES if needs <= stage.capabilities and _runs(stage, metafunc)]
        metafunc.parametrize("stage", [_row(stage, metafunc) for stage in able], indirect=True)


def _runs(stage: Stage, metafunc: pytest.Metafunc) -> bool:
    return not stage.modules or metafunc.module.__name__.rpartition(".")[2] in stage.modules


def _row(stage: Stage, metafunc: pytest.Metafunc) -> Any:
    """The stage; where its stand-in is known to differ, a pass is the failure (`xfail_strict`)."""
    name = metafunc.function.__name__
    marks = [pytest.mark.xfail(reason=stage.differs[name])] if name in stage.differs else []
    marks += [pytest.mark.skip(reason=stage.leaves_out[name])] if name in stage.leaves_out else []
    return pytest.param(stage, id=stage.name, marks=marks)


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
