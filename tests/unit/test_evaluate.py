"""`domain/evaluate.py` means what `domain/pipeline.py` says: random pipelines against a plain reference, then the details."""

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from smmu.domain import catalogue
from smmu.domain import task as tasks
from smmu.domain.errors import Code
from smmu.domain.evaluate import Done, Failed, Ready, Waiting, evaluate, retry_delay
from smmu.domain.limits import Limits
from smmu.domain.pipeline import (
    ANY,
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
    Weight,
)
from smmu.domain.pipeline import Test as Asks
from smmu.domain.task import State, TryFailure
from tests.support.pipelines import DOCUMENT, PIPELINES, Luck, agrees, expected, run
from tests.support.records import NOW, a_task

lucks = st.builds(Luck, seed=st.integers(0, 999), failing=st.sampled_from((0.1, 0.4, 0.8)))


# --- random pipelines


@given(PIPELINES, lucks)
@settings(max_examples=200)
def test_every_order_of_ending_comes_to_what_the_algebra_says(step: Step, luck: Luck) -> None:
    end = expected(step, luck)
    settled = run(step, luck).settled
    event(f"{type(settled).__name__}")
    assert agrees(settled, end), (settled, end)


@given(PIPELINES, lucks)
@settings(max_examples=80)
def test_what_is_settled_stays_settled_whatever_ends_later(step: Step, luck: Luck) -> None:
    done = run(step, luck)
    first = next(number for number, outcome in enumerate(done.outcomes) if not isinstance(outcome, Waiting))
    assert all(outcome == done.settled for outcome in done.outcomes[first:])


@given(PIPELINES, lucks)
@settings(max_examples=60)
def test_evaluating_again_gives_the_same_and_wants_nothing_twice(step: Step, luck: Luck) -> None:
    done = run(step, luck)
    assert evaluate(step, DOCUMENT, done.journal) == evaluate(step, DOCUMENT, dict(reversed(done.journal.items())))
    wanted = [(ready.path, ready.tries) for o in done.outcomes if isinstance(o, Waiting) for ready in o.ready]
    assert len(set(wanted)) == len(wanted)


# --- the operators, one by one

WORK = Task(name="t", does="work", gives="out")
ONCE = Retry(errors=("red",), times=1, seconds=2)


def ended(path: str, output: Any = None, at: float = NOW) -> dict[str, tasks.Task]:
    return {path: a_task(path, state=State.SUCCEEDED, output=output, updated_at=at)}


def failed(path: str, *errors: str, at: float = NOW) -> dict[str, tasks.Task]:
    failures = tuple(TryFailure(error=error, message=f"{error}!", at=at) for error in errors)
    return {path: a_task(path, state=State.FAILED, failures=failures, updated_at=at)}


def ready_paths(outcome: object) -> list[str]:
    assert isinstance(outcome, Waiting)
    return [ready.path for ready in outcome.ready]


def test_a_task_is_wanted_with_what_it_takes() -> None:
    step = Task(name="t", does="work", takes={"all": "", "flag": "nested.flag"})
    assert evaluate(step, DOCUMENT, {}) == Waiting(
        ready=(Ready(path="t", task=step, input={"all": DOCUMENT, "flag": True}, tries=0, not_before=0.0),)
    )


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
def test_a_task_under_way_is_waited_for(state: State) -> None:
    assert evaluate(WORK, {}, {"t": a_task("t", state=state)}) == Waiting(ready=())


def test_a_task_gives_its_output_under_its_key() -> None:
    assert evaluate(WORK, {"a": 1}, ended("t", 7)) == Done(document={"a": 1, "out": 7}, at=NOW)
    assert evaluate(Task(name="t", does="work"), {"a": 1}, ended("t", 7)) == Done(document={"a": 1}, at=NOW)


def test_a_task_that_needs_what_is_not_there_fails() -> None:
    outcome = evaluate(Task(name="t", does="work", takes={"x": "nested.nothing"}), DOCUMENT, {})
    assert isinstance(outcome, Failed)
    assert outcome.error == Code.INTERNAL
    assert "nested.nothing" in outcome.message


def test_a_cancelled_task_fails_its_run() -> None:
    outcome = evaluate(WORK, {}, {"t": a_task("t", state=State.CANCELLED)})
    assert isinstance(outcome, Failed)
    assert (outcome.error, outcome.task_id) == (Code.JOB_CANCELLED, "tsk_1")


def test_a_failed_try_is_tried_again_after_its_delay_with_the_same_input() -> None:
    step = Task(name="t", does="work", takes={"x": "a"}, retry=(ONCE,))
    journal = failed("t", "red")
    (ready,) = evaluate(step, {"a": "another"}, journal).ready  # type: ignore[union-attr] # it waits
    assert (ready.tries, ready.not_before, ready.input) == (1, NOW + 2, journal["t"].input)


