"""What a commit asks of DynamoDB, and what its refusals mean. Nothing here talks to anybody.

Everything that can be wrong with a commit itself (too much, too large, twice) is found here, before anything is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from botocore.exceptions import ClientError

from smmu.adapters.aws.errors import code_of
from smmu.adapters.aws.rows import (
    PARTITION,
    Item,
    Layout,
    counter_name,
    counters_in,
    message_item,
    number,
    record_item,
)
from smmu.domain.limits import COMMIT_BYTES_MAX, COMMIT_CHANGES_MAX, RECORD_BYTES_MAX
from smmu.ports.errors import Conflict, LimitReached, Throttled, WorldError
from smmu.ports.ledger import Change, Count, Put, Remove
from smmu.ports.queue import Message, encode_message
from smmu.ports.records import Key, encode, key_of

_FAILED = "ConditionalCheckFailed"
_CONTENDED = frozenset({"TransactionConflict", "TransactionConflictException"})
_THROTTLED = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One item's change. `request` is the same alone and in a transaction.

    `alone`: doing it twice is as good as once, or is refused, so it needs no transaction's token when it is the only
    one. `refusal` says what it means that the condition does not hold for the item that is there.
    """

    verb: Literal["put_item", "delete_item", "update_item"]
    request: Mapping[str, Any]
    refusal: Callable[[Item], WorldError]
    alone: bool = True
    size: int = 0

    @property
    def in_transaction(self) -> dict[str, Any]:
        """The same as an element of `TransactItems`."""
        return {self.verb.removesuffix("_item").capitalize(): self.request}


def actions_of(
    changes: Sequence[Change], messages: Sequence[Message], layout: Layout, stamps: Callable[[], float]
) -> list[Action]:
    """What a commit comes to. `stamps` gives each message its place. Raises `ValueError` for what no table takes."""
    if len(changes) + len(messages) > COMMIT_CHANGES_MAX:
        raise ValueError(f"a commit has at most {COMMIT_CHANGES_MAX} changes and messages")
    named = [_named(change) for change in changes]
    if len(set(named)) < len(named):
        raise ValueError("a commit names no record twice")
    latest = {message.id: message for message in messages}
    actions = [action for change in changes if (action := _action(change, layout)) is not None]
    actions += [_note(message, layout, stamps()) for message in latest.values()]
    if sum(action.size for action in actions) > COMMIT_BYTES_MAX:
        raise ValueError(f"a commit has at most {COMMIT_BYTES_MAX} bytes")
    return actions


def judged(error: ClientError, actions: Sequence[Action]) -> tuple[WorldError | ClientError, bool]:
    """What a failed write means, and whether the same write may succeed in a moment. A bug stays as it is.

    Who was refused for a bound while others were at the same items does not know yet whether its versions hold, so it
    tries again: of the two, a conflict is told.
    """
    reasons = error.response.get("CancellationReasons", [])
    codes = {str(reason.get("Code")) for reason in reasons} | {code_of(error)}
    failed = [
        action.refusal(reason.get("Item", {}))
        for action, reason in zip(actions, reasons, strict=False)
        if reason.get("Code") == _FAILED
    ]
    conflicts = [refusal for refusal in failed if isinstance(refusal, Conflict)]
    if conflicts:
        return conflicts[0], False
    if codes & _CONTENDED:
        return Conflict("others are writing to the same records"), True
    if codes & _THROTTLED:
        return Throttled(f"a commit: {error}"), True
    return (failed[0] if failed else error), False


def _named(change: Change) -> Key[Any] | str:
    if isinstance(change, Put):
        return key_of(change.value)
    return change.owner if isinstance(change, Count) else change.key


def _action(change: Change, layout: Layout) -> Action | None:
    if isinstance(change, Put):
        return _put(change, layout)
    return _remove(change, layout) if isinstance(change, Remove) else _count(change, layout)


def _put(put: Put, layout: Layout) -> Action:
    key, data = key_of(put.value), encode(put.value)
    shelf = layout.shelf(key.table)
    if not shelf.takes(key.owner, key.id):
        raise ValueError(f"{key.table} takes no record called {key.id!r}")
    _require_small(data)
    condition = _unwritten() if put.expect == 0 else _at_version(put.expect)
    return Action(
        verb="put_item",
        request={
            "TableName": shelf.table,
            "Item": record_item(put, shelf.key(key.owner, key.id), data),
            **condition,
        },
        refusal=partial(_moved_on, key, put.expect),
        size=len(data),
    )


def _remove(remove: Remove, layout: Layout) -> Action:
    key = remove.key
    shelf = layout.shelf(key.table)
    if not shelf.takes(key.owner, key.id):
        raise Conflict(f"{key.table} has no record called {key.id!r}")
    return Action(
        verb="delete_item",
        request={"TableName": shelf.table, "Key": shelf.key(key.owner, key.id), **_at_version(remove.expect)},
        refusal=partial(_moved_on, key, remove.expect),
    )


def _count(count: Count, layout: Layout) -> Action | None:
    """Adding is no harm done twice only where a transaction's token sees that it was done: never `alone`."""
    if not count.deltas:
        return None
    names, values, adds, bounds = {}, {}, [], []
    for place, (name, delta) in enumerate(count.deltas.items()):
        names[f"#c{place}"], values[f":d{place}"] = counter_name(name), number(delta)
        adds.append(f"#c{place} :d{place}")
        bound = count.at_most.get(name)
        if delta > 0 and bound is not None:
            values[f":m{place}"] = number(bound - delta)
            absent = f" OR attribute_not_exists(#c{place})" if delta <= bound else ""
            bounds.append(f"(#c{place} <= :m{place}{absent})")
    request = {
        "TableName": layout.counters,
        "Key": layout.counters_key(count.owner),
        "UpdateExpression": f"ADD {', '.join(adds)}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        **({"ConditionExpression": " AND ".join(bounds)} if bounds else {}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",  # of several bounds, which one was passed?
    }
    return Action(verb="update_item", request=request, refusal=partial(_passed, count), alone=False)


def _note(message: Message, layout: Layout, at: float) -> Action:
    data = encode_message(message)
    _require_small(data)
    return Action(
        verb="put_item",
        request={"TableName": layout.outbox, "Item": message_item(message, data, at)},
        refusal=lambda _: Conflict(f"message {message.id}"),
        size=len(data),
    )


def _require_small(data: bytes) -> None:
    if len(data) > RECORD_BYTES_MAX:
        raise ValueError(f"a record or a message has at most {RECORD_BYTES_MAX} bytes")


def _unwritten() -> dict[str, Any]:
    return {"ConditionExpression": f"attribute_not_exists({PARTITION})"}


def _at_version(version: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": number(version)},
    }


def _moved_on(key: Key[Any], expect: int, _: Item) -> WorldError:
    return Conflict(f"{key.table}/{key.id} is not at version {expect} any more")


def _passed(count: Count, there: Item) -> WorldError:
    held = counters_in(there)
    for name, delta in count.deltas.items():
        bound = count.at_most.get(name)
        if delta > 0 and bound is not None and held.get(name, 0) + delta > bound:
            return LimitReached(f"{name} would be {held.get(name, 0) + delta}, and at most {bound} is allowed", name)
    return Conflict(f"the counters of {count.owner} changed while they were counted")
