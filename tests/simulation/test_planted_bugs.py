"""A simulator that never fails proves nothing: each planted bug must be reported, with its smallest plan."""

from dataclasses import replace

import pytest

from tests.simulation.faults import Fault
from tests.simulation.plans import PICTURE, smallest
from tests.simulation.planted import BUGS, SOUND, Planted
from tests.simulation.world import Scenario, simulate

# Which kind of fault brings each to light (none: it shows without any), and in which words.
PLANS = {
    "the outbox message dropped": ((), "no message says so"),
    "the fencing condition left out": ((Fault.PAUSE,), "which is in no table"),
    "publish unconditional": ((Fault.PAUSE,), "terminal, and is written again"),
    "the queue acknowledged before the work": ((), "no message says so"),
    "the sweeper off": ((Fault.CRASH_BEFORE,), "LOST"),
}


@pytest.mark.parametrize("planted", BUGS, ids=lambda planted: planted.name)
def test_a_planted_bug_is_caught(planted: Planted) -> None:
    kinds, words = PLANS[planted.name]
    report = smallest(Scenario(wishes=[PICTURE], planted=planted, prompt=True), kinds, "ledger.commit")
    assert report is not None, f"{planted.name}: not seen"
    print(f"{planted.name}: {report}")  # noqa: T201 (seen with `pytest -rP`, and when this fails)
    assert words in report.violations[0]
    assert [call.fault for call in report.fired] == list(kinds)
    plan = {call.number: call.fault for call in report.fired if call.fault}
    sound = simulate(Scenario(wishes=[PICTURE], plan=plan, planted=SOUND, prompt=True))
    assert not sound.violations, f"the plan alone breaks a promise: {sound}"


def test_a_dropped_message_is_late_even_for_who_sees_only_the_end() -> None:
    [dropping] = [planted for planted in BUGS if planted.name == "the outbox message dropped"]
    unseen = replace(dropping, hints=False)
    report = simulate(Scenario(wishes=[PICTURE], planted=unseen, prompt=True))
    assert len(report.violations) == 1
    assert "though nothing went wrong" in report.violations[0]
