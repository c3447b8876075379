"""`domain/task.py`: the table, leases, fences, and what a sweeper may conclude."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from smmu.domain.errors import Code, Refused
from smmu.domain.limits import Limits
from smmu.domain.task import (
    LAST_WORDS_SECONDS,
    TRANSITIONS,
    Event,
    State,
    Task,
    attempt_in,
    claim,
    fail,
    heartbeat,
    lease_lost,
    requeue,
    step,
    succeed,
)
from tests.support.records import NOW, a_task

LIMITS = Limits()


@given(st.from_regex(r"job_[0-9a-z]{1,26}", fullmatch=True), st.integers(1, 10_000), st.text(min_size=1))
def test_a_records_id_tells_its_job_and_attempt(job_id: str, attempt: int, path: str) -> None:
    record_id = a_task(path, job_id=job_id, attempt=attempt).record_id
    assert attempt_in(record_id) == (job_id, attempt)


@pytest.mark.parametrize("record_id", ["", "job_1", "job_1/a1", "job_1/a1/", "job_1/a0/x", "job_1/1/x", "/a1/x"])
def test_what_is_no_tasks_record_tells_nothing(record_id: str) -> None:
    assert attempt_in(record_id) is None


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_state_answers_every_event(state: State, event: Event) -> None:
    task = a_task(state=state)
    target = TRANSITIONS.get((state, event))
    if target is None:
        with pytest.raises(Refused) as refusal:
            step(task, event, NOW + 1)
        assert refusal.value.code is Code.JOB_CANCELLED
    else:
        assert step(task, event, NOW + 1) == replace(task, state=target, updated_at=NOW + 1)


def test_what_succeeded_or_was_cancelled_stays_so() -> None:
    assert frozenset(State) - {state for state, _ in TRANSITIONS} == {State.SUCCEEDED, State.CANCELLED}


def test_what_is_queued_or_at_work_can_be_cancelled() -> None:
    cancellable = {state for state, event in TRANSITIONS if event is Event.CANCEL}
    assert cancellable == {State.QUEUED, State.RUNNING}, "what has failed stays to be seen as that"


def test_a_tasks_name_in_the_ledger_follows_from_its_place() -> None:
    assert a_task("job.t").record_id == "job_1/a1/job.t"
    assert len({a_task("x", attempt=attempt).record_id for attempt in (1, 2)}) == 2


def test_a_claim_is_a_lease_with_the_next_fence() -> None:
    claimed = claim(a_task(fence=3, progress=50), NOW + 1, LIMITS)
    assert (claimed.state, claimed.fence, claimed.progress) == (State.RUNNING, 4, 0)
    assert (claimed.started_at, claimed.lease_until) == (NOW + 1, NOW + 1 + LIMITS.lease_seconds)


@pytest.mark.parametrize(
    ("seconds", "beat_at", "lost"),
    [(44, None, False), (45, None, True), (60, 30, False), (75, 30, True)],
)
def test_a_lease_is_lost_when_nothing_was_heard_for_its_length(seconds: int, beat_at: int | None, lost: bool) -> None:  # noqa: FBT001
    task = claim(a_task(), NOW, LIMITS)
    if beat_at is not None:
        task = heartbeat(task, 0.5, NOW + beat_at, LIMITS)
    assert lease_lost(task, NOW + seconds) is lost


def test_no_heartbeat_prolongs_the_time_a_task_may_have() -> None:
    task = heartbeat(claim(a_task(seconds_max=100), NOW, LIMITS), 0.5, NOW + 90, LIMITS)
    assert not lease_lost(task, NOW + 100 + LAST_WORDS_SECONDS - 1)
    assert lease_lost(task, NOW + 100 + LAST_WORDS_SECONDS)
    assert task.next_deadline(LIMITS) == NOW + 100 + LAST_WORDS_SECONDS


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_only_a_running_task_has_a_lease_to_lose(state: State) -> None:
    assert not lease_lost(a_task(state=state), NOW + 10**6)


def test_a_queued_task_is_looked_for_when_it_should_have_been_claimed() -> None:
    assert a_task(not_before=NOW + 30).next_deadline(LIMITS) == NOW + 30 + LIMITS.dispatch_seconds
    assert a_task(not_before=0.0).next_deadline(LIMITS) == NOW + LIMITS.dispatch_seconds


def test_every_failure_is_kept_in_order() -> None:
    task = a_task()
    for number, error in enumerate(("red", "blue")):
        task = fail(claim(task, NOW + number, LIMITS), error, "why", NOW + number)
        assert task.failures[-1].at == NOW + number
        task = requeue(task, NOW + 10, NOW + number)
    assert [failure.error for failure in task.failures] == ["red", "blue"]
    assert (task.state, task.not_before, task.fence) == (State.QUEUED, NOW + 10, 2)


class TaskLife(RuleBasedStateMachine):
    """Whatever happens to a task, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.task: Task = a_task()
        self.seen = self.task
        self.now = NOW

    def become(self, task: Task) -> None:
        self.seen, self.task = self.task, task

    @rule(event=st.sampled_from(Event), seconds=st.integers(0, 100))
    def happen(self, event: Event, seconds: int) -> None:
        self.now += seconds
        if (self.task.state, event) not in TRANSITIONS:
            return
        match event:
            case Event.CLAIM:
                self.become(claim(self.task, self.now, LIMITS))
            case Event.SUCCEED:
                self.become(succeed(self.task, {"n": 1}, self.now))
            case Event.FAIL:
                self.become(fail(self.task, "red", "why", self.now))
            case Event.REQUEUE:
                self.become(requeue(self.task, self.now + seconds, self.now))
            case Event.CANCEL:
                self.become(step(self.task, event, self.now))

    @rule(fraction=st.floats(0, 1.5))
    def beat(self, fraction: float) -> None:
        if self.task.state is State.RUNNING:
            self.become(heartbeat(self.task, fraction, self.now, LIMITS))

    @invariant()
    def fences_only_grow_and_only_by_claims(self) -> None:
        claimed = self.task.state is State.RUNNING and self.seen.state is State.QUEUED
        assert self.task.fence - self.seen.fence == claimed

    @invariant()
    def progress_never_goes_back_within_a_try(self) -> None:
        same_try = self.task.fence == self.seen.fence and self.task.state is not State.QUEUED
        assert self.task.progress >= self.seen.progress or not same_try
        assert (self.task.progress == 100) is (self.task.state is State.SUCCEEDED)

    @invariant()
    def what_has_not_ended_is_looked_at_again(self) -> None:
        waiting = self.task.state in {State.QUEUED, State.RUNNING}
        deadline = self.task.next_deadline(LIMITS)
        assert (deadline is not None) is waiting

    @invariant()
    def a_lost_lease_is_noticed_at_its_deadline(self) -> None:
        deadline = self.task.next_deadline(LIMITS)
        if self.task.state is State.RUNNING and deadline is not None:
            assert lease_lost(self.task, deadline)
            assert not lease_lost(self.task, deadline - 0.5)

    @invariant()
    def failures_are_only_added(self) -> None:
        assert self.task.failures[: len(self.seen.failures)] == self.seen.failures


TestTaskLife = TaskLife.TestCase
