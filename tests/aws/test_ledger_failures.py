"""`DynamoLedger` on DynamoDB's bad days: what the SDK tries again, what we do, and what a caller is told."""

import pytest
from botocore.exceptions import ClientError

from smmu.adapters.aws.ledger import DynamoLedger
from smmu.ports.errors import Conflict, Denied, LimitReached, Throttled, Unavailable
from smmu.ports.ledger import Change, Count, Put, Query, Remove
from smmu.ports.records import Stored, key_of
from tests.support.aws.faults import Body, Forward, Weather, answer_lost, answered, cancelled, refused, unreachable
from tests.support.records import OWNER, a_job, a_message, an_upload

TRIES = 4  # the SDK's
WRITES = 6  # ours
FIRST = Put(value=a_job(), expect=0)
SECOND = Put(value=an_upload(), expect=0)
THROTTLED = refused("ThrottlingException")


# --- too much at once


async def test_a_throttled_request_is_tried_again(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["PutItem"] = [refused("ProvisionedThroughputExceededException")]
    await ledger.commit([FIRST])
    assert sky.actions == ["PutItem", "PutItem"]


async def test_what_is_throttled_again_and_again_is_told_as_that(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["PutItem"] = [THROTTLED] * TRIES
    with pytest.raises(Throttled):
        await ledger.commit([FIRST])
    assert await ledger.load(key_of(a_job())) is None


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
async def test_a_transaction_that_was_throttled_in_part_is_tried_again(
    ledger: DynamoLedger, sky: Weather, code: str
) -> None:
    sky.planned["TransactWriteItems"] = [cancelled("None", code)] * 2
    await ledger.commit([FIRST, SECOND])
    assert await ledger.load(key_of(a_job())) == Stored(a_job(), 1)


async def test_a_transaction_that_stays_throttled_is_told_as_that(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["TransactWriteItems"] = [cancelled("ThrottlingError", "None")] * WRITES
    with pytest.raises(Throttled):
        await ledger.commit([FIRST, SECOND])


# --- others at the same records


async def test_a_transaction_that_met_another_is_tried_again_as_the_same(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["TransactWriteItems"] = [cancelled("TransactionConflict", "None")] * 2
    await ledger.commit([FIRST, SECOND])
    assert len({body["ClientRequestToken"] for body in sky.asked("TransactWriteItems")}) == 1
    assert await ledger.load(key_of(a_job())) == Stored(a_job(), 1)


async def test_a_single_write_that_met_a_transaction_is_tried_again(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["PutItem"] = [refused("TransactionConflictException")]
    await ledger.commit([FIRST])
    assert await ledger.load(key_of(a_job())) == Stored(a_job(), 1)


async def test_who_never_gets_through_has_a_conflict(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["TransactWriteItems"] = [cancelled("None", "TransactionConflict")] * WRITES
    with pytest.raises(Conflict):
        await ledger.commit([FIRST, SECOND])


async def test_a_bound_is_told_only_when_nobody_else_was_at_the_records(ledger: DynamoLedger, sky: Weather) -> None:
    counted: list[Change] = [FIRST, Count(owner=OWNER, deltas={"bytes": 1}, at_most={"bytes": 1})]
    await ledger.commit(counted)
    sky.planned["TransactWriteItems"] = [cancelled("TransactionConflict", "ConditionalCheckFailed")]
    with pytest.raises(Conflict):
        await ledger.commit(counted)
    with pytest.raises(LimitReached):
        await ledger.commit([SECOND, counted[1]])


# --- answers that never came


async def test_a_single_write_whose_answer_was_lost_finds_itself_done(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["PutItem"] = [answer_lost]
    with pytest.raises(Conflict):
        await ledger.commit([FIRST])
    assert await ledger.load(key_of(a_job())) == Stored(a_job(), 1)


async def test_a_transaction_whose_answer_was_lost_is_repeated_under_its_token(
    ledger: DynamoLedger, sky: Weather
) -> None:
    """DynamoDB answers the second as the first; the stand-in knows no tokens, so here the answer is planned."""
    sky.planned["TransactWriteItems"] = [answer_lost, answered()]
    await ledger.commit([FIRST, Count(owner=OWNER, deltas={"bytes": 1})])
    first, second = sky.asked("TransactWriteItems")
    assert first["ClientRequestToken"] == second["ClientRequestToken"]
    assert await ledger.counters(OWNER) == {"bytes": 1}


async def test_counting_alone_is_repeated_under_a_token_too(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["TransactWriteItems"] = [answer_lost, answered()]
    await ledger.commit([Count(owner=OWNER, deltas={"bytes": 1})])
    assert await ledger.counters(OWNER) == {"bytes": 1}


async def test_after_unavailable_a_caller_loads_and_sees(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["TransactWriteItems"] = [answer_lost, *[unreachable] * (TRIES - 1)]
    with pytest.raises(Unavailable):
        await ledger.commit([FIRST], [a_message()])
    assert await ledger.load(key_of(a_job())) == Stored(a_job(), 1)
    assert list(await ledger.outgoing(10)) == [a_message()]


async def test_a_server_error_is_tried_again(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["GetItem"] = [refused("InternalServerError", 500)]
    assert await ledger.load(key_of(a_job())) is None


# --- done in part


async def test_messages_that_were_not_forgotten_at_once_are_in_the_end(ledger: DynamoLedger, sky: Weather) -> None:
    def only_the_first(body: Body, forward: Forward) -> tuple[int, Body]:
        ((table, (first, *others)),) = body["RequestItems"].items()
        status, answer = forward({"RequestItems": {table: [first]}})
        return status, {**answer, "UnprocessedItems": {table: others}}

    names = [f"m{number}" for number in range(4)]
    await ledger.commit([], [a_message(name) for name in names])
    sky.planned["BatchWriteItem"] = [only_the_first, only_the_first]
    await ledger.mark_sent(names)
    assert [len(*body["RequestItems"].values()) for body in sky.asked("BatchWriteItem")] == [4, 3, 2]
    assert await ledger.outgoing(10) == []


async def test_messages_that_cannot_be_forgotten_are_told(ledger: DynamoLedger, sky: Weather) -> None:
    def nothing(body: Body, _: Forward) -> tuple[int, Body]:
        return 200, {"UnprocessedItems": body["RequestItems"]}

    await ledger.commit([], [a_message()])
    sky.planned["BatchWriteItem"] = [nothing] * WRITES
    with pytest.raises(Throttled):
        await ledger.mark_sent(["m1"])
    assert list(await ledger.outgoing(10)) == [a_message()]


# --- neither bad luck nor us


async def test_a_missing_permission_is_told_as_that(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["Query"] = [refused("AccessDeniedException")]
    with pytest.raises(Denied):
        await ledger.query(Query(type=type(a_job()), owner=OWNER))


async def test_what_nobody_expects_is_our_bug_and_passes_through(ledger: DynamoLedger, sky: Weather) -> None:
    sky.planned["TransactWriteItems"] = [cancelled("ValidationError", "None")]
    with pytest.raises(ClientError):
        await ledger.commit([FIRST, Remove(key=key_of(an_upload()), expect=1)])
