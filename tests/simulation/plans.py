"""Scenarios and plans: the ones that tests name, and the ones that Hypothesis draws.

A plan names calls by number, which is what shrinks. A test that must still mean the same when the product makes one
call more or less names its moments instead, and they are looked up in the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from hypothesis import strategies as st

from smmu.adapters.inmemory.media import pretend_file
from smmu.adapters.inmemory.weather import CALM, Weather
from smmu.domain.facts import Kind
from tests.simulation.actors import Wish
from tests.simulation.faults import Call, Fault, Plan
from tests.simulation.world import DOUBLED, FLEET, ONE_MACHINE, Report, Scenario, simulate

PICTURE = Wish(data=pretend_file(Kind.IMAGE, size=5_000), filename="a.png", content_type="image/png")
STREAMED = replace(PICTURE, size_told=False)  # its upload is multipart, so that completing it takes two steps
FILM = Wish(data=pretend_file(size=3_000, duration_s=60.0))
STORM = Weather(queue_duplicates=0.3, queue_reorders=0.5, queue_delays=0.3, due_lags=0.3, short_pages=0.3)


@dataclass(frozen=True, slots=True)
class Moment:
    """A call of `name` by a process whose name starts so (`*`: whatever), after the moment before and not before `since`, past `skip`.

    One without a fault is a landmark.
    """

    process: str
    name: str
    fault: Fault | None = None
    skip: int = 0
    since: float = 0.0


def plan_of(scenario: Scenario, *moments: Moment) -> Plan:
    """The plan that has its faults at these moments, each looked up in the log of the run with those before it."""
    plan: dict[int, Fault] = {}
    last = -1
    for moment in moments:
        calls = simulate(replace(scenario, plan=plan)).calls
        there = [call for call in calls[last + 1 :] if is_at(call, moment)]
        assert len(there) > moment.skip, f"{moment} never comes"
        last = there[moment.skip].number
        if moment.fault is not None:
            plan[last] = moment.fault
    return plan


def is_at(call: Call, moment: Moment) -> bool:
    of_it = fnmatchcase(call.process, f"{moment.process}*")
    return call.name == moment.name and of_it and call.at >= moment.since


def smallest(scenario: Scenario, kinds: tuple[Fault, ...], name: str) -> Report | None:
    """The first run that breaks a promise: without any fault, or with one of these kinds at one of these calls."""
    calm = simulate(scenario)
    if calm.violations:
        return calm
    return next((report for report in _single_faults(scenario, calm, kinds, name) if report.violations), None)


def _single_faults(scenario: Scenario, calm: Report, kinds: tuple[Fault, ...], name: str) -> Iterator[Report]:
    for fault in kinds:
        for call in calm.calls:
            if call.name == name:
                yield simulate(replace(scenario, plan={call.number: fault}))


def _moments(calls_max: int) -> st.SearchStrategy[Plan]:
    return st.dictionaries(st.integers(0, calls_max), st.sampled_from(list(Fault)), min_size=2, max_size=5)


@st.composite
def _wishes(draw: st.DrawFn, number: int) -> Wish:
    return replace(
        draw(st.sampled_from([PICTURE, STREAMED, FILM])),
        owner=draw(st.sampled_from(["alice", "bob"])),
        key=draw(st.sampled_from([None, f"key-{number}"])),
        begin_after=draw(st.sampled_from([0.0, 7.0])),
        cancel_after=draw(st.sampled_from([None, None, 0.0, 3.0, 6.0, 12.0, 40.0])),
        retries=draw(st.integers(0, 2)),
        delete_after=draw(st.sampled_from([None, None, None, 0.0, 1.0, 5.0, 14.0])),
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """One to three clients, two to five faults, any weather, any schedule, clocks that disagree."""
    count = draw(st.integers(1, 3))
    skew = st.floats(-10, 10, allow_nan=False)
    return Scenario(
        wishes=[draw(_wishes(number)) for number in range(count)],
        plan=draw(_moments(200 * count)),
        roles=draw(st.sampled_from([FLEET, DOUBLED, ONE_MACHINE])),
        seed=draw(st.integers(0, 999)),
        weather=draw(st.sampled_from([CALM, STORM])),
        skews={role.name: draw(skew) for role in FLEET} if draw(st.booleans()) else {},
    )
