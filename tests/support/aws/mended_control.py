"""What Terraform's provider asks of AWS and moto does not answer, or answers so that the provider waits for ever.

- Step Functions: `ValidateStateMachineDefinition` and `ListStateMachineVersions` are missing; the provider asks for both.
- Application Auto Scaling: `ListTagsForResource` is missing.
- Budgets: tags (ours have none) and subscribers are missing.
- CloudWatch Logs: query definitions are missing.
- SQS: `RedriveAllowPolicy` is taken and never told; and setting any attribute forgets the queue's policy.

tests/infra/test_mends.py fails when moto has learned them.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.budgets.models import budgets_backends
from moto.budgets.responses import BudgetsResponse
from moto.core.responses import ActionResult
from moto.logs.responses import LogsResponse
from moto.sqs.models import Queue
from moto.stepfunctions.responses import StepFunctionResponse

ANSWERS: tuple[tuple[type, str, dict[str, Any]], ...] = (
    (StepFunctionResponse, "validate_state_machine_definition", {"result": "OK", "diagnostics": []}),
    (StepFunctionResponse, "list_state_machine_versions", {"stateMachineVersions": []}),
    (ApplicationAutoScalingResponse, "list_tags_for_resource", {"Tags": {}}),
)
QUERIES: dict[str, dict[str, Any]] = {}  # definitions of CloudWatch Logs, by their ids


def _put_query_definition(asked: dict[str, Any]) -> dict[str, Any]:
    known = asked.get("queryDefinitionId") or str(len(QUERIES) + 1)
    QUERIES[known] = {**asked, "queryDefinitionId": known}
    return {"queryDefinitionId": known}


def _describe_query_definitions(asked: dict[str, Any]) -> dict[str, Any]:
    prefix = asked.get("queryDefinitionNamePrefix", "")
    return {"queryDefinitions": [one for one in QUERIES.values() if one["name"].startswith(prefix)]}


def _delete_query_definition(asked: dict[str, Any]) -> dict[str, Any]:
    return {"success": QUERIES.pop(asked["queryDefinitionId"], None) is not None}


def _no_tags(_: dict[str, Any]) -> dict[str, Any]:
    return {"ResourceTags": []}


def _subscribers(asked: dict[str, Any]) -> dict[str, Any]:
    budget: Any = budgets_backends[asked["AccountId"]]["aws"].budgets[asked["AccountId"]][asked["BudgetName"]]
    found = (one.subscribers for one in budget.notifications if one.details == asked["Notification"])
    return {"Subscribers": next(found)}


# What moto's older kind of answers are made of: text.
TEXTS: tuple[tuple[type, str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    (LogsResponse, "put_query_definition", _put_query_definition),
    (LogsResponse, "describe_query_definitions", _describe_query_definitions),
    (LogsResponse, "delete_query_definition", _delete_query_definition),
    (BudgetsResponse, "list_tags_for_resource", _no_tags),
    (BudgetsResponse, "describe_subscribers_for_notification", _subscribers),
)
_ADDED = [(kind, name) for kind, name, _ in (*ANSWERS, *TEXTS)]
LEARNED = [name for kind, name in _ADDED if hasattr(kind, name)]  # before anything is mended


@cache
def mend() -> None:
    """Once for this process."""
    for kind, name, answer in ANSWERS:
        setattr(kind, name, _answering(answer))
    for kind, name, made in TEXTS:
        setattr(kind, name, _telling(made))
    queue: Any = Queue
    queue._set_attributes = _keeping_the_policy(queue._set_attributes)
    queue.redrive_allow_policy = None
    queue.BASE_ATTRIBUTES = [*queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]


def _answering(answer: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda _response: ActionResult(answer)


def _telling(made: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], str]:
    return lambda response: json.dumps(made(json.loads(response.body)))


def _keeping_the_policy(was: Callable[..., None]) -> Callable[..., None]:
    def set_attributes(queue: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(queue, "policy", None)
        was(queue, attributes, now)
        if "Policy" not in attributes:
            queue.policy = kept
        queue.redrive_allow_policy = queue.redrive_allow_policy or None  # "" takes it away

    return set_attributes
