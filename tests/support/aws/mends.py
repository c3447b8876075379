"""Where moto's interpreter of Amazon States Language is wrong against the real one, and what is put in its place.

moto took it from LocalStack, and left parts of that out. Each mend names what it replaces and the fingerprint of that
source: tests/aws/test_mends.py fails when moto has changed it, so that nobody mends what is whole.
"""

import hashlib
import inspect
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import botocore.session
from jsonpath_ng.ext.parser import parse
from jsonpath_ng.jsonpath import Child, Fields, Index, Root
from moto.awslambda.models import LambdaBackend
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.intrinsic.argument import argument
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
    StateTaskServiceEcs,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramRunning, ProgramStopped
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

Function = Callable[[Any], Any]

_PARSING_SECONDS = 10.0

FUNCTIONS: dict[str, Function] = {}  # by ARN: what a Lambda function does


@dataclass(frozen=True, slots=True)
class Mend:
    """`owner.name` is replaced by what `made` makes of it. `was` begins the SHA-256 of its source."""

    owner: Any
    name: str
    made: Callable[[Any], Any]
    was: str
    why: str
    original: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "original", getattr(self.owner, self.name))

    @property
    def fingerprint(self) -> str:
        source = inspect.getsource(getattr(self.original, "fget", self.original))
        return hashlib.sha256(source.encode()).hexdigest()[:12]

    def apply(self) -> None:
        setattr(self.owner, self.name, self.made(self.original))


# --- calls of other services


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _shape(task: Any, service: str | None, action: str | None, which: str) -> Any:
    model = _model(task._get_boto_service_name(service))
    wanted = task._get_boto_service_action(action).replace("_", "")
    (name,) = (known for known in model.operation_names if known.lower() == wanted)
    return getattr(model.operation_model(name), which)


def _parameters(_was: Any) -> Any:
    def normalise(
        task: Any, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None
    ) -> None:
        task._to_boto_request(parameters, _shape(task, boto_service_name, service_action_name, "input_shape"))

    return normalise


def _response(_was: Any) -> Any:
    def normalise(
        task: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
    ) -> None:
        task._from_boto_response(response, _shape(task, boto_service_name, service_action_name, "output_shape"))

    return normalise


def _with_texts_for_times(was: Any) -> Any:
    return staticmethod(lambda value: value.isoformat() if hasattr(value, "isoformat") else was(value))


# --- ECS


def _failing_where_the_container_did(was: Any) -> Any:
    def build(task: Any, env: Any, *rest: Any, **named: Any) -> Any:
        look = was(task, env, *rest, **named)

        def resolve() -> Any:
            found = look()
            if found is None or not _went_wrong(found):
                return found
            raise _task_failed(env, "States.TaskFailed", json.dumps(found))

        return resolve

    return build


def _went_wrong(task: dict[str, Any]) -> bool:
    codes = [container.get("ExitCode") for container in task.get("Containers", [])]
    return task.get("StopCode") == "TaskFailedToStart" or any(code not in {0, None} for code in codes)


def _task_failed(env: Any, error: str, cause: str) -> FailureEventException:
    told = TaskFailedEventDetails(resourceType="ecs", resource="runTask.sync", error=error, cause=cause)
    name = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed) if error == "States.TaskFailed" else None
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=name or CustomErrorName(error),
            event_type=HistoryEventType.TaskFailed,
            event_details=cast("EventDetails", {"taskFailedEventDetails": told}),
        )
    )


def _telling_refusals(was: Any) -> Any:
    def run(task: Any, env: Any, *rest: Any, **named: Any) -> None:
        try:
            was(task, env, *rest, **named)
        except botocore.exceptions.ClientError as error:
            raise _task_failed(env, "ECS.AmazonECSException", str(error)) from error

    return run


# --- Lambda


