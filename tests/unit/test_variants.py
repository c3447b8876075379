"""Pictures on request: which may be asked for, and what each wish comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.errors import Code, Refused
from smmu.domain.facts import ImageFacts
from smmu.domain.plan import ImageSpec
from smmu.domain.variants import FITS, SIDES, Variant, parse_variant, plan_variant, size_of
from tests.support.strategies import LIMITS, image_facts

EDGES = st.one_of(st.none(), st.sampled_from(SIDES))
VARIANTS = st.builds(
    Variant,
    width=EDGES,
    height=EDGES,
    fit=st.sampled_from(FITS),
    format=st.sampled_from(("webp", "jpeg", "avif")),
).filter(lambda one: bool(one.width and one.height) or (one.fit == "contain" and bool(one.width or one.height)))


def test_a_wish_is_read() -> None:
    assert parse_variant({"w": "640"}) == Variant(width=640, height=None)
    assert parse_variant({"w": "640", "h": "480", "fit": "cover", "format": "avif"}) == Variant(
        width=640, height=480, fit="cover", format="avif"
    )


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ({}, ["/w"]),
        ({"w": "641"}, ["/w"]),
        ({"w": "0640"}, ["/w"]),
        ({"w": "-640", "h": "1e3"}, ["/w", "/h"]),
        ({"w": "640", "fit": "cover"}, ["/fit"]),
        ({"w": "640", "fit": "fill"}, ["/fit"]),
        ({"w": "640", "format": "gif"}, ["/format"]),
        ({"w": "640", "q": "80"}, [""]),
        ({"w": "\uff19\uff16"}, ["/w"]),
    ],
)
def test_every_wrong_part_of_a_wish_is_named(query: dict[str, str], pointers: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        parse_variant(query)
    assert [reason.pointer for reason in caught.value.reasons] == pointers
    assert {reason.code for reason in caught.value.reasons} == {Code.INVALID_VARIANT}


@pytest.mark.parametrize(
    ("variant", "source", "size"),
    [
        (Variant(width=640, height=None), (4000, 3000), (640, 480)),
        (Variant(width=640, height=320), (4000, 3000), (427, 320)),
        (Variant(width=640, height=640, fit="cover"), (4000, 3000), (640, 640)),
        (Variant(width=640, height=640, fit="cover"), (400, 300), (300, 300)),
        (Variant(width=640, height=320, fit="cover"), (400, 300), (400, 200)),
        (Variant(width=2560, height=None), (100, 80), (100, 80)),
    ],
)
def test_nothing_is_enlarged_and_the_shape_is_kept(
    variant: Variant, source: tuple[int, int], size: tuple[int, int]
) -> None:
    assert size_of(variant, source) == size


@given(VARIANTS, image_facts())
def test_every_picture_can_be_had_in_every_variant(variant: Variant, image: ImageFacts) -> None:
    task = plan_variant(variant, image, LIMITS)
    (spec,) = task.renditions
    assert isinstance(spec, ImageSpec)
    assert 1 <= spec.width <= min(image.display_size[0], variant.width or 16_383)
    assert 1 <= spec.height <= min(image.display_size[1], variant.height or 16_383)
    assert task.memory_bytes >= LIMITS.child_memory_bytes


@given(VARIANTS, VARIANTS)
def test_each_wish_has_a_name_of_its_own(one: Variant, other: Variant) -> None:
    assert (one.name == other.name) == (one == other)


@given(VARIANTS)
def test_a_wish_is_asked_for_as_it_is_read(variant: Variant) -> None:
    assert parse_variant(variant.query) == variant


def test_each_side_is_complained_of_by_its_name() -> None:
    with pytest.raises(Refused) as refused:
        parse_variant({"w": "100", "h": "x"})
    assert [reason.message.partition(",")[0] for reason in refused.value.reasons] == [
        "w is a number of pixels",
        "h is a number of pixels",
    ]
