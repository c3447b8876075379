"""What the state machine asks for: open a heavy task, do a light one, collect what a heavy one gave."""

from collections.abc import Mapping
from typing import Any

from smmu.adapters.aws.failures import NOT_TO_BE_HAD, code_of_failure
from smmu.adapters.aws.sizes import size_for
from smmu.application.heavy import machine_request
from smmu.application.invocations import Invocation, Machine
from smmu.application.system import System
from smmu.domain.pipeline import Weight
from smmu.domain.task import State
from smmu.domain.trace import id_in
from smmu.entrypoints.lambdas.raising import told
from smmu.entrypoints.lambdas.warm import handler
from smmu.ports.about import About

_CAUGHT = {"error", "message"}  # a failure, as the state machine gives it on
_PROVISIONING_SECONDS = 300  # until Fargate has a machine and its image; the worker itself keeps to its own time


async def perform(system: System, event: Any) -> Any:  # noqa: ANN401 - JSON
    """Do a light task; what it gives."""
    with _about(event):
        asked = _invocation_in(system, event)
        return await told(system, lambda: system.invocations.perform(asked))


async def opened(system: System, event: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Open a heavy task; which try of it to run, on what. `done` when there is nothing to run."""
    with _about(event):
        asked = _invocation_in(system, event)
        known = await told(system, lambda: system.invocations.open(asked))
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
        "small": request.small,
        "function": None,
        "done": known.state is not State.QUEUED,
    }


async def collect(system: System, event: Any) -> Any:  # noqa: ANN401 - JSON
    """What the heavy task gave that `opened` answered for."""
    machine = Machine(tries=event["tries"], handle=event["handle"], function=_function_in(event))
    with _about(event):
        return await told(system, lambda: system.invocations.collect(event["owner"], event["record_id"], machine))


def _function_in(event: Mapping[str, Any]) -> str | None:
    """How the function ended that did a small task: as it answered, or as the state machine caught its error.

    One that was not to be had has done nothing, as if there were none.
    """
    ended = event.get("function")
    if ended is None or ended.get("Error") in NOT_TO_BE_HAD:
        return None
    return code_of_failure(ended["Error"], ended["Cause"])[0] if "Error" in ended else ""


def _about(event: Mapping[str, Any]) -> About:
    """What a call is about, as the state machine says it. Executions of an older release tell no trace."""
    known = {name: event[name] for name in ("job_id", "owner", "attempt", "path", "record_id") if name in event}
    return About(**known, trace_id=id_in(event.get("trace", "")))


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
