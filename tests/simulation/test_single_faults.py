"""No single fault loses a job: every kind, at each of the first forty port calls from an upload to its renditions.

And no fault is survived only because it never fired: each kind fires at each method that such a run calls at all.
"""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from smmu.domain.job import State
from tests.simulation.actors import Wish
from tests.simulation.faults import PORTS, Call, Fault
from tests.simulation.plans import PICTURE, STREAMED
from tests.simulation.world import FLEET, ONE_MACHINE, Report, Role, Scenario, simulate

CALLS = int(os.environ.get("SMMU_SIMULATION_CALLS", "40"))  # a night has time for all of them
ONE_UPLOAD = Scenario(wishes=[PICTURE], prompt=True)
Tell = Callable[[str, object], None]


def hold(report: Report) -> None:
    """Every promise is kept; and one fault is little enough for the job to succeed."""
    assert not report.violations, str(report)
    assert [known.state for known in report.jobs] == [State.SUCCEEDED], str(report)


def every_call(scenario: Scenario, fault: Fault) -> int:
    """Let this happen at each of the first calls, one run each; how many runs that were."""
    calls = min(CALLS, len(simulate(scenario).calls))
    for number in range(calls):
        report = simulate(replace(scenario, plan={number: fault}))
        hold(report)
        assert len(report.fired) == 1
    return calls


@pytest.mark.parametrize("fault", Fault)
def test_every_single_fault(fault: Fault, record_property: Tell) -> None:
    runs = every_call(ONE_UPLOAD, fault)
    record_property("single faults", f"{fault}: {runs} runs, 0 jobs lost, doubled or resurrected")


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.STOP])
def test_every_single_end_of_the_one_process_of_a_machine(fault: Fault, record_property: Tell) -> None:
    """It starts again alone: it voids the leases of the one before and need not wait for them."""
    runs = every_call(replace(ONE_UPLOAD, roles=ONE_MACHINE), fault)
    record_property("single faults on one machine", f"{fault}: {runs} runs, 0 jobs lost, doubled or resurrected")


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
@pytest.mark.parametrize("wish", [PICTURE, STREAMED], ids=["single", "multipart"])
def test_without_a_fault_a_job_is_done_soon(roles: tuple[Role, ...], wish: Wish) -> None:
    report = simulate(replace(ONE_UPLOAD, roles=roles, wishes=[wish]))
    hold(report)
    assert report.fired == []


def first_calls() -> list[Call]:
    """The first call of every method by every kind of process, beyond those that the first forty had."""
    calls = simulate(ONE_UPLOAD).calls
    had = {_place(call) for call in calls[:CALLS]}
    firsts = {_place(call): call for call in reversed(calls)}
    return [call for place, call in sorted(firsts.items()) if place not in had]


def _place(call: Call) -> tuple[str, str]:
    return call.process.partition("-")[0] + call.process.partition("/")[2], call.name


def test_one_run_calls_every_port() -> None:
    assert {call.name.partition(".")[0] for call in simulate(ONE_UPLOAD).calls} == set(PORTS.values())


@pytest.mark.parametrize("fault", Fault)
def test_every_kind_of_fault_at_every_other_method(fault: Fault) -> None:
    for call in first_calls():
        report = simulate(replace(ONE_UPLOAD, plan={call.number: fault}))
        hold(report)
        assert [(fired.name, fired.fault) for fired in report.fired] == [(call.name, fault)]
