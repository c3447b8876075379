"""Upload security is proven where signatures are checked: on LocalStack, and on a real account when one is named."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.uploads import S3UploadStore
from smmu.adapters.embedded.system import SystemClock
from smmu.domain.values import Checksum
from smmu.ports.system import Clock
from smmu.ports.uploads import PartSlot, Session, SignedForm, SignedPart
from tests.support.aws.differences import expect_known_differences
from tests.support.aws.sites import Site, at_aws, at_localstack

KEY = "raw/ada/upl_1/source"
SITES = [
    pytest.param(at_localstack, marks=(pytest.mark.localstack, pytest.mark.served, pytest.mark.slow), id="localstack"),
    pytest.param(at_aws, marks=pytest.mark.live, id="live"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    expect_known_differences(items)


@dataclass(frozen=True, slots=True)
class Shop:
    """Our stores at a site, with what tests ask of them most."""

    s3: Any
    bucket: str
    uploads: S3UploadStore
    objects: S3ObjectStore
    clock: Clock

    async def single(self) -> Session:
        return await self.uploads.begin(KEY, method="single", part_size=0, content_type="video/mp4")

    async def multipart(self, part_size: int = 5 << 20) -> Session:
        return await self.uploads.begin(KEY, method="multipart", part_size=part_size, content_type="video/mp4")

    async def sign(
        self,
        session: Session,
        size: int,
        *,
        number: int = 1,
        seconds: float = 60,
        checksum: Checksum | None = None,
    ) -> SignedPart:
        slot = PartSlot(number=number, size=size)
        until = self.clock.now() + seconds
        (part,) = await self.uploads.sign(session, [slot], expires_at=until, checksum=checksum)
        return part

    async def form(self, *, seconds: float = 60, checksum: Checksum | None = None) -> SignedForm:
        """One that takes 10 to 100 bytes."""
        until = self.clock.now() + seconds
        session = await self.single()
        return await self.uploads.sign_form(session, size_min=10, size_max=100, expires_at=until, checksum=checksum)

    async def is_empty(self) -> bool:
        """Whether nothing was left behind, at any key."""
        return [ref async for ref in self.objects.list("")] == []


@pytest.fixture(params=SITES)
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    at: Callable[[], AbstractAsyncContextManager[Site]] = request.param
    async with at() as (clients, resources):
        clock = SystemClock()
        yield Shop(
            s3=clients.s3,
            bucket=resources.raw_bucket,
            uploads=S3UploadStore(clients, resources, clock),
            objects=S3ObjectStore(clients, resources, clock),
            clock=clock,
        )
