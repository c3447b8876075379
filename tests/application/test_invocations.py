"""What a service's runs ask of the application. Here a test is that service: it asks, and keeps what it is answered."""

import pytest

from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.application.heavy import machine_request
from smmu.application.invocations import Held, TaskFailed
from smmu.domain.errors import WORDS, Code
from smmu.domain.limits import Limits
from smmu.domain.task import State
from smmu.ports.queue import Topic
from smmu.ports.tasks import Exit
from tests.support.deployment import DETAIL, OWNER, Deployment, deployed


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def deployment() -> Deployment:
    return await deployed()


async def test_a_run_elsewhere_takes_a_job_to_its_renditions(deployment: Deployment) -> None:
    plan = await deployment.inspect()
    given = {"plan": plan["ref"], "rendered": await deployment.rendered(plan)}
    assert (await deployment.system.invocations.perform(deployment.asked("publish", given)))["revision"] == 1
    assert (await deployment.system.jobs.get(OWNER, deployment.run.job_id)).job.state == "succeeded"


async def test_nobody_is_told_to_advance_what_a_service_advances(deployment: Deployment) -> None:
    await deployment.inspect()
    await deployment.system.relay.once()
    for topic in Topic:
        assert not await deployment.system.platform.queue.receive(topic, limit=10, lease_seconds=1, wait_seconds=0)


async def test_a_light_task_that_was_done_is_answered_and_not_done_again(deployment: Deployment) -> None:
    first = await deployment.inspect()
    assert await deployment.inspect() == first
    known = await deployment.system.invocations.open(deployment.asked("inspect"))
    assert (known.state, known.fence) == (State.SUCCEEDED, 1)


async def test_opening_twice_opens_one_try(deployment: Deployment) -> None:
    asked = deployment.rendering(await deployment.inspect())
    first = await deployment.system.invocations.open(asked)
    assert await deployment.system.invocations.open(asked) == first
    assert first.state is State.QUEUED


async def test_collecting_while_a_worker_holds_the_task_is_held(deployment: Deployment) -> None:
    known = await deployment.opened()
    claimed = await deployment.system.worker.claim(OWNER, known.record_id, 0)
    assert claimed is not None
    deployment.machines.began.add(machine_request(known).handle)
    with pytest.raises(Held):
        await deployment.collected(known)
    assert (await deployment.record(known)).state is State.RUNNING


async def test_the_loser_of_a_doubled_start_ends_nothing(deployment: Deployment) -> None:
    known = await deployment.opened()
    await deployment.system.worker.claim(OWNER, known.record_id, 0)
    await deployment.system.worker.perform(OWNER, known.record_id, 0)
    assert (await deployment.record(known)).fence == 1


@pytest.mark.parametrize("how", [Exit.OUT_OF_MEMORY, Exit.CRASHED, Exit.TIMED_OUT, Exit.INTERRUPTED])
@pytest.mark.parametrize("claimed", [True, False])
async def test_how_a_machine_stopped_is_why_the_try_failed(deployment: Deployment, how: Exit, *, claimed: bool) -> None:
    known = await deployment.opened()
    if claimed:
        await deployment.system.worker.claim(OWNER, known.record_id, 0)
    handle = machine_request(known).handle
    deployment.machines.began.add(handle)
    deployment.machines.ended[handle] = how
    with pytest.raises(TaskFailed) as failed:
        await deployment.collected(known)
    assert (failed.value.error, str(failed.value), failed.value.task_id) == (how, WORDS[Code(how)], known.id)
    telemetry = deployment.system.telemetry
    assert isinstance(telemetry, MemoryTelemetry)
    assert telemetry.named("task_ended")[-1]["detail"] == DETAIL
    again = await deployment.system.invocations.open(deployment.rendering(await deployment.inspect()))
    assert (again.state, len(again.failures)) == (State.QUEUED, 1)


