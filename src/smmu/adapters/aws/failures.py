"""Two languages for what went wrong, AWS's names of errors and ours: for rules that are compiled, and for what is read.

A worker's error crosses Step Functions under our own code, as the name of the exception that its Lambda raised. Beside
these there are the names that AWS makes itself; the table says which of our codes each stands for. `States.TaskFailed`
is not in it as a name to match: there it is a wildcard, and no error of a compiled machine ends under it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from smmu.domain.errors import WORDS, Code
from smmu.domain.pipeline import ANY

HELD = "Held"  # what `collect` raises while another worker has the lease
EVERY = "States.ALL"
TOO_LARGE = "States.DataLimitExceeded"  # `States.ALL` does not catch it, its own name does
NOT_TO_BE_HAD = (  # a function that did nothing: all of it is at work, it is not there, or Lambda itself fails
    "Lambda.TooManyRequestsException",
    "Lambda.EC2ThrottledException",
    "Lambda.ResourceNotFoundException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
)
_TERMINAL = "States.Runtime"  # nothing catches it, nothing tries it again
_WILDCARD = "States.TaskFailed"

MADE_BY_AWS: Mapping[str, Code] = MappingProxyType(
    {
        **dict.fromkeys(("States.Timeout", "States.HeartbeatTimeout", "Sandbox.Timedout"), Code.TIMED_OUT),
        **dict.fromkeys(
            ("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"),
            Code.WORLD_UNAVAILABLE,
        ),
        **dict.fromkeys(
            (
                "Lambda.TooManyRequestsException",
                "Lambda.ClientExecutionTimeoutException",
                "Lambda.EC2ThrottledException",
            ),
            Code.WORLD_UNAVAILABLE,
        ),
        **dict.fromkeys(
            ("ECS.AmazonECSException", "AmazonECS.Unknown", "ECS.ServerException", "ECS.ThrottlingException"),
            Code.WORLD_UNAVAILABLE,
        ),
        **dict.fromkeys(("Runtime.ExitError", "Lambda.Unknown"), Code.CRASHED),
        HELD: Code.INTERRUPTED,
        **dict.fromkeys(
            ("States.ParameterPathFailure", "States.ResultPathMatchFailure", "States.IntrinsicFailure"), Code.INTERNAL
        ),
        **dict.fromkeys(
            ("States.NoChoiceMatched", "States.BranchFailed", "States.QueryEvaluationError"), Code.INTERNAL
        ),
        **dict.fromkeys(("States.Permissions", TOO_LARGE, _TERMINAL), Code.INTERNAL),
        **dict.fromkeys(
            ("Runtime.ImportModuleError", "Runtime.HandlerNotFound", "Runtime.UserCodeSyntaxError"), Code.INTERNAL
        ),
        **dict.fromkeys(("Runtime.MarshalError", "Runtime.UnmarshalError"), Code.INTERNAL),
    }
)
_OURS = frozenset(Code)
_NEVER_RETRIED = frozenset({_TERMINAL, TOO_LARGE})
_NEVER_CAUGHT = frozenset({_TERMINAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a failure is in our words. `task_id` names the task it began with, where it is known."""

    error: str
    message: str
    task_id: str | None = None


def names_to_retry(errors: Iterable[str]) -> tuple[str, ...]:
    """What a retrier must match for our `errors`."""
    return _names(errors, _NEVER_RETRIED)


def names_to_catch(errors: Iterable[str]) -> tuple[str, ...]:
    """What a catcher must match for our `errors`."""
    return _names(errors, _NEVER_CAUGHT)


def _names(errors: Iterable[str], but: frozenset[str]) -> tuple[str, ...]:
    ours = list(dict.fromkeys(errors))
    if ANY in ours:
        return (EVERY,)
    return (*ours, *(name for name, code in MADE_BY_AWS.items() if code in ours and name not in but))


def code_of_failure(error: str, cause: str) -> tuple[str, str, str | None]:
    """What a failed state's `Error` and `Cause` mean: (code, message, task id if known).

    The cause may be a sentence; the JSON of Lambda ({"errorMessage", …}; there the id of the task may be given as
    "task_id" in an errorMessage that is itself a JSON object {"message", "task_id"}); ECS's description of a stopped
    task; or the pair {"Error", "Cause"} that a compiled handler is given as `message`, once or several times over.
    A name of neither ours nor AWS's is handed back as it is. The message is for the job's owner: what was raised under
    a code of ours; for any other name a sentence of ours, because AWS's words name resources and are for operators.
    """
    told = _read(error, cause)
    return told.error, told.message, told.task_id


def _read(error: str, cause: str) -> Told:
    found = _object(cause) or {}
    if "Cause" in found or "Error" in found:
        return _read(str(found.get("Error") or error), str(found.get("Cause") or ""))
    said = str(found.get("errorMessage", "" if found else cause))
    inner = _object(said) or {}
    code = _code(error, said)
    words = "" if said.startswith("{") else said  # what is JSON all the same was cut off
    ours = str(inner.get("message", words)) if error in _OURS else ""
    return Told(error=code, message=ours or _words(code), task_id=inner.get("task_id"))


def _words(code: str) -> str:
    return WORDS.get(Code(code) if code in _OURS else Code.INTERNAL, WORDS[Code.INTERNAL])


def _code(error: str, cause: str) -> str:
    if error == _WILDCARD:
        return Code.CRASHED
    if error == "Runtime.ExitError" and "signal: killed" in cause:
        return Code.OUT_OF_MEMORY  # how Lambda ends a function that wants more memory than it has
    return MADE_BY_AWS.get(error, error)


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, if it is one."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
