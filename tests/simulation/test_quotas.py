"""An owner at their quota is refused cleanly, and what is counted is what is there; sessions that nobody owns go."""

from dataclasses import replace

import pytest

from smmu.domain.job import State
from smmu.domain.limits import Limits
from tests.simulation.faults import Fault
from tests.simulation.plans import PICTURE, STORM, STREAMED, Moment, plan_of
from tests.simulation.world import FLEET, LIMITS, ONE_MACHINE, Role, Scenario, simulate

SMALL = replace(LIMITS, owner_bytes_max=12_000, unknown_size_bytes=6_000)  # two pictures, whether their size is told
WAITING = [
    replace(wish, key=f"key-{number}", quota_asks=1_000, delete_after=5.0)
    for number, wish in enumerate([PICTURE, STREAMED, PICTURE, PICTURE, STREAMED])
]
CROWD = Scenario(wishes=WAITING, limits=SMALL)


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
def test_who_is_refused_gets_in_when_something_was_deleted(roles: tuple[Role, ...]) -> None:
    report = simulate(replace(CROWD, roles=roles))
    assert not report.violations, str(report)
    assert report.refused > 0
    assert len(report.jobs) == len(WAITING)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", ["ledger.commit", "uploads.begin", "uploads.complete", "objects.delete"])
def test_no_single_fault_makes_the_count_untrue(fault: Fault, name: str) -> None:
    for skip in range(0, 8, 2):
        calls = [call for call in simulate(CROWD).calls if call.name == name and call.process == "api"]
        report = simulate(replace(CROWD, plan={calls[min(skip, len(calls) - 1)].number: fault}))
        assert not report.violations, str(report)
        assert len(report.jobs) == len(WAITING)


def test_a_storm_at_the_quota_counts_right() -> None:
    for seed in range(5):
        report = simulate(replace(CROWD, weather=STORM, seed=seed))
        assert not report.violations, str(report)


@pytest.mark.parametrize("limits", [replace(LIMITS, owner_bytes_max=4_000), replace(LIMITS, owner_open_uploads_max=0)])
def test_what_can_never_fit_is_refused_and_leaves_nothing_counted(limits: Limits) -> None:
    report = simulate(Scenario(wishes=[replace(PICTURE, quota_asks=3)], limits=limits))
    assert not report.violations, str(report)
    assert (report.refused, report.jobs) == (3, [])


# --- sessions that nobody owns

SHORT = replace(LIMITS, upload_seconds=900)
LONG_SECONDS = 900 + 3600 + 2 * 600.0


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
def test_a_session_whose_upload_was_never_recorded_is_swept(roles: tuple[Role, ...]) -> None:
    scenario = Scenario(wishes=[STREAMED], roles=roles, limits=SHORT, lasts_seconds=LONG_SECONDS)
    process = roles[0].name
    plan = plan_of(scenario, Moment(process, "uploads.begin", Fault.CRASH_AFTER))
    report = simulate(replace(scenario, plan=plan))
    assert not report.violations, str(report)
    assert [known.state for known in report.jobs] == [State.SUCCEEDED]
    swept = [call for call in report.calls if call.name == "uploads.abort" and call.at > SHORT.upload_seconds]
    assert len(swept) == 1


def test_an_upload_whose_client_went_away_is_swept_with_its_bytes_and_its_reservation() -> None:
    """The client is told nothing any more after its first try: what it began expires."""
    scenario = Scenario(wishes=[STREAMED], limits=SHORT, lasts_seconds=LONG_SECONDS)
    plan = plan_of(scenario, Moment("api", "uploads.begin"), Moment("api", "ledger.commit", Fault.CRASH_AFTER))
    report = simulate(replace(scenario, plan=plan))
    assert not report.violations, str(report)
    assert report.told["upload_rejected"] == 0
    assert [known.state for known in report.jobs] == [State.SUCCEEDED]
