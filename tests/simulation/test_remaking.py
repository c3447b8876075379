"""Renditions made later, in the simulated world: one job at a time, and no fault takes what was there."""

from dataclasses import replace

import pytest

from smmu.adapters.inmemory.system import EPOCH
from smmu.domain.job import RENDITIONS, State
from tests.simulation.faults import Fault
from tests.simulation.plans import FILM, PICTURE, STORM, Moment, is_at
from tests.simulation.world import DOUBLED, FLEET, ONE_MACHINE, Report, Role, Scenario, simulate

AGAIN = replace(PICTURE, again=("image-320-webp",))
RIVALS = replace(FILM, again=("poster", "mp4", "waveform"))


def held(report: Report, *states: State) -> None:
    assert not report.violations, str(report)
    assert [known.state for known in report.jobs if known.kind == RENDITIONS] == list(states), str(report)


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
def test_rivals_take_turns_and_each_finds_what_the_others_made(roles: tuple[Role, ...]) -> None:
    held(simulate(Scenario(wishes=[RIVALS], roles=roles)), *[State.SUCCEEDED] * 3)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(
    ("process", "name"),
    [("api", "ledger.commit"), ("light", "ledger.commit"), ("light", "objects.put"), ("light", "objects.open")],
)
def test_no_single_fault_of_a_later_job_is_seen_in_what_it_leaves(fault: Fault, process: str, name: str) -> None:
    scenario = Scenario(wishes=[AGAIN])
    calm = simulate(scenario)
    held(calm, State.SUCCEEDED)
    began = next(known.created_at for known in calm.jobs if known.kind == RENDITIONS) - EPOCH
    later = [call for call in calm.calls if is_at(call, Moment(process, name, since=began - 1))]
    assert later
    for call in later[:4]:
        report = simulate(replace(scenario, plan={call.number: fault}))
        held(report, State.SUCCEEDED)


@pytest.mark.parametrize("seconds", [0.0, 2.0, 5.0, 9.0])
def test_a_cancelled_one_takes_nothing_along_and_can_be_retried(seconds: float) -> None:
    wish = replace(FILM, again=("poster", "mp4"), cancel_again_after=seconds)
    report = simulate(Scenario(wishes=[wish]))
    assert not report.violations, str(report)
    held(simulate(Scenario(wishes=[replace(wish, retries=3)])), State.SUCCEEDED, State.SUCCEEDED)


def test_a_storm_publishes_nothing_twice_and_loses_nothing() -> None:
    for seed in range(4):
        wishes = [RIVALS, replace(AGAIN, owner="bob")]
        report = simulate(Scenario(wishes=wishes, roles=DOUBLED, weather=STORM, seed=seed))
        held(report, *[State.SUCCEEDED] * 4)
