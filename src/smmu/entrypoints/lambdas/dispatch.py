"""Starts runs: messages of the jobs queue come in batches, and only those that failed come back."""

from typing import Any

from smmu.application.lines import of_message
from smmu.application.messages import request_in
from smmu.application.system import System
from smmu.entrypoints.lambdas.batches import each
from smmu.entrypoints.lambdas.warm import handler
from smmu.ports.queue import decode_message


async def dispatch(system: System, event: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Start the run of each message; the answer names those that failed."""

    async def start(body: str) -> None:
        await system.jobs.dispatch(request_in(decode_message(body)))

    return await each(system, event, lambda body: of_message(decode_message(body)), start)


handle = handler(dispatch, "dispatch")
