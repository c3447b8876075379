"""Worker processes: how their end is told, what they are given, and that they never outlive the server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from smmu.adapters.embedded.tasks import SubprocessTaskRunner, worker_command, worker_environment
from smmu.entrypoints.worker import _parser
from smmu.ports.errors import NotFound, Unavailable
from smmu.ports.tasks import Exit, TaskRequest, TaskStatus

PYTHON = (sys.executable, "-S", "-c")


def request(script: str, *, seconds_max: int = 30, tries: int = 1) -> TaskRequest:
    return TaskRequest(
        owner="ada", record_id=script, family="transcode", tries=tries, memory_bytes=0, seconds_max=seconds_max
    )


def command(asked: TaskRequest) -> Sequence[str]:
    return (*PYTHON, asked.record_id)


@asynccontextmanager
async def a_runner(grace_seconds: float = 1.0) -> AsyncIterator[SubprocessTaskRunner]:
    runner = SubprocessTaskRunner(command, {"SMMU_X": "1", "SECRET": "2"}, grace_seconds=grace_seconds)
    async with runner.running():
        yield runner


@pytest.fixture
async def runner() -> AsyncIterator[SubprocessTaskRunner]:
    async with a_runner() as opened:
        yield opened


async def end_of(runner: SubprocessTaskRunner, asked: TaskRequest) -> TaskStatus:
    with anyio.fail_after(10):
        return await runner.wait(await runner.start(asked))


@pytest.mark.parametrize(
    ("script", "exit_", "code"),
    [
        ("pass", Exit.DONE, 0),
        ("raise SystemExit(137)", Exit.OUT_OF_MEMORY, 137),
        ("raise SystemExit(143)", Exit.INTERRUPTED, 143),
        ("raise SystemExit(2)", Exit.INTERRUPTED, 2),
        ("raise SystemExit(3)", Exit.INTERRUPTED, 3),
        ("import os; os.kill(os.getpid(), 9)", Exit.OUT_OF_MEMORY, -9),
        ("import os; os.kill(os.getpid(), 15)", Exit.INTERRUPTED, -15),
        ("import os; os.abort()", Exit.CRASHED, -6),
        ("import os; os.kill(os.getpid(), 11)", Exit.CRASHED, -11),
    ],
)
async def test_an_end_is_told_by_its_cause(runner: SubprocessTaskRunner, script: str, exit_: Exit, code: int) -> None:
    status = await end_of(runner, request(script))
    assert (status.exit, status.exit_code) == (exit_, code)


async def test_too_long_is_timed_out(runner: SubprocessTaskRunner) -> None:
    status = await end_of(runner, request("import time; time.sleep(60)", seconds_max=1))
    assert status.exit is Exit.TIMED_OUT


async def test_the_last_words_are_kept_and_no_more(runner: SubprocessTaskRunner) -> None:
    status = await end_of(runner, request("raise SystemExit('x' * 100_000 + ' it was the disk')"))
    assert status.detail.endswith("it was the disk")
    assert len(status.detail) <= 4_096


async def test_a_worker_is_given_what_it_needs_and_no_more(runner: SubprocessTaskRunner) -> None:
    script = "import os, resource, sys; sys.exit(repr((sorted(os.environ), resource.getrlimit(4)[0], os.getpgid(0))))"
    status = await end_of(runner, request(script))
    environment, core, group = eval(status.detail)
    assert set(environment) <= {"SMMU_X", "LC_CTYPE"}
    assert core == 0
    assert group != os.getpgid(0)


async def test_a_grandchild_does_not_hold_up_the_end(runner: SubprocessTaskRunner) -> None:
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    began = time.monotonic()
    assert (await end_of(runner, request(script))).exit is Exit.DONE
    assert time.monotonic() - began < 5


async def test_a_program_that_is_not_there_is_told_at_once() -> None:
    runner = SubprocessTaskRunner(lambda _: ["/there/is/no/such/program"], {})
    async with runner.running():
        with pytest.raises(NotFound):
            await runner.start(request(""))
        with pytest.raises(NotFound):
            await runner.start(request(""))  # it is not taken for one that runs


async def test_nothing_starts_when_nothing_runs() -> None:
    with pytest.raises(Unavailable):
        await SubprocessTaskRunner(command, {}).start(request("pass"))


async def test_the_end_of_the_server_stops_its_tasks(tmp_path: Path) -> None:
    note = tmp_path / "note"
    script = (
        f"import signal, sys, time; signal.signal(15, lambda *_: (open({str(note)!r}, 'w').close(), sys.exit(143)))"
    )
    async with a_runner() as runner:
        handle = await runner.start(request(f"{script}; print('up', file=sys.stderr, flush=True); time.sleep(60)"))
        while not runner._tasks[handle].stderr:  # noqa: ASYNC110 - it is a process that is waited for
            await anyio.sleep(0.01)
    assert note.exists()
    assert (await runner.inspect(handle)).exit is Exit.INTERRUPTED


SERVER = """
import anyio, sys
from smmu.adapters.embedded.tasks import SubprocessTaskRunner
from smmu.ports.tasks import TaskRequest

async def main():
    script = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    runner = SubprocessTaskRunner(lambda _: [sys.executable, "-S", "-c", script, sys.argv[1]], {})
    async with runner.running():
        await runner.start(TaskRequest(owner="a", record_id="r", family="f", tries=1, memory_bytes=0, seconds_max=60))
        print("started", flush=True)
        await anyio.sleep(60)

anyio.run(main, backend=sys.argv[2])
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_worker_dies_with_a_server_that_is_killed(tmp_path: Path, backend: str) -> None:
    note = tmp_path / "pid"
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(note), backend], stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline() == b"started\n"
    wait_until(lambda: note.exists() and note.read_text() != "")
    worker = int(note.read_text())
    assert is_alive(worker)
    server.send_signal(signal.SIGKILL)
    server.wait()
    server.stdout.close()
    wait_until(lambda: not is_alive(worker))


def wait_until(holds: object, seconds: float = 5.0) -> None:
    assert callable(holds)
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)  # noqa: TID251 - there is no event loop here


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_our_own_workers_are_named_by_what_they_are_to_do() -> None:
    argv = worker_command("/data")(request("job_1/a1/x", tries=2))
    assert argv[1:] == (
        *("-m", "smmu.entrypoints.worker", "transcode", "--data", "/data"),
        *("--owner=ada", "--record", "job_1/a1/x", "--tries", "2"),
    )


def test_an_owner_may_be_called_like_an_option() -> None:
    words = worker_command("/data")(replace(request("job_1/a1/x"), owner="--tries"))[3:]
    assert _parser().parse_args(words).owner == "--tries"


def test_credentials_of_the_server_are_not_passed_on() -> None:
    given = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "SMMU_DATA": "/d", "LANG": "C.UTF-8"}
    assert worker_environment(given) == {"PATH": "/bin", "SMMU_DATA": "/d", "LANG": "C.UTF-8"}
