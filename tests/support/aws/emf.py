"""The rules of CloudWatch's embedded metric format, as far as our lines can break them.

Source: "Specification: Embedded metric format", Amazon CloudWatch user guide.
"""

import json
from collections.abc import Mapping
from typing import Any

UNITS = {"Count", "Seconds", "Bytes"}  # of those that CloudWatch knows, the ones we use


def problems(line: str) -> list[str]:
    """What CloudWatch would not read of a line that is meant to have metrics."""
    document = json.loads(line)
    meta = document["_aws"]
    found = [] if isinstance(meta["Timestamp"], int) and len(str(meta["Timestamp"])) == 13 else ["no milliseconds"]
    for directive in meta["CloudWatchMetrics"]:
        found += [] if 1 <= len(directive["Namespace"]) <= 256 else ["namespace"]
        found += [problem for names in directive["Dimensions"] for problem in _dimensions(names, document)]
        found += [] if 1 <= len(directive["Metrics"]) <= 100 else ["number of metrics"]
        found += [problem for metric in directive["Metrics"] for problem in _metric(metric, document)]
    return [*found, *(["too long"] if len(line.encode()) > 256 * 1024 else [])]


def _dimensions(names: list[str], document: Mapping[str, Any]) -> list[str]:
    bad = [name for name in names if not isinstance(document.get(name), str) or not 1 <= len(document[name]) <= 1024]
    return [*bad, *(["number of dimensions"] if len(names) > 30 or len(names) != len({*names}) else [])]


def _metric(metric: Mapping[str, str], document: Mapping[str, Any]) -> list[str]:
    value = document.get(metric["Name"])
    right = isinstance(value, int | float) and not isinstance(value, bool) and metric["Unit"] in UNITS
    return [] if right else [metric["Name"]]
