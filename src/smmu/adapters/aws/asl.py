"""The compiler: a pipeline value to Amazon States Language (JSONPath), with the meaning of `domain/evaluate.py`.

A pure function. What it makes is deployed by infrastructure and tested by running it: the same random pipelines, here
and there (tests/aws/test_asl_meaning.py).

A state's input is the document itself; in a map's body it is {"doc": the document, "at": the place so far}. What a map
does not take does not travel. Paths that may be missing are looked for by a `Choice` before they are used, because AWS
lets nothing catch a path that is not there (`States.Runtime`); which paths are surely there is followed through the
pipeline (`Facts`), so that few such states are needed.

What ASL cannot say, and what it means there instead:

- An object where a map needs a list looks to a `Choice` like an empty list: it ends the run with `States.Runtime`.
- Waits are whole seconds, at least one, and are spread by chance ("full jitter") where they grow.
- A caught error's `message` is the JSON of AWS's {"Error", "Cause"}, and an error that AWS made has AWS's name:
  `failures.code_of_failure` reads both. A choice on a caught error sees AWS's names.
- Numbers are doubles.

IAM, of the state machine: lambda:InvokeFunction (three functions, and the one that renders, if there is one), and
ecs:RunTask (the task definitions), ecs:StopTask and ecs:DescribeTasks (the cluster), iam:PassRole (the tasks' roles),
events:PutRule, PutTargets, DescribeRule (how Step Functions waits for a task). Costs: transitions, $25 for a million.
A job without an error takes 5, and 4 for each stage (5 for an early one), and 5 for each task: an image 14, a video of
four tasks in two stages, the first of them early, 34. Another try of a task takes 5, doing without one that is extra 4.
"""

from collections.abc import Callable, Mapping
from typing import Any

from smmu.adapters.aws.asl_choices import condition, is_a_list, needs
from smmu.adapters.aws.asl_parts import Build, Exit, Facts, Part, end, joined, stated, then, unboxed, yielding
from smmu.adapters.aws.asl_tasks import (
    Names,
    State,
    Where,
    collecting,
    light,
    opening,
    rendering,
    retried,
    running,
    taken,
)
from smmu.adapters.aws.failures import EVERY, names_to_catch
from smmu.domain.errors import Code
from smmu.domain.pipeline import Catch, Choice, Fail, Map, Parallel, Rule, Sequence, Step, Task, Test, Weight

_INPUT = frozenset({"job_id", "owner", "attempt"})


def compile_pipeline(step: Step, names: Names | None = None, *, seconds_max: int) -> dict[str, Any]:
    """The state machine of a pipeline, as JSON. `seconds_max` bounds a whole execution.

    Its input is {"job_id", "owner", "attempt"}, and more where a pipeline reads more. `ValueError` for names that
    would have to be quoted.
    """
    build = Build(names or Names())
    machine, _ = _scope(step, Where(), Facts(_INPUT), build, "")
    return {"Comment": "Made by `smmu asl`.", "TimeoutSeconds": seconds_max, **machine}


def _scope(step: Step, where: Where, facts: Facts, outer: Build, yields: str | None) -> tuple[State, Facts | None]:
    """A state machine of its own, whose output is the path `yields` of the last document; `None`: its whole state."""
    build = outer.inner()
    part = _compile(step, where, facts, build)
    if yields is None:
        part = unboxed(part, where, build)
    elif part.facts is not None:
        part = yielding(part, part.facts, where, yields, build)
    if part.start is None:
        part = stated(build, "pass on", {"Type": "Pass"}, facts)
    end(part, build)
    return {"StartAt": part.start, "States": build.states}, part.facts


def _compile(step: Step, where: Where, facts: Facts, build: Build) -> Part:
    return _COMPILERS[type(step)](step, where, facts, build)


def _guarded(part: Part, conditions: list[State], step: Task | Map, message: str, build: Build) -> Part:
    """The same, behind a choice that fails it with `internal` unless `conditions` hold."""
    if not conditions:
        return part
    fail = build.add(f"{step.name} cannot", {"Type": "Fail", "Error": Code.INTERNAL.value, "Cause": message})
    choice = {"Type": "Choice", "Choices": [{"And": conditions, "Next": part.start}], "Default": fail}
    return Part(build.add(f"can {step.name}?", choice), part.exits, part.facts, part.boxed)