async def test_a_machine_that_could_not_be_had_is_the_worlds_fault(deployment: Deployment) -> None:
    known = await deployment.opened()
    with pytest.raises(TaskFailed) as failed:
        await deployment.collected(known)
    assert failed.value.error == Code.WORLD_UNAVAILABLE


async def test_a_try_that_ran_out_of_memory_is_followed_by_a_larger_machine(deployment: Deployment) -> None:
    known = await deployment.opened()
    await deployment.system.worker.bury(OWNER, known.record_id, 0, Exit.OUT_OF_MEMORY, "x")
    again = await deployment.system.invocations.open(deployment.rendering(await deployment.inspect()))
    assert machine_request(again).memory_bytes == 2 * machine_request(known).memory_bytes


@pytest.mark.parametrize("error", [Exit.INTERRUPTED, Code.WORLD_UNAVAILABLE])
async def test_a_machine_that_was_taken_away_or_not_to_be_had_is_followed_by_one_that_stays(
    deployment: Deployment, error: str
) -> None:
    known = await deployment.opened()
    assert not machine_request(known).kept
    await deployment.system.worker.bury(OWNER, known.record_id, 0, error, "x")
    again = await deployment.system.invocations.open(deployment.rendering(await deployment.inspect()))
    assert machine_request(again).kept


async def test_a_worker_that_vanished_is_found_out_when_its_lease_is_over(deployment: Deployment) -> None:
    known = await deployment.opened()
    await deployment.system.worker.claim(OWNER, known.record_id, 0)
    deployment.machines.began.add(machine_request(known).handle)
    deployment.clock.advance(Limits().lease_seconds + 1)
    with pytest.raises(TaskFailed) as failed:
        await deployment.collected(known)
    assert failed.value.error == Code.INTERRUPTED


async def test_a_job_that_was_cancelled_opens_nothing(deployment: Deployment) -> None:
    plan = await deployment.inspect()
    await deployment.system.jobs.cancel(OWNER, deployment.run.job_id)
    with pytest.raises(TaskFailed) as failed:
        await deployment.system.invocations.open(deployment.rendering(plan))
    assert failed.value.error == Code.JOB_CANCELLED


async def test_what_was_opened_for_a_job_that_was_cancelled_since_gets_no_machine(deployment: Deployment) -> None:
    asked = deployment.rendering(await deployment.inspect())
    await deployment.system.invocations.open(asked)
    await deployment.system.jobs.cancel(OWNER, deployment.run.job_id)
    with pytest.raises(TaskFailed) as failed:
        await deployment.system.invocations.open(asked)
    assert failed.value.error == Code.JOB_CANCELLED


async def test_an_old_attempt_opens_nothing(deployment: Deployment) -> None:
    with pytest.raises(TaskFailed):
        await deployment.system.invocations.open(deployment.asked("inspect", attempt=7))


@pytest.mark.parametrize("how", ["failed", "cancelled", "succeeded"])
async def test_a_run_that_ended_without_a_result_fails_its_job(deployment: Deployment, how: str) -> None:
    await deployment.inspect()
    deployment.runs.runs[deployment.run.name] = how
    await deployment.system.sweeper.look_at(deployment.run)
    seen = await deployment.system.jobs.get(OWNER, deployment.run.job_id)
    assert (seen.job.state, seen.job.error and seen.job.error.retryable) == ("failed", True)


async def test_an_ended_job_is_left_alone_whatever_its_run_says(deployment: Deployment) -> None:
    await deployment.inspect()
    deployment.runs.runs[deployment.run.name] = "cancelled"
    await deployment.system.sweeper.look_at(deployment.run)
    before = await deployment.system.jobs.get(OWNER, deployment.run.job_id)
    deployment.runs.runs[deployment.run.name] = "succeeded"
    await deployment.system.sweeper.look_at(deployment.run)
    assert await deployment.system.jobs.get(OWNER, deployment.run.job_id) == before
