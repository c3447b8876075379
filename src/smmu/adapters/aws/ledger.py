"""`DynamoLedger`: records, counters and the outbox in three DynamoDB tables, laid out as rows.py says.

IAM: `dynamodb:GetItem`, `PutItem`, `UpdateItem`, `DeleteItem` (a transaction needs those of its parts) and `Query` on
the three tables; `Query` on their index `work`, for the sweeper only; `BatchWriteItem` on the jobs table.

Costs, in requests (on demand; a write unit is 1 KB, a read unit 4 KB): a load or the counters is one GetItem (1 read
unit). A page is one Query; a filtered one looks at up to 500 records and pays for them. A commit of one record is one
PutItem or DeleteItem (1 write unit, and 1 or 2 more in the index when what is due changes); any other is one
TransactWriteItems, at 2 units for each KB of each item. A message costs 2 units to commit, 1 to forget, 2 in the
index. `due` is 12 queries of the index, `outgoing` is 4, at half a read unit when there is nothing: at one sweep in 10
seconds about 2 million units, or a quarter of a dollar, a month. Nothing else polls.

Reads of records are strongly consistent. The index lags, mostly for less than a second. Expired items are deleted by
DynamoDB days late, and without a condition, so nothing here relies on it. Messages of one process are in order; those
of several are ordered by their clocks.

After a lost answer the SDK repeats a request by itself. A transaction's token makes that the same as once (for 10
minutes). A single write may find itself done: that is a `Conflict`, as the port says, and its caller loads and sees.
"""

import heapq
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.actions import Action, actions_of, judged
from smmu.adapters.aws.bulk import delete_all
from smmu.adapters.aws.errors import translating
from smmu.adapters.aws.pauses import pauses
from smmu.adapters.aws.rows import (
    DUE,
    OUTBOX,
    PARTITION,
    WORK,
    WORK_AT,
    WORK_INDEX,
    Item,
    Layout,
    Shelf,
    counters_in,
    message_key,
    number,
    partition,
    shards,
    stored_in,
    work_at,
)
from smmu.ports.ledger import Change, Ledger, Page, Query, V
from smmu.ports.queue import Message, decode_message
from smmu.ports.records import HOME, Key, Stored, T
from smmu.ports.system import Clock

_LOOKED_AT = 500  # records that a filtered page looks at
_TICK_SECONDS = 1e-6  # between the stamps of two messages


