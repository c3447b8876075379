"""Random pipelines, a world that runs their tasks, and a plain reference that says what must come of them.

The reference reads a pipeline as its docstring does, by recursion, with the time at which each step ends. It knows
nothing of journals. `run` drives `evaluate` instead, through a journal in which tasks end in whatever order their
durations give; tasks of a step that has failed already run on, and end later.
"""

import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from smmu.domain import task as tasks
from smmu.domain.evaluate import Done, Failed, Outcome, Waiting, evaluate
from smmu.domain.limits import Limits
from smmu.domain.pipeline import (
    ANY,
    MISSING,
    Catch,
    Choice,
    Fail,
    Map,
    Parallel,
    Retry,
    Rule,
    Sequence,
    Step,
    Task,
    Test,
    Weight,
    holds,
    look_up,
    with_value,
)
from tests.support.records import a_task

KEYS = ("a", "b", "c", "items")
ERRORS = ("red", "blue", "green")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# What every run is begun with.
RUN: Mapping[str, Any] = {"owner": "ada", "job_id": "job_1", "attempt": 1, "trace": TRACE}
DOCUMENT: Mapping[str, Any] = {
    **RUN,
    "a": 1,
    "items": [1, "two", None],
    "nested": {"list": [3, 1, 2, 0], "flag": True},
}
LIMITS = Limits()

keys = st.sampled_from(KEYS)
gives = st.none() | keys
paths = st.sampled_from(("a", "b", "c", "items", "nested.list", "nested.flag", "each", ""))
some_errors = st.lists(st.sampled_from((*ERRORS, ANY)), min_size=1, max_size=2).map(tuple)
retries = st.lists(
    st.builds(
        Retry,
        errors=some_errors,
        times=st.integers(0, 2),
        seconds=st.sampled_from((0.5, 3.0)),
        seconds_max=st.sampled_from((1.0, 60.0)),
    ),
    max_size=2,
).map(tuple)
takes = st.dictionaries(st.sampled_from(("x", "y")), st.sampled_from(("a", "items", "nested", "", "b")), max_size=2)
maps_take = st.dictionaries(
    st.sampled_from(("a", "b", "items", "nested")), st.sampled_from(("a", "items", "nested", "", "b")), max_size=3
)
weights = st.sampled_from((*[Weight.LIGHT] * 4, Weight.HEAVY))
extras = st.sampled_from((*[None] * 3, "nested.flag", "nested.flag", "a", "b", "each"))
one_task = st.builds(
    lambda gives, extra, **more: Task(
        name="t", does="work", gives=gives, extra=None if gives in (None, extra) else extra, **more
    ),
    *(gives, extras),
    takes=takes,
    weight=weights,
    retry=retries,
)
one_fail = st.builds(Fail, name=st.just("fail"), error=st.sampled_from(ERRORS), message=st.just("fixed"))
again = st.just(Fail(name="again", again="error"))


def _larger(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    one_rule = st.builds(
        lambda path, test, value, then: Rule(path=path, test=test, value=value, then=then),
        *(paths, st.sampled_from(Test), st.sampled_from((1, 2, True, "two", 1.5)), inner),
    )
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    yields = st.sampled_from(("", "a", "b", "each"))
    return st.one_of(
        st.builds(Sequence, steps=st.lists(inner, max_size=3).map(tuple)),
        st.builds(Parallel, name=st.just("p"), branches=some, yields=yields, gives=gives),
        st.builds(
            Map,
            name=st.just("m"),
            items=st.sampled_from(("items", "nested.list", "a")),
            each=st.sampled_from(("each", "a")),
            body=inner,
            takes=maps_take,
            concurrency=st.integers(0, 2),
            yields=yields,
            gives=gives,
        ),
        st.builds(
            Choice,
            name=st.just("choose"),
            rules=st.lists(one_rule, max_size=2).map(tuple),
            otherwise=st.none() | inner,
        ),
        st.builds(Catch, name=st.just("try"), body=inner, errors=some_errors, handler=st.one_of(inner, again)),
    )


# Drawn as often as a single task: where several things are under way at once is where order could matter.
at_once = st.builds(
    lambda branches, gives: Parallel(name="p", branches=branches, gives=gives),
    *(st.lists(one_task, min_size=2, max_size=3).map(tuple), gives),
)
of_a_list = st.builds(
    lambda body, takes, concurrency: Map(
        name="m", items="nested.list", each="each", body=body, takes=takes, concurrency=concurrency
    ),
    *(st.one_of(one_task, st.builds(lambda *steps: Sequence(steps=steps), one_task, one_fail)), maps_take),
    st.integers(0, 3),
)
PIPELINES: st.SearchStrategy[Step] = st.recursive(
    st.one_of(one_task, one_fail, at_once, of_a_list), _larger, max_leaves=6
)


@dataclass(slots=True)
class Luck:
    """What each try of each task does, and how long it takes: a function of a seed, the place and the try.

    `pace` is another seed, for the times alone. `asked` is filled by the reference: every try that a pipeline may ask
    for, with its input, also where something beside it has failed before. For one that is `hesitant`, failing without
    having asked for anything takes its time too.
    """

    seed: int
    failing: float
    pace: int = 0
    hesitant: bool = False
    asked: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, place: str, tries: int) -> tuple[float, str | None]:
        """Seconds, and the error it ends with, if any. No two tries end at the same moment."""
        chance = random.Random(f"{self.seed} {place} {tries}")
        error = chance.choice(ERRORS) if chance.random() < self.failing else None
        return self._seconds(f"{place} {tries}"), error

    def pause(self, place: str) -> float:
        """Seconds that a step at `place` takes to see that it cannot go on."""
        return self._seconds(place) if self.hesitant else 0.0

    def _seconds(self, what: str) -> float:
        return 10 ** random.Random(f"{self.seed} {self.pace} {what}").uniform(-2.0, 2.0)


