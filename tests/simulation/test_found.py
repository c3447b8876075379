"""Bugs that the simulation has found, each with the plan that showed it: they stay found."""

import gc
from dataclasses import replace

import pytest

from smmu.domain.job import State
from tests.simulation.faults import Fault
from tests.simulation.plans import FILM, PICTURE, STREAMED, Moment, plan_of
from tests.simulation.world import FLEET, ONE_MACHINE, Report, Role, Scenario, simulate

ONE_UPLOAD = Scenario(wishes=[PICTURE])


def held(scenario: Scenario, *moments: Moment) -> Report:
    report = simulate(replace(scenario, plan=plan_of(scenario, *moments)))
    assert len(report.fired) == len([moment for moment in moments if moment.fault])
    assert not report.violations, str(report)
    assert [known.state for known in report.jobs] == [State.SUCCEEDED]
    return report


@pytest.mark.parametrize("fault", [Fault.CRASH_AFTER, Fault.FAIL_AFTER, Fault.STOP])
def test_a_single_upload_that_was_found_but_not_recorded_can_be_completed(fault: Fault) -> None:
    """Its session was over, so that its part counted as missing and could not be sent again: open for ever."""
    held(ONE_UPLOAD, Moment("api", "objects.find", fault))


@pytest.mark.parametrize("fault", [Fault.CRASH_AFTER, Fault.STOP])
def test_the_run_of_a_job_whose_publisher_died_after_publishing_is_closed(fault: Fault) -> None:
    """The sweeper ended the task of the finished job, and its run was running for ever."""
    listed = Moment("light", "objects.list")
    at = (
        Moment("light", "ledger.commit", fault) if fault is Fault.CRASH_AFTER else Moment("light", "ledger.load", fault)
    )
    held(ONE_UPLOAD, listed, at)


def test_a_sweeper_that_is_late_does_not_remove_what_was_completed_meanwhile() -> None:
    """It listed a completing upload, slept, and took the completed one for one whose bytes are to be removed."""
    held(
        Scenario(wishes=[STREAMED]),
        Moment("api", "uploads.complete", Fault.PAUSE),
        Moment("sweeper", "ledger.load", Fault.PAUSE),
    )


def test_taking_over_a_machine_keeps_the_idempotency_keys() -> None:
    """Whoever began an upload, was not answered and asks again gets the same one, and not a second."""
    keyed = Scenario(wishes=[replace(PICTURE, key="once")], roles=ONE_MACHINE)
    report = held(keyed, Moment("machine", "uploads.begin"), Moment("machine", "ledger.commit", Fault.CRASH_AFTER))
    assert [call.name for call in report.calls].count("uploads.begin") == 1


def test_an_idempotency_key_used_twice_at_once_begins_one_upload() -> None:
    """Its client lost patience with an API that slept, and asked again: the later call took the key over."""
    keyed = Scenario(wishes=[replace(PICTURE, key="once")])
    held(keyed, Moment("api", "uploads.begin", Fault.PAUSE))


def test_a_crash_among_the_tasks_of_a_cancelled_job_leaves_no_list_half_read() -> None:
    """What was read page by page while each item was written stayed open when a write did not return."""
    cancelled = Scenario(wishes=[replace(FILM, cancel_after=12.0)])
    listed = Moment("dispatcher", "ledger.query", since=12.0)
    plan = plan_of(cancelled, listed, Moment("dispatcher", "ledger.commit", Fault.CRASH_BEFORE))
    report = simulate(replace(cancelled, plan=plan))
    assert not report.violations, str(report)
    assert [known.state for known in report.jobs] == [State.CANCELLED]
    gc.collect()  # an open generator complains here


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
def test_the_run_of_a_job_ends_as_the_job_does(roles: tuple[Role, ...]) -> None:
    """Publishing ends the job before its task has ended: the run was then closed as cancelled."""
    held(replace(ONE_UPLOAD, roles=roles))
