"""`domain/job.py`, `domain/media.py` and `domain/events.py`: tables, attempts, progress, deadlines."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from smmu.domain import media
from smmu.domain.errors import REJECTIONS, Code, Refused
from smmu.domain.job import (
    ACTIVE,
    TERMINAL,
    TRANSITIONS,
    Event,
    Failure,
    Job,
    State,
    advance,
    allows,
    fail,
    retry,
    step,
    succeed,
)
from smmu.domain.limits import Limits
from smmu.domain.manifest import Manifest
from tests.support.records import NOW, SOURCE, a_job, a_media, a_rendition, an_event

LIMITS = Limits()
REFUSALS = {Event.CANCEL: Code.JOB_NOT_CANCELLABLE, Event.RETRY: Code.JOB_NOT_RETRYABLE}
FAILURE = Failure(code=Code.CRASHED, message="It died.", retryable=True)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_state_answers_every_event(state: State, event: Event) -> None:
    job = a_job(state=state)
    if allows(job, event):
        after = step(job, event, NOW + 1)
        assert after == replace(job, state=TRANSITIONS[state, event], updated_at=NOW + 1, checked_at=NOW + 1)
    else:
        with pytest.raises(Refused) as refusal:
            step(job, event, NOW + 1)
        assert refusal.value.code is REFUSALS.get(event, Code.JOB_CANCELLED)
        assert state in refusal.value.message


def test_every_state_is_active_or_terminal_and_every_active_one_can_end() -> None:
    assert frozenset(State) == ACTIVE | TERMINAL
    assert not ACTIVE & TERMINAL
    ending = set(TERMINAL)
    for _ in State:
        ending |= {
            state for (state, event), target in TRANSITIONS.items() if target in ending and event is not Event.RETRY
        }
    assert ending == set(State)


def test_only_a_retry_leaves_an_ended_job() -> None:
    assert {event for state, event in TRANSITIONS if state in TERMINAL} == {Event.RETRY}
    assert (State.SUCCEEDED, Event.RETRY) not in TRANSITIONS


@pytest.mark.parametrize("code", sorted(REJECTIONS))
def test_a_file_that_was_refused_stays_refused(code: Code) -> None:
    job = fail(a_job(), Failure(code=code, message="No good."), NOW)
    with pytest.raises(Refused) as refusal:
        retry(job, NOW)
    assert refusal.value.code is Code.JOB_NOT_RETRYABLE


def test_a_retry_begins_anew_with_the_next_number() -> None:
    job = fail(a_job(progress=70), FAILURE, NOW + 5)
    again = retry(job, NOW + 9)
    assert (again.state, again.attempt, again.progress, again.error) == (State.CREATED, 2, 0, None)
    assert (again.started_at, again.run_name) == (NOW + 9, "job_1-a2")


@pytest.mark.parametrize("state", State)
def test_a_job_that_has_not_ended_is_looked_at_again(state: State) -> None:
    deadline = a_job(state=state).next_deadline(LIMITS)
    assert (deadline is None) is (state in TERMINAL)
    assert deadline is None or deadline > NOW


@pytest.mark.parametrize("state", State)
def test_a_job_is_overdue_when_its_time_is_over_and_it_is_not(state: State) -> None:
    job = a_job(state=state)
    assert job.overdue(NOW + LIMITS.job_seconds_max, LIMITS) is (state in ACTIVE)
    assert not job.overdue(NOW + LIMITS.job_seconds_max - 1, LIMITS)


class JobLife(RuleBasedStateMachine):
    """Whatever happens to a job, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.job: Job = a_job(state=State.CREATED)
        self.now = NOW
        self.seen = self.job

    def become(self, job: Job) -> None:
        self.seen, self.job = self.job, job

    @rule(event=st.sampled_from(Event), seconds=st.integers(0, 100))
    def happen(self, event: Event, seconds: int) -> None:
        self.now += seconds
        acts = {Event.SUCCEED: succeed, Event.RETRY: retry}
        if event is Event.FAIL and allows(self.job, event):
            self.become(fail(self.job, FAILURE, self.now))
        elif allows(self.job, event):
            self.become(acts[event](self.job, self.now) if event in acts else step(self.job, event, self.now))

    @rule(progress=st.integers(-5, 200))
    def progress(self, progress: int) -> None:
        if self.job.state is State.RUNNING:
            self.become(advance(self.job, progress, self.now))

    @invariant()
    def progress_never_goes_back_within_an_attempt(self) -> None:
        assert self.job.progress >= self.seen.progress or self.job.attempt > self.seen.attempt

    @invariant()
    def a_hundred_is_kept_for_success(self) -> None:
        assert (self.job.progress == 100) is (self.job.state is State.SUCCEEDED)
        assert 0 <= self.job.progress <= 100

    @invariant()
    def attempts_only_grow(self) -> None:
        assert self.job.attempt - self.seen.attempt in (0, 1)

    @invariant()
    def an_error_is_told_exactly_by_a_failed_job(self) -> None:
        assert (self.job.error is not None) is (self.job.state is State.FAILED)

    @invariant()
    def time_does_not_go_back(self) -> None:
        assert self.job.updated_at >= self.seen.updated_at


TestJobLife = JobLife.TestCase


# --- media


@pytest.mark.parametrize("event", media.Event)
@pytest.mark.parametrize("state", media.State)
def test_every_state_of_a_media_answers_every_event(state: media.State, event: media.Event) -> None:
    before = a_media(state=state)
    target = media.TRANSITIONS.get((state, event))
    if target is None:
        with pytest.raises(Refused):
            media.step(before, event, NOW + 1)
    else:
        assert media.step(before, event, NOW + 1) == replace(before, state=target, updated_at=NOW + 1)


def test_a_deleted_media_stays_deleted_and_everything_else_can_be() -> None:
    assert not [event for state, event in media.TRANSITIONS if state is media.State.DELETED]
    able = {state for state, event in media.TRANSITIONS if event is media.Event.DELETE}
    assert able == set(media.State) - {media.State.DELETED}


def test_only_a_deleted_media_has_a_deadline() -> None:
    due = {state for state in media.State if a_media(state=state).next_deadline(LIMITS) is not None}
    assert due <= {media.State.DELETED}


def test_a_published_revision_is_the_one_that_exists() -> None:
    manifest = Manifest(
        revision=3,
        job_id="job_1",
        media_id="med_1",
        attempt=2,
        source={"duration_s": 1},
        classification={"labels": []},
        plan={},
        renditions=(),
        timings={},
        cost={},
    )
    ready = media.publish(a_media(), manifest, SOURCE, (a_rendition(),), NOW + 1)
    assert (ready.state, ready.playable, ready.revision, ready.attempt) == (media.State.READY, False, 3, 2)
    film = (a_rendition(), replace(a_rendition(), role="mp4"))
    assert media.publish(a_media(), manifest, SOURCE, film, NOW + 1).playable
    assert (ready.manifest, ready.renditions, ready.facts) == (SOURCE, (a_rendition(),), {"duration_s": 1})


# --- events


@given(st.lists(st.integers(1, 10**10 - 1), min_size=2, max_size=5))
def test_events_sort_as_they_are_numbered(numbers: list[int]) -> None:
    names = [an_event(number).record_id for number in sorted(numbers)]
    assert names == sorted(names)
