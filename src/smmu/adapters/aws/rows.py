"""Items of the three tables: which key each record has, and what its item says.

    table              partition   sort key
    …-jobs             userId      jobId      `job_…` jobs; `#task#…`, `#run#…`, `#event#…`; `#outbox` messages
    …-upload-sessions  userId      uploadId   `upl_…` uploads; `#key#…` idempotency keys; `#counters` all of an owner's
    …-media            userId      mediaId    `med_…` media; `#word#…`, `#words#…` what they are found by (search.py)

`userId` is the owner as key segments have it (domain/keys.py), so that one tag of a session gives rights to both
(sessions.py); but for a message, which is found by its own id. What begins with `#` is never a job, an upload or a
media: their ids begin with a later character, so a list of them begins behind everything else.

A record's item has `version` (N), `state`, `kind` (S) and `value` (S, the JSON of ports/records.py). What is due or
outgoing also has `work` (S: what it waits for, and one of `SHARDS`) and `workAt` (N, Unix seconds), the keys of the
index `work`, which holds nothing else; what is due has its `owner` (S) there. A counter is an attribute `count:{name}`
(N). `expiresAt` (N, Unix seconds) is where DynamoDB may forget an item, days late: only what nobody needs any more has
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from smmu.adapters.aws.account import Resources
from smmu.domain.keys import owner_segment
from smmu.domain.upload import Upload
from smmu.ports.ledger import Put
from smmu.ports.queue import Message, decode_message
from smmu.ports.records import HOME, IdempotencyKey, Key, Stored, T, Table, decode, key_of, kind_of, state_of

Item = dict[str, dict[str, Any]]

PARTITION = "userId"
OWNER = "owner"
WORK_INDEX, WORK, WORK_AT = "work", "work", "workAt"
EXPIRES_AT = "expiresAt"
DUE, OUTBOX = "due", "outbox"
SHARDS = 4  # one key of the index takes about 1,000 writes a second; the sweeper asks for every shard in turn

_AFTER_MARK = "$"  # the character after "#"
_OUTBOX_SORT, _COUNTERS_SORT, _COUNTER = "#outbox", "#counters", "count:"
_SORT_BYTES_MAX = 1_024
_KEY_KEPT_SECONDS = 86_400  # after the sweeper should have removed it
_UPLOAD_KEPT_SECONDS = 90 * 86_400  # after nothing was left to do for it
_TYPE_OF: Mapping[Table, Any] = {table: kind for kind, table in HOME.items()}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where one type of records is: a table, its sort key's name, and what the sort keys of this type begin with."""

    kind: Table
    table: str
    sort: str
    mark: str = ""

    @property
    def first(self) -> str:
        """No sort key of this type comes before this."""
        return self.mark or _AFTER_MARK

    def takes(self, owner: str, record_id: str) -> bool:
        """Whether there can be such a record."""
        sort = self.mark + record_id
        return len(sort.encode()) <= _SORT_BYTES_MAX and sort >= self.first and "" not in (owner, record_id)

    def key(self, owner: str, record_id: str) -> Item:
        """The primary key of a record."""
        return {**partition(owner), self.sort: {"S": self.mark + record_id}}

    def id_in(self, item: Item) -> str:
        """The record's id in its item, or in its key."""
        return str(item[self.sort]["S"]).removeprefix(self.mark)


class Layout:
    """The tables of one deployment."""

    def __init__(self, resources: Resources) -> None:
        jobs, uploads = (resources.jobs_table, "jobId"), (resources.uploads_table, "uploadId")
        self._shelves = {
            Table.JOBS: Shelf(Table.JOBS, *jobs),
            Table.TASKS: Shelf(Table.TASKS, *jobs, "#task#"),
            Table.RUNS: Shelf(Table.RUNS, *jobs, "#run#"),
            Table.EVENTS: Shelf(Table.EVENTS, *jobs, "#event#"),
            Table.UPLOADS: Shelf(Table.UPLOADS, *uploads),
            Table.KEYS: Shelf(Table.KEYS, *uploads, "#key#"),
            Table.MEDIA: Shelf(Table.MEDIA, resources.media_table, "mediaId"),
        }
        self.tables = (resources.jobs_table, resources.uploads_table, resources.media_table)
        self.outbox = resources.jobs_table
        self.counters = resources.uploads_table

    def shelf(self, table: Table) -> Shelf:
        """Where records of a type are."""
        return self._shelves[table]

    def record_in(self, table: str, item: Item) -> Key[Any]:
        """Which record an item of a table is of that is due."""
        of_table = [shelf for shelf in self._shelves.values() if shelf.table == table]
        fits = [shelf for shelf in of_table if str(item[shelf.sort]["S"]).startswith(shelf.mark)]
        shelf = max(fits, key=lambda fit: len(fit.mark))
        return Key(_TYPE_OF[shelf.kind], item[OWNER]["S"], shelf.id_in(item))

    def counters_key(self, owner: str) -> Item:
        """The primary key of an owner's counters."""
        return {**partition(owner), self._shelves[Table.UPLOADS].sort: {"S": _COUNTERS_SORT}}


