"""One server for all tests that do not need one of their own, and small real files to send to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.media import clip, photo, song
from tests.support.served import Server, serving


@dataclass(frozen=True)
class Files:
    """A photo, a song, a clip, and what only looks like one."""

    photo: Path
    song: Path
    clip: Path
    text: Path
    torn: Path


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    text, torn = folder / "text.mp4", folder / "torn.mp4"
    text.write_text("This is a text, whatever its name says.\n" * 20, encoding="utf-8")
    whole = clip(folder / "clip.mp4", seconds=1.0, size=(64, 48))
    torn.write_bytes(whole.read_bytes()[:400])
    return Files(
        photo=photo(folder / "photo.jpg", size=(64, 48)),
        song=song(folder / "song.wav", seconds=0.5),
        clip=whole,
        text=text,
        torn=torn,
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served") / "data") as running:
        yield running
