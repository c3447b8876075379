"""Finding media by their names, their metadata and what is said in them.

The index follows the records: it is written before a revision is published, which is repeated until it succeeds, and
after a change of names. What it finds is looked up again, so that nothing is shown that is not there any more.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from smmu.application.store import Store
from smmu.domain import media
from smmu.domain.errors import Code, refuse
from smmu.domain.media import Media
from smmu.domain.plan import Role
from smmu.domain.search import QUESTION_CHARS_MAX, tokens
from smmu.ports.ledger import Page
from smmu.ports.objects import ObjectStore
from smmu.ports.records import Stored
from smmu.ports.search import SearchIndex

_TRANSCRIPT_BYTES_MAX = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The use cases of one owner's search."""

    store: Store
    objects: ObjectStore
    index: SearchIndex

    async def keep(self, known: Media) -> None:
        """Have the media found by what it is now."""
        named = " ".join((known.filename, *known.metadata.values(), *_tagged(known)))
        await self.index.put(known.owner, known.id, tokens(f"{named} {await self._said(known)}"))

    async def forget(self, known: Media) -> None:
        """Have the media not found any more."""
        await self.index.remove(known.owner, known.id)

    async def find(self, owner: str, question: str, *, after: str | None = None, limit: int) -> Page[Media]:
        """The owner's media with these words, the newest first. `Refused` for a question without any."""
        asked = tokens(question[:QUESTION_CHARS_MAX])
        if not asked:
            raise refuse(Code.INVALID_REQUEST, "Ask for at least one word: ?q=holiday.", "/q")
        ids = await self.index.find(owner, asked, after=after, limit=limit)
        found: list[Stored[Media]] = []
        for media_id in ids:
            stored = await self.store.find(Media, owner, media_id)
            if stored is not None and stored.value.state is not media.State.DELETED:
                found.append(stored)
        return Page(items=tuple(found), cursor=ids[-1] if len(ids) == limit else None)

    async def _said(self, known: Media) -> str:
        """The transcript's text; "" where there is none."""
        file = next((made.file for made in known.renditions if made.role == Role.TRANSCRIPT), None)
        if file is None:
            return ""
        source = await self.objects.open(file)
        document = json.loads(await source.read(0, min(source.size, _TRANSCRIPT_BYTES_MAX)))
        return str(document["text"])


def _tagged(known: Media) -> Iterator[str]:
    """The words of what its owner had read out of the file: title, artist, keywords and so on."""
    for said in ((known.facts or {}).get("tags") or {}).values():
        yield from [said] if isinstance(said, str) else said if isinstance(said, list) else []
