"""What was applied is what was asked for: another plan finds nothing to do, but for what moto forgets.

Each of those is named here, with what it is. A test fails as well when moto has learned one.
"""

from collections.abc import Iterator
from typing import Any

from tests.infra.conftest import NEEDS_TERRAFORM, Made

pytestmark = NEEDS_TERRAFORM

FORGOTTEN = {
    # A rule between groups or to a prefix list is kept without its description.
    "aws_vpc_security_group_egress_rule": {"description"},
    "aws_vpc_security_group_ingress_rule": {"description"},
    # Tags are taken and cannot be asked for (mended_control.py answers that there are none).
    "aws_appautoscaling_target": {"tags_all"},
    "aws_budgets_budget": {"tags_all"},
    # Where a function's lines go, and in which format, is not kept.
    "aws_lambda_function": {"logging_config"},
    # Comments on keys are not kept; of a distribution, its control of the bucket's access, and that it forwards nothing;
    # and its certificate is told to be CloudFront's own as well.
    "aws_cloudfront_public_key": {"comment"},
    "aws_cloudfront_key_group": {"comment"},
    "aws_cloudfront_distribution": {"default_cache_behavior", "origin", "viewer_certificate"},
    # That a bucket tells EventBridge is heeded and not told.
    "aws_s3_bucket_notification": {"eventbridge"},
    # A service is always one of EC2's, without capacity providers, grace or rebalancing: so it would be replaced, which
    # leaves open what else it would be.
    "aws_ecs_service": {
        "availability_zone_rebalancing",
        "capacity_provider_strategy",
        "deployment_controller",
        "health_check_grace_period_seconds",
        "propagate_tags",
        "tags",
    },
}


def test_a_second_plan_finds_nothing_to_do(made: Made) -> None:
    found: dict[str, set[str]] = {}
    for one in made.workspace.changes():
        found.setdefault(one["type"], set()).update(_changed(one["change"]))
    assert found == FORGOTTEN


def _changed(change: dict[str, Any]) -> Iterator[str]:
    """The attributes that would be other ones, or of which that cannot be said yet although nothing is replaced."""
    before, after, unknown = change["before"] or {}, change["after"] or {}, change["after_unknown"]
    replaced = "delete" in change["actions"]
    for name in sorted({*before, *after, *unknown}):
        if unknown.get(name) is True:
            if not replaced:
                yield name
        elif before.get(name) != after.get(name):
            yield name
