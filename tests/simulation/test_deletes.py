"""A media that is deleted while its job works loses every byte in the end, stays deleted, and costs nothing any more."""

from dataclasses import replace

import pytest

from smmu.domain.job import State
from tests.simulation.actors import Wish
from tests.simulation.faults import Fault
from tests.simulation.plans import FILM, PICTURE, STORM, STREAMED, Moment, is_at
from tests.simulation.world import FLEET, ONE_MACHINE, Role, Scenario, simulate

DELETED = replace(FILM, delete_after=12.0)  # while its film is being rendered


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
@pytest.mark.parametrize("wish", [PICTURE, STREAMED, FILM], ids=["single", "multipart", "film"])
@pytest.mark.parametrize("seconds", [0.0, 1.0, 3.0, 6.0, 12.0, 25.0, 200.0])
def test_whenever_it_is_deleted_nothing_is_left(roles: tuple[Role, ...], wish: Wish, seconds: float) -> None:
    report = simulate(Scenario(wishes=[replace(wish, delete_after=seconds)], roles=roles))
    assert not report.violations, str(report)


def test_a_job_that_was_cancelled_just_before_leaves_nothing_either() -> None:
    """Its worker hears of it at its next heartbeat only, and went on writing what nobody removed any more."""
    for seconds in (13.0, 13.5, 14.0, 14.5):
        report = simulate(Scenario(wishes=[replace(FILM, cancel_after=seconds, delete_after=1.0)]))
        assert not report.violations, str(report)
        assert [known.state for known in report.jobs] == [State.CANCELLED]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", ["objects.put", "objects.delete", "objects.list", "ledger.commit"])
@pytest.mark.parametrize("process", ["api", "heavy", "dispatcher", "sweeper"])
def test_no_single_fault_after_the_deletion_leaves_anything(fault: Fault, name: str, process: str) -> None:
    scenario = Scenario(wishes=[DELETED])
    calm = simulate(scenario)
    deleted = next(call for call in calm.calls if call.name == "objects.delete")
    later = [call for call in calm.calls[deleted.number - 20 :] if is_at(call, Moment(process, name))]
    for call in later[:6]:
        report = simulate(replace(scenario, plan={call.number: fault}))
        assert not report.violations, str(report)


def test_a_storm_resurrects_nothing() -> None:
    for seed in range(6):
        wishes = [replace(DELETED, delete_after=3.0 * seed), replace(PICTURE, delete_after=5.0), FILM]
        report = simulate(Scenario(wishes=wishes, weather=STORM, seed=seed))
        assert not report.violations, str(report)
