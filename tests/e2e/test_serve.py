"""`smmu serve`: how it begins, how it is refused, and how it ends."""

import json
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Files
from tests.support.media import clip
from tests.support.served import SMMU, Server, environment, pause, serving, smmu, start

pytestmark = pytest.mark.served


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
        f"smmu: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --host and --port.\n",
    )
    assert not (tmp_path / "d").exists()


def test_a_stray_variable_is_refused_by_name(tmp_path: Path) -> None:
    done = smmu("serve", "--data", tmp_path, SMMU_WORKERS__HEVY="3")
    words = "smmu: SMMU_WORKERS__HEVY is not a setting: did you mean SMMU_WORKERS__HEAVY?\n"
    assert (done.status, done.err) == (2, words)


def test_an_engine_that_was_chosen_and_is_not_there_is_told_of_at_the_start(tmp_path: Path) -> None:
    chosen = {"SMMU_SPEECH__ENGINE": "faster-whisper", "SMMU_SPEECH__MODELS": str(tmp_path / "none")}
    with serving(tmp_path / "data", **chosen) as running:
        pass
    lines = [json.loads(line) for line in running.log.read_text(encoding="utf-8").splitlines() if line[0] == "{"]
    (told,) = [line for line in lines if line["event"] == "engine_missing"]
    assert (told["level"], told["engine"]) == ("warning", "speech")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_it_ends_at_once_and_takes_its_address_with_it(tmp_path: Path, number: signal.Signals) -> None:
    running = start(tmp_path / "data")
    asked_at = time.monotonic()
    running.ask(number)
    assert running.wait() == 0
    assert time.monotonic() - asked_at < 10
    assert not (tmp_path / "data" / "server.json").exists()


def test_asked_to_end_it_interrupts_its_work_and_the_next_server_goes_on(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", seconds=20.0, size=(640, 360), options={"preset": "ultrafast"})
    with serving(tmp_path / "data") as first:
        job_id = smmu("upload", film, *first.options()).out.split()[-1]
        _until_at_work(first, job_id)
        with httpx.stream("GET", f"{first.url}/jobs/{job_id}/events", headers=_bearer(first)) as events:
            asked_at = time.monotonic()
            first.ask()
            for _ in events.iter_lines():  # ends by itself, as every stream does when the server drains
                pass
        assert first.wait() == 0
        assert time.monotonic() - asked_at < 30
    with serving(tmp_path / "data") as second:
        watched = smmu("jobs", "watch", job_id, *second.options(), seconds=100)
        history = httpx.get(f"{second.url}/jobs/{job_id}/events", headers=_bearer(second)).text
    assert (watched.status, watched.out.split()[1]) == (0, "succeeded")
    told = [json.loads(line[6:]) for line in history.splitlines() if line.startswith("data: ")]
    assert [event["state"] for event in told if event.get("name") == "video"].count("failed") == 1


def test_asked_twice_it_ends_at_once(tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", seconds=20.0, size=(640, 360), options={"preset": "ultrafast"})
    with serving(tmp_path / "data") as running:
        job_id = smmu("upload", film, *running.options()).out.split()[-1]
        _until_at_work(running, job_id)
        running.ask()
        pause(0.05)
        running.ask()
        asked_at = time.monotonic()
        assert running.wait() == 128 + signal.SIGTERM
        assert time.monotonic() - asked_at < 1


def _bearer(running: Server) -> dict[str, str]:
    return {"authorization": f"Bearer {running.token()}"}


def _until_at_work(running: Server, job_id: str) -> None:
    """Until its longest task is under way."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = httpx.get(f"{running.url}/jobs/{job_id}", headers=_bearer(running)).json()
        if any(task["name"] == "video" and task["state"] == "running" for task in job["tasks"]):
            return
        assert job["state"] not in ("succeeded", "failed"), job
        pause(0.05)
    raise AssertionError("no video was begun")


def test_a_server_in_memory_serves_the_owners_of_its_tokens(tmp_path: Path, files: Files) -> None:
    settings = {"SMMU_PLATFORM__KIND": "inmemory", "SMMU_PLATFORM__TOKENS": '{"secret": "ada"}'}
    command = [*SMMU, "serve", "--port", "0"]
    log = tmp_path / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment(**settings), cwd=tmp_path, text=True
        ) as process,
    ):
        assert process.stdout is not None
        url = process.stdout.readline().split()[5].rstrip("/")
        done = smmu("upload", files.photo, "--watch", "--url", url, "--token", "secret")
        process.send_signal(signal.SIGTERM)
        assert (done.status, process.wait(30)) == (0, 0), done.err
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
