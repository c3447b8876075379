"""Messages of a queue come in batches: each is done for itself, and only those that failed come back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from smmu.application.system import System
from smmu.ports.about import About

Tell = Callable[[str], Mapping[str, object]]
Work = Callable[[str], Awaitable[None]]


async def each(system: System, event: Any, tell: Tell, work: Work) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Do `work` on each message's body; the answer names those that failed.

    `tell` reads from the body what lines are about meanwhile. It never raises, which would fail the whole batch.
    """
    failed = [record["messageId"] for record in event["Records"] if not await _done(system, record, tell, work)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _done(system: System, record: dict[str, Any], tell: Tell, work: Work) -> bool:
    about: dict[str, object] = {"message_id": record["messageId"]}
    try:
        about.update(tell(record["body"]))
        with About(**about):
            await work(record["body"])
    except Exception as error:  # noqa: BLE001 - the boundary: one bad message must not fail the others
        system.telemetry.event("message_failed", **about, error=repr(error))
        return False
    return True