# --- the operators


def _task(step: Task, where: Where, facts: Facts, build: Build) -> Part:
    conditions, message = needs(step, where, facts)
    after = facts.knowing(step.takes.values()).giving(step.gives)
    result = {"ResultPath": None if step.gives is None else where.doc(step.gives)}
    name = build.name(step.name)
    if step.weight is Weight.LIGHT:
        state, boxed = light(step, where, build.names) | result, None
    else:
        branches = [_heavy(step, where, build)]
        state, boxed = {"Type": "Parallel", "Branches": branches, **retried(step.retry), **result}, step.gives
    build.states[name] = state
    part = Part(name, (Exit(state),), after, boxed=boxed)
    if step.extra is not None:
        part = _spared(step, part, state, where, build)
    return _guarded(part, conditions, step, message, build)


def _spared(step: Task, part: Part, state: State, where: Where, build: Build) -> Part:
    """The same with its failure caught: given in the place of its output where it is extra, raised again elsewhere.

    Where all goes well nothing of this is passed through.
    """
    name, path = step.name, where.doc(step.gives or "")
    given: State = {"Type": "Pass"}
    spared = stated(build, f"do without {name}", given, Facts())
    if part.boxed is not None:
        given |= {"Parameters": {"boxed.$": f"States.Array({path})"}, "ResultPath": path}
        out = {"Type": "Pass", "InputPath": f"{path}.boxed", "ResultPath": path}
        spared = then(spared, stated(build, f"do without {name}, boxed", out, Facts()))
    raised = {"Type": "Fail", "ErrorPath": f"{path}.error", "CausePath": f"{path}.message"}
    asked = condition(Rule(path=step.extra or "", test=Test.EQUALS, value=True, then=step), where, Facts()) or {}
    choices = [{**asked, "Next": spared.start}]
    choice = {"Type": "Choice", "Choices": choices, "Default": build.add(f"fail {name}", raised)}
    read = _caught(path) | {"Next": build.add(f"is {name} extra?", choice)}
    state["Catch"] = [{"ErrorEquals": [EVERY], "ResultPath": path, "Next": build.add(f"{name} failed", read)}]
    return Part(part.start, (*part.exits, *spared.exits), part.facts, part.boxed)


def _caught(path: str) -> State:
    """A state that says what AWS has put at `path` as a pipeline's document has it."""
    told = {"error.$": f"{path}.Error", "message.$": f"States.JsonToString({path})"}
    return {"Type": "Pass", "Parameters": told, "ResultPath": path}


def _heavy(step: Task, where: Where, outer: Build) -> State:
    build = outer.inner()
    collect = build.add(f"collect {step.name}", collecting(step, build.names))
    run = build.add(f"run {step.name}", running(build.names, collect))
    keep = build.add(f"run {step.name} on demand", running(build.names, collect, kept=True))
    render = build.add(f"run {step.name} at once", rendering(build.names, run, collect))
    ways = {"done": collect, "small": render, "kept": keep}
    choices = [{"Variable": f"$.{name}", "BooleanEquals": True, "Next": way} for name, way in ways.items()]
    asked = build.add(f"how is {step.name} run?", {"Type": "Choice", "Choices": choices, "Default": run})
    start = build.add(f"open {step.name}", opening(step, where, build.names) | {"Next": asked})
    return {"StartAt": start, "States": build.states}


def _sequence(step: Sequence, where: Where, facts: Facts, build: Build) -> Part:
    part = Part(None, (), facts)
    for number, inner in enumerate(step.steps):
        part = unboxed(part, where, build)
        if part.facts is None:
            break  # nobody comes this far
        part = then(part, _compile(inner, where.named(str(number)), part.facts, build))
    return part


def _parallel(step: Parallel, where: Where, facts: Facts, build: Build) -> Part:
    name = build.name(step.name)
    made = [
        _scope(branch, where.named(f"{step.name}[{number}]"), facts, build, step.yields)
        for number, branch in enumerate(step.branches)
    ]
    state: State = {"Type": "Parallel", "Branches": [branch for branch, _ in made]}
    build.states[name] = state
    part = _gathering(step, name, state, where, facts)
    if all(after is not None for _, after in made):
        return part
    state["End"] = True  # ASL wants it said, though nobody comes this far
    return Part(part.start, (), None)


