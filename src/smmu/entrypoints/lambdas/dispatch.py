"""Starts runs: messages of the jobs queue come in batches, and only those that failed come back."""

from typing import Any

from smmu.application.lines import of_message
from smmu.application.messages import request_in
from smmu.application.system import System
from smmu.entrypoints.lambdas.warm import handler
from smmu.ports.about import About
from smmu.ports.queue import decode_message


async def dispatch(system: System, event: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The partial answer that names the messages which failed; it never raises, which would fail them all."""
    failed = [record["messageId"] for record in event["Records"] if not await _dispatched(system, record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _dispatched(system: System, record: dict[str, Any]) -> bool:
    about: dict[str, object] = {"message_id": record["messageId"]}
    try:
        message = decode_message(record["body"])
        about.update(of_message(message))
        with About(**about):
            await system.jobs.dispatch(request_in(message))
    except Exception as error:  # noqa: BLE001 - the boundary: one bad message must not fail the others
        system.telemetry.event("message_failed", **about, error=repr(error))
        return False
    return True


handle = handler(dispatch, "dispatch")
