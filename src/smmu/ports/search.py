"""`SearchIndex`: which of an owner's media have these words. It is made of records, and can be made again of them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol


class SearchIndex(Protocol):
    """Words of media, under their owner. A question of one owner never looks at another's."""

    @abstractmethod
    async def put(self, owner: str, media_id: str, words: frozenset[str]) -> None:
        """Keep the words of a media (`domain.search.tokens`), and none that it had before. All of it or nothing."""

    @abstractmethod
    async def remove(self, owner: str, media_id: str) -> None:
        """Forget a media; forgetting what is not there is fine."""

    @abstractmethod
    async def find(self, owner: str, question: frozenset[str], *, after: str | None, limit: int) -> Sequence[str]:
        """Media in which each word of `question` begins a word, by id, the newest first, from behind `after`.

        At most `limit`. A question without words finds nothing. Sees every `put` that was answered.
        """
