"""A store whose reader has few rights."""

from smmu.adapters.inmemory.objects import MemoryObjectStore, MemorySource
from smmu.domain.values import ObjectRef
from smmu.ports.errors import Denied, NotFound


class Narrowed(MemoryObjectStore):
    """As S3 answers a worker that may list nothing: what is gone is forbidden."""

    async def open(self, ref: ObjectRef) -> MemorySource:
        try:
            return await super().open(ref)
        except NotFound as error:
            raise Denied(ref.key) from error
