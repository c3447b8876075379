"""`smmu serve`: how it begins, how it is refused, and how it ends."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.support.media import clip
from tests.support.served import Server, serving, smmu, start

pytestmark = pytest.mark.live


def test_it_says_in_one_line_where_it_is_and_how_to_get_a_token(server: Server) -> None:
    first = server.log.read_text(encoding="utf-8").splitlines()[0]
    how = f"(a token: smmu token --owner NAME --data {server.data})"
    assert first == f"Smart Media Uploader is at {server.url}/ {how}"


def test_it_is_alive_and_ready(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    assert "smmu_http_requests_total" in httpx.get(f"{server.url}/metrics").text


def test_a_folder_is_served_by_one_server(server: Server) -> None:
    done = smmu("serve", "--data", server.data, "--port", "0")
    assert done.status == 3
    assert len(done.err.splitlines()) == 1


def test_an_address_that_is_taken_is_said_to_be(server: Server, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    done = smmu("serve", "--data", tmp_path / "d", "--port", port)
    assert (done.status, done.err) == (
        3,
        f"smmu: cannot listen on 127.0.0.1 port {port}: Address already in use.\n",
    )
    assert not (tmp_path / "d").exists()


def test_a_stray_variable_is_refused_by_name(tmp_path: Path) -> None:
    done = smmu("serve", "--data", tmp_path, SMMU_WORKERS__HEVY="3")
    words = "smmu: SMMU_WORKERS__HEVY is not a setting: did you mean SMMU_WORKERS__HEAVY?\n"
    assert (done.status, done.err) == (2, words)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_it_ends_at_once_and_takes_its_address_with_it(tmp_path: Path, number: signal.Signals) -> None:
    running = start(tmp_path / "data")
    asked_at = time.monotonic()
    assert running.end(number) == 0
    assert time.monotonic() - asked_at < 10
    assert not (tmp_path / "data" / "server.json").exists()


def test_asked_to_end_it_interrupts_its_work_and_the_next_server_goes_on(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", seconds=20.0, size=(640, 360), options={"preset": "ultrafast"})
    with serving(tmp_path / "data") as first:
        job_id = smmu("upload", film, *first.options()).out.split()[-1]
        _until_at_work(first, job_id)
        with httpx.stream("GET", f"{first.url}/jobs/{job_id}/events", headers=_bearer(first)) as events:
            asked_at = time.monotonic()
            first.process.send_signal(signal.SIGTERM)
            for _ in events.iter_lines():  # ends by itself, as every stream does when the server drains
                pass
        assert first.end() == 0
        assert time.monotonic() - asked_at < 30
    assert '"error": "interrupted"' in first.log.read_text(encoding="utf-8")
    with serving(tmp_path / "data") as second:
        watched = smmu("jobs", "watch", job_id, *second.options(), seconds=100)
    assert (watched.status, watched.out.split()[1]) == (0, "succeeded")


def test_asked_twice_it_ends_at_once(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    with httpx.Client() as idle:
        body = _endless()
        request = idle.build_request("PUT", f"{running.url}/blobs/x", content=body, headers=_bearer(running))
        os.kill(running.process.pid, signal.SIGTERM)
        os.kill(running.process.pid, signal.SIGINT)
        assert request is not None
    assert running.process.wait(10) in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM)


def _endless() -> bytes:
    return b"x"


def _bearer(running: Server) -> dict[str, str]:
    return {"authorization": f"Bearer {running.token()}"}


def _until_at_work(running: Server, job_id: str) -> None:
    """Until a heavy task is under way."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = httpx.get(f"{running.url}/jobs/{job_id}", headers=_bearer(running)).json()
        if any(task["kind"] == "render" and task["state"] == "running" for task in job["tasks"]):
            return
        assert job["state"] not in ("succeeded", "failed"), job
        time.sleep(0.05)
    raise AssertionError("no heavy task began")
