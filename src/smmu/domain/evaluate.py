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
    Retry,
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
    """The step ended well and left this document, at that time (unix seconds; 0 when no task was needed)."""

    document: Document
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The step ended with an error nobody caught. `task_id` names the task it began with, if any.

    `at` is when. Of several failures the first in time is the one, so that a later one cannot change what followed.
    """

    error: str
    message: str
    task_id: str | None = None
    at: float = 0.0


Outcome = Waiting | Done | Failed


def evaluate(step: Step, document: Document, journal: Journal, path: str = "", at: float = 0.0) -> Outcome:
    """What `step` wants next. `path` is its place in the whole pipeline, the prefix of its tasks' journal keys.

    `at` is when it could begin: when what comes before it had ended.
    """
    return _EVALUATORS[type(step)](step, document, journal, path, at)


def _task(step: Task, document: Document, journal: Journal, path: str, at: float) -> Outcome:
    place = _join(path, step.name)
    entry = journal.get(place)
    if entry is None:
        return _first_try(step, document, place, at)
    if entry.state is State.SUCCEEDED:
        return Done(document=with_value(document, step.gives, entry.output), at=entry.updated_at)
    if entry.state is State.CANCELLED:
        message = "The task was cancelled."
        failed = Failed(error=Code.JOB_CANCELLED, message=message, task_id=entry.id, at=entry.updated_at)
        return _spared(step, document, failed)
    if entry.state is State.FAILED:
        return _spared(step, document, _next_try(step, entry, place))
    return Waiting(ready=())


def _spared(step: Task, document: Document, outcome: Outcome) -> Outcome:
    """A failure that is the end of the task alone, where it is extra."""
    if step.extra is None or not isinstance(outcome, Failed) or look_up(document, step.extra) is not True:
        return outcome
    return Done(document=with_value(document, step.gives, _told(outcome)), at=outcome.at)


def _first_try(step: Task, document: Document, place: str, at: float) -> Outcome:
    values = _taken(step, document, at)
    if isinstance(values, Failed):
        return values
    return Waiting(ready=(Ready(path=place, task=step, input=values, tries=0, not_before=0.0),))


def _taken(step: Task | Map, document: Document, at: float) -> dict[str, Any] | Failed:
    values = {name: look_up(document, path) for name, path in step.takes.items()}
    missing = [step.takes[name] for name, value in values.items() if value is MISSING]
    if missing:
        message = f"{step.name} needs {', '.join(missing)}, which is not there."
        return Failed(error=Code.INTERNAL, message=message, at=at)
    return values


def _next_try(step: Task, entry: TaskRecord, place: str) -> Outcome:
    delay = retry_delay(step.retry, entry.failures)
    last = entry.failures[-1]
    if delay is None:
        return Failed(error=last.error, message=last.message, task_id=entry.id, at=last.at)
    ready = Ready(path=place, task=step, input=entry.input, tries=len(entry.failures), not_before=last.at + delay)
    return Waiting(ready=(ready,))


def retry_delay(rules: tuple[Retry, ...], failures: tuple[TryFailure, ...]) -> float | None:
    """Seconds to wait after the last of `failures` before another try; `None` when there is none."""
    used = [0] * len(rules)
    delay: float | None = None
    for failure in failures:
        rule = next((i for i, rule in enumerate(rules) if rule.matches(failure.error)), None)
        if rule is None or used[rule] >= rules[rule].times:
            return None
        delay = rules[rule].delay(used[rule])
        used[rule] += 1
    return delay


def _sequence(step: Sequence, document: Document, journal: Journal, path: str, at: float) -> Outcome:
    for number, part in enumerate(step.steps):
        outcome = evaluate(part, document, journal, _join(path, str(number)), at)
        if not isinstance(outcome, Done):
            return outcome
        document, at = outcome.document, outcome.at
    return Done(document=document, at=at)


def _parallel(step: Parallel, document: Document, journal: Journal, path: str, at: float) -> Outcome:
    place = _join(path, step.name)
    outcomes = [evaluate(b, document, journal, f"{place}[{n}]", at) for n, b in enumerate(step.branches)]
    return _gather(outcomes, step, document, at)


def _map(step: Map, document: Document, journal: Journal, path: str, at: float) -> Outcome:
    items = look_up(document, step.items)
    if not isinstance(items, list | tuple):
        return Failed(error=Code.INTERNAL, message=f"{step.name} needs a list at {step.items}.", at=at)
    taken = _taken(step, document, at)
    if isinstance(taken, Failed):
        return taken
    place = _join(path, step.name)
    outcomes: list[Outcome] = []
    under_way = 0
    for number, item in enumerate(items):
        if step.concurrency and under_way >= step.concurrency:
            outcomes.append(Waiting(ready=()))
            continue
        begins = _begins(outcomes, step.concurrency, at)
        outcome = evaluate(step.body, {**taken, step.each: item}, journal, f"{place}[{number}]", begins)
        under_way += isinstance(outcome, Waiting)
        outcomes.append(outcome)
    return _gather(outcomes, step, document, at)


def _begins(before: list[Outcome], concurrency: int, at: float) -> float:
    """When the next element could begin: when so many of those before it had ended that there was room."""
    if not concurrency or len(before) < concurrency:
        return at
    ends = sorted(outcome.at for outcome in before if not isinstance(outcome, Waiting))
    return ends[len(before) - concurrency]


def _gather(outcomes: list[Outcome], step: Parallel | Map, document: Document, at: float) -> Outcome:
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    if failures:
        return min(failures, key=lambda failure: failure.at)
    waiting = [outcome for outcome in outcomes if isinstance(outcome, Waiting)]
    if waiting:
        return Waiting(ready=tuple(ready for outcome in waiting for ready in outcome.ready))
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    results = [look_up(outcome.document, step.yields) for outcome in done]
    given = with_value(document, step.gives, [None if result is MISSING else result for result in results])
    return Done(document=given, at=max((outcome.at for outcome in done), default=at))


def _choice(step: Choice, document: Document, journal: Journal, path: str, at: float) -> Outcome:
    place = _join(path, step.name)
    for number, rule in enumerate(step.rules):
        if holds(rule, document):
            return evaluate(rule.then, document, journal, f"{place}[{number}]", at)
    if step.otherwise is None:
        return Done(document=document, at=at)
    return evaluate(step.otherwise, document, journal, f"{place}[otherwise]", at)


def _catch(step: Catch, document: Document, journal: Journal, path: str, at: float) -> Outcome:
    place = _join(path, step.name)
    outcome = evaluate(step.body, document, journal, f"{place}[body]", at)
    if not isinstance(outcome, Failed) or not step.matches(outcome.error):
        return outcome
    handed = with_value(document, step.gives, _told(outcome))
    return evaluate(step.handler, handed, journal, f"{place}[handler]", outcome.at)


def _told(failed: Failed) -> Document:
    """A failure as documents have it."""
    return {"error": failed.error, "message": failed.message, "task_id": failed.task_id}


def _fail(step: Fail, document: Document, _journal: Journal, _path: str, at: float) -> Outcome:
    if step.again is None:
        return Failed(error=step.error, message=step.message, at=at)
    caught = look_up(document, step.again)
    return Failed(error=caught["error"], message=caught["message"], task_id=caught.get("task_id"), at=at)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_EVALUATORS: Mapping[type, Callable[[Any, Document, Journal, str, float], Outcome]] = {
    Task: _task,
    Sequence: _sequence,
    Parallel: _parallel,
    Map: _map,
    Choice: _choice,
    Catch: _catch,
    Fail: _fail,
}
