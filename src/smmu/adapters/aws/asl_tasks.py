"""States that do work: a light task is one Lambda call, a heavy one a container with a word before and after it.

A heavy task is a branch of three calls, tried again as one:

    open     (Lambda) makes the task's record, or asks for another try of it, and answers
             {record_id, tries, handle, family, cpu, memory, seconds_max, kept, small, function, done}: `cpu` in ECS's
             units, `memory` in MiB, `seconds_max` the whole time the container has, from being asked for; `kept`: on
             a machine that nobody takes away; `small`: by a function; `done`: nothing is to be run
    run      (ECS) the worker's container, until it has stopped; how it ended is not judged here
    render   (Lambda) instead of it, of a small task: a worker in a function. Where that is not to be had, `run`
    collect  (Lambda) is given {owner, trace, record_id, tries, handle, function}; answers the record's output, or
             raises its error, as a light task does. `function` is what `render` answered, or its error as AWS tells
             it. While another worker has the lease it raises `Held`, and is asked again later: a container that was
             started twice ends without having done anything

The handle is the task's `group` in ECS: Step Functions itself writes `startedBy` ("AWS Step Functions") of every task
that it waits for. Which capacity is used, spot or not, is the cluster's default strategy; for a task that lost a spot
machine, or got none, it is on demand.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from smmu.adapters.aws.failures import EVERY, HELD, NOT_TO_BE_HAD, names_to_retry
from smmu.domain.machines import FUNCTION_SECONDS_MAX
from smmu.domain.pipeline import Retry, Task

State = dict[str, Any]

_CALL_SECONDS = 60  # for `open` and `collect`
_LAST_WORDS_SECONDS = 30  # after a task's own limit, so that the word of the task itself comes first
_HELD_SECONDS = 30
_WORD = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")
_PLACE = re.compile(r"[\w.\[\]-]*")
_REFUSED_FOR_NOW = ("ECS.AmazonECSException", "AmazonECS.Unknown", "ECS.ServerException", "ECS.ThrottlingException")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a deployment's resources are called. The defaults are filled in by Terraform's `templatefile`."""

    perform: str = "${perform}"  # ARNs of functions
    open: str = "${open}"
    collect: str = "${collect}"
    render: str = "${render}"
    cluster: str = "${cluster}"
    family_prefix: str = "${family_prefix}"  # of task definitions, before "-transcode"
    container: str = "worker"
    subnets: str = "${subnets}"  # ids, joined by commas
    security_groups: str = "${security_groups}"


@dataclass(frozen=True, slots=True)
class Where:
    """Where a step stands. In a map's body the document is under `doc` and the place so far under `at`."""

    place: str = ""
    inside: bool = False

    def named(self, name: str) -> "Where":
        """The place of something in here, as `domain/evaluate.py` makes it."""
        return Where(f"{self.place}.{name}" if self.place or self.inside else name, self.inside)

    def doc(self, path: str) -> str:
        """The JSONPath of a path of the document. `ValueError` for a path that would need quoting."""
        if path and not _WORD.fullmatch(path):
            raise ValueError(f"{path!r} is no path of plain words")
        return ".".join(part for part in ("$", "doc" if self.inside else "", path) if part)

    def told(self, key: str, suffix: str = "", *more: str) -> dict[str, str]:
        """A field `key` that holds this place, with `suffix`, whose {} are filled with `more`."""
        if not _PLACE.fullmatch(self.place):
            raise ValueError(f"{self.place!r} cannot stand in States.Format")
        if not self.inside and not more:
            return {key: self.place + suffix}
        values = ", ".join((*(["$.at"] if self.inside else []), *more))
        return {f"{key}.$": f"States.Format('{'{}' if self.inside else ''}{self.place}{suffix}', {values})"}


def taken(takes: Mapping[str, str], where: Where) -> dict[str, str]:
    """The fields of what a step takes."""
    return {f"{name}.$": where.doc(path) for name, path in takes.items()}


def invocation(step: Task, where: Where) -> dict[str, Any]:
    """What a function is told of a task: whose it is, its place, what it does and on what."""
    return {
        "owner.$": "$$.Execution.Input.owner",
        "job_id.$": "$$.Execution.Input.job_id",
        "attempt.$": "$$.Execution.Input.attempt",
        "trace.$": "$$.Execution.Input.trace",
        **where.named(step.name).told("path"),
        "does": step.does,
        "name": step.name,
        "weight": step.weight.value,
        "seconds_max": step.seconds_max,
        "input": taken(step.takes, where),
    }


def light(step: Task, where: Where, names: Names) -> State:
    """One call. By the function's own ARN, whose answer is the output and nothing around it.

    `lambda:invoke` would answer an envelope, which JSONPath cannot take off below a key of the document.
    """
    return {
        "Type": "Task",
        "Resource": names.perform,
        "Parameters": invocation(step, where),
        "TimeoutSeconds": step.seconds_max + _LAST_WORDS_SECONDS,
        **retried(step.retry),
    }


