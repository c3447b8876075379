"""Random pipelines mean the same evaluated here, and compiled and run by an interpreter of Amazon States Language.

The interpreter is moto's (tests/support/aws/mends.py says what is mended in it). Its time is real, and which of two
tasks that run beside each other ends first is chance: so a machine must come to one of the ends that the pipeline has
at some pace, and ask for no task that it asks for at none; where nothing is beside anything, for exactly those.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from smmu.adapters.aws.asl import compile_pipeline
from smmu.adapters.aws.failures import NOT_TO_BE_HAD, code_of_failure
from smmu.domain.pipeline import Map, Parallel, Step
from tests.support.aws.clusters import Cluster, ending_at_once, make_cluster
from tests.support.aws.machines import Ended, functions, hurrying
from tests.support.aws.machines import run as run_machine
from tests.support.pipelines import (
    DOCUMENT,
    ERRORS,
    PIPELINES,
    End,
    Luck,
    all_steps,
    expected,
    output_of,
    run,
)

EXAMPLES = int(os.environ.get("SMMU_ASL_EXAMPLES", "60"))
PACES_MAX = 200
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # in real time a smaller example is another one

# What a comparison leaves out, because ASL says it in another way, and why. The rest is compared as it is.
LEFT_OUT = {
    "message": "a caught error's is the JSON of AWS's {Error, Cause}; a guard's cannot name the one path that is missing",
    "task_id": "is known to who recorded the task, not to a state machine",
}

lucks = st.builds(Luck, seed=st.integers(0, 999), failing=st.sampled_from((0.1, 0.4, 0.8)))
FAILING = ("", NOT_TO_BE_HAD[0], "Sandbox.Timedout")  # how the function that renders ends
RAISED = {name: type(name, (Exception,), {}) for name in (*ERRORS, *FAILING[1:], "Held")}


@dataclass(slots=True)
class Labour:
    """What the functions of a machine do: what luck says, while it is noted what they were asked for."""

    luck: Luck
    asked: dict[tuple[str, int], Any] = field(default_factory=dict)
    order: list[tuple[str, int]] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    held: set[tuple[str, int]] = field(default_factory=set)
    ended: dict[tuple[str, int], str] = field(default_factory=dict)  # of the function that renders
    lock: threading.Lock = field(default_factory=threading.Lock)

    def perform(self, invocation: Mapping[str, Any]) -> Any:
        assert {key: invocation[key] for key in ("owner", "job_id", "attempt", "trace")}.items() <= DOCUMENT.items()
        assert (invocation["does"], invocation["name"], invocation["weight"]) == ("work", "t", "light")
        return self.outcome(*self.noted(invocation))

    def open(self, invocation: Mapping[str, Any]) -> dict[str, Any]:
        assert invocation["weight"] == "heavy"
        place, tries = self.noted(invocation)
        return {
            "record_id": f"job_1/a1/{place}",
            "tries": tries,
            "handle": f"{place} {tries}",
            "family": "transcode",
            "cpu": 1024,
            "memory": "2048",
            "seconds_max": 60,
            "kept": tries > 1,
            "small": len(place) % 2 == 0,
            "function": None,
            "done": tries % 2 == 1,
        }

    def render(self, given: Mapping[str, Any]) -> dict[str, Any]:
        place = given["record_id"].removeprefix("job_1/a1/")
        error = FAILING[len(place) % len(FAILING)]
        self.ended[place, given["tries"]] = error
        if error:
            raise RAISED[error]("as planned")
        return {}

    def collect(self, given: Mapping[str, Any]) -> Any:
        place = given["record_id"].removeprefix("job_1/a1/")
        assert {**given, "function": None} == {
            "owner": "ada",
            "trace": DOCUMENT["trace"],
            "record_id": given["record_id"],
            "tries": given["tries"],
            "handle": f"{place} {given['tries']}",
            "function": None,
        }
        told = given["function"]
        assert (None if told is None else told.get("Error", "")) == self.ended.get((place, given["tries"]))
        if (place, given["tries"]) not in self.held and len(place) % 3 == 0:
            self.held.add((place, given["tries"]))
            raise RAISED["Held"]("another worker has it")
        return self.outcome(place, given["tries"])

    def noted(self, invocation: Mapping[str, Any]) -> tuple[str, int]:
        with self.lock:
            place = invocation["path"]
            tries = self.tries[place]
            self.tries[place] += 1
            self.asked[place, tries] = invocation["input"]
            self.order.append((place, tries))
            return place, tries

    def outcome(self, place: str, tries: int) -> Any:
        error = self.luck.of(place, tries)[1]
        if error is not None:
            raise RAISED[error](f"try {tries}")
        return output_of(place)


@cache
def cluster() -> Cluster:
    return make_cluster()


@pytest.fixture(scope="module", autouse=True)
def hurried() -> Iterator[None]:
    with hurrying(), ending_at_once():
        yield


def run_compiled(step: Step, luck: Luck) -> tuple[Ended, Labour]:
    labour = Labour(luck)
    called = {name: getattr(labour, name) for name in ("perform", "open", "collect", "render")}
    with functions(called) as arns:
        machine = compile_pipeline(step, cluster().names(arns), seconds_max=60)
        return run_machine(machine, DOCUMENT), labour


# --- ends, in one language


def plain(value: Any) -> Any:
    """A document without what is said in another way: caught errors by their codes."""
    if isinstance(value, Mapping):
        if {"error", "message"} <= set(value) <= {"error", "message", "task_id"}:
            told = {key: item for key, item in value.items() if key not in LEFT_OUT}
            return told | {"error": code_of_failure(value["error"], value["message"])[0]}
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def end_of(end: End) -> str:
    return as_text(f"failed: {end.error}" if end.failed else plain(end.document))


def end_of_machine(ended: Ended) -> str:
    if ended.status == "SUCCEEDED":
        return as_text(plain(ended.output))
    assert ended.status == "FAILED", ended
    return as_text(f"failed: {code_of_failure(ended.error, ended.cause)[0]}")


def as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def is_one_by_one(step: Step) -> bool:
    return not any(
        isinstance(inner, Parallel) or (isinstance(inner, Map) and inner.concurrency != 1) for inner in all_steps(step)
    )


# The interpreter's threads of a branch that was stopped trip over what the stop has taken from them.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@given(PIPELINES, lucks)
@settings(max_examples=EXAMPLES, phases=UNSHRUNK, suppress_health_check=[HealthCheck.too_slow])
def test_a_compiled_pipeline_means_what_it_means_here(step: Step, luck: Luck) -> None:
    ended, labour = run_compiled(step, luck)
    found, asked_there = end_of_machine(ended), {(what, as_text(plain(took))) for what, took in labour.asked.items()}
    ends, asked = set[str](), set[tuple[tuple[str, int], str]]()
    for pace in range(PACES_MAX):
        here = replace(luck, pace=pace, hesitant=not is_one_by_one(step), asked={})
        ends.add(end_of(expected(step, here)))
        asked.update((what, as_text(plain(took))) for what, took in here.asked.items())
        if is_one_by_one(step) or (found in ends and asked_there <= asked):
            break
    event(f"{ended.status}, {'one by one' if is_one_by_one(step) else 'at once'}, {len(ends)} ends")
    assert found in ends
    assert asked_there - asked == set()
    if is_one_by_one(step):
        assert labour.order == list(run(step, luck).inputs)
