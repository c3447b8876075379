"""Plans of several faults, drawn and shrunk by Hypothesis, in worlds with bad weather and wrong clocks."""

import os
from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, Phase, event, given, settings

from smmu.domain.errors import Code
from smmu.domain.job import State
from smmu.domain.task import State as TaskState
from tests.simulation.faults import Fault
from tests.simulation.plans import FILM, PICTURE, STORM, Moment, plan_of, scenarios
from tests.simulation.world import LIMITS, Report, Scenario, simulate

EXAMPLES = int(os.environ.get("SMMU_SIMULATION_EXAMPLES", "30"))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow], phases=set(Phase) - {Phase.explain})
@given(scenario=scenarios())
def test_no_plan_of_faults_loses_doubles_or_resurrects_a_job(scenario: Scenario) -> None:
    report = simulate(scenario)
    for call in report.fired:
        event(f"{call.fault} at {call.name}")  # seen with `--hypothesis-show-statistics`
    assert not report.violations, str(report)


def sometimes(scenario: Scenario, *moments: Moment) -> Report:
    """A run that is known to get into trouble, and must get out of it."""
    report = simulate(replace(scenario, plan=plan_of(scenario, *moments)))
    assert not report.violations, str(report)
    assert [known.state for known in report.jobs] == [State.SUCCEEDED] * len(scenario.wishes)
    return report


def failures(report: Report) -> Counter[str]:
    return Counter(failure.error for known in report.tasks for failure in known.failures)


def test_a_worker_that_slept_past_its_lease_is_refused_when_it_wakes() -> None:
    rendered = Moment("heavy-*/child", "engine.render")
    report = sometimes(Scenario(wishes=[PICTURE]), rendered, Moment("heavy-*/child", "ledger.commit", Fault.PAUSE))
    assert failures(report) == {Code.INTERRUPTED: 1}
    assert report.refusals["ledger.commit Conflict"] >= 1


def test_a_worker_that_slept_just_before_it_published_does_not_publish_again() -> None:
    asked = Moment("light", "objects.list")
    report = sometimes(Scenario(wishes=[PICTURE]), asked, Moment("light", "ledger.commit", Fault.PAUSE))
    assert report.refusals["ledger.commit Conflict"] >= 1
    assert report.told["job_succeeded"] == 1


def test_a_heartbeat_that_comes_too_late_ends_the_work() -> None:
    beat = Moment("heavy", "ledger.commit", Fault.PAUSE, skip=2)
    report = sometimes(Scenario(wishes=[FILM]), Moment("heavy", "engine.render"), beat)
    assert failures(report)[Code.INTERRUPTED] >= 1


def test_a_crashed_worker_process_is_told_by_its_parent() -> None:
    report = sometimes(Scenario(wishes=[PICTURE]), Moment("heavy-*/child", "engine.render", Fault.CRASH_AFTER))
    assert failures(report) == {Code.CRASHED: 1}


def test_a_message_that_dies_is_found_again_by_the_sweeper() -> None:
    hasty = Scenario(wishes=[PICTURE], limits=replace(LIMITS, queue_receives_max=1))
    taken = Moment("light", "engine.inspect", Fault.CRASH_BEFORE)
    report = sometimes(hasty, taken)
    assert report.dead_letters >= 1


def test_a_storm_delays_doubles_and_disorders_and_nothing_is_lost() -> None:
    report = sometimes(Scenario(wishes=[FILM, PICTURE], weather=STORM, seed=3))
    assert {known.state for known in report.tasks} == {TaskState.SUCCEEDED}
    assert Counter(call.name for call in report.calls)["queue.ack"] > len(report.tasks) * 2
