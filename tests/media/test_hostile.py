"""Files that are cut off, damaged, or unpack to more than there is. Each ends in facts or in words."""

import contextlib
import struct
import zlib
from pathlib import Path

import pytest

from smmu.adapters.media.engine import PyavEngine
from smmu.domain.errors import Refused
from smmu.ports.errors import TaskDied
from tests.support.media import LIMITS, FileSource, clip, gradient, song

pytestmark = [pytest.mark.anyio, pytest.mark.media]


@pytest.fixture
def engine(tmp_path: Path) -> PyavEngine:
    return PyavEngine(LIMITS, str(tmp_path / "scratch"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.ts", "a.mp3", "a.wav", "a.flac", "a.ogg"])
async def test_a_file_that_was_cut_off_ends_in_facts_or_a_refusal(
    engine: PyavEngine, tmp_path: Path, name: str, share: float
) -> None:
    path = tmp_path / name
    if name in {"a.mp4", "a.mkv", "a.ts"}:
        clip(path)
    else:
        song(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with contextlib.suppress(Refused):
        facts = await engine.inspect(FileSource(path))
        assert facts.duration_s is not None
        assert facts.duration_s <= 1.2


@pytest.mark.parametrize("name", ["a.mp4", "a.jpg", "a.png", "a.webp", "a.gif"])
async def test_noise_after_a_good_beginning_ends_in_facts_or_a_refusal(
    engine: PyavEngine, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    if name == "a.mp4":
        clip(path, container_options={"movflags": "faststart"})
    else:
        gradient(300, 200).save(path)
    whole = bytearray(path.read_bytes())
    for at in range(len(whole) // 3, len(whole), 7):
        whole[at] = at * 37 % 256
    path.write_bytes(whole)
    with contextlib.suppress(Refused):
        await engine.inspect(FileSource(path))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


async def test_metadata_that_unpacks_to_gigabytes_is_survived(tmp_path: Path) -> None:
    """60 kB of zTXt and iCCP that inflate to 60 MB each, forty times."""
    gradient(20, 20).save(tmp_path / "small.png")
    png = (tmp_path / "small.png").read_bytes()
    packed = zlib.compress(bytes(60_000_000), 9)
    bombs = b"".join(chunk(b"zTXt", b"note%d\0\0" % number + packed) for number in range(40))
    path = tmp_path / "bomb.png"
    path.write_bytes(png[:33] + chunk(b"iCCP", b"icc\0\0" + packed) + bombs + png[33:])
    engine = PyavEngine(LIMITS, str(tmp_path / "scratch"))
    with contextlib.suppress(Refused, TaskDied):
        facts = await engine.inspect(FileSource(path))
        assert facts.image is not None
        assert facts.image.display_size == (20, 20)
    assert list((tmp_path / "scratch").iterdir()) == []
