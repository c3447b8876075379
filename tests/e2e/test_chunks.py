"""A long film in chunks, as its owner sees it: whoever is killed while it is made, what comes out is the same."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.media import clip
from tests.support.served import Server, pause, serving, smmu

pytestmark = pytest.mark.served

SHORT = {"SMMU_LIMITS__CHUNKS_FROM_SECONDS": "10", "SMMU_LIMITS__CHUNK_SECONDS": "6"}
KILLS = 3


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("film") / "film.mp4", seconds=30.0, size=(480, 270))


def test_killing_workers_changes_no_picture(film: Path, tmp_path: Path) -> None:
    undisturbed = smmu("process", film, "--out", tmp_path / "out", seconds=200, cwd=None, **SHORT)
    assert undisturbed.status == 0, undisturbed.err
    with serving(tmp_path / "data", **SHORT) as running:
        job_id = smmu("upload", film, *running.options()).out.split()[-1]
        killed = list(_killed_at_chunks(running, job_id))
        watched = smmu("jobs", "watch", job_id, *running.options(), seconds=200)
        assert (watched.status, watched.out.split()[1]) == (0, "succeeded")
        job = _job(running, job_id)
        whole = tmp_path / "whole.mp4"
        url = f"{running.url}/media/{job['media_id']}/renditions/mp4"
        whole.write_bytes(httpx.get(url, headers=_bearer(running), follow_redirects=True).content)
    assert len(killed) == KILLS
    made = json.loads((tmp_path / "out" / "film" / "manifest.json").read_bytes())
    mp4 = next(one for one in made["renditions"] if one["name"] == "mp4")
    assert any(one["choice"].startswith("encoded in 5 chunks") for one in made["plan"]["decisions"])
    assert _frames(whole) == _frames(tmp_path / "out" / "film" / mp4["path"])


def _killed_at_chunks(running: Server, job_id: str) -> Iterator[int]:
    """Workers that were killed while they were at a chunk."""
    deadline, killed = time.monotonic() + 100, set[int]()
    while len(killed) < KILLS and time.monotonic() < deadline:
        at_work = {task["name"] for task in _job(running, job_id)["tasks"] if task["state"] == "running"}
        for pid, number in _workers(running.process.pid):
            if pid not in killed and f"chunk-{number:04d}" in at_work and len(killed) < KILLS:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
                yield pid
        pause(0.05)


def _workers(server: int) -> Iterator[tuple[int, int]]:
    """The heavy workers of a server: their process, and which task of its stage they do. Chunks come first."""
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it is no process, or none any more
        if parent == server and "--record" in words:
            place = words[words.index("--record") + 1].rpartition(".")[0]
            yield int(folder.name), int(place.rpartition("[")[2].rstrip("]"))


def _job(running: Server, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{running.url}/jobs/{job_id}", headers=_bearer(running)).json()
    return found


def _bearer(running: Server) -> dict[str, str]:
    return {"authorization": f"Bearer {running.token()}"}


def _frames(path: Path) -> list[str]:
    """A digest of every decoded picture and its time, and of the sound."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "framemd5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout.splitlines()
