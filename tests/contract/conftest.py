"""Every contract test runs once on each stage. What a platform cannot do is asked through its capabilities."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from smmu.ports.platform import Platform
from tests.support.platforms import STAGES, Stage


@pytest.fixture(params=STAGES, ids=lambda stage: stage.name)
def stage(request: pytest.FixtureRequest) -> Stage:
    chosen: Stage = request.param
    return chosen


@pytest.fixture
def anyio_backend(stage: Stage) -> Any:
    return stage.backend()


@pytest.fixture
async def platform(stage: Stage, tmp_path: Path) -> AsyncIterator[Platform]:
    async with stage.open(tmp_path) as opened:
        yield opened
