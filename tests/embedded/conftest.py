"""A data folder, and the platform over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.platform import open_platform
from smmu.domain.limits import Limits
from smmu.ports.platform import Platform
from smmu.ports.uploads import Session
from tests.support.sessions import KEY, PART


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def platform(folder: Path) -> AsyncIterator[Platform]:
    async with open_platform(str(folder), Limits(), exclusive=True, grace_seconds=1.0) as opened:
        yield opened


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(str(tmp_path / "smmu.db"))
    yield opened
    await opened.close()


@pytest.fixture
async def session(platform: Platform) -> Session:
    return await platform.uploads.begin(KEY, method="multipart", part_size=PART, content_type="video/mp4")
