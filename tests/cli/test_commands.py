"""What the command line understands, and what it says when it does not."""

import json
from importlib import metadata
from pathlib import Path

import anyio
import pytest

from smmu.adapters.embedded.platform import open_platform
from smmu.bootstrap.opening import verifier_of
from smmu.domain.limits import Limits
from smmu.entrypoints.cli.process import folder_names
from smmu.entrypoints.worker import main
from tests.cli.conftest import Smmu

COMMANDS = ("serve", "process", "upload", "jobs", "media", "token", "worker", "asl", "sweep", "redrive", "doctor")


def test_help_names_every_command(smmu: Smmu) -> None:
    done = smmu("--help")
    assert done.status == 0
    assert all(f"\n  {command} " in done.out for command in COMMANDS)


def test_it_says_which_version_it_is(smmu: Smmu) -> None:
    done = smmu("--version")
    assert (done.status, done.out, done.err) == (0, f"smmu {metadata.version('smart-media-uploader')}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(smmu: Smmu, command: str) -> None:
    done = smmu(command, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage: smmu {command}")


@pytest.mark.parametrize("group", [(), ("jobs",), ("media",), ("models",)])
def test_no_summary_of_a_command_is_cut_off(smmu: Smmu, group: tuple[str, ...]) -> None:
    told = smmu(*group, "--help", COLUMNS="80").out.partition("Commands:")[2]
    assert told
    assert [line for line in told.splitlines() if line.endswith("...")] == []


def test_who_serves_is_told_where_the_settings_are(smmu: Smmu) -> None:
    assert "docs/settings.md" in smmu("serve", "--help").out


def test_no_command_shows_help_and_is_a_usage_error(smmu: Smmu) -> None:
    done = smmu()
    assert done.status == 2
    assert done.out.startswith("Usage: smmu")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("bogus",), "smmu: No such command 'bogus'. See smmu --help."),
        (("jobs",), "smmu: Missing command. See smmu jobs --help."),
        (("serve", "--quux"), "smmu: No such option: --quux. See smmu serve --help."),
        (("jobs", "list", "--limit", "0"), "smmu: --limit is wrong: it is 1 or more. See smmu jobs list --help."),
        (("serve", "--port", "70000"), "smmu: --port is wrong: it is 65535 or less. See smmu serve --help."),
        (("token", "--ttl", "x"), "smmu: --ttl is wrong: it is a whole number. See smmu token --help."),
        (
            ("worker", "x"),
            "smmu: family is wrong: 'x' is not one of 'transcode', 'transcribe'. See smmu worker --help.",
        ),
        (
            ("jobs", "watch", "med_1", "--url", "u", "--token", "t"),
            "smmu: JOB_ID is wrong: 'med_1' is no id of a job, which begins with job_. See smmu jobs watch --help.",
        ),
        (
            ("media", "show", "../jobs", "--url", "u", "--token", "t"),
            "smmu: MEDIA_ID is wrong: '../jobs' is no id of a media, which begins with med_. See smmu media show --help.",
        ),
        (("token", "--owner", ""), "smmu: --owner is wrong: an owner has a name. See smmu token --help."),
        (("serve", "extra"), "smmu: There is more than it takes: extra. See smmu serve --help."),
        (("process",), "smmu: Missing argument 'FILE...'. See smmu process --help."),
        (("token",), "smmu: Missing option '--owner'. See smmu token --help."),
        (
            ("upload", "a", "--url", "u"),
            "smmu: Missing option '--token' (env var: 'SMMU_TOKEN'). See smmu upload --help.",
        ),
    ],
)
def test_what_is_not_understood_is_said_in_one_line(smmu: Smmu, arguments: tuple[str, ...], sentence: str) -> None:
    done = smmu(*arguments)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert done.err.strip() == sentence


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_port(smmu: Smmu, port: str) -> None:
    done = smmu("serve", "--port", port)
    assert done.status == 2
    assert done.err.startswith("smmu: --port is wrong: ")
    assert done.err.strip().endswith("See smmu serve --help.")


def test_one_upload_is_resumed_with_one_file(smmu: Smmu) -> None:
    done = smmu("upload", "a", "b", "--url", "u", "--token", "t", "--resume", "upl_1")
    assert done.status == 2
    assert "--resume is wrong: an upload is of one file: name one." in done.err


def test_a_stray_setting_is_refused_before_anything_is_touched(smmu: Smmu, tmp_path: Path) -> None:
    done = smmu("token", "--owner", "ada", SMMU_STRAY="1")
    assert (done.status, done.err) == (2, "smmu: SMMU_STRAY is not a setting: remove it.\n")
    assert list(tmp_path.iterdir()) == []