class DynamoLedger(Ledger):
    """The ledger of one deployment."""

    def __init__(self, clients: Clients, resources: Resources, clock: Clock) -> None:
        self._db = clients.dynamodb
        self._layout = Layout(resources)
        self._clock = clock
        self._stamped = 0.0

    async def load(self, key: Key[T]) -> Stored[T] | None:
        """See the port."""
        shelf = self._layout.shelf(key.table)
        if not shelf.takes(key.owner, key.id):
            return None
        item = await self._get(shelf.table, shelf.key(key.owner, key.id))
        return None if item is None else stored_in(key.type, item)

    async def query(self, query: Query[V]) -> Page[V]:
        """See the port. One request, so a page of a filtered list may be short."""
        shelf = self._layout.shelf(HOME[query.type])
        asked = _asked(shelf, query)
        if asked is None:
            return Page(items=(), cursor=None)
        with translating(f"a list of {shelf.kind}"):
            answer = await self._db.query(**asked)
        found, last = answer["Items"], answer.get("LastEvaluatedKey")
        page = found[: query.limit]
        if len(found) > query.limit:
            last = page[-1]
        items = tuple(stored_in(query.type, item) for item in page)
        return Page(items=items, cursor=None if last is None else shelf.id_in(last))

    async def commit(self, changes: Sequence[Change], messages: Sequence[Message] = ()) -> None:
        """See the port. Tries again a few times when others write to the same records at the same moment."""
        actions = actions_of(changes, messages, self._layout, self._next_stamp)
        if not actions:
            return
        token = secrets.token_hex(16)  # the same for every try: what was done is not done again
        for pause in (*pauses(), None):
            try:
                with translating("a commit"):
                    await self._write(actions, token)
            except ClientError as error:
                refusal, passes = judged(error, actions)
                if refusal is error:
                    raise
                if pause is None or not passes:
                    raise refusal from error
                await anyio.sleep(pause)
            else:
                return

    async def counters(self, owner: str) -> Mapping[str, int]:
        """See the port."""
        item = await self._get(self._layout.counters, self._layout.counters_key(owner))
        return counters_in(item or {})

    async def due(self, now: float, limit: int) -> Sequence[Key[Any]]:
        """See the port. It lags as the index does."""
        found = [
            (work_at(item), table, item)
            for table in self._layout.tables
            for shard in shards(DUE)
            async for item in self._waiting(table, shard, limit, until=now)
        ]
        first = heapq.nsmallest(limit, found, key=lambda row: row[0])
        return [self._layout.record_in(table, item) for _, table, item in first]

    async def outgoing(self, limit: int) -> Sequence[Message]:
        """See the port. It lags as the index does."""
        table = self._layout.outbox
        found = [item for shard in shards(OUTBOX) async for item in self._waiting(table, shard, limit)]
        first = heapq.nsmallest(limit, found, key=work_at)
        return [decode_message(item["message"]["S"]) for item in first]

    async def mark_sent(self, message_ids: Sequence[str]) -> None:
        """See the port. Raises `Throttled` when some of them could not be forgotten; the others are."""
        ids = list(dict.fromkeys(message_ids))
        await delete_all(self._db, self._layout.outbox, [message_key(one) for one in ids], "the outbox")

    async def _get(self, table: str, key: Item) -> Item | None:
        with translating("a record"):
            answer = await self._db.get_item(TableName=table, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    async def _write(self, actions: Sequence[Action], token: str) -> None:
        first, *others = actions
        if first.alone and not others:
            await getattr(self._db, first.verb)(**first.request)
            return
        together = [action.in_transaction for action in actions]
        await self._db.transact_write_items(TransactItems=together, ClientRequestToken=token)

    async def _waiting(self, table: str, shard: str, limit: int, *, until: float | None = None) -> AsyncIterator[Item]:
        """Up to `limit` items of one shard of the index, the longest waiting first."""
        asked = _shard_query(table, shard, until)
        while limit > 0:
            with translating("what waits"):
                answer = await self._db.query(**asked, Limit=limit)
            for item in answer["Items"]:
                yield item
            limit -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _next_stamp(self) -> float:
        """The time, but always later than before: what is committed later is listed later."""
        self._stamped = max(self._clock.now(), self._stamped + _TICK_SECONDS)
        return self._stamped


def _asked(shelf: Shelf, query: Query[V]) -> dict[str, Any] | None:
    """The request for a page; `None` when there can be nothing on it."""
    if query.limit < 1:
        raise ValueError("a page holds at least one record")
    start = shelf.mark + query.prefix
    if start and start < shelf.first:
        return None
    after = None if query.after is None else shelf.mark + query.after
    if after is not None and not _goes_on(shelf, start, after, newest=query.newest):
        if (after > (start or shelf.first)) != query.newest:
            return None  # the whole list is behind the cursor
        after = None  # or before it
    filters, names, values = _filters(query)
    owner, condition = partition(query.owner), "begins_with(#sort, :start)" if start else "#sort >= :start"
    return {
        "TableName": shelf.table,
        "KeyConditionExpression": f"#owner = :owner AND {condition}",
        "ExpressionAttributeNames": {"#owner": PARTITION, "#sort": shelf.sort, **names},
        "ExpressionAttributeValues": {":owner": owner[PARTITION], ":start": {"S": start or shelf.first}, **values},
        "ScanIndexForward": not query.newest,
        "ConsistentRead": True,
        "Limit": max(query.limit + 1, _LOOKED_AT if filters else 0),  # one more tells whether there is more
        **({"FilterExpression": filters} if filters else {}),
        **({"ExclusiveStartKey": {**owner, shelf.sort: {"S": after}}} if after is not None else {}),
    }


def _goes_on(shelf: Shelf, start: str, after: str, *, newest: bool) -> bool:
    """Whether a list may go on behind this sort key. DynamoDB refuses where nothing that was asked for can follow."""
    first = start or shelf.first
    within = after.startswith(start) if start else after >= first
    return within and not (newest and after == first)


def _filters(query: Query[V]) -> tuple[str, dict[str, str], Item]:
    wanted = {name: value for name, value in (("state", query.state), ("kind", query.kind)) if value is not None}
    expression = " AND ".join(f"#{name} = :{name}" for name in wanted)
    return expression, {f"#{name}": name for name in wanted}, {f":{name}": {"S": wanted[name]} for name in wanted}


def _shard_query(table: str, shard: str, until: float | None) -> dict[str, Any]:
    bound, names, values = "", {"#work": WORK}, {":work": {"S": shard}}
    if until is not None:
        bound = " AND #at <= :until"
        names["#at"], values[":until"] = WORK_AT, number(until)
    return {
        "TableName": table,
        "IndexName": WORK_INDEX,
        "KeyConditionExpression": f"#work = :work{bound}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
