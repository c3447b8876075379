"""The promises of `ports/pictures.py`, of whoever makes pictures on request."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from smmu.adapters.inmemory.media import pretend_file
from smmu.domain.errors import WORDS, Code, Refused
from smmu.domain.facts import ImageFacts, Kind
from smmu.domain.keys import source_key, variant_key
from smmu.domain.values import ObjectRef
from smmu.domain.variants import Variant
from smmu.ports.pictures import PictureOrder
from tests.support.picture_stages import PICTURES_STAGES, Pictures, PicturesStage

STAGES = PICTURES_STAGES
OWNER, MEDIA = "ada", "med_1"


@pytest.fixture
async def pictures(stage: PicturesStage, folder: Path) -> AsyncIterator[Pictures]:
    async with stage.open(folder) as opened:
        yield opened


@pytest.fixture
async def order(pictures: Pictures) -> PictureOrder:
    data = pretend_file(Kind.IMAGE, size=2_000, width=4000, height=3000)
    source = await pictures.objects.put(source_key(OWNER, "upl_1"), data, content_type="image/png")
    return PictureOrder(
        owner=OWNER,
        media_id=MEDIA,
        job_id="job_1",
        source=source,
        image=ImageFacts(width=4000, height=3000),
        variant=Variant(width=640, height=None, format="jpeg"),
    )


async def kept(pictures: Pictures) -> list[ObjectRef]:
    return [ref async for ref in pictures.objects.list(variant_key(OWNER, MEDIA, ""))]


async def test_a_picture_is_kept_under_its_key_as_what_it_is(pictures: Pictures, order: PictureOrder) -> None:
    made = await pictures.maker.make(order)
    assert made.key == variant_key(OWNER, MEDIA, order.variant.name)
    info = await pictures.objects.stat(made.key)
    assert info is not None
    assert (info.ref, info.content_type) == (made, "image/jpeg")
    assert made.size > 0


async def test_one_that_is_there_stays_as_it_is(pictures: Pictures, order: PictureOrder) -> None:
    first = await pictures.maker.make(order)
    assert await pictures.maker.make(order) == first
    assert await kept(pictures) == [first]


async def test_many_who_make_it_at_once_have_one(pictures: Pictures, order: PictureOrder) -> None:
    made: list[ObjectRef] = []

    async def make() -> None:
        made.append(await pictures.maker.make(order))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(make)
    assert len(set(made)) == 1
    assert await kept(pictures) == made[:1]


async def test_each_wish_has_a_picture_of_its_own(pictures: Pictures, order: PictureOrder) -> None:
    other = replace(order, variant=Variant(width=64, height=64, fit="cover"))
    assert len({(await pictures.maker.make(one)).key for one in (order, other)}) == 2


async def test_of_a_source_that_is_gone_none_is_made(pictures: Pictures, order: PictureOrder) -> None:
    await pictures.objects.delete(order.source.key)
    with pytest.raises(Refused) as refused:
        await pictures.maker.make(order)
    assert refused.value.code is Code.SOURCE_EXPIRED
    assert await kept(pictures) == []


@pytest.mark.parametrize("cause", [Code.OUT_OF_MEMORY, Code.CRASHED, Code.TIMED_OUT, Code.STALLED])
async def test_what_its_decoder_died_of_is_told(pictures: Pictures, order: PictureOrder, cause: Code) -> None:
    pictures.engine.dies_of = cause
    with pytest.raises(Refused) as refused:
        await pictures.maker.make(order)
    assert (refused.value.code, refused.value.message) == (cause, WORDS[cause])
    assert await kept(pictures) == []
    pictures.engine.dies_of = ""
    assert (await pictures.maker.make(order)).size > 0
