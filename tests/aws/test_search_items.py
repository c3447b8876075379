"""What `DynamoSearchIndex` leaves in the media table, whoever is stopped or gets in each other's way."""

import math

import anyio
import pytest

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.search import DynamoSearchIndex
from smmu.domain.media import Media
from smmu.ports.errors import Conflict, Throttled, Unavailable
from smmu.ports.ledger import Query
from tests.support.aws.faults import Body, Fault, Forward, Weather, cancelled, refused, unreachable

TRIES = 4  # the SDK's
WRITES = 6  # ours
BUSY = cancelled("TransactionConflict", "None")
LOST = cancelled("None", "ConditionalCheckFailed")


@pytest.fixture
def index(clients: Clients, resources: Resources) -> DynamoSearchIndex:
    return DynamoSearchIndex(clients, resources)


async def find(index: DynamoSearchIndex, *words: str) -> list[str]:
    return [*await index.find("ada", frozenset(words), after=None, limit=10)]


async def words_left(clients: Clients, resources: Resources) -> list[tuple[str, str]]:
    """The words and media of all items that a question looks at."""
    items = (await clients.dynamodb.scan(TableName=resources.media_table))["Items"]
    sorts = [item["mediaId"]["S"].split("#") for item in items]
    return sorted((place[2], place[3]) for place in sorts if place[1] == "word")


async def count(clients: Clients, resources: Resources) -> int:
    return int((await clients.dynamodb.scan(TableName=resources.media_table))["Count"])


async def test_what_was_replaced_or_removed_is_deleted(
    index: DynamoSearchIndex, clients: Clients, resources: Resources
) -> None:
    await index.put("ada", "med_1", frozenset({"old", "same"}))
    await index.put("ada", "med_1", frozenset({"new", "same"}))
    await index.put("ada", "med_10", frozenset({"other"}))
    assert await words_left(clients, resources) == [("new", "med_1"), ("other", "med_10"), ("same", "med_1")]
    await index.remove("ada", "med_1")
    assert await words_left(clients, resources) == [("other", "med_10")]
    await index.remove("ada", "med_10")
    assert await count(clients, resources) == 0


async def test_words_are_no_media(index: DynamoSearchIndex, ledger: DynamoLedger) -> None:
    await index.put("ada", "med_1", frozenset({"holiday"}))
    for newest in (False, True):
        page = await ledger.query(Query(type=Media, owner="ada", newest=newest))
        assert (page.items, page.cursor) == ((), None)


async def test_a_media_has_more_words_than_an_item_and_a_batch(
    index: DynamoSearchIndex, clients: Clients, resources: Resources, sky: Weather
) -> None:
    many = frozenset(f"w{number:05}" for number in range(501))
    await index.put("ada", "med_1", many)
    assert len(sky.asked("BatchWriteItem")) == 1 + math.ceil(len(many) / 25)
    assert await find(index, "w00000", "w00500") == ["med_1"]
    await index.remove("ada", "med_1")
    assert await count(clients, resources) == 0


async def test_the_same_words_again_are_one_request(index: DynamoSearchIndex, sky: Weather) -> None:
    await index.put("ada", "med_1", frozenset({"a", "b"}))
    before = len(sky.actions)
    await index.put("ada", "med_1", frozenset({"b", "a"}))
    assert sky.actions[before:] == ["Query"]


async def test_a_media_without_words_is_fine(index: DynamoSearchIndex, clients: Clients, resources: Resources) -> None:
    await index.put("ada", "med_1", frozenset({"a"}))
    await index.put("ada", "med_1", frozenset())
    assert await words_left(clients, resources) == []
    assert await find(index, "a") == []


@pytest.mark.parametrize("action", ["BatchWriteItem", "TransactWriteItems"])
async def test_who_is_stopped_changes_nothing_and_the_next_one_clears_up(
    index: DynamoSearchIndex, clients: Clients, resources: Resources, sky: Weather, action: str
) -> None:
    await index.put("ada", "med_1", frozenset({"old"}))
    sky.planned[action] = [unreachable] * TRIES
    with pytest.raises(Unavailable):
        await index.put("ada", "med_1", frozenset({"new"}))
    assert (await find(index, "old"), await find(index, "new")) == (["med_1"], [])
    await index.put("ada", "med_1", frozenset({"newer"}))
    assert await words_left(clients, resources) == [("newer", "med_1")]


