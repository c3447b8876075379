"""What moto cannot do for what Terraform makes, and what is put in its place.

What the provider asks and moto does not answer, or answers so that the provider waits for ever:

- Step Functions: `ValidateStateMachineDefinition` and `ListStateMachineVersions` are missing; the provider asks for both.
- Application Auto Scaling: `ListTagsForResource` is missing.
- Budgets: tags (ours have none) and subscribers are missing.
- CloudWatch Logs: query definitions are missing.
- SQS: `RedriveAllowPolicy` is taken and never told; setting any attribute forgets the queue's policy; and the redrive
  policy is told with other spaces than it was given, which is another text.

What stands in the way of a job on what was made:

- S3: a statement of a bucket's policy that denies under a condition denies always, so that "only over TLS" lets nobody
  in. Here such a statement never applies, as if all spoke TLS.
- Lambda: an event source mapping calls its function in Docker, for each item that is written and each message that is
  sent, before that is answered; of its settings moto uses the batch's size alone. Here it is kept as it was made and
  wakes nobody: sources.py brings the events.
- ECS: a container without a limit of memory of its own cannot be started, although its task has one.
- EventBridge: a rule that is a schedule hears every event, and its function ends the event's way to other rules.

tests/infra/test_mends.py fails when moto has learned them.
"""

import json
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.awslambda.models import LambdaBackend
from moto.budgets.models import budgets_backends
from moto.budgets.responses import BudgetsResponse
from moto.core.responses import ActionResult
from moto.dynamodb.models import dynamodb_backends
from moto.ecs.models import EC2ContainerServiceBackend
from moto.events.models import Rule
from moto.iam.access_control import IAMPolicy
from moto.logs.responses import LogsResponse
from moto.s3.models import FakeBucket
from moto.sqs.models import Queue, sqs_backends
from moto.stepfunctions.responses import StepFunctionResponse

from tests.support.aws.mends import Mend

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


def _what_is_denied_always(_was: Any) -> Callable[..., Any]:
    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        told = json.loads(bucket.policy or '{"Statement": []}')
        statements = [one for one in told["Statement"] if one["Effect"] != "Deny" or "Condition" not in one]
        return IAMPolicy(json.dumps({**told, "Statement": statements})).is_action_permitted(action, resource)

    return get_permission


def _waking_nobody(was: Callable[..., Any]) -> Callable[..., Any]:
    def create(backend: Any, spec: dict[str, Any]) -> Any:
        made = was(backend, spec)
        queues = sqs_backends[backend.account_id][backend.region_name].queues.values()
        tables = dynamodb_backends[backend.account_id][backend.region_name].tables.values()
        for source in (*queues, *tables):
            source.lambda_event_source_mappings.pop(made.function_arn, None)
        return made

    return create


def _where_the_task_has_the_limit(was: Callable[[Any], Any]) -> Any:
    def requirements(definition: Any) -> Any:
        containers = [{"memory": 0, **container} for container in definition.container_definitions]
        return was(SimpleNamespace(container_definitions=containers))

    return staticmethod(requirements)


def _but_to_schedules(was: Callable[..., None]) -> Callable[..., None]:
    def send(rule: Any, event: Any, **named: Any) -> None:
        if rule.event_pattern.get_pattern():
            was(rule, event, **named)

    return send


def _as_it_was_given(was: Any) -> Any:
    def attributes(queue: Any) -> dict[str, Any]:
        told: dict[str, Any] = was.fget(queue)
        if told.get("RedrivePolicy"):
            told["RedrivePolicy"] = json.dumps(json.loads(told["RedrivePolicy"]), separators=(",", ":"))
        return told

    return property(attributes)


MENDS = (
    Mend(Queue, "attributes", _as_it_was_given, "40cb990b1216", "a redrive policy is told with other spaces"),
    Mend(
        Queue, "_set_attributes", _keeping_the_policy, "4b7aaf3f4636", "setting an attribute forgets a queue's policy"
    ),
    Mend(
        FakeBucket,
        "get_permission",
        _what_is_denied_always,
        "7571412a3495",
        "what is denied on a condition is denied always",
    ),
    Mend(Rule, "send_to_targets", _but_to_schedules, "472e002e2dab", "a schedule hears every event"),
    Mend(LambdaBackend, "create_event_source_mapping", _waking_nobody, "19f8125cabf7", "functions need Docker"),
    Mend(
        EC2ContainerServiceBackend,
        "_calculate_task_resource_requirements",
        _where_the_task_has_the_limit,
        "4c4587f8d68d",
        "a container must have a limit of memory",
    ),
)


@cache
def mend() -> None:
    """Once for this process."""
    for kind, name, answer in ANSWERS:
        setattr(kind, name, _answering(answer))
    for kind, name, made in TEXTS:
        setattr(kind, name, _telling(made))
    for one in MENDS:
        one.apply()
    queue: Any = Queue
    queue.redrive_allow_policy = None
    queue.BASE_ATTRIBUTES = [*queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
