"""The promises of `ports/tasks.py`. What a task does is in tests/support/labour.py, and its record's id says it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from smmu.domain.limits import MIB
from smmu.ports.errors import DEATHS, NotFound
from smmu.ports.tasks import Exit, TaskRequest, TaskStarter
from tests.support.labour import log_of
from tests.support.starters import TASKS_STAGES, TasksStage

STAGES = TASKS_STAGES
PATIENCE = 20


@pytest.fixture
async def tasks(stage: TasksStage, folder: Path) -> AsyncIterator[TaskStarter]:
    async with stage.open(folder) as opened:
        yield opened


def request(does: str, **changed: Any) -> TaskRequest:
    fields: dict[str, Any] = {
        "owner": "ada",
        "record_id": f"job_1/a1/{does}",
        "family": "transcode",
        "tries": 0,
        "memory_bytes": 512 * MIB,
        "seconds_max": 30,
    }
    return TaskRequest(**(fields | changed))


async def runs(folder: Path, least: int) -> int:
    """How often work was begun, once it was begun `least` times. Reads without threads, which virtual time would outrun."""
    with anyio.move_on_after(5):
        while count_runs(folder) < least:  # noqa: ASYNC110 - another process sets no event of ours
            await anyio.sleep(0.02)
    return count_runs(folder)


def count_runs(folder: Path) -> int:
    log = log_of(folder)
    return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


async def outcome(tasks: TaskStarter, does: str, **changed: Any) -> Exit | None:
    with anyio.fail_after(PATIENCE):
        return (await tasks.wait(await tasks.start(request(does, **changed)))).exit


def test_every_exit_but_done_is_a_cause_of_death() -> None:
    assert {exit_.value for exit_ in Exit} - {Exit.DONE} <= DEATHS


@pytest.mark.parametrize(
    ("does", "how"),
    [("ends", Exit.DONE), ("crashes", Exit.CRASHED), ("out_of_memory", Exit.OUT_OF_MEMORY)],
)
async def test_a_task_tells_how_it_ended(tasks: TaskStarter, does: str, how: Exit) -> None:
    assert await outcome(tasks, does) is how


async def test_a_task_that_takes_too_long_is_ended(tasks: TaskStarter) -> None:
    assert await outcome(tasks, "lasts", seconds_max=1) is Exit.TIMED_OUT


async def test_exit_codes_tell_good_from_bad(tasks: TaskStarter) -> None:
    good = await tasks.wait(await tasks.start(request("ends")))
    bad = await tasks.wait(await tasks.start(request("crashes")))
    assert good.exit_code == 0
    assert bad.exit_code not in (0, None)


async def test_a_task_has_not_ended_while_it_runs(tasks: TaskStarter) -> None:
    handle = await tasks.start(request("lasts"))
    assert (await tasks.inspect(handle)).exit is None
    await tasks.stop(handle)


async def test_how_it_ended_can_be_asked_again(tasks: TaskStarter) -> None:
    handle = await tasks.start(request("ends"))
    status = await tasks.wait(handle)
    assert await tasks.inspect(handle) == await tasks.wait(handle) == status


async def test_its_handle_is_known_before_it_is_started(tasks: TaskStarter) -> None:
    handle = await tasks.start(request("ends"))
    assert handle == request("ends").handle
    assert re.fullmatch(r"[0-9a-f]{32}", handle)
    await tasks.wait(handle)


async def test_the_same_try_started_again_is_the_same_task(tasks: TaskStarter, folder: Path) -> None:
    first = await tasks.start(request("lasts"))
    assert await runs(folder, 1) == 1
    assert await tasks.start(request("lasts")) == first
    await tasks.stop(first)
    assert await tasks.start(request("lasts")) == first
    assert (await tasks.inspect(first)).exit is Exit.INTERRUPTED
    assert await runs(folder, 1) == 1


async def test_starting_at_once_starts_it_once(tasks: TaskStarter, folder: Path) -> None:
    handles = []

    async def start() -> None:
        handles.append(await tasks.start(request("ends")))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(start)
    assert len(set(handles)) == 1
    await tasks.wait(handles[0])
    assert await runs(folder, 1) == 1


@pytest.mark.parametrize("other", [{"tries": 1}, {"record_id": "job_2/a1/ends"}, {"owner": "grace"}])
async def test_another_try_is_another_task(tasks: TaskStarter, folder: Path, other: dict[str, Any]) -> None:
    handles = [await tasks.start(request("ends")), await tasks.start(request("ends", **other))]
    assert handles[0] != handles[1]
    for handle in handles:
        await tasks.wait(handle)
    assert await runs(folder, 2) == 2


@pytest.mark.parametrize("does", ["lasts", "deaf"])
async def test_a_stopped_task_is_interrupted_even_when_it_does_not_listen(
    tasks: TaskStarter, folder: Path, does: str
) -> None:
    handle = await tasks.start(request(does))
    await runs(folder, 1)
    with anyio.fail_after(PATIENCE):
        await tasks.stop(handle)
        assert (await tasks.wait(handle)).exit is Exit.INTERRUPTED


async def test_stopping_what_has_ended_is_fine_and_changes_nothing(tasks: TaskStarter) -> None:
    handle = await tasks.start(request("ends"))
    status = await tasks.wait(handle)
    for _ in range(2):
        await tasks.stop(handle)
    assert await tasks.inspect(handle) == status


async def test_cancelling_a_wait_does_not_stop_the_task(tasks: TaskStarter) -> None:
    handle = await tasks.start(request("lasts"))
    with anyio.move_on_after(0.1):
        await tasks.wait(handle)
    assert (await tasks.inspect(handle)).exit is None
    await tasks.stop(handle)


async def test_a_handle_that_was_never_given_is_not_found(tasks: TaskStarter) -> None:
    with pytest.raises(NotFound):
        await tasks.inspect(request("ends", owner="nobody").handle)
