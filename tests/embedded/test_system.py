"""Ids, and what operators see."""

import io
import json

from smmu.adapters.embedded.system import JsonLines, RandomIds, SystemClock
from smmu.domain.values import JOB, is_id


class FixedClock(SystemClock):
    def now(self) -> float:
        return 1_750_000_000.1234


def test_ids_are_well_formed_and_never_the_same() -> None:
    ids = RandomIds(FixedClock())
    made = {ids.new(JOB) for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(is_id(JOB, name) for name in made)


def test_an_event_is_one_line_of_json() -> None:
    stream = io.StringIO()
    JsonLines(FixedClock(), stream).event("job_created", job_id="job_1", why=ValueError("a\nb"))
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line) == {"at": 1_750_000_000.123, "event": "job_created", "job_id": "job_1", "why": "a\nb"}


def test_what_cannot_be_told_is_lost_and_nothing_is_raised() -> None:
    stream = io.StringIO()
    telemetry = JsonLines(FixedClock(), stream)
    telemetry.event("strange", field={(1, 2): 3})
    stream.close()
    telemetry.event("late")


def test_counters_add_up_by_their_labels() -> None:
    telemetry = JsonLines(FixedClock())
    for kind in ("a", "b", "a"):
        telemetry.count("made", 2, kind=kind)
    telemetry.count("made")
    assert telemetry.counts() == {("made", (("kind", "a"),)): 4, ("made", (("kind", "b"),)): 2, ("made", ()): 1}
