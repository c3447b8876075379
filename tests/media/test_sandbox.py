"""What a taken-over decoder can do in the child: nothing that matters. And how each way to end is told apart."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from smmu.adapters.media import confine, sandbox
from smmu.adapters.media.conversation import SENT_AT_ONCE, Ears
from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.orders import order
from smmu.domain.limits import Limits
from smmu.ports.errors import Full, NotFound, TaskDied
from smmu.ports.objects import Body
from tests.support.leavings import assert_nothing_left, living_in
from tests.support.media import LIMITS, MIB, FileSource, Fractions, MemorySink, clip, photo, picture_task, still

pytestmark = [pytest.mark.anyio, pytest.mark.media]

PROJECT = Path(__file__).resolve().parents[2]
START = (
    "import sys; sys.path[:0] = [sys.argv.pop(1), {project!r}]; "
    "from tests.support import misbehaviour; misbehaviour.main({name!r})"
)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Trio starts processes from threads that it retires: the child must not take that for the parent's death."""
    return str(request.param)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def start_as(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sandbox, "_START", START.format(project=str(PROJECT), name=name))


async def nothing(_: object) -> None:
    return


async def child_that(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    scratch: Path,
    *,
    wishes: object = None,
    seconds: float = 20,
    stalled: float = 10,
    cpu_seconds: int = 20,
    memory: int = 1024 * MIB,
    limits: Limits = LIMITS,
) -> Any:
    """The answer of the real child, doing what `misbehaviour.py` calls `name`."""
    start_as(monkeypatch, name)
    asked = write_wishes(scratch, wishes)
    errand = {"operation": "inspect-av", "cpu_seconds": cpu_seconds}
    words = order(errand, FileSource(asked), limits, seconds=1, memory=memory).words
    wanted = sandbox.Order(
        words=words, seconds_max=seconds, stalled_seconds=stalled, bytes_max=limits.outputs_bytes_max
    )
    try:
        return await sandbox.run(wanted, FileSource(asked), str(scratch), Ears(made=nothing, progressed=nothing))
    finally:
        assert_nothing_left(scratch)


def write_wishes(scratch: Path, wishes: object) -> Path:
    scratch.mkdir(exist_ok=True)
    asked = scratch.parent / "asked"
    asked.write_bytes(bytes(16) + json.dumps(wishes).encode())
    return asked