def opening(step: Task, where: Where, names: Names) -> State:
    """The first of a heavy task's calls."""
    return {
        "Type": "Task",
        "Resource": names.open,
        "Parameters": invocation(step, where),
        "TimeoutSeconds": _CALL_SECONDS,
    }


def running(names: Names, after: str, *, kept: bool = False) -> State:
    """The container, until it has stopped. Whatever came of it, `after` finds out."""
    on_demand = {"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}]} if kept else {}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Parameters": {
            "Cluster": names.cluster,
            "TaskDefinition.$": f"States.Format('{{}}-{{}}', '{names.family_prefix}', $.family)",
            "Group.$": "$.handle",
            **on_demand,
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {
                    "Subnets.$": f"States.StringSplit('{names.subnets}', ',')",
                    "SecurityGroups.$": f"States.StringSplit('{names.security_groups}', ',')",
                    "AssignPublicIp": "DISABLED",
                }
            },
            "Overrides": {
                "Cpu.$": "States.Format('{}', $.cpu)",
                "Memory.$": "States.Format('{}', $.memory)",
                "ContainerOverrides": [{"Name": names.container, "Command.$": _COMMAND, "Environment": [_TRACE]}],
            },
        },
        "TimeoutSecondsPath": "$.seconds_max",
        "ResultPath": None,
        "Retry": [_retrier(_REFUSED_FOR_NOW, Retry(errors=(), times=6, seconds=5))],
        "Catch": [{"ErrorEquals": [EVERY], "ResultPath": None, "Next": after}],
        "Next": after,
    }


def rendering(names: Names, run: str, after: str) -> State:
    """A small task, by a function. Where that is not to be had a container does this try, as all later ones."""
    return {
        "Type": "Task",
        "Resource": names.render,
        "Parameters": {
            "owner.$": "$$.Execution.Input.owner",
            "trace.$": "$$.Execution.Input.trace",
            "record_id.$": "$.record_id",
            "tries.$": "$.tries",
        },
        "TimeoutSeconds": FUNCTION_SECONDS_MAX + _LAST_WORDS_SECONDS,
        "ResultPath": "$.function",
        "Catch": [
            {"ErrorEquals": list(NOT_TO_BE_HAD), "ResultPath": "$.function", "Next": run},
            {"ErrorEquals": [EVERY], "ResultPath": "$.function", "Next": after},
        ],
        "Next": after,
    }


_COMMAND = (
    "States.Array('worker', $.family, States.Format('--owner={}', $$.Execution.Input.owner),"  # it may begin with "-"
    " '--record', $.record_id, '--tries', States.Format('{}', $.tries))"
)


_TRACE = {"Name": "TRACEPARENT", "Value.$": "$$.Execution.Input.trace"}


def collecting(step: Task, names: Names) -> State:
    """What came of it. Asked again for as long as another worker may have it."""
    held = Retry(errors=(), times=math.ceil(step.seconds_max / _HELD_SECONDS), seconds=_HELD_SECONDS, backoff=1.0)
    return {
        "Type": "Task",
        "Resource": names.collect,
        "Parameters": {
            "owner.$": "$$.Execution.Input.owner",
            "trace.$": "$$.Execution.Input.trace",
            "record_id.$": "$.record_id",
            "tries.$": "$.tries",
            "handle.$": "$.handle",
            "function.$": "$.function",
        },
        "TimeoutSeconds": _CALL_SECONDS,
        "Retry": [_retrier((HELD,), held)],
        "End": True,
    }


def retried(rules: tuple[Retry, ...]) -> State:
    """The `Retry` field of rules, if there are any: the first that matches counts, so no name is said twice."""
    retriers = list(_retriers(rules))
    return {"Retry": retriers} if retriers else {}


def _retriers(rules: tuple[Retry, ...]) -> Iterator[State]:
    said: set[str] = set()
    for rule in rules:
        names = [name for name in names_to_retry(rule.errors) if name not in said]
        said.update(names)
        if names:
            yield _retrier(tuple(names), rule)
        if EVERY in names:
            return


def _retrier(names: tuple[str, ...], rule: Retry) -> State:
    """Whole seconds, at least one; a wait below its cap grows, spread by chance."""
    longest = max(1, math.ceil(rule.seconds_max))
    first = min(max(1, math.ceil(rule.seconds)), longest)
    grows = rule.backoff > 1 and first < longest
    return {
        "ErrorEquals": list(names),
        "MaxAttempts": rule.times,
        "IntervalSeconds": first,
        "BackoffRate": rule.backoff if grows else 1.0,
        **({"MaxDelaySeconds": longest, "JitterStrategy": "FULL"} if grows else {}),
    }
