"""What the state machine asks for: open a heavy task, do a light one, collect what a heavy one gave.

An error reaches the state machine by the name of its class, so each error code is raised as a class of that name.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from smmu.adapters.aws.failures import HELD, code_of_failure
from smmu.adapters.aws.sizes import size_for
from smmu.application.causes import cause_of
from smmu.application.heavy import machine_request
from smmu.application.invocations import Held, Invocation, Machine, TaskFailed
from smmu.application.system import System
from smmu.domain.errors import WORDS, Refused
from smmu.domain.pipeline import Weight
from smmu.domain.task import State
from smmu.domain.trace import id_in
from smmu.entrypoints.lambdas.warm import handler
from smmu.ports.about import About

_CAUGHT = {"error", "message"}  # a failure, as the state machine gives it on
_PROVISIONING_SECONDS = 300  # until Fargate has a machine and its image; the worker itself keeps to its own time


async def perform(system: System, event: Any) -> Any:  # noqa: ANN401 - JSON
    """Do a light task; what it gives."""
    with _about(event):
        asked = _invocation_in(system, event)
        return await _told(system, lambda: system.invocations.perform(asked))


async def opened(system: System, event: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Open a heavy task; which try of it to run, on what. `done` when there is nothing to run."""
    with _about(event):
        asked = _invocation_in(system, event)
        known = await _told(system, lambda: system.invocations.open(asked))
    request = machine_request(known)
    cpu, memory = size_for(request.cores, request.memory_bytes)
    return {
        "record_id": request.record_id,
        "tries": request.tries,
        "handle": request.handle,
        "family": request.family,
        "cpu": cpu,
        "memory": memory,
        "seconds_max": request.seconds_max + _PROVISIONING_SECONDS,
        "kept": request.kept,
        "done": known.state is not State.QUEUED,
    }


async def collect(system: System, event: Any) -> Any:  # noqa: ANN401 - JSON
    """What the heavy task gave that `opened` answered for."""
    machine = Machine(tries=event["tries"], handle=event["handle"])
    with _about(event):
        return await _told(system, lambda: system.invocations.collect(event["owner"], event["record_id"], machine))


def _about(event: Mapping[str, Any]) -> About:
    """What a call is about, as the state machine says it. Executions of an older release tell no trace."""
    told = {name: event[name] for name in ("job_id", "owner", "attempt", "path", "record_id") if name in event}
    return About(**told, trace_id=id_in(event.get("trace", "")))


async def _told(system: System, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - JSON
    try:
        return await work()
    except TaskFailed as failure:
        raise _named(failure.error, _words(str(failure), failure.task_id)) from failure
    except Held as held:
        raise _named(HELD, str(held)) from held
    except Refused as refusal:
        raise _named(refusal.code, _words(refusal.message)) from refusal
    except Exception as error:  # the boundary: by its own name, no rule would match it and try again
        system.telemetry.event("invocation_failed", error=repr(error))
        code = cause_of(error)
        raise _named(code, _words(WORDS[code])) from error


def _named(name: str, words: str) -> Exception:
    kind: type[Exception] = type(str(name), (Exception,), {})
    return kind(words)


def _words(message: str, task_id: str | None = None) -> str:
    return json.dumps({"message": message, "task_id": task_id}, ensure_ascii=False)


def _invocation_in(system: System, event: Mapping[str, Any]) -> Invocation:
    given = _in_our_words(event["input"])
    if "error" in given:
        system.telemetry.event(
            "run_failed", error=event["input"]["error"]["error"], cause=event["input"]["error"]["message"]
        )
    return Invocation(
        owner=event["owner"],
        job_id=event["job_id"],
        attempt=event["attempt"],
        path=event["path"],
        does=event["does"],
        name=event["name"],
        weight=Weight(event["weight"]),
        seconds_max=event["seconds_max"],
        given=given,
        trace=event.get("trace", ""),
    )


def _in_our_words(given: Any) -> Any:  # noqa: ANN401 - JSON
    """The same, with failures that the state machine has caught, wherever they are, as the pipeline tells them."""
    if isinstance(given, list):
        return [_in_our_words(item) for item in given]
    if not isinstance(given, dict):
        return given
    if set(given) == _CAUGHT:
        error, message, task_id = code_of_failure(given["error"], given["message"])
        return {"error": error, "message": message, "task_id": task_id}
    return {key: _in_our_words(item) for key, item in given.items()}


handle_perform = handler(perform, "perform")
handle_open = handler(opened, "open")
handle_collect = handler(collect, "collect")
