"""`DynamoSearchIndex`: an item for each word of each media, by owner, word and media, in the media table.

    sort key, under the owner             item
    `#word#{word}#{media}#{edition}`      nothing more: a question's word is one range of these keys
    `#words#{media}#`                     `edition` that counts, and the `digest` of its words
    `#words#{media}#{edition}#`           that an edition was begun; `over` when it may not count any more
    `#words#{media}#{edition}#{number}`   `words` of it, 500 at most, so that all that was written can be found again

A media has more words than one transaction takes. So each `put` writes an edition of its own, and one small transaction
makes it the one that counts and ends all others, whose items are deleted after that. What finds a word looks whether
its edition counts. Whoever lost to another writer deletes what he wrote and begins again. A writer that is stopped
leaves an edition that the next one deletes; only one that is stopped while another ends it may leave items of words,
which nothing finds.

IAM: `dynamodb:Query`, `PutItem`, `UpdateItem`, `DeleteItem`, `BatchWriteItem` and `BatchGetItem` on the media table.

Costs: nothing while nobody asks. To be found, a media takes one write unit for each different word, one for each KB of
them and about 8 more, and 4 requests and one more for each 25 words; the same words again, one Query. As much is
written when they are replaced or removed. A question reads all keys that begin with its words, at a read unit for
about 40 of them, and a unit for each media that it answers: a word of one letter costs what its owner has of them.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.actions import Action, judged
from smmu.adapters.aws.bulk import delete_all, put_all
from smmu.adapters.aws.errors import translating
from smmu.adapters.aws.pauses import pauses
from smmu.adapters.aws.rows import PARTITION, Item, partition
from smmu.ports.errors import Conflict, Throttled, WorldError
from smmu.ports.search import SearchIndex

_SORT = "mediaId"
_WORD, _WORDS = "#word#", "#words#"
_LISTED_MAX = 500  # words of one item: of 40 characters at most, so it is small enough
_ENDED_MAX = 90  # editions in one transaction; there is more than one only after accidents
_READ_MAX = 100  # keys in one BatchGetItem
_LOOKS = 3  # at a media whose words are replaced while a question is answered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edition:
    """What one `put` writes of a media: `lists` has its words, by the number of the item they are in."""

    owner: str
    media_id: str
    name: str
    lists: Mapping[str, Sequence[str]]

    @property
    def mark(self) -> Item:
        """The key of the item that says it was begun."""
        return _key(self.owner, f"{_head(self.media_id)}{self.name}#")

    @property
    def listed(self) -> list[Item]:
        """All that is written of it before it is found: its mark and its lists."""
        place = f"{_head(self.media_id)}{self.name}#"
        lists = ({**_key(self.owner, place + n), "words": {"S": " ".join(self.lists[n])}} for n in self.lists)
        return [self.mark, *lists]

    @property
    def found_by(self) -> list[Item]:
        """The keys that it is found by."""
        words = (word for listed in self.lists.values() for word in listed)
        return [_key(self.owner, f"{_WORD}{word}#{self.media_id}#{self.name}") for word in words]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What there is of a media: the edition that counts with the digest of its words, if one does, and all editions."""

    counting: str | None
    digest: str | None
    editions: Sequence[_Edition]


