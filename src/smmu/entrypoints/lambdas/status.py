"""Hears how runs ended, and settles jobs that do not know it. Such events are best effort: the sweeper looks too."""

import json
from typing import Any

from smmu.application.lines import of_run
from smmu.application.system import System
from smmu.entrypoints.lambdas.warm import handler
from smmu.ports.about import About
from smmu.ports.orchestrator import RunRequest


async def look(system: System, event: Any) -> None:  # noqa: ANN401 - JSON
    """Look at the job whose run the event is about: its input says which that is."""
    given = json.loads(event["detail"]["input"])
    request = RunRequest(
        owner=given["owner"], job_id=given["job_id"], attempt=given["attempt"], trace=given.get("trace", "")
    )
    with About(**of_run(request)):
        await system.sweeper.look_at(request)


handle = handler(look, "status")
