"""A remote service for each test, and files to send to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import smmu
from smmu.domain.limits import MIB
from tests.support.remote import Remote, remote


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """An embedder may live on either, and so may the client."""
    return str(request.param)


@pytest.fixture
async def service() -> AsyncIterator[Remote]:
    async with remote() as known:
        yield known


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Three parts: two of 5 MiB and a short one."""
    path = tmp_path / "film.mp4"
    path.write_bytes(smmu.pretend_file(size=11 * MIB, duration_s=2.0))
    return path


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """One part."""
    path = tmp_path / "song.wav"
    path.write_bytes(smmu.pretend_file(smmu.Kind.AUDIO, size=1000, duration_s=2.0))
    return path
