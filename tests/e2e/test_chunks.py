"""A long film in chunks, as its owner sees it: whoever is killed while it is made, what comes out is the same."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.media import clip
from tests.support.served import Server, pause, serving, smmu

pytestmark = pytest.mark.served

SHORT = {"SMMU_LIMITS__CHUNKS_FROM_SECONDS": "10", "SMMU_LIMITS__CHUNK_SECONDS": "6"}
COMPARED = {"hls-video", "hls-audio", "mp4"}


@dataclass(frozen=True)
class Place:
    """A task, and where it stands in the plan."""

    name: str
    stage: int
    number: int


PLACES = [
    Place("first-look", 0, 0),
    Place("chunk-0001", 1, 1),
    Place("chunk-0002", 1, 2),
    Place("video", 2, 0),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("film") / "film.mp4", seconds=24.0, size=(480, 300))


def test_killing_workers_changes_no_picture(film: Path, tmp_path: Path) -> None:
    undisturbed = smmu("process", film, "--out", tmp_path / "out", seconds=200, cwd=None, **SHORT)
    assert undisturbed.status == 0, undisturbed.err
    with serving(tmp_path / "data", **SHORT) as running:
        job_id = smmu("upload", film, *running.options()).out.split()[-1]
        killed = [_killed_at(running, job_id, place) for place in PLACES]
        watched = smmu("jobs", "watch", job_id, *running.options(), seconds=200)
        assert (watched.status, watched.out.split()[1]) == (0, "succeeded")
        found = _played(running, _job(running, job_id)["media_id"])
    assert len(set(killed)) == len(PLACES)
    made = json.loads((tmp_path / "out" / "film" / "manifest.json").read_bytes())
    assert any(one["choice"].startswith("encoded in 4 chunks") for one in made["plan"]["decisions"])
    assert found == {
        one["name"]: _frames(str(tmp_path / "out" / "film" / one["path"]))
        for one in made["renditions"]
        if one["role"] in COMPARED
    }
    assert len(found) == 4  # two rungs, their sound, and the MP4


def _killed_at(running: Server, job_id: str, place: Place) -> int:
    """The worker that was killed while it was at what stands there in the plan."""
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        at_work = {task["name"] for task in _job(running, job_id)["tasks"] if task["state"] == "running"}
        workers = [pid for pid, found in _workers(running.process.pid) if found == (place.stage, place.number)]
        if place.name in at_work and workers:
            os.kill(workers[0], signal.SIGKILL)
            return workers[0]
        pause(0.05)
    raise AssertionError(f"nobody was seen at {place.name}")


def _workers(server: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The heavy workers of a server: their process, and which task of which stage they do."""
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it is no process, or none any more
        if parent == server and "--record" in words:
            yield int(folder.name), tuple(map(int, re.findall(r"\[(\d+)\]", words[words.index("--record") + 1])))


def _played(running: Server, media_id: str) -> dict[str, list[str]]:
    """All that a media plays, as a player gets it."""
    told = httpx.post(f"{running.url}/media/{media_id}/playback", headers=_bearer(running)).json()["hls_url"]
    address = f"{running.url}/media/{media_id}/renditions/manifest"
    made = httpx.get(address, headers=_bearer(running), follow_redirects=True).json()["renditions"]
    master = next(one["path"] for one in made if one["role"] == "hls")
    root = told.removesuffix(master)
    return {one["name"]: _frames(root + one["path"]) for one in made if one["role"] in COMPARED}


def _job(running: Server, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{running.url}/jobs/{job_id}", headers=_bearer(running)).json()
    return found


def _bearer(running: Server) -> dict[str, str]:
    return {"authorization": f"Bearer {running.token()}"}


def _frames(place: str) -> list[str]:
    """A digest of every decoded picture and its time, and of the sound."""
    reading = ["-allowed_extensions", "ALL"] if place.endswith(".m3u8") else []
    command = ["ffmpeg", "-nostdin", "-v", "error", *reading, "-i", place, "-f", "framemd5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout.splitlines()