class DynamoSearchIndex(SearchIndex):
    """The index of one deployment."""

    def __init__(self, clients: Clients, resources: Resources) -> None:
        self._db = clients.dynamodb
        self._table = resources.media_table

    async def put(self, owner: str, media_id: str, words: frozenset[str]) -> None:
        """See the port. Tries again a few times when others write the words of the same media at the same moment."""
        ordered = sorted(words)
        digest = sha256(" ".join(ordered).encode()).hexdigest()
        for pause in (*pauses(), None):
            kept = await self._kept(owner, media_id)
            if kept.digest == digest and len(kept.editions) == 1:
                return
            new = _edition(owner, media_id, ordered)
            await put_all(self._db, self._table, new.listed, "lists of words")
            await put_all(self._db, self._table, new.found_by, "words")
            try:
                await self._commit([*self._turn_to(new, digest, kept), *self._ending(kept)])
            except (Conflict, Throttled):
                counts = await self._editions_that_count(owner, [media_id])
                if counts.get(media_id) != new.name:  # it may, when an answer was lost
                    await self._erase([new])
                if pause is None:
                    raise
                await anyio.sleep(pause)
            else:
                await self._erase(kept.editions)
                return

    async def remove(self, owner: str, media_id: str) -> None:
        """See the port. Tries again a few times, as `put` does."""
        for pause in (*pauses(), None):
            kept = await self._kept(owner, media_id)
            if kept.digest is None and not kept.editions:
                return
            forgotten = {"TableName": self._table, "Key": _key(owner, _head(media_id)), **_as_read(kept)}
            forget = Action(verb="delete_item", request=forgotten, refusal=_lost)
            try:
                await self._commit([forget, *self._ending(kept)])
            except (Conflict, Throttled):
                if pause is None:
                    raise
                await anyio.sleep(pause)
            else:
                await self._erase(kept.editions)
                return

    async def find(self, owner: str, question: frozenset[str], *, after: str | None, limit: int) -> Sequence[str]:
        """See the port."""
        page: list[str] = []
        for _ in range(_LOOKS):
            found = await self._with_all(owner, question)
            page, moved = await self._counting(owner, found, after, limit)
            if not moved:
                break
        return page

    # --- a question

    async def _with_all(self, owner: str, question: frozenset[str]) -> set[tuple[str, str]]:
        """Media with their editions that have every word, the longest of which is asked for first: few have it."""
        found: set[tuple[str, str]] = set()
        for number, word in enumerate(sorted(question, key=len, reverse=True)):
            sorts = self._under(owner, f"{_WORD}{word}", keys_only=True)
            having = {_media_and_edition(item) async for item in sorts}
            found = having if number == 0 else found & having
            if not found:
                break
        return found

    async def _counting(
        self, owner: str, found: set[tuple[str, str]], after: str | None, limit: int
    ) -> tuple[list[str], bool]:
        """A page of the media whose edition that counts was found, and whether one had another by then."""
        media = sorted({one for one, _ in found if after is None or one < after}, reverse=True)
        page: list[str] = []
        moved = False
        for start in range(0, len(media), _READ_MAX):
            counts = await self._editions_that_count(owner, media[start : start + _READ_MAX])
            page += [one for one in media[start : start + _READ_MAX] if (one, counts.get(one)) in found]
            moved = moved or any((one, edition) not in found for one, edition in counts.items())
            if len(page) >= limit:
                break
        return page[:limit], moved

    async def _editions_that_count(self, owner: str, media: Sequence[str]) -> dict[str, str]:
        keys = [_key(owner, _head(media_id)) for media_id in media]
        asked: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        counts: dict[str, str] = {}
        for pause in (*pauses(), None):
            with translating("words"):
                answer = await self._db.batch_get_item(RequestItems=asked)
            for item in answer["Responses"].get(self._table, ()):
                counts[_media_of(item)] = item["edition"]["S"]
            asked = answer.get("UnprocessedKeys", {})
            if not asked:
                return counts
            if pause is not None:
                await anyio.sleep(pause)
        raise Throttled("words could not be read")

    # --- a media

    async def _kept(self, owner: str, media_id: str) -> _Kept:
        counting, digest = None, None
        editions: dict[str, dict[str, Sequence[str]]] = {}
        async for item in self._under(owner, _head(media_id)):
            name, _, number = item[_SORT]["S"].removeprefix(_head(media_id)).partition("#")
            if not name:
                counting, digest = item["edition"]["S"], item["digest"]["S"]
                continue
            lists = editions.setdefault(name, {})
            if number:
                lists[number] = item["words"]["S"].split()
        known = [_Edition(owner=owner, media_id=media_id, name=name, lists=lists) for name, lists in editions.items()]
        return _Kept(counting=counting, digest=digest, editions=known[:_ENDED_MAX])

    def _turn_to(self, new: _Edition, digest: str, kept: _Kept) -> list[Action]:
        """Make an edition the one that counts, if that is still as it was read and nobody has ended the new one."""
        head = {
            **_key(new.owner, _head(new.media_id)),
            "edition": {"S": new.name},
            "digest": {"S": digest},
        }
        begun = {
            "TableName": self._table,
            "Key": new.mark,
            "UpdateExpression": "SET #counted = :yes",
            "ConditionExpression": f"attribute_exists({PARTITION}) AND attribute_not_exists(#over)",
            "ExpressionAttributeNames": {"#counted": "counted", "#over": "over"},
            "ExpressionAttributeValues": {":yes": {"BOOL": True}},
        }
        return [
            Action(verb="put_item", request={"TableName": self._table, "Item": head, **_as_read(kept)}, refusal=_lost),
            Action(verb="update_item", request=begun, refusal=_lost),
        ]

    def _ending(self, kept: _Kept) -> list[Action]:
        """Let what was there not count any more, nor become what counts."""
        over = {
            "TableName": self._table,
            "UpdateExpression": "SET #over = :yes",
            "ExpressionAttributeNames": {"#over": "over"},
            "ExpressionAttributeValues": {":yes": {"BOOL": True}},
        }
        return [Action(verb="update_item", request={**over, "Key": old.mark}, refusal=_lost) for old in kept.editions]

    async def _commit(self, actions: Sequence[Action]) -> None:
        try:
            with translating("what words count"):
                await self._db.transact_write_items(TransactItems=[action.in_transaction for action in actions])
        except ClientError as error:
            refusal, _ = judged(error, actions)
            if refusal is error:
                raise
            raise refusal from error

    async def _erase(self, editions: Sequence[_Edition]) -> None:
        """Delete what does not count: the lists last, because they tell what else there is."""
        for old in editions:
            await delete_all(self._db, self._table, old.found_by, "old words")
            lists = [{name: item[name] for name in (PARTITION, _SORT)} for item in old.listed]
            await delete_all(self._db, self._table, lists, "old lists of words")

    async def _under(self, owner: str, start: str, *, keys_only: bool = False) -> AsyncIterator[Item]:
        """All items of an owner whose sort key begins so."""
        asked = {
            "TableName": self._table,
            "KeyConditionExpression": f"#owner = :owner AND begins_with({_SORT}, :start)",
            "ExpressionAttributeNames": {"#owner": PARTITION},
            "ExpressionAttributeValues": {":owner": partition(owner)[PARTITION], ":start": {"S": start}},
            "ConsistentRead": True,
            **({"ProjectionExpression": _SORT} if keys_only else {}),
        }
        while True:
            with translating("words"):
                answer = await self._db.query(**asked)
            for item in answer["Items"]:
                yield item
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _edition(owner: str, media_id: str, words: Sequence[str]) -> _Edition:
    """A new one. Its name is chance's, so that no two writers ever write the same items."""
    lists = {str(n): words[n : n + _LISTED_MAX] for n in range(0, len(words), _LISTED_MAX)}
    return _Edition(owner=owner, media_id=media_id, name=secrets.token_hex(6), lists=lists)


def _key(owner: str, sort: str) -> Item:
    return {**partition(owner), _SORT: {"S": sort}}


def _head(media_id: str) -> str:
    return f"{_WORDS}{media_id}#"


def _as_read(kept: _Kept) -> dict[str, Any]:
    """The condition that what counts is what was read."""
    if kept.counting is None:
        return {"ConditionExpression": f"attribute_not_exists({PARTITION})"}
    return {
        "ConditionExpression": "#edition = :edition",
        "ExpressionAttributeNames": {"#edition": "edition"},
        "ExpressionAttributeValues": {":edition": {"S": kept.counting}},
    }


def _media_of(head: Item) -> str:
    return str(head[_SORT]["S"]).removeprefix(_WORDS).removesuffix("#")


def _media_and_edition(item: Item) -> tuple[str, str]:
    _, media_id, edition = str(item[_SORT]["S"]).rsplit("#", 2)
    return media_id, edition


def _lost(_: Item) -> WorldError:
    return Conflict("others are writing the words of the same media")
