"""Media: look, list, rename, open a rendition, delete every byte."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from smmu.application.jobs import Jobs
from smmu.application.search import Search
from smmu.application.store import Store, until_settled
from smmu.domain import keys, media, quota
from smmu.domain.admission import admit_change
from smmu.domain.errors import Code, refuse, refuse_if
from smmu.domain.media import Media
from smmu.domain.values import ObjectRef
from smmu.ports.errors import NotFound
from smmu.ports.ledger import Count, Page, Query
from smmu.ports.objects import ObjectStore, ReadLink
from smmu.ports.records import Stored
from smmu.ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The use cases of media."""

    store: Store
    objects: ObjectStore
    jobs: Jobs
    search: Search
    clock: Clock

    async def get(self, owner: str, media_id: str) -> Stored[Media]:
        """The media; `Refused` when there is none, or none any more."""
        stored = await self.store.get(Media, owner, media_id)
        if stored.value.state is media.State.DELETED:
            raise refuse(Code.NOT_FOUND, "There is no such media.")
        return stored

    async def page(self, owner: str, *, state: str | None = None, after: str | None = None, limit: int) -> Page[Media]:
        """The owner's media, the newest first; deleted ones are left out."""
        page = await self.store.ledger.query(
            Query(type=Media, owner=owner, state=state, after=after, limit=limit, newest=True)
        )
        kept = tuple(item for item in page.items if item.value.state is not media.State.DELETED)
        return Page(items=kept, cursor=page.cursor)

    async def change(
        self,
        owner: str,
        media_id: str,
        *,
        filename: str | None = None,
        metadata: Mapping[str, str] | None = None,
        version: int | None = None,
    ) -> Stored[Media]:
        """Rename it or replace its metadata. With `version`, only if it is still that one."""
        refuse_if(admit_change(filename, metadata, self.store.limits))

        async def attempt() -> Stored[Media]:
            stored = await self.get(owner, media_id)
            _require_version(stored, version)
            known = stored.value
            after = replace(
                known,
                filename=known.filename if filename is None else filename,
                metadata=known.metadata if metadata is None else metadata,
                updated_at=self.clock.now(),
            )
            await self.store.commit([self.store.put(after, stored.version)])
            return Stored(after, stored.version + 1)

        changed = await until_settled(attempt)
        await self._keep_words(owner, media_id)
        return changed

    async def _keep_words(self, owner: str, media_id: str) -> None:
        """Let a media be found by what it says now, whoever changes or deletes it meanwhile."""
        kept = -1
        while True:
            stored = await self.store.find(Media, owner, media_id)
            if stored is None or stored.version == kept:
                return
            if stored.value.state is media.State.DELETED:
                await self.search.forget(stored.value)
                return
            await self.search.keep(stored.value)
            kept = stored.version

    async def link(self, owner: str, media_id: str, name: str) -> ReadLink:
        """A short-lived link to a rendition; `source` is the uploaded file itself, `manifest` the whole manifest."""
        known = (await self.get(owner, media_id)).value
        expires_at = self.clock.now() + self.store.limits.read_url_seconds
        ref, filename = _named(known, name)
        try:
            await self.objects.open(ref)
        except NotFound as error:
            raise refuse(Code.NOT_FOUND, f"{name} is no longer kept.") from error
        return await self.objects.sign_read(ref, expires_at=expires_at, filename=filename)

    async def delete(self, owner: str, media_id: str, *, version: int | None = None) -> None:
        """Remove the media and every byte of it. A job that is still at work is cancelled; repeating it is fine."""

        async def attempt() -> Stored[Media]:
            stored = await self.get(owner, media_id)
            _require_version(stored, version)
            gone = media.step(stored.value, media.Event.DELETE, self.clock.now())
            release = Count(owner=owner, deltas=quota.release(gone.bytes_stored))
            await self.store.commit([self.store.put(gone, stored.version), release])
            return Stored(gone, stored.version + 1)

        await self.clean(await until_settled(attempt))

    async def clean(self, stored: Stored[Media]) -> None:
        """Remove the bytes of a deleted media, and remember that they are gone once nobody can add more.

        Until then the sweeper comes again: a worker that lost its claim may write until it notices, and one that slept
        through its lease writes what it was about to when it wakes.
        """
        known = stored.value
        over = await self.jobs.end_all(known)
        await self.objects.delete_all(keys.media_prefix(known.owner, known.id))
        await self.objects.delete(known.source.key)
        await self.search.forget(known)
        now = self.clock.now()
        await self.store.commit([self.store.put(replace(known, cleaned=over, updated_at=now), stored.version)])

    async def tidy(self, stored: Stored[Media]) -> None:
        """Remove the chunks that a media's job needed, as `clean` does; while it may want them again, they stay."""
        known, over = stored.value, False
        if known.state in (media.State.READY, media.State.REJECTED):
            over = not await self.jobs.still_writing(known)
            await self.objects.delete_all(keys.chunks_prefix(known.owner, known.id))
        after = replace(known, chunks=not over, updated_at=self.clock.now())
        await self.store.commit([self.store.put(after, stored.version)])


def _named(known: Media, name: str) -> tuple[ObjectRef, str | None]:
    """What a name of this media refers to, and what it is called when it is saved."""
    if name == "source":
        return known.source, known.filename
    if name == "manifest" and known.manifest is not None:
        return known.manifest, None
    found = next((record.file for record in known.renditions if record.name == name), None)
    if found is None and known.manifest is None:
        raise refuse(Code.NOT_FOUND, f"There is no such rendition: the media is {known.state}, and has none.")
    if found is None:
        raise refuse(Code.NOT_FOUND, "There is no such rendition.")
    return found, None


def _require_version(stored: Stored[Media], version: int | None) -> None:
    if version is not None and version != stored.version:
        raise refuse(Code.PRECONDITION_FAILED, "The media has changed since you read it: read it again.")
