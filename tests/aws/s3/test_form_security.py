"""A signed form takes what its policy says and nothing else; what is refused leaves nothing behind."""

import base64
import json

import pytest

from smmu.domain.values import Algorithm
from tests.aws.s3.conftest import KEY, Shop
from tests.aws.s3.test_put_security import checksum_of
from tests.support.delivery import post

DATA = bytes(range(50))
CREATED, REFUSED = 201, {400, 403}


@pytest.mark.parametrize("size", [10, 11, 99, 100])
async def test_what_was_signed_is_taken(shop: Shop, size: int) -> None:
    answer = await post(await shop.form(), bytes(size))
    assert answer.status_code == CREATED, answer.text
    info = await shop.objects.stat(KEY)
    assert info is not None
    assert (info.content_type, info.ref.size) == ("video/mp4", size)


@pytest.mark.parametrize("size", [0, 9, 101, 100_000])
async def test_a_body_that_is_too_short_or_too_long_is_refused(shop: Shop, size: int) -> None:
    assert (await post(await shop.form(), bytes(size))).status_code in REFUSED
    assert await shop.is_empty()


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "raw/eve/upl_1/source"},
        {"key": f"{KEY}2"},
        {"Content-Type": "text/html"},
        {"Content-Type": None},
        {"success_action_status": "200"},
        {"success_action_status": None},
        {"x-amz-date": "20200101T000000Z"},
        {"x-amz-credential": None},
        {"x-amz-algorithm": None},
        {"x-amz-signature": None},
    ],
    ids=str,
)
async def test_a_field_that_is_left_out_or_changed_is_refused(shop: Shop, changes: dict[str, str | None]) -> None:
    answer = await post(await shop.form(), DATA, changes)
    assert answer.status_code in REFUSED, answer.text
    assert await shop.is_empty()


async def test_a_form_without_its_key_is_refused(shop: Shop) -> None:
    assert (await post(await shop.form(), DATA, {"key": None})).status_code in REFUSED
    assert await shop.is_empty()


async def test_a_form_without_its_policy_is_refused(shop: Shop) -> None:
    assert (await post(await shop.form(), DATA, {"policy": None})).status_code in REFUSED
    assert await shop.is_empty()


async def test_a_signature_of_somebody_else_is_refused(shop: Shop) -> None:
    assert (await post(await shop.form(), DATA, {"x-amz-signature": "0" * 64})).status_code in REFUSED
    assert await shop.is_empty()


async def test_a_policy_that_was_widened_is_refused(shop: Shop) -> None:
    form = await shop.form()
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert ["content-length-range", 10, 100] in policy["conditions"]
    policy["conditions"].remove(["content-length-range", 10, 100])
    widened = base64.b64encode(json.dumps(policy).encode()).decode()
    assert (await post(form, bytes(500), {"policy": widened})).status_code in REFUSED
    assert await shop.is_empty()


@pytest.mark.parametrize("name", ["acl", "x-amz-meta-a", "Cache-Control"])
async def test_a_field_that_the_policy_does_not_know_is_refused(shop: Shop, name: str) -> None:
    assert (await post(await shop.form(), DATA, {name: "private"})).status_code in REFUSED
    assert await shop.is_empty()


async def test_an_expired_form_is_refused(shop: Shop) -> None:
    assert (await post(await shop.form(seconds=-1), DATA)).status_code in REFUSED
    assert await shop.is_empty()


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_a_file_of_another_checksum_is_refused(shop: Shop, algorithm: Algorithm) -> None:
    form = await shop.form(checksum=checksum_of(DATA, algorithm))
    assert (await post(form, DATA[::-1])).status_code in REFUSED
    assert await shop.is_empty()


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_a_file_of_the_signed_checksum_is_taken(shop: Shop, algorithm: Algorithm) -> None:
    answer = await post(await shop.form(checksum=checksum_of(DATA, algorithm)), DATA)
    assert answer.status_code == CREATED, answer.text


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_a_checksum_that_is_left_out_or_replaced_is_refused(shop: Shop, algorithm: Algorithm) -> None:
    form = await shop.form(checksum=checksum_of(DATA, algorithm))
    other = checksum_of(DATA[::-1], algorithm).value
    for value, body in ((None, DATA), (other, DATA[::-1])):
        answer = await post(form, body, {f"x-amz-checksum-{algorithm}": value})
        assert answer.status_code in REFUSED
    assert await shop.is_empty()