async def owner_of(folder: Path, token: str) -> str:
    return (await verifier_of(folder).verify(token)).owner


async def test_a_token_says_whose_it_is(tmp_path: Path) -> None:
    token = verifier_of(tmp_path).issue("ada", 60)
    assert await owner_of(tmp_path, token) == "ada"


def test_a_token_is_all_that_is_printed(smmu: Smmu, tmp_path: Path) -> None:
    smmu("token", "--owner", "ada", "--data", tmp_path / "d")
    done = smmu("token", "--owner", "ada", "--ttl", "60", "--data", tmp_path / "d")
    assert (done.status, done.err) == (0, "")
    assert done.out.count(".") == 2
    assert len(done.out.split()) == 1


def test_a_token_for_a_folder_that_was_not_there_says_so(smmu: Smmu) -> None:
    done = smmu("token", "--owner", "ada", "--data", "typo")
    said = "typo is new: the token is valid where it is served (smmu serve --data)\n"
    assert (done.status, done.err, len(done.out.split())) == (0, said, 1)


@pytest.mark.parametrize(("option", "value"), [("--owner", " "), ("--ttl", "0"), ("--ttl", "soon")])
def test_a_token_needs_an_owner_and_time(smmu: Smmu, option: str, value: str) -> None:
    given = {"--owner": "ada", "--ttl": "60"} | {option: value}
    done = smmu("token", *(word for pair in given.items() for word in pair))
    assert done.status == 2
    assert len(done.err.splitlines()) == 1


def test_tokens_are_not_made_for_a_platform_in_memory(smmu: Smmu) -> None:
    done = smmu("token", "--owner", "ada", SMMU_PLATFORM__KIND="inmemory")
    assert done.status == 2
    assert "embedded platform only" in done.err


def test_a_worker_of_a_task_that_is_not_there_has_nothing_to_do(smmu: Smmu, tmp_path: Path) -> None:
    given = ("--data", served_once(tmp_path), "--owner", "ada", "--record", "none")
    assert smmu("worker", "transcode", *given).status == 0


def test_a_worker_is_of_a_family(smmu: Smmu) -> None:
    assert smmu("worker", "gardening", "--data", "d", "--owner", "o", "--record", "r").status == 2


def test_the_doctor_looks_at_everything(smmu: Smmu, tmp_path: Path) -> None:
    done = smmu("doctor", "--data", tmp_path / "d")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert all(line.split()[0] in ("ok", "warn", "fail") for line in lines)
    for word in ("python", "av", "sandbox", "encoders", "decoders", "speech", "data folder", "disk"):
        assert word in done.out
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        ("auto", "warn  speech: no speech model: see `smmu models`"),
        ("faster-whisper", "warn  speech: "),
        ("none", "ok    speech: none, as it is set"),
        ("transcribe", "ok    speech: Amazon Transcribe"),
    ],
)
def test_the_doctor_tells_what_makes_captions(smmu: Smmu, tmp_path: Path, engine: str, line: str) -> None:
    folder = str(tmp_path / "models")
    done = smmu("doctor", "--data", tmp_path / "d", SMMU_SPEECH__ENGINE=engine, SMMU_SPEECH__MODELS=folder)
    assert done.status == 0
    assert line in done.out


def test_the_doctor_fails_where_nothing_can_be_written(smmu: Smmu) -> None:
    done = smmu("doctor", "--data", "/proc/nowhere")
    assert done.status == 3
    assert done.complaint.startswith("smmu: not fit for the work: data folder /proc/nowhere")


def test_sweep_and_redrive_of_an_empty_folder(smmu: Smmu, tmp_path: Path) -> None:
    folder = served_once(tmp_path)
    assert smmu("sweep", "--data", folder).out.startswith("0 records looked at")
    assert smmu("redrive", "--data", folder).out == "0 messages sent again\n"


@pytest.mark.parametrize("command", ["sweep", "redrive"])
def test_sweep_and_redrive_of_a_folder_that_was_never_served_make_none(
    smmu: Smmu, tmp_path: Path, command: str
) -> None:
    done = smmu(command, "--data", "typo")
    sentence = f"smmu: {tmp_path / 'typo'} is not a data folder: nothing was ever served from it.\n"
    assert (done.status, done.out, done.err) == (3, "", sentence)
    assert list(tmp_path.iterdir()) == []


def served_once(folder: Path) -> Path:
    async def serve() -> None:
        async with open_platform(str(folder), Limits(), exclusive=True):
            pass

    anyio.run(serve)
    return folder


