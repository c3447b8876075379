"""The promises of `ports/orchestrator.py`. How a run comes to its end is in tests/support/orchestrators.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from smmu.ports.orchestrator import RunRequest
from tests.support.orchestrators import RUNS_STAGES, Ending, Runs, RunsStage

STAGES = RUNS_STAGES


@pytest.fixture
async def runs(stage: RunsStage, folder: Path) -> AsyncIterator[Runs]:
    async with stage.open(folder) as opened:
        yield opened


def request(runs: Runs, job: str = "1", attempt: int = 1) -> RunRequest:
    return RunRequest(owner="ada", job_id=f"job_{runs.mark}{job}", attempt=attempt)


async def state_of(runs: Runs, asked: RunRequest) -> str | None:
    known = await runs.orchestrator.describe(asked)
    assert known is None or known.name == asked.name
    return known.state if known else None


async def becomes(runs: Runs, asked: RunRequest, state: str) -> None:
    with anyio.fail_after(10):
        while await state_of(runs, asked) != state:  # noqa: ASYNC110 - a service sets no event of ours
            await anyio.sleep(0.01)


async def ended(runs: Runs, ending: str) -> RunRequest:
    asked = request(runs)
    await runs.orchestrator.start(asked)
    if ending == "cancelled":
        await runs.orchestrator.cancel(asked)
    else:
        await runs.end(asked, "failed" if ending == "failed" else "succeeded")
    await becomes(runs, asked, ending)
    return asked


ENDINGS = ("succeeded", "failed", "cancelled")


async def test_a_run_that_was_never_started_is_unknown(runs: Runs) -> None:
    assert await runs.orchestrator.describe(request(runs)) is None


async def test_a_run_that_was_started_runs(runs: Runs) -> None:
    await runs.orchestrator.start(request(runs))
    assert await state_of(runs, request(runs)) == "running"


@pytest.mark.parametrize("ending", ["succeeded", "failed"])
async def test_a_run_tells_how_it_ended(runs: Runs, ending: Ending) -> None:
    await ended(runs, ending)


async def test_starting_a_run_that_runs_changes_nothing(runs: Runs) -> None:
    for _ in range(3):
        await runs.orchestrator.start(request(runs))
        assert await state_of(runs, request(runs)) == "running"
    await runs.end(request(runs), "succeeded")
    await becomes(runs, request(runs), "succeeded")


async def test_starting_at_once_starts_one(runs: Runs) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(runs.orchestrator.start, request(runs))
    assert await state_of(runs, request(runs)) == "running"


@pytest.mark.parametrize("ending", ENDINGS)
async def test_starting_a_run_that_has_ended_changes_nothing(runs: Runs, ending: str) -> None:
    asked = await ended(runs, ending)
    await runs.orchestrator.start(asked)
    assert await state_of(runs, asked) == ending


@pytest.mark.parametrize("ending", ENDINGS)
async def test_cancelling_a_run_that_has_ended_changes_nothing(runs: Runs, ending: str) -> None:
    asked = await ended(runs, ending)
    await runs.orchestrator.cancel(asked)
    assert await state_of(runs, asked) == ending


async def test_cancelling_a_run_that_is_unknown_is_fine(runs: Runs) -> None:
    await runs.orchestrator.cancel(request(runs))
    assert await state_of(runs, request(runs)) is None


async def test_each_attempt_of_each_job_is_a_run_of_its_own(runs: Runs) -> None:
    first, *others = (request(runs), request(runs, attempt=2), request(runs, "2"))
    for asked in (first, *others):
        await runs.orchestrator.start(asked)
    await runs.orchestrator.cancel(first)
    await becomes(runs, first, "cancelled")
    assert [await state_of(runs, asked) for asked in others] == ["running", "running"]
