"""What a newer manifest has replaced is kept for whoever is playing it, and removed when nobody can be any more.

A pass names the very manifest that it was given for. So a manifest and the files that only it lists stay until the last
pass to it has ended, and nothing has to be counted: when that is, is written down as it is replaced.
"""

import json
from dataclasses import dataclass, replace

from smmu.application.store import Store
from smmu.domain import keys
from smmu.domain.media import Media
from smmu.domain.values import ObjectRef
from smmu.ports.errors import NotFound
from smmu.ports.objects import ObjectStore
from smmu.ports.records import Stored
from smmu.ports.system import Clock, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Attic:
    """Where old revisions wait for their end."""

    store: Store
    objects: ObjectStore
    clock: Clock
    telemetry: Telemetry

    async def clear(self, stored: Stored[Media]) -> None:
        """Remove what only those revisions list whose time is over. Repeating it is fine.

        What a job is making meanwhile is listed by no manifest yet, and what it keeps is in the newest one.
        """
        known, now = stored.value, self.clock.now()
        over = [one.manifest for one in known.replaced if one.until <= now]
        left = tuple(one for one in known.replaced if one.until > now)
        if not over:
            return
        newest = () if known.manifest is None else (known.manifest,)
        alive = set[str]()
        for manifest in (*newest, *(one.manifest for one in left)):
            alive |= await self._keys(manifest)
        for manifest in over:
            await self._remove(known, manifest, alive)
        await self.store.commit([self.store.put(replace(known, replaced=left), stored.version)])

    async def _remove(self, known: Media, manifest: ObjectRef, alive: set[str]) -> None:
        try:
            dead = await self._keys(manifest) - alive
        except NotFound:
            return  # by a sweep whose commit was lost: the manifest goes last
        folders, single = keys.removals(dead - {manifest.key}, alive, keys.media_prefix(known.owner, known.id))
        for folder in folders:
            await self.objects.delete_all(folder)
        for key in single:
            await self.objects.delete(key)
        await self.objects.delete(manifest.key)
        self.telemetry.event("revision_removed", owner=known.owner, media_id=known.id, files=len(dead))

    async def _keys(self, manifest: ObjectRef) -> set[str]:
        """The keys of a manifest and of every file that it lists."""
        source = await self.objects.open(manifest)
        document = json.loads(await source.read(0, source.size))
        folder = keys.folder_of(manifest.key)
        listed = (file for made in document["renditions"] for file in made.get("files", [made]))
        return {manifest.key, *(folder + file["path"] for file in listed)}
