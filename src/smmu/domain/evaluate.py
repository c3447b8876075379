"""What a pipeline wants next, as a pure function of the pipeline, its input and a journal of what tasks did.

Nothing is remembered between calls: a crash at any moment loses nothing, because the journal (task records in the
ledger) is all there is, and evaluating again gives the same answer. Running it is `application/interpreter.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from smmu.domain.errors import Code
from smmu.domain.pipeline import (
    MISSING,
    Catch,
    Choice,
    Fail,
    Map,
    Parallel,
    Sequence,
    Step,
    Task,
    holds,
    look_up,
    with_value,
)
from smmu.domain.task import State, TryFailure
from smmu.domain.task import Task as TaskRecord

Document = Mapping[str, Any]
Journal = Mapping[str, TaskRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A task that wants a (further) try. `path` is its place, `tries` how many tries it has had."""

    path: str
    task: Task
    input: Document
    tries: int
    not_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The run goes on: these tasks want to be queued; others may be under way."""

    ready: tuple[Ready, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The step ended well and left this document."""

    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The step ended with an error nobody caught. `task_id` names the task it began with, if any."""

    error: str
    message: str
    task_id: str | None = None


Outcome = Waiting | Done | Failed


def evaluate(step: Step, document: Document, journal: Journal, path: str = "") -> Outcome:
    """What `step` wants next. `path` is its place in the whole pipeline, the prefix of its tasks' journal keys."""
    return _EVALUATORS[type(step)](step, document, journal, path)


def _task(step: Task, document: Document, journal: Journal, path: str) -> Outcome:
    place = _join(path, step.name)
    entry = journal.get(place)
    if entry is None:
        return _first_try(step, document, place)
    if entry.state is State.SUCCEEDED:
        return Done(document=with_value(document, step.gives, entry.output))
    if entry.state is State.CANCELLED:
        return Failed(error=Code.JOB_CANCELLED, message="The task was cancelled.", task_id=entry.id)
    if entry.state is State.FAILED:
        return _next_try(step, entry, place)
    return Waiting(ready=())


def _first_try(step: Task, document: Document, place: str) -> Outcome:
    values = {name: look_up(document, path) for name, path in step.takes.items()}
    missing = [step.takes[name] for name, value in values.items() if value is MISSING]
    if missing:
        return Failed(error=Code.INTERNAL, message=f"{step.name} needs {', '.join(missing)}, which is not there.")
    return Waiting(ready=(Ready(path=place, task=step, input=values, tries=0, not_before=0.0),))


def _next_try(step: Task, entry: TaskRecord, place: str) -> Outcome:
    delay = retry_delay(step, entry.failures)
    last = entry.failures[-1]
    if delay is None:
        return Failed(error=last.error, message=last.message, task_id=entry.id)
    ready = Ready(path=place, task=step, input=entry.input, tries=len(entry.failures), not_before=last.at + delay)
    return Waiting(ready=(ready,))


def retry_delay(step: Task, failures: tuple[TryFailure, ...]) -> float | None:
    """Seconds to wait after the last of `failures` before another try; `None` when there is none."""
    used = [0] * len(step.retry)
    delay: float | None = None
    for failure in failures:
        rule = next((i for i, rule in enumerate(step.retry) if rule.matches(failure.error)), None)
        if rule is None or used[rule] >= step.retry[rule].times:
            return None
        delay = step.retry[rule].delay(used[rule])
        used[rule] += 1
    return delay


def _sequence(step: Sequence, document: Document, journal: Journal, path: str) -> Outcome:
    for number, part in enumerate(step.steps):
        outcome = evaluate(part, document, journal, _join(path, str(number)))
        if not isinstance(outcome, Done):
            return outcome
        document = outcome.document
    return Done(document=document)


def _parallel(step: Parallel, document: Document, journal: Journal, path: str) -> Outcome:
    place = _join(path, step.name)
    outcomes = [evaluate(b, document, journal, f"{place}[{n}]") for n, b in enumerate(step.branches)]
    return _gather(outcomes, step, document)


def _map(step: Map, document: Document, journal: Journal, path: str) -> Outcome:
    items = look_up(document, step.items)
    if not isinstance(items, list | tuple):
        return Failed(error=Code.INTERNAL, message=f"{step.name} needs a list at {step.items}.")
    place = _join(path, step.name)
    outcomes: list[Outcome] = []
    under_way = 0
    for number, item in enumerate(items):
        if step.concurrency and under_way >= step.concurrency:
            outcomes.append(Waiting(ready=()))
            continue
        outcome = evaluate(step.body, {**document, step.each: item}, journal, f"{place}[{number}]")
        under_way += isinstance(outcome, Waiting)
        outcomes.append(outcome)
    return _gather(outcomes, step, document)


def _gather(outcomes: list[Outcome], step: Parallel | Map, document: Document) -> Outcome:
    failed = next((outcome for outcome in outcomes if isinstance(outcome, Failed)), None)
    if failed is not None:
        return failed
    waiting = [outcome for outcome in outcomes if isinstance(outcome, Waiting)]
    if waiting:
        return Waiting(ready=tuple(ready for outcome in waiting for ready in outcome.ready))
    results = [look_up(o.document, step.yields) for o in outcomes if isinstance(o, Done)]
    return Done(document=with_value(document, step.gives, [None if r is MISSING else r for r in results]))


def _choice(step: Choice, document: Document, journal: Journal, path: str) -> Outcome:
    place = _join(path, step.name)
    for number, rule in enumerate(step.rules):
        if holds(rule, document):
            return evaluate(rule.then, document, journal, f"{place}[{number}]")
    if step.otherwise is None:
        return Done(document=document)
    return evaluate(step.otherwise, document, journal, f"{place}[otherwise]")


def _catch(step: Catch, document: Document, journal: Journal, path: str) -> Outcome:
    place = _join(path, step.name)
    outcome = evaluate(step.body, document, journal, f"{place}[body]")
    if not isinstance(outcome, Failed) or not step.matches(outcome.error):
        return outcome
    error = {"error": outcome.error, "message": outcome.message, "task_id": outcome.task_id}
    return evaluate(step.handler, with_value(document, step.gives, error), journal, f"{place}[handler]")


def _fail(step: Fail, document: Document, _journal: Journal, _path: str) -> Outcome:
    if step.again is None:
        return Failed(error=step.error, message=step.message)
    caught = look_up(document, step.again)
    return Failed(error=caught["error"], message=caught["message"], task_id=caught.get("task_id"))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_EVALUATORS: Mapping[type, Callable[[Any, Document, Journal, str], Outcome]] = {
    Task: _task,
    Sequence: _sequence,
    Parallel: _parallel,
    Map: _map,
    Choice: _choice,
    Catch: _catch,
    Fail: _fail,
}
