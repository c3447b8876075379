"""What a program that calls the use cases itself is refused: the same as everybody who comes over HTTP."""

import pytest

from smmu.adapters.inmemory.system import FixedClock
from smmu.domain.admission import UploadRequest
from smmu.domain.errors import Code, Refused
from tests.support.service import a_service

REQUEST = UploadRequest(filename="film.mp4", size=1_000, content_type="video/mp4")


async def test_an_aborted_upload_cannot_be_looked_at() -> None:
    uploads = a_service().system.uploads
    begun = await uploads.begin("ada", REQUEST)
    await uploads.abort("ada", begun.upload.id)
    with pytest.raises(Refused) as refused:
        await uploads.get("ada", begun.upload.id)
    assert refused.value.code is Code.UPLOAD_ABORTED


async def test_an_expired_upload_cannot_be_looked_at_whether_or_not_it_was_swept() -> None:
    clock = FixedClock()
    system = a_service(clock=clock).system
    begun = await system.uploads.begin("ada", REQUEST)
    clock.advance(system.limits.upload_seconds + 1)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await system.uploads.get("ada", begun.upload.id)
        assert refused.value.code is Code.UPLOAD_EXPIRED
        await system.sweeper.once(10)