async def test_who_is_stopped_while_he_clears_up_has_done_his_work(
    index: DynamoSearchIndex, clients: Clients, resources: Resources, sky: Weather
) -> None:
    def stopped(_: Body, __: Forward) -> None:
        sky.planned["BatchWriteItem"] = [unreachable] * (TRIES - 1)

    def turned(body: Body, forward: Forward) -> tuple[int, Body]:
        sky.planned["BatchWriteItem"] = [stopped]
        return forward(body)

    await index.put("ada", "med_1", frozenset({"old"}))
    sky.planned["TransactWriteItems"] = [turned]
    with pytest.raises(Unavailable):
        await index.put("ada", "med_1", frozenset({"new"}))
    assert (await find(index, "old"), await find(index, "new")) == ([], ["med_1"])
    await index.put("ada", "med_1", frozenset({"new"}))
    assert await words_left(clients, resources) == [("new", "med_1")]


@pytest.mark.parametrize("bad_luck", [BUSY, LOST, cancelled("ThrottlingError", "None")])
async def test_who_meets_another_writer_begins_again_and_leaves_nothing(
    index: DynamoSearchIndex, clients: Clients, resources: Resources, sky: Weather, bad_luck: Fault
) -> None:
    sky.planned["TransactWriteItems"] = [bad_luck] * 2
    await index.put("ada", "med_1", frozenset({"mine"}))
    assert await words_left(clients, resources) == [("mine", "med_1")]
    sky.planned["TransactWriteItems"] = [BUSY]
    await index.remove("ada", "med_1")
    assert await count(clients, resources) == 0


async def test_who_meets_others_again_and_again_is_told(
    index: DynamoSearchIndex, clients: Clients, resources: Resources, sky: Weather
) -> None:
    sky.planned["TransactWriteItems"] = [LOST] * WRITES
    with pytest.raises(Conflict):
        await index.put("ada", "med_1", frozenset({"mine"}))
    assert await count(clients, resources) == 0


async def test_of_many_writers_at_once_one_has_its_way_whole(
    index: DynamoSearchIndex, clients: Clients, resources: Resources
) -> None:
    async with anyio.create_task_group() as writers:
        for name in "abc":
            writers.start_soon(index.put, "ada", "med_1", frozenset({name, f"{name}2", "same"}))
    found = [name for name in "abc" if await find(index, name)]
    assert len(found) == 1
    assert await words_left(clients, resources) == [(word, "med_1") for word in (found[0], f"{found[0]}2", "same")]


# --- a question on a bad day


async def test_a_question_that_meets_a_change_looks_again(index: DynamoSearchIndex, sky: Weather) -> None:
    def changed(body: Body, forward: Forward) -> tuple[int, Body]:
        status, answer = forward(body)
        for items in answer["Responses"].values():
            items[0]["edition"] = {"S": "of somebody else"}
        return status, answer

    await index.put("ada", "med_1", frozenset({"word"}))
    sky.planned["BatchGetItem"] = [changed]
    assert await find(index, "word") == ["med_1"]


async def test_what_was_not_read_at_once_is_read_in_the_end(
    index: DynamoSearchIndex, resources: Resources, sky: Weather
) -> None:
    def later(body: Body, _: Forward) -> tuple[int, Body]:
        return 200, {"Responses": {resources.media_table: []}, "UnprocessedKeys": body["RequestItems"]}

    await index.put("ada", "med_1", frozenset({"word"}))
    sky.planned["BatchGetItem"] = [later]
    assert await find(index, "word") == ["med_1"]
    sky.planned["BatchGetItem"] = [later] * WRITES
    with pytest.raises(Throttled):
        await find(index, "word")


async def test_no_further_word_is_asked_for_when_one_is_nowhere(index: DynamoSearchIndex, sky: Weather) -> None:
    await index.put("ada", "med_1", frozenset({"sea"}))
    before = len(sky.actions)
    assert await find(index, "sea", "mountain") == []
    assert sky.actions[before:] == ["Query"]


async def test_what_nobody_expects_is_our_bug_and_passes_through(index: DynamoSearchIndex, sky: Weather) -> None:
    sky.planned["TransactWriteItems"] = [refused("ValidationException")]
    with pytest.raises(Exception, match="ValidationException"):
        await index.put("ada", "med_1", frozenset({"a"}))