def partition(owner: str) -> Item:
    """The first half of every primary key of an owner's."""
    return {PARTITION: {"S": owner_segment(owner)}}


def record_item(put: Put, key: Item, data: bytes) -> Item:
    """The item of a put, whose value is encoded as `data`."""
    item: Item = {
        **key,
        "version": number(put.expect + 1),
        "state": {"S": state_of(put.value)},
        "kind": {"S": kind_of(put.value)},
        "value": {"S": data.decode()},
    }
    if put.due_at is not None:
        place = "/".join(str(value["S"]) for value in key.values())
        due = {WORK: {"S": shard_of(DUE, place)}, WORK_AT: number(put.due_at)}
        item |= {**due, OWNER: {"S": key_of(put.value).owner}}
    forgotten_at = _forgotten_at(put)
    return item if forgotten_at is None else {**item, EXPIRES_AT: number(int(forgotten_at))}


def stored_in(kind: type[T], item: Item) -> Stored[T]:
    """The record an item holds."""
    return Stored(decode(kind, item["value"]["S"]), int(item["version"]["N"]))


def number(value: float) -> dict[str, str]:
    """A number as DynamoDB takes it."""
    return {"N": repr(value)}


# --- what waits for somebody


def shard_of(what: str, place: str) -> str:
    """The index key under which something waits, by where it is."""
    return f"{what}#{crc32(place.encode()) % SHARDS}"


def shards(what: str) -> list[str]:
    """All index keys under which something waits."""
    return [f"{what}#{shard}" for shard in range(SHARDS)]


def work_at(item: Item) -> float:
    """Since when an item of the index waits, in Unix seconds."""
    return float(item[WORK_AT]["N"])


# --- messages


def message_key(message_id: str) -> Item:
    """The primary key of an outgoing message."""
    return {PARTITION: {"S": message_id}, "jobId": {"S": _OUTBOX_SORT}}


def message_item(message: Message, data: bytes, at: float) -> Item:
    """The item of an outgoing message, encoded as `data`; `at` (Unix seconds) is its place among them."""
    waits = {WORK: {"S": shard_of(OUTBOX, message.id)}, WORK_AT: number(at)}
    return {**message_key(message.id), "message": {"S": data.decode()}, **waits}


def message_in(record: Mapping[str, Any]) -> Message | None:
    """The message that a record of the jobs table's stream brings; `None` for any other change.

    `record` is one of `Records` as a Lambda function gets them, of a stream with new images. The same message may come
    twice; what was sent should be forgotten by `Ledger.mark_sent`. An event source filter that passes only these:
    `{"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"jobId": {"S": ["#outbox"]}}}}`.
    """
    change = record["dynamodb"]
    image = change.get("NewImage")
    if image is None or change["Keys"].get("jobId", {}).get("S") != _OUTBOX_SORT:
        return None
    return decode_message(image["message"]["S"])


# --- counters


def counter_name(name: str) -> str:
    """The attribute that a counter is."""
    return f"{_COUNTER}{name}"


def counters_in(item: Item) -> dict[str, int]:
    """The counters that an owner's item has, by name."""
    return {name.removeprefix(_COUNTER): int(item[name]["N"]) for name in item if name.startswith(_COUNTER)}


def _forgotten_at(put: Put) -> float | None:
    """When DynamoDB may forget a record. The sweeper's work (`due_at`) comes first: it gives back what is held."""
    if isinstance(put.value, IdempotencyKey):
        return put.value.expires_at + _KEY_KEPT_SECONDS
    if isinstance(put.value, Upload) and put.due_at is None:
        return put.value.updated_at + _UPLOAD_KEPT_SECONDS
    return None
