"""`domain/upload.py`: the table is total, its ends are ends, and every step keeps what must not change."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain import quota
from smmu.domain.errors import Code, Reason, Refused
from smmu.domain.limits import Limits
from smmu.domain.upload import TERMINAL, TRANSITIONS, Event, State, accept, closed, is_expired, reject, step
from tests.support.records import NOW, SOURCE, an_upload

LIMITS = Limits()
CLOSED = {
    State.OPEN: Code.UPLOAD_INCOMPLETE,
    State.COMPLETING: Code.UPLOAD_COMPLETING,
    State.COMPLETED: Code.UPLOAD_COMPLETED,
    State.REJECTED: Code.UPLOAD_REJECTED,
    State.ABORTED: Code.UPLOAD_ABORTED,
    State.EXPIRED: Code.UPLOAD_EXPIRED,
}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_state_answers_every_event(state: State, event: Event) -> None:
    upload = an_upload(state=state)
    if (state, event) in TRANSITIONS:
        after = step(upload, event, NOW + 1)
        assert after == replace(upload, state=TRANSITIONS[state, event], updated_at=NOW + 1)
    else:
        with pytest.raises(Refused) as refusal:
            step(upload, event, NOW + 1)
        assert refusal.value.code is CLOSED[state]


def test_terminal_states_are_those_that_nothing_leaves() -> None:
    assert frozenset(State) - {state for state, _ in TRANSITIONS} == TERMINAL


def test_every_state_can_be_reached_from_open() -> None:
    reached = {State.OPEN}
    for _ in State:
        reached |= {target for (state, _), target in TRANSITIONS.items() if state in reached}
    assert reached == set(State)


@given(st.lists(st.sampled_from(Event), max_size=8))
def test_an_upload_ends_at_most_once(events: list[Event]) -> None:
    upload, ends = an_upload(), 0
    for number, event in enumerate(events):
        if (upload.state, event) in TRANSITIONS:
            upload = step(upload, event, NOW + number)
            ends += upload.state in TERMINAL
    assert ends <= 1


def test_what_was_accepted_is_pinned() -> None:
    accepted = accept(an_upload(state=State.COMPLETING), SOURCE, NOW)
    assert (accepted.state, accepted.stored) == (State.COMPLETED, SOURCE)


def test_a_rejected_upload_answers_every_reason_again() -> None:
    reasons = (Reason(code=Code.SIZE_MISMATCH, message="One."), Reason(code=Code.TYPE_MISMATCH, message="Two."))
    refusal = closed(reject(an_upload(), reasons, NOW))
    assert refusal.reasons == reasons


@pytest.mark.parametrize(
    ("state", "now", "expired"),
    [
        (State.OPEN, NOW + 99, False),
        (State.OPEN, NOW + 100, True),
        (State.COMPLETING, NOW + 1_000, False),
        (State.EXPIRED, NOW, True),
        (State.COMPLETED, NOW + 1_000, False),
    ],
)
def test_only_an_open_upload_expires(state: State, now: float, expired: bool) -> None:  # noqa: FBT001
    assert is_expired(an_upload(state=state), now) is expired


@pytest.mark.parametrize("state", State)
def test_whatever_is_not_over_has_a_deadline(state: State) -> None:
    upload = an_upload(state=state)
    deadline = upload.next_deadline(LIMITS)
    assert (deadline is None) is (state is State.COMPLETED)
    if state in TERMINAL:
        assert replace(upload, cleaned=True).next_deadline(LIMITS) is None


def test_a_deadline_is_never_in_the_past_of_the_write_that_set_it() -> None:
    for state in State:
        deadline = an_upload(state=state).next_deadline(LIMITS)
        assert deadline is None or deadline > NOW


# --- what it holds of the quota


@given(st.integers(1, 10**12), st.integers(0, 10**12), st.sampled_from(sorted(TERMINAL)))
def test_ending_gives_back_what_beginning_took_but_for_what_is_kept(reserved: int, real: int, end: State) -> None:
    begun = an_upload(reserved_bytes=reserved)
    over = replace(begun, state=end, stored=replace(SOURCE, size=real) if end is State.COMPLETED else None)
    taken, given_back = quota.reserve(begun), quota.settle(over)
    kept = real if end is State.COMPLETED else 0
    assert {name: taken[name] + given_back[name] for name in taken} == {quota.BYTES: kept, quota.OPEN: 0}
    assert quota.release(kept) == {quota.BYTES: -kept}


def test_every_counter_has_its_bound() -> None:
    assert quota.bounds(LIMITS).keys() == quota.reserve(an_upload()).keys()