def _calling_ours(_was: Any) -> Any:
    """A function's exception is its error's name and, as JSON, its cause, as the real runtime tells it."""

    def invoke(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:  # noqa: ARG001
        answer, failed = _called(FUNCTIONS[parameters["FunctionName"]], json.loads(parameters["Payload"]))
        return {"FunctionError": "Unhandled", "Payload": answer} if failed else {"StatusCode": 200, "Payload": answer}

    return invoke


def _called(function: Function, event: Any) -> tuple[Any, bool]:
    """What a function answers, and whether that is an error."""
    try:
        return json.loads(json.dumps(function(event))), False
    except Exception as error:  # noqa: BLE001 - whatever a function raises is its answer
        return {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": "r", "stackTrace": []}, True


def _invoking_ours(was: Any) -> Any:
    """The same for who asks Lambda itself, by the function's name."""

    def invoke(backend: Any, function_name: str, *given: Any) -> Any:
        _, body, _, answered = given  # besides the version that is asked for, and the headers of the request
        known = next((made for arn, made in FUNCTIONS.items() if arn.endswith(f":function:{function_name}")), None)
        if known is None:
            return was(backend, function_name, *given)
        answer, failed = _called(known, json.loads(body))
        if failed:
            answered["x-amz-function-error"] = "Unhandled"
        return json.dumps(answer)

    return invoke


# --- errors and paths


def _any_name(_was: Any) -> Any:
    """What fails in a branch or an element fails under its own name, `States.Timeout` too."""

    def make(self: Any, error_name: str | None) -> None:
        ErrorName.__init__(self, error_name)

    return make


def _one_value_for_a_definite_path(was: Any) -> Any:
    """`$[0].a` is the value there; moto makes a list of it."""

    def extract(path: str, data: Any) -> Any:
        found = parse(path)
        return found.find(data)[0].value if _is_definite(found) and found.find(data) else was(path, data)

    return extract


def _is_definite(path: Any) -> bool:
    if isinstance(path, Child):
        return _is_definite(path.left) and _is_definite(path.right)
    return isinstance(path, Root | Index) or (isinstance(path, Fields) and path.fields != ("*",))


# --- threads


def _ending_when_stopped(was: Any) -> Any:
    """A branch that is over before it has begun, because another failed, is no error."""

    def routine(worker: Any) -> None:
        try:
            was(worker)
        except RuntimeError:
            if isinstance(worker.env.program_state(), ProgramRunning):
                raise

    return routine


def _once_it_runs(was: Any) -> Any:
    """It is parsed first, in a thread of its own, and could not be stopped before that is done."""

    def stop(worker: Any, *rest: Any, **named: Any) -> None:
        deadline = time.monotonic() + _PARSING_SECONDS
        while (worker.env is None or worker.env.program_state() is None) and time.monotonic() < deadline:
            time.sleep(0.005)  # noqa: TID251 - in a thread of the stand-in
        was(worker, *rest, **named)

    return stop


def _but_for_what_was_stopped(was: Any) -> Any:
    """What a stop does to the state in hand looks like an error there."""

    def set_error(env: Any, error: Any) -> None:
        if not isinstance(env.program_state(), ProgramStopped):
            was(env, error)

    return set_error


MENDS = (
    Mend(StateTaskService, "_normalise_parameters", _parameters, "dece59e76fd5", "ecs:runTask gets no parameter right"),
    Mend(StateTaskService, "_normalise_response", _response, "00e0b0a50b1d", "and its answer cannot be read"),
    Mend(
        StateTaskService,
        "_from_boto_response_value",
        _with_texts_for_times,
        "446307377199",
        "an answer with a time is no JSON",
    ),
    Mend(
        StateTaskServiceEcs,
        "_build_sync_resolver",
        _failing_where_the_container_did,
        "6c540791a32b",
        "exit codes make no difference",
    ),
    Mend(
        StateTaskServiceEcs, "_eval_service_task", _telling_refusals, "3ef35a6a2cb6", "a refused task is States.Runtime"
    ),
    Mend(lambda_eval_utils, "_invoke_lambda_function", _calling_ours, "0ebcddb746e4", "functions need Docker"),
    Mend(LambdaBackend, "invoke", _invoking_ours, "708fb4c92029", "and asked for by name, too"),
    Mend(CustomErrorName, "__init__", _any_name, "2814dc26f7ae", "AWS's own errors do not come out of a branch"),
    Mend(string_expression, "extract_json", _one_value_for_a_definite_path, "932245247973", "$[0].a gives a list"),
    Mend(
        BranchWorker,
        "_thread_routine",
        _ending_when_stopped,
        "1adf7318ab3c",
        "a branch stopped early ends in an exception",
    ),
    Mend(ExecutionWorker, "stop", _once_it_runs, "dc18be1944e1", "an execution that is stopped at once goes on"),
    Mend(
        Environment,
        "set_error",
        _but_for_what_was_stopped,
        "6447409d4056",
        "an execution that is stopped may end as failed",
    ),
    Mend(argument, "extract_json", _one_value_for_a_definite_path, "932245247973", "and in intrinsic functions"),
)


@cache
def mend() -> None:
    """Once for this process."""
    for one in MENDS:
        one.apply()
