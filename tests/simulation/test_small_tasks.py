"""Small tasks in the simulated world: done by whoever takes them, without a process each, and no fault loses one."""

from dataclasses import replace

import pytest

from smmu.domain.job import State
from tests.simulation.faults import Fault
from tests.simulation.plans import PICTURE, STORM, Moment, is_at
from tests.simulation.world import DOUBLED, FLEET, LIMITS, ONE_MACHINE, Report, Role, Scenario, simulate

SMALL = Scenario(wishes=[PICTURE], limits=replace(LIMITS, small_seconds_max=60))


def started(report: Report) -> int:
    return sum(call.name == "tasks.start" for call in report.calls)


def held(report: Report) -> None:
    assert not report.violations, str(report)
    assert {known.state for known in report.jobs} == {State.SUCCEEDED}, str(report)


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
def test_a_small_task_starts_nothing(roles: tuple[Role, ...]) -> None:
    report = simulate(replace(SMALL, roles=roles))
    held(report)
    assert started(report) == 0
    plain = simulate(Scenario(wishes=[PICTURE], roles=roles))
    held(plain)
    assert started(plain) > 0


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", ["ledger.commit", "objects.put", "engine.render"])
def test_no_single_fault_loses_a_small_task(fault: Fault, name: str) -> None:
    calls = [call for call in simulate(SMALL).calls if is_at(call, Moment("heavy", name))]
    assert calls
    for call in calls[:4]:
        held(simulate(replace(SMALL, plan={call.number: fault})))


def test_a_try_that_failed_is_followed_by_one_with_a_process_of_its_own() -> None:
    (call,) = [call for call in simulate(SMALL).calls if is_at(call, Moment("heavy", "engine.render"))]
    report = simulate(replace(SMALL, plan={call.number: Fault.FAIL_BEFORE}))
    held(report)
    assert started(report) == 1


def test_a_storm_loses_none() -> None:
    for seed in range(4):
        wishes = [PICTURE, replace(PICTURE, owner="bob")]
        held(simulate(replace(SMALL, wishes=wishes, roles=DOUBLED, weather=STORM, seed=seed)))
