"""The promises of `ports/policy.py`, by a callable and by a service over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from smmu.domain.policy import Unanswered, Verdict
from smmu.ports.errors import Unavailable, WorldError
from smmu.ports.policy import Policy, Question
from tests.support.policies import Mind, in_process, serving

QUESTION = Question(
    owner="ada",
    media_id="med_1",
    job_id="job_1",
    attempt=2,
    filename="übung.mp4",
    content_type="video/mp4",
    size=7,
    metadata={"album": "sea"},
    facts={"kind": "video", "duration_s": 5.0},
    classification={"kind": "video", "traits": ["landscape"]},
)
REJECTED = Verdict(accepted=False, code="too_long", message="Films over an hour are not taken")


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio"


@pytest.fixture
def mind() -> Mind:
    return Mind()


@pytest.fixture(params=["callable", "service"])
def policy(request: pytest.FixtureRequest, mind: Mind) -> Iterator[Policy]:
    if request.param == "callable":
        yield in_process(mind, 5.0, Unanswered.OPEN)
        return
    with serving(mind) as service:
        yield service.policy(5.0, Unanswered.OPEN)


async def test_it_accepts(policy: Policy) -> None:
    assert (await policy.judge(QUESTION)).accepted


async def test_a_rejection_has_the_deployments_code_and_its_sentence(policy: Policy, mind: Mind) -> None:
    mind.verdict = REJECTED
    assert await policy.judge(QUESTION) == REJECTED


async def test_it_is_told_all_that_is_known_and_may_be_asked_again(policy: Policy, mind: Mind) -> None:
    first = await policy.judge(QUESTION)
    assert await policy.judge(QUESTION) == first
    once, again = mind.asked
    assert once == again
    assert (once["owner"], once["job_id"], once["attempt"], once["filename"]) == ("ada", "job_1", 2, "übung.mp4")
    assert (once["metadata"], once["facts"]) == (QUESTION.metadata, QUESTION.facts)
    assert once["classification"]["traits"] == ["landscape"]


async def test_what_may_pass_is_retryable(policy: Policy, mind: Mind) -> None:
    mind.trouble = "away"
    with pytest.raises(WorldError) as raised:
        await policy.judge(QUESTION)
    assert raised.value.retryable


async def test_what_will_not_pass_is_not(policy: Policy, mind: Mind) -> None:
    mind.trouble = "broken"
    with pytest.raises(WorldError) as raised:
        await policy.judge(QUESTION)
    assert not raised.value.retryable


@pytest.mark.parametrize("trouble", ["broken", "away"])
async def test_its_failure_says_which_policy_it_is(policy: Policy, mind: Mind, trouble: str) -> None:
    mind.trouble = trouble
    with pytest.raises(WorldError, match=r"^the policy (tests\.support\.policies:in_process\S* |at 127\.0\.0\.1:\d+ )"):
        await policy.judge(QUESTION)


@pytest.mark.parametrize("kind", ["callable", "service"])
async def test_an_answer_that_does_not_come_in_time_is_none(kind: str) -> None:
    mind = Mind(trouble="slow")
    with serving(mind) as service:
        policy = service.policy(0.1) if kind == "service" else in_process(mind, 0.1, Unanswered.CLOSED)
        with pytest.raises(Unavailable, match=r"has not answered in 0\.1 s|cannot be reached"):
            await policy.judge(QUESTION)


def test_it_says_what_becomes_of_what_it_does_not_judge(policy: Policy) -> None:
    assert policy.unanswered is Unanswered.OPEN
