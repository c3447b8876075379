"""Pictures on request, made here: decoded once, in a confined child, and kept when they are proven."""

from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio import to_thread

from smmu.domain import keys
from smmu.domain.errors import WORDS, Code, refuse
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition
from smmu.domain.values import ObjectRef
from smmu.domain.variants import plan_variant
from smmu.ports.errors import AlreadyExists, NotFound, TaskDied
from smmu.ports.media import MediaEngine, Sink
from smmu.ports.objects import Body, LocalFile, ObjectStore
from smmu.ports.pictures import PictureMaker, PictureOrder

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
class EnginePictures(PictureMaker):
    """The media engine of this process makes them."""

    objects: ObjectStore
    engine: MediaEngine
    limits: Limits
    _room: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(_AT_ONCE))

    async def make(self, order: PictureOrder) -> ObjectRef:
        """Make it here. See the port."""
        held = _Held()
        async with self._room:
            (made,) = await self._rendered(order, held)
        if not made.proof.ok:
            raise refuse(Code.PROOF_FAILED, "The picture that was made is not what it should be.")
        key = keys.variant_key(order.owner, order.media_id, order.variant.name)
        try:
            return await self.objects.put(key, held.data, content_type=held.content_type, if_absent=True)
        except AlreadyExists:  # made by another process, of the same bytes and for the same wish
            found = await self.objects.stat(key)
            if found is None:
                raise
            return found.ref

    async def _rendered(self, order: PictureOrder, held: _Held) -> tuple[Rendition, ...]:
        try:
            source = await self.objects.open(order.source)
            task = plan_variant(order.variant, order.image, self.limits)
            return await self.engine.render(source, task, held, _unheard)
        except NotFound as error:
            raise refuse(Code.SOURCE_EXPIRED, "The uploaded file is no longer kept: upload it again.") from error
        except TaskDied as death:
            raise refuse(Code(death.cause), WORDS[Code(death.cause)]) from death


async def _unheard(_fraction: float) -> None:
    """Nobody watches: it takes less time than telling would be worth."""


def _bytes(body: Body) -> bytes:
    return Path(body.path).read_bytes() if isinstance(body, LocalFile) else body
