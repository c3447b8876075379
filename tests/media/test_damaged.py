"""Videos that broke off and videos with changed bytes, through the real engine: rendered and proven, or refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.corpus import CorpusFile, each_corpus_file
from tests.support.media import clip
from tests.support.mutants import cut, is_accepted_video, mutant
from tests.support.ordeal import undergo

pytestmark = [pytest.mark.anyio, pytest.mark.media]

SHARES = (0.1, 0.5, 0.9)
Damage = Callable[[bytes], bytes]


async def assert_clean(whole: Path, damage: Damage, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(damage(whole.read_bytes()))
    outcome = await undergo(path, tmp_path / "scratch")
    assert outcome.unclean == []


@pytest.mark.parametrize("share", SHARES)
@each_corpus_file(where=is_accepted_video)
async def test_a_video_that_broke_off_ends_cleanly(corpus_file: CorpusFile, tmp_path: Path, share: float) -> None:
    await assert_clean(corpus_file.path, lambda data: cut(data, share), tmp_path)


@each_corpus_file(where=is_accepted_video)
async def test_a_video_with_changed_bytes_ends_cleanly(corpus_file: CorpusFile, tmp_path: Path) -> None:
    await assert_clean(corpus_file.path, lambda data: mutant(data, corpus_file.name), tmp_path)


@pytest.mark.parametrize("seed", ["1", "2", "3"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi", ".flv"])
async def test_a_made_clip_with_changed_bytes_ends_cleanly(tmp_path: Path, suffix: str, seed: str) -> None:
    """Where the corpus is not present these are all there are."""
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    await assert_clean(clip(tmp_path / f"made{suffix}", codec=codec), lambda data: mutant(data, seed), tmp_path)