async def test_the_child_has_no_environment(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    monkeypatch.setenv("SMMU_SECRET", "open sesame")
    found = await child_that("surroundings", monkeypatch, scratch)
    assert set(found["environment"]) <= {*sandbox._ENVIRONMENT, "TMPDIR", "LC_CTYPE"}
    assert found["folder"].startswith(str(scratch))


async def test_the_child_reaches_nothing(monkeypatch: pytest.MonkeyPatch, scratch: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("secret")
    found = await child_that("reach_out", monkeypatch, scratch, wishes={"victim": str(victim), "port": 9})
    assert {name for name, outcome in found.items() if outcome == "done"} == set(), found
    assert set(found.values()) <= {"EPERM", "EACCES"}
    assert victim.read_text() == "secret"


async def test_the_parent_can_not_be_looked_into_by_a_child_that_may_read_files(scratch: Path) -> None:
    """Its parent has no capabilities, as in a container: those of root would keep the child out by themselves."""
    program = [sys.executable, "-c", f"from {__name__} import look; look({str(scratch)!r})"]
    found = json.loads((await anyio.run_process(program, cwd=PROJECT)).stdout)
    assert found.pop("status") == "done"  # anybody may read it
    assert {*found} == {"environ", "maps", "mem"}
    assert set(found.values()) <= {"EPERM", "EACCES"}, found


def look(scratch: str) -> None:
    assert confine._drop_capabilities(ctypes.CDLL(None))
    with pytest.MonkeyPatch.context() as patched:
        sys.stdout.write(json.dumps(anyio.run(child_that, "look_at_the_parent", patched, Path(scratch))))


async def test_the_child_may_use_threads_and_its_own_folder(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    assert await child_that("work_in_threads", monkeypatch, scratch) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "cause", "bounds"),
    [
        ("eat", "out_of_memory", {"memory": 700 * MIB}),
        ("be_killed", "out_of_memory", {}),
        ("hang", "stalled", {"stalled": 1.5}),
        ("dawdle", "timed_out", {"seconds": 1.5}),
        ("spin", "timed_out", {"cpu_seconds": 1}),
        ("crash", "crashed", {}),
        ("be_stopped", "interrupted", {}),
        ("talk_nonsense", "crashed", {}),
        ("give_another_verdict", "crashed", {}),
    ],
)
async def test_every_death_has_its_cause(
    monkeypatch: pytest.MonkeyPatch, scratch: Path, name: str, cause: str, bounds: dict[str, Any]
) -> None:
    with pytest.raises(TaskDied) as caught:
        await child_that(name, monkeypatch, scratch, **bounds)
    assert caught.value.cause == cause


@pytest.mark.parametrize("name", ["lie_about_a_name", "hand_over_a_link", "hand_over_a_neighbour"])
async def test_a_file_that_is_none_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, scratch: Path, tmp_path: Path, name: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("secret")
    with pytest.raises(TaskDied) as caught:
        await child_that(name, monkeypatch, scratch, wishes={"victim": str(victim)})
    assert caught.value.cause == "crashed"
    assert victim.read_text() == "secret"


@pytest.mark.parametrize("name", ["run_out_of_disk", "write_much", "hand_over_much"])
async def test_a_full_disk_is_told_apart(monkeypatch: pytest.MonkeyPatch, scratch: Path, name: str) -> None:
    with pytest.raises(Full):
        await child_that(
            name, monkeypatch, scratch, limits=Limits(output_bytes_max=8 * MIB, outputs_bytes_max=32 * MIB)
        )


async def test_an_answer_that_is_none_is_a_crash(
    monkeypatch: pytest.MonkeyPatch, scratch: Path, tmp_path: Path
) -> None:
    start_as(monkeypatch, "answer_with_rubbish")
    with pytest.raises(TaskDied) as caught:
        await PyavEngine(LIMITS, str(scratch)).inspect(FileSource(clip(tmp_path / "clip.mp4", seconds=0.2)))
    assert caught.value.cause == "crashed"


async def test_cancelling_ends_the_child(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    with anyio.move_on_after(1) as scope:
        await child_that("hang", monkeypatch, scratch)
    assert scope.cancelled_caught
    assert living_in(scratch) == []


@pytest.mark.slow
async def test_the_child_outlives_the_thread_that_started_it(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    with pytest.raises(TaskDied) as caught:
        await child_that("dawdle", monkeypatch, scratch, seconds=12)  # trio retires idle threads after ten
    assert caught.value.cause == "timed_out"


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import sys, anyio; sys.path[:0] = sys.argv[1:3]\n"
        "from pathlib import Path\n"
        "import pytest\n"
        "from tests.media.test_sandbox import child_that\n"
        "anyio.run(child_that, 'hang', pytest.MonkeyPatch(), Path(sys.argv[3]))\n"
    )
    scratch = tmp_path / "scratch"
    arguments = [sys.executable, "-c", program, str(PROJECT / "src"), str(PROJECT), str(scratch)]
    with subprocess.Popen(arguments) as parent:
        assert eventually(lambda: len(living_in(scratch)) == 1)
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: living_in(scratch) == [])


def eventually(holds: Callable[[], bool], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        os.sched_yield()
    return holds()


async def test_a_sink_that_is_full_is_heard_and_nothing_is_left(scratch: Path, tmp_path: Path) -> None:
    class FullSink(MemorySink):
        async def put(self, path: str, body: Body, content_type: str) -> None:
            raise Full(f"no room for {content_type} {path}: {body!r}")

    engine = PyavEngine(LIMITS, str(scratch))
    source = FileSource(photo(tmp_path / "photo.jpg"))
    with pytest.raises(Full):
        await engine.render(source, picture_task(still("a", 40, 30)), FullSink(), Fractions())
    assert_nothing_left(scratch)


async def test_a_few_files_are_stored_beside_each_other_and_no_more(scratch: Path, tmp_path: Path) -> None:
    class SlowSink(MemorySink):
        under_way = most = 0
        enough = anyio.Event()

        async def put(self, path: str, body: Body, content_type: str) -> None:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            if self.most == SENT_AT_ONCE:
                self.enough.set()
            await self.enough.wait()
            await anyio.lowlevel.checkpoint()
            await super().put(path, body, content_type)
            self.under_way -= 1

    names = [f"still-{number}" for number in range(2 * SENT_AT_ONCE)]
    sink, source = SlowSink(), FileSource(photo(tmp_path / "photo.jpg"))
    with anyio.fail_after(60):
        task = picture_task(*(still(name, 40, 30) for name in names))
        made = await PyavEngine(LIMITS, str(scratch)).render(source, task, sink, Fractions())
    assert (sink.most, sink.under_way) == (SENT_AT_ONCE, 0)
    assert [one.name for one in made] == names
    assert {file.path for one in made for file in one.files} == set(sink.files)
    assert_nothing_left(scratch)


async def test_a_source_that_is_gone_is_said_to_be(scratch: Path, tmp_path: Path) -> None:
    class Gone(FileSource):
        async def read(self, start: int, length: int) -> bytes:
            if start or length > LIMITS.sniff_bytes:
                raise NotFound("deleted in between")
            return await super().read(start, length)

    with pytest.raises(NotFound):
        await PyavEngine(LIMITS, str(scratch)).inspect(Gone(clip(tmp_path / "clip.mp4"), distant=True))
    assert_nothing_left(scratch)


def test_the_doctor_is_told_which_protections_there_are() -> None:
    found = sandbox.protections()
    assert set(found) == {"no_new_privileges", "not_dumpable", "files", "no_capabilities", "system_calls"}
    assert all(isinstance(held, bool) for held in found.values())
