"""Pictures on request: found where they were made before, or made now, once, in an isolated child process.

A variant is no rendition: no manifest lists it, and it can be made again at any time from what was uploaded. It is
kept with its media and goes with it. Where a service of the platform does the work, the API decodes nothing, and so
makes none (docs/design.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio import to_thread

from smmu.application.documents import adapter
from smmu.application.library import Library
from smmu.domain import keys
from smmu.domain.errors import WORDS, Code, Refused, refuse
from smmu.domain.facts import ImageFacts
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition
from smmu.domain.media import Media, State
from smmu.domain.values import ObjectRef
from smmu.domain.variants import Variant, parse_variant, plan_variant
from smmu.ports.errors import AlreadyExists, NotFound, TaskDied
from smmu.ports.media import MediaEngine, Sink
from smmu.ports.objects import Body, LocalFile, ObjectStore, ReadLink
from smmu.ports.system import Clock, Telemetry

_AT_ONCE = 2  # each is a process that may need a gigabyte


@dataclass(slots=True)
class _Held(Sink):
    """The one file of a variant, which is small, until its proof is known to hold."""

    data: bytes = b""
    content_type: str = ""

    async def put(self, path: str, body: Body, content_type: str) -> None:  # noqa: ARG002 - it gets a name of its own
        """Take the file."""
        self.data = await to_thread.run_sync(_bytes, body)
        self.content_type = content_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The use case. `makes` says whether this process may make what is not there."""

    library: Library
    objects: ObjectStore
    engine: MediaEngine
    clock: Clock
    telemetry: Telemetry
    limits: Limits
    makes: bool
    _under_way: dict[str, anyio.Event] = field(default_factory=dict)
    _room: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(_AT_ONCE))

    async def link(self, owner: str, media_id: str, query: Mapping[str, str]) -> ReadLink:
        """A short-lived link to the picture that a query asks for."""
        known = (await self.library.get(owner, media_id)).value
        wish = parse_variant(query)
        image = _picture(known)
        if not self.makes:
            raise refuse(
                Code.NOT_MADE_HERE, "This service makes no pictures on request: ask for widths when you upload."
            )
        ref = await self._found_or_made(known, wish, image)
        return await self.objects.sign_read(ref, expires_at=self.clock.now() + self.limits.read_url_seconds)

    async def _found_or_made(self, known: Media, wish: Variant, image: ImageFacts) -> ObjectRef:
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
            async with self._room:
                return await self._make(known, wish, image, key)
        finally:
            del self._under_way[key]
            done.set()

    async def _make(self, known: Media, wish: Variant, image: ImageFacts, key: str) -> ObjectRef:
        await self._require_room(known)
        held = _Held()
        (made,) = await self._rendered(known, wish, image, held)
        if not made.proof.ok:
            raise refuse(Code.PROOF_FAILED, "The picture that was made is not what it should be.")
        ref = await self._kept(key, held)
        self.telemetry.event("variant_made", owner=known.owner, media_id=known.id, variant=wish.name, bytes=ref.size)
        try:
            await self.library.get(known.owner, known.id)
        except Refused:  # it was deleted meanwhile, and whoever did so may not have seen this file
            await self.objects.delete(key)
            raise
        return ref

    async def _kept(self, key: str, held: _Held) -> ObjectRef:
        try:
            return await self.objects.put(key, held.data, content_type=held.content_type, if_absent=True)
        except AlreadyExists:  # made by another process, of the same bytes and for the same wish
            found = await self.objects.stat(key)
            if found is None:
                raise
            return found.ref

    async def _rendered(self, known: Media, wish: Variant, image: ImageFacts, held: _Held) -> tuple[Rendition, ...]:
        try:
            source = await self.objects.open(known.source)
            return await self.engine.render(source, plan_variant(wish, image, self.limits), held, _unheard)
        except NotFound as error:
            await self.library.get(known.owner, known.id)  # refuses when that is why
            raise refuse(Code.SOURCE_EXPIRED, "The uploaded file is no longer kept: upload it again.") from error
        except TaskDied as death:
            raise refuse(Code(death.cause), WORDS[Code(death.cause)]) from death

    async def _require_room(self, known: Media) -> None:
        prefix = keys.variant_key(known.owner, known.id, "")
        there = [ref async for ref in self.objects.list(prefix)]
        if len(there) >= self.limits.variants_max:
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


async def _unheard(_fraction: float) -> None:
    """Nobody watches: it takes less time than telling would be worth."""


def _bytes(body: Body) -> bytes:
    return Path(body.path).read_bytes() if isinstance(body, LocalFile) else body
