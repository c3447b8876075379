"""`MemorySearchIndex`: the words of media in the world's memory, looked through one media after the other."""

from collections.abc import Sequence
from itertools import islice

from smmu.adapters.inmemory.world import World
from smmu.domain.search import matches
from smmu.ports.search import SearchIndex


class MemorySearchIndex(SearchIndex):
    """The index of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def put(self, owner: str, media_id: str, words: frozenset[str]) -> None:
        """See the port."""
        self._world.words.setdefault(owner, {})[media_id] = words

    async def remove(self, owner: str, media_id: str) -> None:
        """See the port."""
        self._world.words.get(owner, {}).pop(media_id, None)

    async def find(self, owner: str, question: frozenset[str], *, after: str | None, limit: int) -> Sequence[str]:
        """See the port."""
        kept = self._world.words.get(owner, {}) if question else {}
        found = (one for one in sorted(kept, reverse=True) if matches(question, kept[one]))
        return [*islice((one for one in found if after is None or one < after), limit)]
