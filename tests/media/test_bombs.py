"""Files that claim or unpack to more than there is end in a rejection, or are made what they really are, in time."""

from pathlib import Path

import pytest

from smmu.domain.errors import REJECTIONS
from tests.support.bombs import BOMBS
from tests.support.ordeal import undergo

pytestmark = [pytest.mark.anyio, pytest.mark.media]


@pytest.mark.parametrize("name", sorted(BOMBS))
async def test_a_bomb_ends_cleanly(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[name](tmp_path))
    outcome = await undergo(path, tmp_path / "scratch")
    assert outcome.unclean == []
    assert outcome.code in REJECTIONS or outcome.renditions > 0
