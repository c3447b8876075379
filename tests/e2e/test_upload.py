"""`smmu upload` and `smmu jobs` against a real server: what they print, and what they answer to the shell."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from smmu.domain.limits import MIB
from tests.e2e.conftest import Files
from tests.support.media import clip
from tests.support.served import SMMU, Server, environment, smmu

pytestmark = pytest.mark.served


def test_a_file_is_uploaded_and_watched_to_its_end(server: Server, files: Files) -> None:
    done = smmu("upload", files.song, "--watch", *server.options())
    assert (done.status, done.complaint) == (0, "song.wav: succeeded 100 %")
    name, media_id, job_id = done.out.split()
    assert name == f"{files.song}:"
    assert smmu("media", "show", media_id, *server.options()).status == 0
    (line,) = [line for line in smmu("jobs", "list", *server.options()).out.splitlines() if line.startswith(job_id)]
    assert line.split()[-2:] == [media_id, "song.wav"]


def test_a_picture_of_ones_own_is_laid_over_a_film(server: Server, files: Files) -> None:
    assert smmu("upload", files.photo, "--watch", *server.options("ivy")).status == 0
    image = smmu("media", "list", *server.options("ivy")).out.split()[0]
    done = smmu("upload", files.clip, "--watch", "--watermark", image, *server.options("ivy"))
    assert done.status == 0, done.err
    theirs = smmu("upload", files.clip, "--watermark", image, *server.options("joe"))
    words = "There is no such picture: upload the watermark's image first, and name its media."
    assert (theirs.status, theirs.out, theirs.complaint) == (1, "", f"smmu: {files.clip}: {words}")


def test_several_files_are_uploaded_past_a_bad_one(server: Server, files: Files) -> None:
    done = smmu("upload", files.song, files.text, files.photo, *server.options())
    assert done.status == 1
    assert len(done.out.splitlines()) == 2
    assert f"smmu: {files.text}: This is a text file, which is not accepted" in done.err
    assert done.complaint == "smmu: 1 of 3 files failed"


def test_a_job_that_fails_fails_the_command_when_it_is_watched(server: Server, files: Files) -> None:
    done = smmu("upload", files.torn, "--watch", *server.options())
    assert done.status == 1
    assert done.out == ""
    assert "failed: " in done.complaint


def test_interrupted_while_it_watches_it_names_the_job_and_how_to_watch_it_again(
    server: Server, tmp_path: Path
) -> None:
    film = clip(tmp_path / "film.mp4", seconds=40.0, size=(640, 360), options={"preset": "ultrafast"})
    deaf_no_more = ["env", "--default-signal=INT"]  # what a script runs in the background is left deaf to it
    command = [*deaf_no_more, *SMMU, "upload", str(film), "--watch", *server.options("erin")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        next(line for line in run.stderr if "inspect" in line)
        run.send_signal(signal.SIGINT)
        rest, out = run.stderr.read(), run.stdout.read()
        assert run.wait(30) == 130, rest
    [job_id] = [line.split()[0] for line in smmu("jobs", "list", *server.options("erin")).out.splitlines()]
    how = f"{film}: {job_id} goes on without you: smmu jobs watch {job_id} --url {server.url}"
    assert (out, rest.splitlines()[-1]) == ("", how)
    smmu("jobs", "cancel", job_id, *server.options("erin"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.mp4", "There is no such file."),
        ("folder", "This is not a file: name the files themselves."),
        ("empty.mp4", "The file is empty: choose a file that has something in it."),
        ("paper.pdf", "This is a PDF document, which is not accepted: send an image, a video or an audio file."),
    ],
)
def test_what_cannot_be_uploaded_is_refused_in_one_line(
    server: Server, tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7\n")
    done = smmu("upload", tmp_path / name, *server.options())
    assert (done.status, done.out, done.complaint) == (1, "", f"smmu: {tmp_path / name}: {sentence}")


def test_a_wrong_token_is_refused(server: Server, files: Files) -> None:
    done = smmu("upload", files.song, "--url", server.url, "--token", "nobody's")
    assert (done.status, done.complaint) == (
        1,
        f"smmu: {files.song}: The token was refused: this is not a token.",
    )


def test_a_server_that_is_not_there_is_the_worlds_fault(files: Files) -> None:
    done = smmu("upload", files.song, "--url", "http://127.0.0.1:1", "--token", "t")
    assert done.status == 3
    assert done.complaint.startswith(f"smmu: {files.song}: http://127.0.0.1:1 cannot be reached:")


def test_url_and_token_may_come_from_the_environment(server: Server) -> None:
    done = smmu("jobs", "list", SMMU_URL=server.url, SMMU_TOKEN=server.token("nobody"))
    assert (done.status, done.out, done.err) == (0, "", "no jobs\n")


def test_jobs_can_be_looked_at(server: Server, files: Files) -> None:
    uploaded = smmu("upload", files.photo, "--image-widths", "32", *server.options("bob"))
    job_id = uploaded.out.split()[-1]
    watched = smmu("jobs", "watch", job_id, *server.options("bob"))
    assert (watched.status, watched.out.split()[:3]) == (0, [job_id, "succeeded", "100"])
    shown = json.loads(smmu("jobs", "show", job_id, "--json", *server.options("bob")).out)
    assert {task["state"] for task in shown["tasks"]} == {"succeeded"}
    made = smmu("media", "show", shown["media_id"], *server.options("bob")).out
    assert ("image-32-webp" in made, "image-64-webp" in made) == (True, False)  # as it was wished
    listed = smmu("jobs", "list", "--state", "succeeded", *server.options("bob"))
    assert [line.split()[0] for line in listed.out.splitlines()] == [job_id]
    assert "photo.jpg" in listed.out
    cancelled = smmu("jobs", "cancel", job_id, *server.options("bob"))
    assert (cancelled.status, cancelled.complaint) == (
        1,
        "smmu: The job is succeeded already: there is nothing to cancel.",
    )
    assert smmu("jobs", "show", job_id, *server.options("eve")).complaint == "smmu: There is no such job."


def test_a_token_of_the_command_line_opens_the_server(server: Server) -> None:
    token = smmu("token", "--owner", "carol", "--data", server.data)
    assert token.status == 0
    assert smmu("jobs", "list", "--url", server.url, "--token", token.out.strip()).status == 0


def test_operators_sweep_and_redrive_a_served_folder(server: Server) -> None:
    swept = smmu("sweep", "--data", server.data)
    assert (swept.status, swept.out.split()[1:4]) == (0, ["records", "looked", "at,"])
    assert smmu("redrive", "--data", server.data).out == "0 messages sent again\n"


def test_an_upload_whose_client_was_killed_is_resumed_by_the_id_that_it_told(server: Server, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.write(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42")
        file.truncate(110 * MIB)  # more than one PUT may have
    command = [*SMMU, "upload", str(film), *server.options("dave")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment(), text=True) as process:
        assert process.stderr is not None
        upload_id = process.stderr.readline().split()[-1]
        process.kill()
    done = smmu("upload", film, "--resume", upload_id, *server.options("dave"))
    assert done.status == 0, done.err
    listed = smmu("jobs", "list", *server.options("dave")).out
    assert [line.split()[0] for line in listed.splitlines()] == [done.out.split()[-1]]
