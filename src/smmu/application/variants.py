"""Pictures on request: found where they were made before, or made now, once, by whoever makes them on this platform.

A variant is no rendition: no manifest lists it, and it can be made again at any time from what was uploaded. It is
kept with its media and goes with it. A deployment may have nobody who makes them; then it says so.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from smmu.application.documents import adapter
from smmu.application.library import Library
from smmu.application.playback import Elsewhere, elsewhere
from smmu.domain import keys
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.facts import ImageFacts
from smmu.domain.limits import Limits
from smmu.domain.media import Media, State
from smmu.domain.passes import Pass
from smmu.domain.values import ObjectRef
from smmu.domain.variants import Variant, not_made_here, parse_variant
from smmu.ports.objects import ObjectStore, ReadLink
from smmu.ports.pictures import PictureMaker, PictureOrder
from smmu.ports.system import Clock, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The use case. `maker` makes what is not there; `None` where nobody does."""

    library: Library
    objects: ObjectStore
    maker: PictureMaker | None
    clock: Clock
    telemetry: Telemetry
    limits: Limits
    _under_way: dict[str, anyio.Event] = field(default_factory=dict)

    async def link(self, owner: str, media_id: str, query: Mapping[str, str], *, until: float = math.inf) -> ReadLink:
        """A short-lived link to the picture that a query asks for, which ends no later than `until`."""
        known = (await self.library.get(owner, media_id)).value
        wish = parse_variant(query)
        image = _picture(known)
        if self.maker is None:
            raise Refused(not_made_here())
        ref = await self._found_or_made(known, wish, image, self.maker)
        ends = min(until, self.clock.now() + self.limits.read_url_seconds)
        return await self.objects.sign_read(ref, expires_at=ends)

    async def shown(self, leave: Pass, query: Mapping[str, str]) -> Elsewhere:
        """The same for whoever has leave to see it, for as long as that lasts."""
        link = await self.link(leave.owner, leave.media_id, query, until=leave.expires_at)
        return elsewhere(link, self.clock.now())

    async def _found_or_made(self, known: Media, wish: Variant, image: ImageFacts, maker: PictureMaker) -> ObjectRef:
        key = keys.variant_key(known.owner, known.id, wish.name)
        while True:
            found = await self.objects.stat(key)
            if found is not None:
                return found.ref
            under_way = self._under_way.get(key)
            if under_way is None:
                break
            await under_way.wait()
        done = self._under_way[key] = anyio.Event()
        try:
            return await self._make(known, wish, image, maker)
        finally:
            del self._under_way[key]
            done.set()

    async def _make(self, known: Media, wish: Variant, image: ImageFacts, maker: PictureMaker) -> ObjectRef:
        await self._require_room(known)
        await self.library.jobs.require_source(known.source)
        order = PictureOrder(
            owner=known.owner,
            media_id=known.id,
            job_id=known.job_id,
            source=known.source,
            image=image,
            variant=wish,
        )
        try:
            ref = await maker.make(order)
        except Refused:
            await self.library.get(known.owner, known.id)  # refuses when that is why
            raise
        self.telemetry.event("variant_made", owner=known.owner, media_id=known.id, variant=wish.name, bytes=ref.size)
        try:
            await self.library.get(known.owner, known.id)
        except Refused:  # it was deleted meanwhile, and whoever did so may not have seen this file
            await self.objects.delete(ref.key)
            raise
        return ref

    async def _require_room(self, known: Media) -> None:
        """Refuse one that would be too many: of those that are stored, by whatever process, and those made by this one.

        What other processes are making at this moment may come on top, once. The bound is against thousands of files;
        to be exact it would need a counter, written with each, which every try that dies would leave wrong.
        """
        prefix = keys.variant_key(known.owner, known.id, "")
        counted = {key for key in self._under_way if key.startswith(prefix)}  # this one too, and before what is there
        counted |= {ref.key async for ref in self.objects.list(prefix)}
        if len(counted) > self.limits.variants_max:
            words = f"{self.limits.variants_max} pictures of this media were made on request, and no more are kept."
            raise refuse(Code.QUOTA_EXCEEDED, words)


def _picture(known: Media) -> ImageFacts:
    """What was measured of a picture; refuses what is none, or not ready."""
    if known.state is not State.READY:
        raise refuse(Code.MEDIA_NOT_READY, f"The media is {known.state}: pictures are made of it when it is ready.")
    measured = known.facts.get("image")
    if measured is None:
        raise refuse(Code.NOT_A_PICTURE, "The media is no picture: a video has a poster among its renditions.")
    facts: ImageFacts = adapter(ImageFacts).validate_python(measured)
    return facts
