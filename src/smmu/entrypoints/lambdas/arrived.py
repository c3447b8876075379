"""Hears from storage which files are there, and completes the uploads whose clients have not said so.

It hears of each a quarter of an hour late (the queue's delay), so that a client has the first word: only a client knows
what checksum the whole should have. Such events are best effort: an upload that none tells of is the sweeper's.
"""

import json
from typing import Any

from smmu.application.system import System
from smmu.domain.errors import Refused
from smmu.domain.keys import upload_of
from smmu.entrypoints.lambdas.batches import each
from smmu.entrypoints.lambdas.warm import handler


async def arrived(system: System, event: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Complete the upload of each object; the answer names the messages that failed. A refusal is no failure."""

    async def complete(body: str) -> None:
        try:
            await system.uploads.arrived(_key(body))
        except Refused as refusal:
            system.telemetry.event("arrival_refused", code=refusal.code)

    return await each(system, event, _about, complete)


def _key(body: str) -> str:
    return str(json.loads(body)["detail"]["object"]["key"])


def _about(body: str) -> dict[str, object]:
    named = upload_of(_key(body))
    return {} if named is None else dict(zip(("owner", "upload_id"), named, strict=True))


handle = handler(arrived, "arrived")
