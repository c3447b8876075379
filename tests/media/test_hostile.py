"""Files that try to reach something: other files, addresses, memory. Nothing is reached, and each ends in words."""

import contextlib
import os
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.source import LocalSource
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Refused
from smmu.ports.errors import TaskDied
from tests.support.media import LIMITS, FileSource, clip, gradient, song

pytestmark = [pytest.mark.anyio, pytest.mark.media]


@pytest.fixture
def engine(tmp_path: Path) -> PyavEngine:
    return PyavEngine(LIMITS, str(tmp_path / "scratch"))


@dataclass
class Canary:
    """A server that nobody may call."""

    port: int
    calls: list[str] = field(default_factory=list)


@pytest.fixture
def canary() -> Iterator[Canary]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Canary(server.getsockname()[1])

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, address = server.accept()
                    found.calls.append(str(address))
                    connection.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
    "hls-file": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nvictim.mp4\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile victim.mp4\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{url}</BaseURL></MPD>',
}


@pytest.mark.parametrize("name", sorted(PLAYLISTS))
async def test_a_playlist_named_mp4_reaches_nothing(
    engine: PyavEngine, tmp_path: Path, canary: Canary, name: str
) -> None:
    victim = clip(tmp_path / "victim.mp4", tone=False)
    os.utime(victim, (1, 1))
    url = f"http://127.0.0.1:{canary.port}/segment.ts"
    path = tmp_path / "film.mp4"
    path.write_text(PLAYLISTS[name].format(url=url, port=canary.port))
    with pytest.raises(Refused):
        await engine.inspect(FileSource(path))
    assert canary.calls == []
    assert victim.stat().st_atime == 1


@pytest.mark.parametrize("name", ["hls", "hls-file", "concat", "sdp"])
def test_the_demuxer_refuses_a_playlist_that_got_past_the_first_look(tmp_path: Path, canary: Canary, name: str) -> None:
    clip(tmp_path / "victim.mp4", tone=False)
    path = tmp_path / "film.mp4"
    path.write_text(PLAYLISTS[name].format(url=f"http://127.0.0.1:{canary.port}/x.ts", port=canary.port))
    with path.open("rb") as file:
        source = LocalSource(file.fileno(), path.stat().st_size, lambda: None)
        bench = Workbench(source=source, directory=tmp_path, limits=LIMITS, tell=lambda _: None)
        with pytest.raises((ValueError, OSError)):
            bench.open_container()
    assert canary.calls == []


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