def _map(step: Map, where: Where, facts: Facts, build: Build) -> Part:
    name = build.name(step.name)
    conditions, message = needs(step, where, facts)
    if step.items not in facts.lists:
        conditions += is_a_list(where.doc(step.items), sure=facts.has(step.items))
        message = f"{step.name} needs a list at {step.items}, and all that it takes."
    body, _ = _scope(step.body, Where(inside=True), Facts(frozenset({*step.takes, step.each})), build, step.yields)
    takes = {key: path for key, path in step.takes.items() if key != step.each}
    state: State = {
        "Type": "Map",
        "ItemsPath": where.doc(step.items),
        "ItemSelector": {
            **where.named(step.name).told("at", "[{}]", "$$.Map.Item.Index"),
            "doc": {**taken(takes, where), f"{step.each}.$": "$$.Map.Item.Value"},
        },
        "MaxConcurrency": step.concurrency,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **body},
    }
    build.states[name] = state
    facts = facts.knowing((*step.takes.values(), step.items), (step.items,))
    return _guarded(_gathering(step, name, state, where, facts), conditions, step, message, build)


def _gathering(step: Parallel | Map, name: str, state: State, where: Where, facts: Facts) -> Part:
    """A state whose result is a list, put where the step gives it."""
    state["ResultPath"] = None if step.gives is None else where.doc(step.gives)
    return Part(name, (Exit(state),), facts.giving(step.gives, a_list=True))


def _choice(step: Choice, where: Where, facts: Facts, build: Build) -> Part:
    place = f"{step.name}[otherwise]"
    tests = [(number, rule, test) for number, rule in enumerate(step.rules) if (test := condition(rule, where, facts))]
    if not tests:
        return _compile(step.otherwise, where.named(place), facts, build) if step.otherwise else Part(None, (), facts)
    state: State = {"Type": "Choice", "Choices": [test for _, _, test in tests]}
    name = build.add(step.name, state)
    ways = [
        (Exit(test), _way(rule.then, where.named(f"{step.name}[{number}]"), facts.knowing((rule.path,)), build))
        for number, rule, test in tests
    ]
    ways.append((Exit(state, "Default"), _way(step.otherwise or Sequence(steps=()), where.named(place), facts, build)))
    return joined(name, ways)


def _way(step: Step, where: Where, facts: Facts, build: Build) -> Part:
    return unboxed(_compile(step, where, facts, build), where, build)


def _catch(step: Catch, where: Where, facts: Facts, build: Build) -> Part:
    """The body in a branch of its own, so that its document is dropped when it fails."""
    inside = where.named(f"{step.name}[body]")
    if not step.errors:
        return _compile(step.body, inside, facts, build)
    name = build.name(step.name)
    body, after = _scope(step.body, inside, facts, build, None)
    path = where.doc(step.gives)
    state: State = {"Type": "Parallel", "Branches": [body], "OutputPath": "$[0]"}
    known = facts.giving(step.gives).knowing((f"{step.gives}.error", f"{step.gives}.message"))
    read = stated(build, f"{step.name} failed", _caught(path), known)
    handler = _way(step.handler, where.named(f"{step.name}[handler]"), known, build)
    state["Catch"] = [{"ErrorEquals": list(names_to_catch(step.errors)), "ResultPath": path, "Next": read.start}]
    build.states[name] = state
    if after is None:
        state["End"] = True
    return _caught_or_not(name, state, after, then(read, handler))


def _caught_or_not(name: str, state: State, after: Facts | None, handler: Part) -> Part:
    exits = () if after is None else (Exit(state),)
    facts = handler.facts if after is None else after.both(handler.facts)
    return Part(name, (*exits, *handler.exits), facts)


def _fail(step: Fail, where: Where, _facts: Facts, build: Build) -> Part:
    state: State = {"Type": "Fail", "Error": step.error, "Cause": step.message}
    if step.again is not None:
        caught = where.doc(step.again)
        state = {"Type": "Fail", "ErrorPath": f"{caught}.error", "CausePath": f"{caught}.message"}
    return Part(build.add(step.name, state), (), None)


_COMPILERS: Mapping[type, Callable[[Any, Where, Facts, Build], Part]] = {
    Task: _task,
    Sequence: _sequence,
    Parallel: _parallel,
    Map: _map,
    Choice: _choice,
    Catch: _catch,
    Fail: _fail,
}
