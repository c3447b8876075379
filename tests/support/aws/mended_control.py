"""What Terraform's provider asks of AWS and moto does not answer, or answers so that the provider waits for ever.

- Step Functions: `ValidateStateMachineDefinition` and `ListStateMachineVersions` are missing; the provider asks for both.
- Application Auto Scaling: `ListTagsForResource` is missing.
- SQS: `RedriveAllowPolicy` is taken and never told; and setting any attribute forgets the queue's policy.

tests/infra/test_mends.py fails when moto has learned them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult
from moto.sqs.models import Queue
from moto.stepfunctions.responses import StepFunctionResponse

ANSWERS: tuple[tuple[type, str, dict[str, Any]], ...] = (
    (StepFunctionResponse, "validate_state_machine_definition", {"result": "OK", "diagnostics": []}),
    (StepFunctionResponse, "list_state_machine_versions", {"stateMachineVersions": []}),
    (ApplicationAutoScalingResponse, "list_tags_for_resource", {"Tags": {}}),
)
LEARNED = [name for kind, name, _ in ANSWERS if hasattr(kind, name)]  # before anything is mended


@cache
def mend() -> None:
    """Once for this process."""
    for kind, name, answer in ANSWERS:
        setattr(kind, name, _answering(answer))
    queue: Any = Queue
    queue._set_attributes = _keeping_the_policy(queue._set_attributes)
    queue.redrive_allow_policy = None
    queue.BASE_ATTRIBUTES = [*queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]


def _answering(answer: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda _response: ActionResult(answer)


def _keeping_the_policy(was: Callable[..., None]) -> Callable[..., None]:
    def set_attributes(queue: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(queue, "policy", None)
        was(queue, attributes, now)
        if "Policy" not in attributes:
            queue.policy = kept
        queue.redrive_allow_policy = queue.redrive_allow_policy or None  # "" takes it away

    return set_attributes