def test_a_data_folder_that_cannot_be_made_is_the_worlds_fault(smmu: Smmu, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = smmu("token", "--owner", "ada", "--data", tmp_path / "file" / "d")
    assert (done.status, done.err) == (
        3,
        f"smmu: {tmp_path / 'file' / 'd'} cannot be the data folder: Not a directory.\n",
    )


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("sweep",), ("token", "--owner", "ada")])
def test_a_data_folder_that_is_a_file_is_named(smmu: Smmu, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "film.mp4").touch()
    done = smmu(*command, "--data", "film.mp4")
    sentence = f"smmu: {tmp_path / 'film.mp4'} cannot be the data folder: it is a file.\n"
    assert (done.status, done.out, done.err) == (3, "", sentence)


def test_the_doctor_sees_that_a_data_folder_is_a_file(smmu: Smmu, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    done = smmu("doctor", "--data", "film.mp4")
    assert done.status == 3
    assert "fail  data folder film.mp4: Not a directory: choose another with --data" in done.out


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (["a.mp4", "b.mp4"], ["a", "b"]),
        (["a.mp4", "a.jpg", "x/a.mp4"], ["a", "a-2", "a-3"]),
        (["a-2.mp4", "a.jpg", "a.png"], ["a-2", "a", "a-3"]),
        ([".hidden", "."], [".hidden", "file"]),
    ],
)
def test_each_file_has_a_folder_of_its_own(files: list[str], folders: list[str]) -> None:
    assert folder_names([Path(file) for file in files]) == folders


def test_the_state_machine_is_printed_as_json_that_does_not_change(smmu: Smmu) -> None:
    done = smmu("asl")
    assert (done.status, done.err) == (0, "")
    machine = json.loads(done.out)
    assert machine["TimeoutSeconds"] == 24 * 3600
    assert done.out == smmu("asl").out == json.dumps(machine, indent=2, sort_keys=True) + "\n"
    assert "${perform}" in done.out


ON_AWS = {
    "SMMU_PLATFORM__KIND": "aws",
    **{
        f"SMMU_PLATFORM__{name}": "x"
        for name in (
            *("REGION", "RAW_BUCKET", "PROCESSED_BUCKET", "JOBS_TABLE", "UPLOADS_TABLE", "MEDIA_TABLE"),
            *("JOBS_QUEUE", "DEAD_LETTERS", "STATE_MACHINE", "CLUSTER"),
        )
    },
}


def test_an_api_on_aws_without_an_issuer_of_tokens_is_refused(smmu: Smmu) -> None:
    done = smmu("serve", "--port", "0", **ON_AWS)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("smmu: SMMU_PLATFORM__IDENTITY__ISSUER is missing")


@pytest.mark.usefixtures("smmu")  # the environment says nothing
@pytest.mark.parametrize(
    ("given", "status", "sentence"),
    [
        ((), 2, "--data is missing: it names the served data folder."),
        (("--data", "/proc/no folder"), 3, "/proc/no folder is not a data folder: nothing was ever served from it"),
    ],
)
def test_a_worker_that_cannot_begin_says_so_in_one_line(
    capfd: pytest.CaptureFixture[str], given: tuple[str, ...], status: int, sentence: str
) -> None:
    """The program that a task runner starts: its exit status is what the runner tells causes apart by."""
    assert main(["transcode", "--owner", "ada", "--record", "r", "--tries", "0", *given]) == status
    assert capfd.readouterr() == ("", f"smmu worker: {sentence}\n")


@pytest.mark.usefixtures("smmu")  # as above
@pytest.mark.parametrize("record", ["r", "job_1/a0/job", "job_1/a1/", "/a1/job"])
def test_a_worker_on_aws_that_is_not_told_of_a_task_says_so_and_asks_nobody(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], record: str
) -> None:
    """What it may do follows from the record's name, before there are rights to look for it."""
    for name, value in ON_AWS.items():
        monkeypatch.setenv(name, value)
    assert main(["transcode", "--owner", "ada", "--record", record, "--tries", "0"]) == 2
    words = f"--record is wrong ({record!r}): it is JOB/aATTEMPT/PLACE, as a task is recorded."
    assert capfd.readouterr() == ("", f"smmu worker: {words}\n")


def test_results_need_a_folder(smmu: Smmu, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = smmu("process", "a.jpg", "--out", "file")
    words = "smmu: file is a file, and results need a folder: choose another --out.\n"
    assert (done.status, done.err) == (1, words)


def test_a_file_that_cannot_be_read_is_one_bad_file_and_no_bad_usage(
    smmu: Smmu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "out"):
        (tmp_path / name).touch()
    monkeypatch.setattr("os.access", lambda path, *_: not str(path).endswith("a.jpg"))
    assert smmu("process", "a.jpg", "--out", "out").err.startswith("smmu: out is a file")
    assert smmu("upload", "a.jpg", "--url", "u", "--token", "t").err.startswith("smmu: 'u' is not the address")