@pytest.mark.parametrize("errors", [("blue",), ("red", "red"), ("red", "blue")])
def test_an_error_that_no_rule_allows_again_fails_with_the_last_one(errors: tuple[str, ...]) -> None:
    outcome = evaluate(Task(name="t", does="work", retry=(ONCE,)), {}, failed("t", *errors))
    assert outcome == Failed(error=errors[-1], message=f"{errors[-1]}!", task_id="tsk_1", at=NOW)


EXTRA = Task(name="t", does="work", gives="out", extra="nested.flag", retry=(ONCE,))


def test_a_failure_of_what_is_extra_is_given_in_the_place_of_its_output() -> None:
    told = {"error": "blue", "message": "blue!", "task_id": "tsk_1"}
    assert evaluate(EXTRA, DOCUMENT, failed("t", "blue")) == Done(document={**DOCUMENT, "out": told}, at=NOW)
    assert evaluate(EXTRA, DOCUMENT, ended("t", 7)) == Done(document={**DOCUMENT, "out": 7}, at=NOW)


def test_what_is_extra_is_tried_as_often_as_anything_else() -> None:
    assert ready_paths(evaluate(EXTRA, DOCUMENT, failed("t", "red"))) == ["t"]


@pytest.mark.parametrize("document", [{}, {"nested": {"flag": False}}, {"nested": {"flag": 1}}, {"nested": True}])
def test_what_is_not_said_to_be_extra_fails(document: dict[str, Any]) -> None:
    assert isinstance(evaluate(EXTRA, document, failed("t", "blue")), Failed)


def test_an_extra_task_that_was_cancelled_is_done_without_as_elsewhere() -> None:
    outcome = evaluate(EXTRA, DOCUMENT, {"t": a_task("t", state=State.CANCELLED)})
    assert isinstance(outcome, Done)
    assert outcome.document["out"]["error"] == Code.JOB_CANCELLED


RULES = (
    Retry(errors=("red",), times=2, seconds=1, backoff=3, seconds_max=2),
    Retry(errors=("blue", "red"), times=1, seconds=10),
    Retry(errors=(ANY,), times=1, seconds=100, seconds_max=100),
)


@pytest.mark.parametrize(
    ("errors", "delay"),
    [
        (("red",), 1),
        (("red", "red"), 2),
        (("red", "red", "red"), None),  # the first rule that matches is the one, used up or not
        (("red", "blue", "red"), 2),  # each rule counts its own tries
        (("blue", "red", "blue"), None),
        (("green",), 100),
        (("green", "green"), None),
    ],
)
def test_each_retry_rule_counts_its_own_tries(errors: tuple[str, ...], delay: float | None) -> None:
    step = Task(name="t", does="work", retry=RULES)
    assert retry_delay(step.retry, failed("t", *errors)["t"].failures) == delay


def test_a_sequence_hands_on_its_document() -> None:
    step = Sequence(steps=(WORK, Task(name="u", does="work", takes={"x": "out"})))
    assert ready_paths(evaluate(step, {}, {})) == ["0.t"]
    outcome = evaluate(step, {}, ended("0.t", 7))
    assert isinstance(outcome, Waiting)
    assert [(ready.path, ready.input) for ready in outcome.ready] == [("1.u", {"x": 7})]


def test_branches_begin_at_once_and_work_on_copies() -> None:
    step = Parallel(name="p", branches=(WORK, Sequence(steps=(WORK,))), yields="out", gives="both")
    assert ready_paths(evaluate(step, {}, {})) == ["p[0].t", "p[1].0.t"]
    journal = ended("p[0].t", 1) | ended("p[1].0.t", 2)
    assert evaluate(step, {"a": 0}, journal) == Done(document={"a": 0, "both": [1, 2]}, at=NOW)


def test_the_first_failure_in_time_is_the_one() -> None:
    step = Parallel(name="p", branches=(WORK, WORK))
    journal = failed("p[1].t", "blue", at=NOW)
    first = evaluate(step, {}, journal)
    assert first == Failed(error="blue", message="blue!", task_id="tsk_1", at=NOW)
    assert evaluate(step, {}, journal | failed("p[0].t", "red", at=NOW + 1)) == first


