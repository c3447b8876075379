"""The client asks for renditions later: once, whatever the network does."""

from pathlib import Path

import pytest

import smmu
from smmu.client.errors import ServerRefused
from smmu.client.uploader import Wish
from tests.support.remote import OWNER, Remote


async def test_a_wish_whose_answer_was_lost_makes_one_job(service: Remote, film: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
        assert (await smmu.until_over(service.system, OWNER, done.job_id)).state == "succeeded"
        service.network.answers_lost.append("/renditions")
        made = await client.media.make(done.media_id, ["poster"])
        assert (await smmu.until_over(service.system, OWNER, made.job_id)).state == "succeeded"
        assert len((await client.jobs.list()).jobs) == 2
        assert service.network.count("POST", "/renditions") == 2
        with pytest.raises(ServerRefused, match=r"^There is nothing to add") as refused:
            await client.media.make(done.media_id, options={"preset": "web"})
    assert refused.value.status == 409
