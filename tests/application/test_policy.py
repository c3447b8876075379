"""A deployment's own policy: whom it is asked about, what a rejection does, and what becomes of no answer."""

from typing import Any

import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.application.gate import Gate
from smmu.application.invocations import TaskFailed
from smmu.application.system import System
from smmu.bootstrap.embedding import open_in_memory
from smmu.domain.errors import Code, Refused
from smmu.domain.job import Job
from smmu.domain.policy import Unanswered, Verdict
from smmu.entrypoints.lambdas.perform import perform
from smmu.ports.errors import WorldError
from smmu.ports.policy import Question
from tests.support.deployment import OWNER, deployed
from tests.support.policies import Mind, in_process
from tests.support.processing import manifest_of, processed

FILM = pretend_file(duration_s=5)
REJECTED = Verdict(accepted=False, code="no_films", message="Only pictures are taken here")
SENTENCE = "The policy of this service does not take the file (no_films): Only pictures are taken here."


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def sent(system: System, data: bytes = FILM) -> Job:
    """The job of a film, when it is over."""
    told = {"filename": "film.mp4", "content_type": "video/mp4", "metadata": {"album": "sea"}}
    return await processed(system, data, **told)


async def decisions(system: System, media_id: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await manifest_of(system, media_id))["plan"]["decisions"]
    return [one for one in found if one["subject"] == "policy"]


async def test_what_it_takes_is_processed_and_the_plan_says_that_it_was_asked() -> None:
    mind = Mind()
    async with open_in_memory(PretendEngine(speed=None), policy=in_process(mind, 5.0, Unanswered.CLOSED)) as system:
        ended = await sent(system)
        assert ended.state == "succeeded"
        assert [one["choice"] for one in await decisions(system, ended.media_id)] == ["accepted"]
    (asked,) = mind.asked
    assert (asked["owner"], asked["job_id"], asked["media_id"]) == ("ada", ended.id, ended.media_id)
    assert (asked["filename"], asked["content_type"], asked["size"]) == ("film.mp4", "video/mp4", len(FILM))
    assert (asked["metadata"], asked["facts"]["duration_s"]) == ({"album": "sea"}, 5.0)
    assert asked["classification"]["kind"] == "video"


async def test_without_a_policy_the_plan_says_nothing_of_one() -> None:
    async with open_in_memory(PretendEngine(speed=None)) as system:
        ended = await sent(system)
        assert await decisions(system, ended.media_id) == []


async def test_a_rejection_fails_the_job_rejects_the_media_and_no_retry_helps() -> None:
    mind, telemetry = Mind(verdict=REJECTED), MemoryTelemetry()
    policy = in_process(mind, 5.0, Unanswered.CLOSED)
    async with open_in_memory(PretendEngine(speed=None), policy=policy, telemetry=telemetry) as system:
        ended = await sent(system)
        assert (ended.state, ended.error and ended.error.code) == ("failed", Code.REJECTED_BY_POLICY)
        assert ended.error is not None
        assert (ended.error.message, ended.error.retryable) == (SENTENCE, False)
        media = (await system.library.get("ada", ended.media_id)).value
        assert (media.state, media.renditions) == ("rejected", ())
        with pytest.raises(Refused) as refused:
            await system.jobs.retry("ada", ended.id)
        assert refused.value.code is Code.JOB_NOT_RETRYABLE
    assert len(mind.asked) == 1


async def test_what_cannot_be_processed_is_not_asked_about() -> None:
    mind = Mind(verdict=REJECTED)
    policy = in_process(mind, 5.0, Unanswered.CLOSED)
    async with open_in_memory(PretendEngine(speed=None), policy=policy) as system:
        ended = await sent(system, pretend_file(width=100_000, height=10))
        assert ended.error is not None
        assert ended.error.code is Code.REJECTED_DIMENSIONS
    assert mind.asked == []


async def tried(mind: Mind, unanswered: Unanswered) -> tuple[list[str], Any]:
    """How the tries of inspection ended, as often as it is tried, and what it gave at last."""
    deployment = await deployed(in_process(mind, 5.0, unanswered))
    errors: list[str] = []
    for _ in range(20):
        try:
            return errors, await deployment.inspect()
        except TaskFailed as failed:
            errors.append(failed.error)
    return errors, None


@pytest.mark.parametrize(
    ("trouble", "error", "tries"), [("away", Code.WORLD_UNAVAILABLE, 7), ("broken", Code.INTERNAL, 2)]
)
async def test_a_policy_that_opens_is_asked_as_often_as_the_cause_deserves(
    trouble: str, error: Code, tries: int
) -> None:
    mind = Mind(trouble=trouble)
    errors, plan = await tried(mind, Unanswered.OPEN)
    assert errors == [error] * (tries - 1)
    assert plan is not None
    assert len(mind.asked) == tries


@pytest.mark.parametrize(("trouble", "error"), [("away", Code.WORLD_UNAVAILABLE), ("broken", Code.INTERNAL)])
async def test_without_an_answer_nothing_is_processed_otherwise(trouble: str, error: Code) -> None:
    errors, plan = await tried(Mind(trouble=trouble), Unanswered.CLOSED)
    assert plan is None
    assert set(errors) == {error}


@pytest.mark.parametrize("unanswered", Unanswered)
async def test_every_try_without_an_answer_is_told_to_operators(unanswered: Unanswered) -> None:
    telemetry = MemoryTelemetry()
    gate = Gate(policy=in_process(Mind(trouble="broken"), 5.0, unanswered), telemetry=telemetry)
    asked = Question(
        owner="ada", media_id="med_1", job_id="job_1", attempt=1, filename="a.png", content_type="", size=1,
        metadata={}, facts={}, classification={},
    )  # fmt: skip
    with pytest.raises(WorldError):
        await gate.judge(asked, ())
    assert len(telemetry.named("policy_unanswered")) == 1


async def test_the_function_on_aws_raises_the_rejection_by_its_code() -> None:
    deployment = await deployed(in_process(Mind(verdict=REJECTED), 5.0, Unanswered.CLOSED))
    asked = deployment.asked("inspect")
    event = {
        "owner": OWNER,
        "job_id": asked.job_id,
        "attempt": asked.attempt,
        "path": asked.path,
        "does": asked.does,
        "name": asked.name,
        "weight": asked.weight.value,
        "seconds_max": asked.seconds_max,
        "input": {},
    }
    with pytest.raises(Exception, match="Only pictures are taken here") as raised:
        await perform(deployment.system, event)
    assert type(raised.value).__name__ == "rejected_by_policy"