def test_an_element_that_had_to_wait_for_room_fails_no_earlier() -> None:
    body = Choice(
        name="c",
        rules=(Rule(path="x", test=Asks.EQUALS, value=2, then=Fail(name="f", error="red")),),
        otherwise=WORK,
    )
    one_by_one = Map(name="m", items="items", each="x", body=body, concurrency=1)
    step = Parallel(name="p", branches=(one_by_one, WORK))
    journal = ended("p[0].m[0].c[otherwise].t", at=NOW + 10) | failed("p[1].t", "blue", at=NOW + 5)
    outcome = evaluate(step, {"items": [1, 2]}, journal)
    assert isinstance(outcome, Failed)
    assert outcome.error == "blue"


def test_after_a_failure_a_branch_wants_nothing_more() -> None:
    step = Map(name="m", items="items", each="x", body=WORK, concurrency=1)
    assert isinstance(evaluate(step, {"items": [1, 2]}, failed("m[0].t", "red")), Failed)


@pytest.mark.parametrize(("concurrency", "begun"), [(0, 5), (1, 1), (2, 2), (9, 5)])
def test_a_map_begins_no_more_than_allowed(concurrency: int, begun: int) -> None:
    step = Map(name="m", items="items", each="x", body=WORK, concurrency=concurrency)
    assert ready_paths(evaluate(step, {"items": list("abcde")}, {})) == [f"m[{n}].t" for n in range(begun)]


@given(st.integers(1, 4), st.integers(0, 12), st.integers(0, 99))
@settings(max_examples=50)
def test_a_map_never_has_more_under_way_than_allowed(concurrency: int, items: int, seed: int) -> None:
    body = Task(name="t", does="work", retry=(Retry(errors=(ANY,), times=3),))
    listed = Choice(name="c", rules=())
    step = Sequence(steps=(listed, Map(name="m", items="items", each="x", body=body, concurrency=concurrency)))
    document = {"items": list(range(items))}
    journal: dict[str, tasks.Task] = {}
    while isinstance(outcome := evaluate(step, document, journal), Waiting):
        for ready in outcome.ready:
            journal[ready.path] = a_task(
                ready.path, state=State.RUNNING, failures=journal.get(ready.path, a_task()).failures
            )
        under_way = sorted(path for path, entry in journal.items() if entry.state is State.RUNNING)
        assert len(under_way) <= concurrency
        path = under_way[seed % len(under_way)]
        journal[path] = tasks.succeed(journal[path], None, NOW)
    assert isinstance(outcome, Done)
    assert len(journal) == items


def test_a_map_yields_in_order_of_its_list() -> None:
    step = Map(name="m", items="items", each="x", body=WORK, yields="out", gives="all")
    journal = ended("m[1].t", "second") | ended("m[0].t", "first")
    outcome = evaluate(step, {"items": ["a", "b"]}, journal)
    assert outcome == Done(document={"items": ["a", "b"], "all": ["first", "second"]}, at=NOW)


def test_a_maps_body_sees_what_the_map_takes_and_its_element_and_nothing_else() -> None:
    seen = Task(name="t", does="work", takes={"all": ""})
    step = Map(name="m", items="nested.list", each="x", body=seen, takes={"flag": "nested.flag", "x": "a"})
    outcome = evaluate(step, DOCUMENT, {})
    assert isinstance(outcome, Waiting)
    assert outcome.ready[0].input == {"all": {"flag": True, "x": 3}}


@pytest.mark.parametrize("items", [[], [1]])
def test_a_map_that_needs_what_is_not_there_fails(items: list[int]) -> None:
    step = Map(name="m", items="items", each="x", body=WORK, takes={"y": "nested.nothing"})
    outcome = evaluate(step, {"items": items}, {})
    assert isinstance(outcome, Failed)
    assert outcome.error == Code.INTERNAL
    assert "nested.nothing" in outcome.message


def test_a_map_over_nothing_is_done() -> None:
    step = Map(name="m", items="items", each="x", body=WORK, gives="all")
    assert evaluate(step, {"items": []}, {}) == Done(document={"items": [], "all": []})


@pytest.mark.parametrize("document", [{}, {"items": "text"}, {"items": {"a": 1}}])
def test_a_map_over_no_list_fails(document: dict[str, Any]) -> None:
    outcome = evaluate(Map(name="m", items="items", each="x", body=WORK), document, {})
    assert isinstance(outcome, Failed)