def all_steps(step: Step) -> Iterator[Step]:
    yield step
    for inner in _inside(step):
        yield from all_steps(inner)


def _inside(step: Step) -> tuple[Step, ...]:
    match step:
        case Sequence():
            return step.steps
        case Parallel():
            return step.branches
        case Map():
            return (step.body,)
        case Catch():
            return (step.body, step.handler)
        case Choice():
            return tuple(rule.then for rule in step.rules) + ((step.otherwise,) if step.otherwise else ())
        case _:
            return ()


# --- the reference


@dataclass(frozen=True, slots=True)
class End:
    """How a step ended, and when: with a document, or with an error and its message."""

    at: float
    document: Mapping[str, Any] | None = None
    error: str = ""
    message: str = ""

    @property
    def failed(self) -> bool:
        return self.document is None


def expected(step: Step, luck: Luck) -> End:
    """What must come of a pipeline."""
    return _end(step, DOCUMENT, luck, "", 0.0)


def _end(step: Step, document: Mapping[str, Any], luck: Luck, path: str, at: float) -> End:
    match step:
        case Task():
            return _end_of_task(step, document, luck, _join(path, step.name), at)
        case Sequence():
            return _end_of_sequence(step, document, luck, path, at)
        case Parallel():
            place = _join(path, step.name)
            ends = [_end(b, document, luck, f"{place}[{n}]", at) for n, b in enumerate(step.branches)]
            return _joined(step, document, ends, at)
        case Map():
            return _end_of_map(step, document, luck, _join(path, step.name), at)
        case Choice():
            return _end_of_choice(step, document, luck, _join(path, step.name), at)
        case Catch():
            return _end_of_catch(step, document, luck, _join(path, step.name), at)
        case Fail():
            return _end_of_fail(step, document, at + luck.pause(_join(path, step.name)))


def _end_of_task(step: Task, document: Mapping[str, Any], luck: Luck, place: str, at: float) -> End:
    if short := _short_of(step, document, at + luck.pause(place)):
        return short
    left = [rule.times for rule in step.retry]
    for tries in range(100):
        luck.asked[place, tries] = {name: look_up(document, path) for name, path in step.takes.items()}
        seconds, error = luck.of(place, tries)
        at += seconds
        if error is None:
            return End(at, with_value(document, step.gives, output_of(place)))
        rule = next((n for n, rule in enumerate(step.retry) if rule.matches(error)), None)
        if rule is None or left[rule] == 0:
            return _end_or_do_without(step, document, End(at, error=error, message=f"try {tries}"))
        used = step.retry[rule].times - left[rule]
        at += min(step.retry[rule].seconds * 2.0**used, step.retry[rule].seconds_max)
        left[rule] -= 1
    raise AssertionError("retries have no end")


def _end_or_do_without(step: Task, document: Mapping[str, Any], end: End) -> End:
    if step.extra is None or look_up(document, step.extra) is not True:
        return end
    return End(end.at, with_value(document, step.gives, {"error": end.error, "message": end.message}))


def _end_of_sequence(step: Sequence, document: Mapping[str, Any], luck: Luck, path: str, at: float) -> End:
    end = End(at, document)
    for number, part in enumerate(step.steps):
        if end.document is not None:
            end = _end(part, end.document, luck, _join(path, str(number)), end.at)
    return end


def _end_of_map(step: Map, document: Mapping[str, Any], luck: Luck, place: str, at: float) -> End:
    items = look_up(document, step.items)
    if not isinstance(items, list):
        return End(at + luck.pause(place), error="internal", message=f"{step.name} needs a list at {step.items}.")
    if short := _short_of(step, document, at + luck.pause(place)):
        return short
    taken = {name: look_up(document, path) for name, path in step.takes.items()}
    ends: list[End] = []
    free = [at] * (step.concurrency or len(items))  # when each place becomes free
    for number, item in enumerate(items):
        begins = heapq.heappop(free)
        ends.append(_end(step.body, {**taken, step.each: item}, luck, f"{place}[{number}]", begins))
        heapq.heappush(free, ends[-1].at)
    return _joined(step, document, ends, at)


