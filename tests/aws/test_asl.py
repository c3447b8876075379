"""The compiled machine as a value: valid by another's judgement, bounded, and what it costs; and the product run on it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings

from smmu.adapters.aws.asl import compile_pipeline
from smmu.adapters.aws.asl_tasks import Names, running
from smmu.adapters.aws.failures import NOT_TO_BE_HAD, code_of_failure
from smmu.domain.catalogue import INSPECT, PUBLISH, RECORD_FAILURE, RENDER, REVEAL, pipeline
from smmu.domain.errors import Code
from smmu.domain.limits import STATE_BYTES_MAX, Limits
from smmu.domain.pipeline import ANY, Fail, Map, Retry, Rule, Sequence, Step, Task, Weight
from smmu.domain.pipeline import Choice as Choose
from smmu.domain.pipeline import Test as Asks
from tests.support.aws.clusters import Cluster, ending_at_once, make_cluster
from tests.support.aws.machines import Ended, functions, hurrying, run, states_entered
from tests.support.aws.validator import complaints
from tests.support.pipelines import PIPELINES, RUN

LIMITS = Limits()
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:"
NAMES = Names(perform=f"{ARN}perform", open=f"{ARN}open", collect=f"{ARN}collect", render=f"{ARN}render")


def compiled(step: Step) -> dict[str, Any]:
    return compile_pipeline(step, NAMES, seconds_max=60)


PRODUCT = compile_pipeline(pipeline(LIMITS), seconds_max=LIMITS.job_seconds_max)


def states_of(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        inner = [*state.get("Branches", []), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]
        for other in inner:
            yield from states_of(other)


# --- judged by another


def test_the_products_machine_is_valid() -> None:
    assert complaints([PRODUCT, compile_pipeline(pipeline(LIMITS), NAMES, seconds_max=60)]) == [[], []]


def test_every_pipelines_machine_is_valid() -> None:
    drawn: list[dict[str, Any]] = []

    @given(PIPELINES)
    @settings(max_examples=40, database=None)
    def draw(step: Step) -> None:
        drawn.append(compiled(step))

    draw()
    assert [(told, machine) for told, machine in zip(complaints(drawn), drawn, strict=True) if told] == []


@given(PIPELINES)
def test_every_machine_keeps_to_the_bounds_of_the_language(step: Step) -> None:
    machine = compiled(step)
    states = list(states_of(machine))
    names = [name for name, _ in states]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 80 for name in names)
    for _, state in states:
        if state["Type"] == "Task":
            assert "TimeoutSeconds" in state or "TimeoutSecondsPath" in state
        for retrier in state.get("Retry", []):
            assert retrier["IntervalSeconds"] >= 1
            assert retrier["BackoffRate"] >= 1
            assert retrier.get("MaxDelaySeconds", 10**6) > retrier["IntervalSeconds"]
        for rule in (*state.get("Retry", []), *state.get("Catch", [])):
            assert rule["ErrorEquals"] == ["States.ALL"] or not {"States.ALL", "States.TaskFailed"} & set(
                rule["ErrorEquals"]
            )


def test_many_steps_of_a_long_name_are_told_apart() -> None:
    step = Sequence(steps=tuple(Task(name="n" * 90, does="work") for _ in range(12)))
    names = [name for name, _ in states_of(compiled(step))]
    assert len(set(names)) == 12
    assert max(map(len, names)) <= 80


@pytest.mark.parametrize("path", ["a b", "a[0]", "$", "a..b", "a'"])
def test_a_path_that_would_need_quoting_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no path of plain words"):
        compiled(Task(name="t", does="work", takes={"x": path}))


def test_a_name_that_would_need_quoting_is_refused() -> None:
    with pytest.raises(ValueError, match=r"States\.Format"):
        compiled(Task(name="it's", does="work"))


# --- what is said of a task


def state(step: Step, name: str = "t") -> dict[str, Any]:
    return dict(states_of(compiled(step)))[name]


def test_a_function_is_told_whose_task_it_is_where_and_what() -> None:
    step = Sequence(steps=(Task(name="t", does="work", takes={"x": "owner"}, seconds_max=9),))
    told = state(step)
    assert told["Parameters"] == {
        "owner.$": "$$.Execution.Input.owner",
        "job_id.$": "$$.Execution.Input.job_id",
        "attempt.$": "$$.Execution.Input.attempt",
        "trace.$": "$$.Execution.Input.trace",
        "path": "0.t",
        "does": "work",
        "name": "t",
        "weight": "light",
        "seconds_max": 9,
        "input": {"x.$": "$.owner"},
    }
    assert told["TimeoutSeconds"] > 9


RULES = (
    Retry(errors=("red", Code.TIMED_OUT), times=2, seconds=0.2, seconds_max=1.5),
    Retry(errors=("red", "blue"), times=1, seconds=90, seconds_max=60),
    Retry(errors=(ANY,), times=3, seconds=2.1, backoff=1.5, seconds_max=60),
    Retry(errors=("green",), times=9),
)


def test_only_a_container_that_is_to_be_kept_says_on_what_capacity() -> None:
    on_demand = [{"CapacityProvider": "FARGATE", "Weight": 1}]
    assert running(Names(), "next", kept=True)["Parameters"]["CapacityProviderStrategy"] == on_demand
    assert "CapacityProviderStrategy" not in running(Names(), "next")["Parameters"]


def test_retry_rules_are_said_in_order_and_no_name_twice() -> None:
    first, second, third = state(Task(name="t", does="work", retry=RULES))["Retry"]
    assert first == {
        "ErrorEquals": ["red", "timed_out", "States.Timeout", "States.HeartbeatTimeout", "Sandbox.Timedout"],
        "MaxAttempts": 2,
        "IntervalSeconds": 1,
        "BackoffRate": 2.0,
        "MaxDelaySeconds": 2,
        "JitterStrategy": "FULL",
    }
    assert second == {"ErrorEquals": ["blue"], "MaxAttempts": 1, "IntervalSeconds": 60, "BackoffRate": 1.0}
    assert (third["ErrorEquals"], third["IntervalSeconds"], third["BackoffRate"]) == (["States.ALL"], 3, 1.5)


def test_the_last_state_answers_what_is_yielded_where_it_can() -> None:
    body = Task(name="t", does="work", gives="made", weight=Weight.HEAVY)
    step = Map(name="m", items="owner", each="x", body=body, yields="made", gives="all")
    passing = [name for name, known in states_of(compiled(step)) if known["Type"] == "Pass"]
    assert passing == []
    assert state(step)["OutputPath"] == "$.doc.made[0]"


def test_that_a_task_is_extra_costs_nothing_while_it_succeeds() -> None:
    body = Task(name="t", does="work", gives="made", weight=Weight.HEAVY, extra="x.extra")
    step = Map(name="m", items="owner", each="x", body=body, yields="made", gives="all")
    told = state(step)
    assert (told["OutputPath"], told["End"]) == ("$.doc.made[0]", True)
    assert state(step, "do without t, boxed")["OutputPath"] == "$.doc.made[0]"


def test_nothing_is_looked_for_that_is_surely_there() -> None:
    made = Task(name="made", does="work", gives="a")
    step = Sequence(steps=(made, Task(name="t", does="work", takes={"a": "a", "o": "owner", "all": ""})))
    assert [known["Type"] for _, known in states_of(compiled(step))] == ["Task", "Task"]


def test_a_rule_that_never_holds_is_not_said() -> None:
    never = Rule(path="a", test=Asks.LESS, value="text", then=Fail(name="f"))
    assert [name for name, _ in states_of(compiled(Choose(name="c", rules=(never,), otherwise=Fail(name="g"))))] == [
        "g"
    ]


def test_states_beyond_a_failure_are_left_out() -> None:
    step = Sequence(steps=(Fail(name="f", error="red"), Task(name="t", does="work")))
    assert [name for name, _ in states_of(compiled(step))] == ["f"]


# --- the product


@dataclass(slots=True)
class Product:
    """The product's functions, as far as a machine sees them: a plan of `stages`, and `errors` by place.

    `small`: the first try of each task is for the function that renders, which fails with `small_error`.
    """

    stages: list[list[str]]
    errors: dict[str, list[str]] = field(default_factory=dict)
    small: bool = False
    small_error: str = ""
    collected: list[Any] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)

    def perform(self, given_: dict[str, Any]) -> Any:
        assert len(json.dumps(given_)) < STATE_BYTES_MAX // 100
        self.asked.append((given_["does"], given_["input"]))
        self.fail_as_planned(given_["path"])
        if given_["does"] == INSPECT:
            stages = [[{"task": name, "extra": name == "transcribe"} for name in stage] for stage in self.stages]
            return {"ref": "plan.json", "stages": [{"tasks": s, "early": s is not stages[-1]} for s in stages]}
        return None

    def open(self, given_: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((given_["does"], given_["input"]))
        return {
            "record_id": given_["path"],
            "tries": self.tries[given_["path"]],
            "handle": "h",
            "family": "transcode",
            "cpu": "1024",
            "memory": "2048",
            "seconds_max": 90,
            "kept": self.tries[given_["path"]] > 0,
            "small": self.small and self.tries[given_["path"]] == 0,
            "function": None,
            "done": False,
        }

    def render(self, given_: dict[str, Any]) -> dict[str, Any]:
        place = given_["record_id"]
        assert given_ == {"owner": RUN["owner"], "trace": RUN["trace"], "record_id": place, "tries": 0}
        if self.small_error:
            raise type(self.small_error, (Exception,), {})("as planned")
        return {}

    def collect(self, given_: dict[str, Any]) -> Any:
        self.collected.append(given_["function"])
        self.tries[given_["record_id"]] += 1
        self.fail_as_planned(given_["record_id"])
        return {"ref": f"{given_['record_id']}.json"}

    def fail_as_planned(self, place: str) -> None:
        planned = self.errors.get(place)
        if planned:
            raise type(planned.pop(0), (Exception,), {})("as planned")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with hurrying(), ending_at_once():
        yield make_cluster()


def run_product(product: Product, cluster: Cluster) -> Ended:
    called = {name: getattr(product, name) for name in ("perform", "open", "collect", "render")}
    with functions(called) as arns:
        return run(compile_pipeline(pipeline(LIMITS), cluster.names(arns), seconds_max=60), RUN)


@pytest.mark.parametrize(
    ("stages", "transitions"),
    [([["images"]], 14), ([["audio"]], 14), ([["low"], ["mid", "high", "poster"]], 34)],
    ids=["image", "audio", "video"],
)
def test_a_job_takes_so_many_transitions(stages: list[list[str]], transitions: int, cluster: Cluster) -> None:
    product = Product(stages)
    ended = run_product(product, cluster)
    assert ended.status == "SUCCEEDED", ended
    assert len(states_entered(ended)) == transitions
    assert transitions == 5 + 4 * len(stages) + 5 * sum(map(len, stages)) + (len(stages) - 1)
    place = "job[body].1.stages[{}].0.tasks[{}].task.json"
    rendered = [[{"ref": place.format(s, t)} for t in range(len(stage))] for s, stage in enumerate(stages)]
    assert product.asked[-1] == (PUBLISH, {"plan": "plan.json", "rendered": rendered})
    assert (RENDER, {"plan": "plan.json", "task": {"task": stages[0][0], "extra": False}}) in product.asked
    revealed = [given_ for does, given_ in product.asked if does == REVEAL]
    assert revealed == [{"plan": "plan.json", "rendered": made} for made in rendered[:-1]]


def test_a_task_that_dies_is_tried_again(cluster: Cluster) -> None:
    place = "job[body].1.stages[0].0.tasks[0].task"
    ended = run_product(Product([["images"]], {place: [Code.INTERRUPTED, Code.OUT_OF_MEMORY]}), cluster)
    assert ended.status == "SUCCEEDED", ended
    entered = Counter(name for _, name in states_entered(ended))
    assert (entered["run task"], entered["run task on demand"]) == (1, 2)


def _ways(ended: Ended) -> list[str]:
    return [name for _, name in states_entered(ended) if name.startswith("run ")]


def test_a_small_task_is_done_by_a_function_and_takes_as_many_transitions(cluster: Cluster) -> None:
    product = Product([["images"]], small=True)
    ended = run_product(product, cluster)
    assert (ended.status, _ways(ended), len(states_entered(ended))) == ("SUCCEEDED", ["run task at once"], 14)
    assert product.collected == [{}]


@pytest.mark.parametrize("error", NOT_TO_BE_HAD)
def test_a_function_that_is_not_to_be_had_costs_no_try(cluster: Cluster, error: str) -> None:
    product = Product([["images"]], small=True, small_error=error)
    ended = run_product(product, cluster)
    assert (ended.status, _ways(ended)) == ("SUCCEEDED", ["run task at once", "run task"])
    assert [told["Error"] for told in product.collected] == [error]


@pytest.mark.parametrize("error", ["Sandbox.Timedout", "Runtime.ExitError", Code.WORLD_UNAVAILABLE])
def test_what_a_function_could_not_do_has_a_container_for_its_next_try(cluster: Cluster, error: str) -> None:
    place = "job[body].1.stages[0].0.tasks[0].task"
    product = Product([["images"]], {place: [Code.OUT_OF_MEMORY]}, small=True, small_error=error)
    ended = run_product(product, cluster)
    assert (ended.status, _ways(ended)) == ("SUCCEEDED", ["run task at once", "run task on demand"])
    assert [told and told["Error"] for told in product.collected] == [error, None]


def test_what_nobody_can_mend_is_recorded_and_fails_the_run(cluster: Cluster) -> None:
    product = Product([["images"]], {"job[body].1.stages[0].0.tasks[0].task": [Code.PROOF_FAILED]})
    ended = run_product(product, cluster)
    (told,) = [given_["error"] for does, given_ in product.asked if does == RECORD_FAILURE]
    assert code_of_failure(told["error"], told["message"]) == (Code.PROOF_FAILED, "as planned", None)
    assert (ended.status, ended.error) == ("FAILED", Code.PROOF_FAILED)
    assert code_of_failure(ended.error, ended.cause) == (Code.PROOF_FAILED, "as planned", None)


def test_what_is_extra_and_fails_is_told_in_its_place_and_ends_nothing(cluster: Cluster) -> None:
    lost = "job[body].1.stages[0].0.tasks[1].task"
    product = Product([["video", "transcribe"]], {lost: [Code.CRASHED, Code.CRASHED]})
    ended = run_product(product, cluster)
    assert ended.status == "SUCCEEDED", ended
    does, given_ = product.asked[-1]
    ((made, told),) = given_["rendered"]
    assert (does, made) == (PUBLISH, {"ref": lost.replace("[1]", "[0]") + ".json"})
    assert code_of_failure(told["error"], told["message"]) == (Code.CRASHED, "as planned", None)
    assert Counter(name for _, name in states_entered(ended))["open task"] == 3  # it was tried again before


def test_an_owner_may_be_called_like_an_option_of_the_workers_command() -> None:
    command = running(Names(), "collect")["Parameters"]["Overrides"]["ContainerOverrides"][0]["Command.$"]
    assert "States.Format('--owner={}', $$.Execution.Input.owner)" in command
