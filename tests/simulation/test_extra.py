"""Captions are extra: whatever becomes of the engine that makes them, the film is there, and no fault loses it for that."""

from dataclasses import dataclass, replace

import anyio
import pytest

from smmu.adapters.inmemory.speech import PretendRecognizer
from smmu.domain.errors import Code
from smmu.domain.job import State
from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript
from smmu.ports.errors import Corrupt, NotFound, TaskDied, Unavailable
from smmu.ports.media import Progress
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds, SpeechRecognizer
from tests.simulation.faults import Fault
from tests.simulation.plans import FILM, STORM, Moment, is_at
from tests.simulation.world import DOUBLED, FLEET, ONE_MACHINE, Report, Role, Scenario, simulate


@dataclass(frozen=True, slots=True)
class Failing(SpeechRecognizer):
    """Fails with `error`, or never answers."""

    error: Exception | None = None

    @property
    def demands(self) -> Demands:
        return PretendRecognizer().demands

    async def unavailable(self) -> str | None:
        return None

    async def recognize(self, sound: Sound, bounds: Bounds, progress: Progress) -> Transcript:
        await progress(0.0)
        if self.error is None:
            await anyio.sleep_forever()
        raise self.error or AssertionError((sound, bounds))


FAILURES = {
    "crashed": (Failing(TaskDied("it died", "crashed")), Code.CRASHED, 2),
    "out of memory": (Failing(TaskDied("it was too large", "out_of_memory")), Code.OUT_OF_MEMORY, 3),
    "never done": (Failing(), Code.TIMED_OUT, 2),
    "away": (Failing(Unavailable("its service is away")), Code.WORLD_UNAVAILABLE, 7),
    "no model": (Failing(NotFound("there is no model")), Code.INTERNAL, 2),
    "broken": (Failing(Corrupt("no answer that is known")), Code.INTERNAL, 2),
}

LASTS_SECONDS = 3000.0  # a task that is never done has all its time, twice


def done_without(report: Report, *errors: Code) -> None:
    assert not report.violations, str(report)
    assert {known.state for known in report.jobs} == {State.SUCCEEDED}, str(report)
    lost = [known for known in report.tasks if known.name == "transcribe"]
    assert [[failure.error for failure in known.failures] for known in lost] == [[*errors]] * len(lost)
    assert lost


@pytest.mark.parametrize("roles", [FLEET, ONE_MACHINE], ids=["fleet", "one machine"])
@pytest.mark.parametrize("what", FAILURES)
def test_a_film_whose_captions_fail_is_published_after_all_tries(what: str, roles: tuple[Role, ...]) -> None:
    recognizer, code, tries = FAILURES[what]
    scenario = Scenario(wishes=[FILM], roles=roles, recognizer=recognizer, lasts_seconds=LASTS_SECONDS)
    done_without(simulate(scenario), *[code] * tries)


@pytest.mark.parametrize("fault", Fault)
def test_no_single_fault_beside_it_loses_the_film(fault: Fault) -> None:
    scenario = Scenario(wishes=[FILM], recognizer=Failing(Corrupt("no answer that is known")))
    ends = [call for call in simulate(scenario).calls if is_at(call, Moment("heavy", "ledger.commit"))]
    assert ends
    for call in ends[-2:]:
        report = simulate(replace(scenario, plan={call.number: fault}))
        assert not report.violations, str(report)
        assert [known.state for known in report.jobs] == [State.SUCCEEDED], str(report)


def test_a_storm_publishes_every_film_that_is_without() -> None:
    for seed in range(2):
        wishes = [FILM, replace(FILM, owner="bob")]
        report = simulate(
            Scenario(wishes=wishes, roles=DOUBLED, weather=STORM, seed=seed, recognizer=FAILURES["crashed"][0])
        )
        done_without(report, Code.CRASHED, Code.CRASHED)
