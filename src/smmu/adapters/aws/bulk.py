"""Many writes to one table that need not be done together: in batches, again what DynamoDB had no time for.

One batch after the other: one partition takes about 1,000 writes a second, which a single writer reaches.
"""

from collections.abc import Sequence
from typing import Any

import anyio

from smmu.adapters.aws.errors import translating
from smmu.adapters.aws.pauses import pauses
from smmu.adapters.aws.rows import Item
from smmu.ports.errors import Throttled

_WRITES_MAX = 25  # in one BatchWriteItem


async def put_all(dynamodb: Any, table: str, items: Sequence[Item], what: str) -> None:  # noqa: ANN401 - the SDK's client
    """Write all items, each key once. Raises `Throttled` when some were not; the others are."""
    await _write_all(dynamodb, table, [{"PutRequest": {"Item": item}} for item in items], what)


async def delete_all(dynamodb: Any, table: str, keys: Sequence[Item], what: str) -> None:  # noqa: ANN401 - the same
    """Delete the items of all keys, each key once. Raises `Throttled` when some were not; the others are."""
    await _write_all(dynamodb, table, [{"DeleteRequest": {"Key": key}} for key in keys], what)


async def _write_all(dynamodb: Any, table: str, requests: Sequence[Item], what: str) -> None:  # noqa: ANN401
    for start in range(0, len(requests), _WRITES_MAX):
        await _write(dynamodb, {table: requests[start : start + _WRITES_MAX]}, what)


async def _write(dynamodb: Any, requests: dict[str, Sequence[Item]], what: str) -> None:  # noqa: ANN401
    for pause in (*pauses(), None):
        with translating(what):
            answer = await dynamodb.batch_write_item(RequestItems=requests)
        requests = answer.get("UnprocessedItems", {})
        if not requests:
            return
        if pause is not None:
            await anyio.sleep(pause)
    raise Throttled(f"{what}: {sum(map(len, requests.values()))} of a batch could not be written")
