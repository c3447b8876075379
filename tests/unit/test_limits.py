"""The numbers that bound the product agree with each other and with the services underneath."""

from dataclasses import fields

import pytest

from smmu.domain.limits import (
    GIB,
    MIB,
    OBJECT_BYTES_MAX,
    PART_BYTES_MAX,
    PART_BYTES_MIN,
    SINGLE_PUT_BYTES_MAX,
    TIB,
    Limits,
)


def test_the_defaults_agree_with_each_other() -> None:
    assert Limits() == Limits()


def test_an_object_may_have_48_8_tib() -> None:
    assert OBJECT_BYTES_MAX == 10_000 * 5 * GIB
    assert round(OBJECT_BYTES_MAX / TIB, 1) == 48.8


def test_every_default_is_positive_but_for_what_is_off_until_it_is_set() -> None:
    assert [one.name for one in fields(Limits) if getattr(Limits(), one.name) <= 0] == ["small_seconds_max"]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"part_bytes_preferred": PART_BYTES_MIN - 1}, "part_bytes_preferred"),
        ({"part_bytes_preferred": PART_BYTES_MAX + 1}, "part_bytes_preferred"),
        ({"single_bytes_max": SINGLE_PUT_BYTES_MAX + 1}, "single_bytes_max"),
        ({"upload_bytes_max": OBJECT_BYTES_MAX + 1}, "upload_bytes_max"),
        ({"upload_bytes_max": 0}, "upload_bytes_max"),
        ({"parts_signed_max": 10_001}, "parts_signed_max"),
        ({"parts_signed_at_init": 2_000}, "parts_signed_max"),
        ({"parts_signed_unsized": 200}, "parts_signed_unsized"),
        ({"parts_signed_unsized": 0}, "parts_signed_unsized"),
        ({"lease_seconds": 30}, "lease_seconds"),
        ({"lease_seconds": 61}, "lease_seconds"),
        ({"heartbeat_seconds": 15}, "lease_seconds"),
        ({"upload_seconds": 60}, "url_seconds_max"),
        ({"heavy_task_seconds_max": 24 * 3600}, "heavy_task_seconds_max"),
        ({"stalled_seconds": 300}, "stalled_seconds"),
        ({"small_seconds_max": -1}, "small_seconds_max"),
        ({"image_total_pixels_max": 1}, "image_total_pixels_max"),
        ({"page_items_max": 1_001}, "page_items_max"),
        ({"page_items_default": 201}, "page_items_max"),
        ({"metadata_bytes_max": 1 * MIB}, "metadata_bytes_max"),
    ],
)
def test_a_contradiction_is_refused_by_name(changed: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Limits(**changed)


@pytest.mark.parametrize("changed", [{"image_pixels_max": 1_000_000}, {"output_bytes_max": 2 * TIB}])
def test_of_two_limits_that_both_hold_either_may_be_the_smaller(changed: dict[str, int]) -> None:
    assert Limits(**changed) != Limits()