def _short_of(step: Task | Map, document: Mapping[str, Any], at: float) -> End | None:
    missing = [path for path in step.takes.values() if look_up(document, path) is MISSING]
    if not missing:
        return None
    return End(at, error="internal", message=f"{step.name} needs {', '.join(missing)}, which is not there.")


def _joined(step: Parallel | Map, document: Mapping[str, Any], ends: list[End], at: float) -> End:
    failures = [end for end in ends if end.failed]
    if failures:
        return min(failures, key=lambda end: end.at)
    results = [look_up(end.document, step.yields) for end in ends]
    listed = [None if result is MISSING else result for result in results]
    return End(max([at, *(end.at for end in ends)]), with_value(document, step.gives, listed))


def _end_of_choice(step: Choice, document: Mapping[str, Any], luck: Luck, place: str, at: float) -> End:
    for number, rule in enumerate(step.rules):
        if holds(rule, document):
            return _end(rule.then, document, luck, f"{place}[{number}]", at)
    return _end(step.otherwise, document, luck, f"{place}[otherwise]", at) if step.otherwise else End(at, document)


def _end_of_catch(step: Catch, document: Mapping[str, Any], luck: Luck, place: str, at: float) -> End:
    end = _end(step.body, document, luck, f"{place}[body]", at)
    if not end.failed or not step.matches(end.error):
        return end
    caught = {**document, step.gives: {"error": end.error, "message": end.message}}
    return _end(step.handler, caught, luck, f"{place}[handler]", end.at)


def _end_of_fail(step: Fail, document: Mapping[str, Any], at: float) -> End:
    caught = look_up(document, step.again) if step.again else {}
    return End(at, error=caught.get("error", step.error), message=caught.get("message", step.message))


def output_of(place: str) -> Any:
    """Sometimes what later steps can use, and sometimes not."""
    return random.Random(place).choice([place, 1, [1, 2], {"flag": True}, None])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# --- the same, by evaluating a journal again and again


@dataclass(slots=True)
class Run:
    """What happened: the journal, every outcome in order, and how many tasks were ever under way at once."""

    journal: dict[str, tasks.Task] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    inputs: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    most_at_once: int = 0
    settled: Outcome | None = None


def run(step: Step, luck: Luck) -> Run:
    """Drive `evaluate` until it is settled and everything that was begun has ended."""
    done, ending, now = Run(), list[tuple[float, str]](), 0.0
    while True:
        outcome = evaluate(step, DOCUMENT, done.journal)
        done.outcomes.append(outcome)
        if isinstance(outcome, Waiting):
            for ready in outcome.ready:
                begins = max(now, ready.not_before)
                heapq.heappush(ending, (begins + luck.of(ready.path, ready.tries)[0], ready.path))
                done.journal[ready.path] = _begun(done.journal.get(ready.path), ready.path, dict(ready.input), begins)
                done.inputs[ready.path, ready.tries] = ready.input
        elif done.settled is None:
            done.settled = outcome
        done.most_at_once = max(done.most_at_once, len(ending))
        if not ending:
            return done
        now, place = heapq.heappop(ending)
        done.journal[place] = _ended(done.journal[place], luck, place, now)


def _begun(known: tasks.Task | None, place: str, given: Mapping[str, Any], at: float) -> tasks.Task:
    waiting = tasks.requeue(known, at, at) if known else a_task(place, id=f"tsk {place}", input=given)
    return tasks.claim(waiting, at, LIMITS)


def _ended(known: tasks.Task, luck: Luck, place: str, at: float) -> tasks.Task:
    tries = len(known.failures)
    error = luck.of(place, tries)[1]
    if error is None:
        return tasks.succeed(known, output_of(place), at)
    return tasks.fail(known, error, f"try {tries}", at)


def agrees(outcome: Outcome | None, end: End) -> bool:
    """Whether an outcome is what the reference says."""
    if isinstance(outcome, Done):
        return not end.failed and _without_ids(outcome.document) == end.document
    if isinstance(outcome, Failed):
        return end.failed and (outcome.error, outcome.message, outcome.at) == (end.error, end.message, end.at)
    return False


def _without_ids(value: Any) -> Any:
    """The reference does not know tasks' ids: a caught error is compared without."""
    if isinstance(value, Mapping):
        caught = {"error", "message", "task_id"} == set(value)
        return {key: _without_ids(item) for key, item in value.items() if not (caught and key == "task_id")}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value
