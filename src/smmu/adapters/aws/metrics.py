"""Metrics for CloudWatch, inside of the very lines that tell what happened: the embedded metric format.

CloudWatch reads them out of the log groups of functions and containers; nothing is sent from here, and nobody needs a
right to send. What a metric's dimensions are is decided by the table in `domain/happenings.py`: the deployment alone,
for alarms, and the deployment with what the line's metrics are divided by, for dashboards.

Source: "Specification: Embedded metric format", Amazon CloudWatch user guide. IAM: none but what writes logs. Costs:
each combination of name and dimensions is a custom metric, by the month; the line itself is paid for as any other.
"""

from collections.abc import Mapping
from typing import Any

from smmu.domain.happenings import divided, measured

NAMESPACE = "SMMU"
DEPLOYMENT = "deployment"


class EmbeddedMetrics:
    """What a line of one deployment has besides, for CloudWatch to read."""

    def __init__(self, deployment: str) -> None:
        self._always = {DEPLOYMENT: deployment}

    def __call__(self, at: float, name: str, fields: Mapping[str, object]) -> dict[str, Any]:
        """The members that make metrics of a line; none when nothing is measured by it."""
        found = list(measured(name, fields))
        if not found:
            return {}
        by = divided(name, fields)
        sets = [[DEPLOYMENT], [DEPLOYMENT, *by]] if by else [[DEPLOYMENT]]
        metrics = [{"Name": one.metric.name, "Unit": one.metric.unit.value} for one in found]
        directive = {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics}
        return {
            "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]},
            **self._always,
            **by,
            **{one.metric.name: one.value for one in found},
        }
