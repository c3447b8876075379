"""Files that reach for other files and for addresses: none gets there, whichever of the walls it meets first."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from smmu.adapters.media.source import LocalSource
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import REJECTIONS, Refused
from tests.support.attacks import CONTAINERS, PROTOCOLS, TEXTS
from tests.support.canary import Victim, stand_by
from tests.support.media import LIMITS, clip, photo
from tests.support.ordeal import undergo

pytestmark = [pytest.mark.anyio, pytest.mark.media]

ATTACKS = TEXTS | CONTAINERS
CAUGHT = sorted(name for name, attack in ATTACKS.items() if attack.loose is not None)


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    film = clip(tmp_path / "victim.mp4", tone=False)
    with stand_by(film) as found:
        yield found


def written(name: str, victim: Victim, path: Path) -> Path:
    path.write_bytes(ATTACKS[name].make(victim, path.parent))
    return path


@pytest.mark.parametrize("name", CAUGHT)
def test_a_careless_reader_is_caught(victim: Victim, tmp_path: Path, name: str) -> None:
    path = written(name, victim, tmp_path / "film.mp4")
    loose = ATTACKS[name].loose or ()
    command = ["ffmpeg", "-nostdin", "-v", "error", *PROTOCOLS, *loose, "-i", str(path), "-f", "null", "-"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        reached = victim.reached(seconds=30)
        process.kill()
    assert reached != set()


@pytest.mark.parametrize("name", sorted(TEXTS))
async def test_text_is_turned_away_under_every_name(victim: Victim, tmp_path: Path, name: str) -> None:
    for suffix in (".mp4", ".jpg", ".mp3"):
        outcome = await undergo(written(name, victim, tmp_path / f"upload{suffix}"), tmp_path / "scratch")
        assert outcome.code in REJECTIONS
        assert outcome.unclean == []
    assert not (tmp_path / "scratch").exists(), "a child was started for it"
    assert victim.reached() == set()


@pytest.mark.parametrize("name", sorted(CONTAINERS))
async def test_a_file_that_passes_the_first_look_reaches_nothing(victim: Victim, tmp_path: Path, name: str) -> None:
    outcome = await undergo(written(name, victim, tmp_path / "upload.bin"), tmp_path / "scratch")
    assert outcome.unclean == []
    assert outcome.code in REJECTIONS or (outcome.code is None and outcome.renditions > 0)
    assert [path for path, data in outcome.files.items() if victim.url.encode() in data] == []
    assert victim.reached() == set()


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_the_demuxer_alone_would_reach_nothing(victim: Victim, tmp_path: Path, name: str) -> None:
    """Without the first look and without the child: the lists that `Workbench` gives to FFmpeg are enough."""
    path = written(name, victim, tmp_path / "film.mp4")
    with path.open("rb") as file:
        source = LocalSource(file.fileno(), path.stat().st_size, lambda: None)
        bench = Workbench(source=source, directory=tmp_path, limits=LIMITS, tell=lambda _: None)
        try:
            with bench.open_container() as container:
                packets = sum(1 for _ in container.demux())
        except (ValueError, av.FFmpegError, Refused):
            packets = 0
    assert victim.reached() == set()
    assert packets == 0 or not ATTACKS[name].turned_away


async def test_a_pattern_for_a_name_means_one_file(tmp_path: Path) -> None:
    neighbour = photo(tmp_path / "001.jpg")
    pattern = photo(tmp_path / "%03d.jpg", size=(64, 48))
    with stand_by(neighbour) as victim:
        outcome = await undergo(pattern, tmp_path / "scratch")
        assert (outcome.code, outcome.unclean) == (None, [])
        assert victim.reached() == set()