@pytest.mark.parametrize(
    ("test", "value", "given_", "passes"),
    [
        (Asks.EQUALS, 1, 1, True),
        (Asks.EQUALS, 1, True, False),
        (Asks.EQUALS, True, 1, False),
        (Asks.EQUALS, True, True, True),
        (Asks.EQUALS, 1, 1.0, True),
        (Asks.EQUALS, 1.0, 1, True),
        (Asks.EQUALS, "1", 1, False),
        (Asks.EQUALS, None, None, True),
        (Asks.EQUALS, "a", "a", True),
        (Asks.LESS, 2, 1, True),
        (Asks.LESS, 2, 2, False),
        (Asks.LESS, 2, True, False),
        (Asks.LESS, 2, "1", False),
        (Asks.PRESENT, None, None, True),
    ],
)
def test_a_choice_takes_the_first_rule_that_holds(test: Asks, value: Any, given_: Any, passes: bool) -> None:  # noqa: FBT001
    rule = Rule(path="x", test=test, value=value, then=WORK)
    step = Choice(name="c", rules=(rule, rule), otherwise=WORK)
    assert ready_paths(evaluate(step, {"x": given_}, {})) == ["c[0].t" if passes else "c[otherwise].t"]
    assert ready_paths(evaluate(step, {}, {})) == ["c[otherwise].t"]


def test_a_choice_that_nothing_matches_does_nothing() -> None:
    assert evaluate(Choice(name="c", rules=()), {"a": 1}, {}) == Done(document={"a": 1})


def test_a_handler_runs_on_the_document_before_plus_the_error() -> None:
    body = Sequence(steps=(WORK, Fail(name="f", error="red", message="why")))
    handler = Task(name="h", does="work", takes={"all": ""})
    step = Catch(name="c", body=body, errors=("red",), handler=handler)
    outcome = evaluate(step, {"a": 1}, ended("c[body].0.t", 7))
    assert isinstance(outcome, Waiting)
    error = {"error": "red", "message": "why", "task_id": None}
    assert [ready.input for ready in outcome.ready] == [{"all": {"a": 1, "error": error}}]


def test_an_error_that_is_not_matched_is_not_caught() -> None:
    step = Catch(name="c", body=Fail(name="f", error="red"), errors=("blue",), handler=WORK)
    assert evaluate(step, {}, {}) == Failed(error="red", message="")


# --- the product's own pipeline


def test_the_product_renders_stage_by_stage_and_then_publishes() -> None:
    limits = Limits()
    step = catalogue.pipeline(limits)
    assert ready_paths(evaluate(step, {"job_id": "j"}, {})) == ["job[body].0.inspect"]
    plan = {"ref": "r", "stages": [{"tasks": ["low"], "early": True}, {"tasks": ["mid", "high"], "early": False}]}
    journal = ended("job[body].0.inspect", plan)
    first, second = "job[body].1.stages[0].0.tasks[{}].task", "job[body].1.stages[1].0.tasks[{}].task"
    assert ready_paths(evaluate(step, {}, journal)) == [first.format(0)]
    journal |= ended(first.format(0), "made low")
    outcome = evaluate(step, {}, journal)
    assert isinstance(outcome, Waiting)
    (reveal,) = outcome.ready
    assert (reveal.task.does, reveal.input) == (catalogue.REVEAL, {"plan": "r", "rendered": ["made low"]})
    journal |= ended(reveal.path)
    assert ready_paths(evaluate(step, {}, journal)) == [second.format(0), second.format(1)]
    journal |= ended(second.format(0), "made mid") | ended(second.format(1), "made high")
    outcome = evaluate(step, {}, journal)
    assert isinstance(outcome, Waiting)
    (publish,) = outcome.ready
    assert publish.input == {"plan": "r", "rendered": [["made low"], ["made mid", "made high"]]}


def test_the_product_records_a_failure_and_fails_with_it() -> None:
    step = catalogue.pipeline(Limits())
    journal = failed("job[body].0.inspect", Code.REJECTED_NOT_MEDIA)
    outcome = evaluate(step, {}, journal)
    assert isinstance(outcome, Waiting)
    (record,) = outcome.ready
    assert record.input["error"]["error"] == Code.REJECTED_NOT_MEDIA
    outcome = evaluate(step, {}, journal | ended(record.path))
    assert isinstance(outcome, Failed)
    assert (outcome.error, outcome.task_id) == (Code.REJECTED_NOT_MEDIA, "tsk_1")


def test_what_renders_is_heavy_and_what_decides_is_light() -> None:
    weights = {ready.task.does: ready.task.weight for ready in _all_ready()}
    light = dict.fromkeys((catalogue.INSPECT, catalogue.REVEAL, catalogue.PUBLISH), Weight.LIGHT)
    assert weights == light | {catalogue.RENDER: Weight.HEAVY}


def _all_ready() -> list[Ready]:
    step, journal, found = catalogue.pipeline(Limits()), dict[str, tasks.Task](), list[Ready]()
    while isinstance(outcome := evaluate(step, {}, journal), Waiting):
        found += outcome.ready
        for ready in outcome.ready:
            journal |= ended(ready.path, {"ref": "r", "stages": [{"tasks": ["a"], "early": True}]})
    return found
