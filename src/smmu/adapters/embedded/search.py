"""`SqliteSearchIndex`: a row for each word of each media, by owner, word and media.

A word of a question is one range of that tree, and of several the ranges are intersected. FTS5 was left out: its index
is over everybody's words, so a question would cost what others have, and its notion of a word is not the domain's.
Costs: a commit with as many rows as a media has different words (an hour of speech: 1,500), once for each of its
revisions; a question runs on a thread.
"""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any

from smmu.adapters.embedded.database import Database
from smmu.ports.search import SearchIndex

_AFTER_ALL = chr(0x10FFFF)  # sorts after every character a word can have
_ONE = "SELECT media FROM words WHERE owner = ? AND word >= ? AND word < ?"
_FORGET = "DELETE FROM words WHERE owner = ? AND media = ?"


class SqliteSearchIndex(SearchIndex):
    """The index of one data folder."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, owner: str, media_id: str, words: frozenset[str]) -> None:
        """See the port."""
        await self._db.write(partial(_keep, owner, media_id, sorted(words)))

    async def remove(self, owner: str, media_id: str) -> None:
        """See the port."""
        await self._db.write(partial(_keep, owner, media_id, ()))

    async def find(self, owner: str, question: frozenset[str], *, after: str | None, limit: int) -> Sequence[str]:
        """See the port."""
        if not question:
            return []
        behind = _AFTER_ALL if after is None else after
        values: list[Any] = []
        for word in sorted(question):
            values += [owner, word, word + _AFTER_ALL]
        of_all = " INTERSECT ".join([_ONE] * len(question))
        sql = f"SELECT media FROM ({of_all}) WHERE media < ? ORDER BY media DESC LIMIT ?"  # noqa: S608 - made of the constants above; every value is bound
        rows = await self._db.read_long(sql, [*values, behind, limit])
        return [media_id for (media_id,) in rows]


def _keep(owner: str, media_id: str, words: Sequence[str], connection: sqlite3.Connection) -> None:
    connection.execute(_FORGET, (owner, media_id))
    rows = ((owner, word, media_id) for word in words)
    connection.executemany("INSERT INTO words (owner, word, media) VALUES (?, ?, ?)", rows)
