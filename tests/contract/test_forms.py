"""The promises of `UploadForms` in `ports/uploads.py`; what a form refuses is in tests/aws/s3/test_form_security.py."""

import pytest

from smmu.domain.values import Algorithm, Checksum
from smmu.ports.checksums import Digest
from smmu.ports.platform import Capability, Platform
from smmu.ports.uploads import Session, SignedForm, UploadForms
from tests.support.delivery import content, post
from tests.support.platforms import Stage

NEEDS = frozenset({Capability.POST_FORMS})

KEY = "raw/ada/upl_1/source"
DATA = bytes(range(256)) * 4


@pytest.fixture
def forms(platform: Platform) -> UploadForms:
    assert platform.forms is not None
    return platform.forms


@pytest.fixture
async def single(platform: Platform) -> Session:
    return await platform.uploads.begin(KEY, method="single", part_size=0, content_type="video/mp4")


async def sign(platform: Platform, session: Session, size_min: int = 1, size_max: int = len(DATA)) -> SignedForm:
    assert platform.forms is not None
    expires_at = platform.clock.now() + 60
    return await platform.forms.sign_form(session, size_min=size_min, size_max=size_max, expires_at=expires_at)


async def test_a_form_makes_the_object_of_its_session(platform: Platform, single: Session) -> None:
    answer = await post(await sign(platform, single), DATA)
    assert answer.status_code == 201, answer.text
    info = await platform.objects.stat(KEY)
    assert info is not None
    assert (info.content_type, await content(platform, KEY)) == ("video/mp4", DATA)
    (part,) = await platform.uploads.list_parts(single)
    assert await platform.uploads.complete(single, [part]) == info.ref


async def test_a_form_says_its_key_its_type_and_how_long_it_lives(platform: Platform, single: Session) -> None:
    before = platform.clock.now()
    form = await sign(platform, single)
    assert {"key": KEY, "Content-Type": "video/mp4", "success_action_status": "201"}.items() <= form.fields.items()
    assert before < form.expires_at <= before + 61


async def test_a_form_is_posted_to_one_address_whatever_its_key(
    platform: Platform, single: Session, forms: UploadForms
) -> None:
    other = await platform.uploads.begin(f"{KEY}-2", method="single", part_size=0, content_type="image/png")
    signed = await forms.sign_form(other, size_min=0, size_max=9, expires_at=platform.clock.now() + 60)
    assert signed.url == (await sign(platform, single)).url


async def test_a_form_that_is_posted_again_leaves_what_was_pinned_as_it_was(
    platform: Platform, single: Session, stage: Stage
) -> None:
    assert Capability.KEEPS_VERSIONS in stage.capabilities
    form = await sign(platform, single)
    await post(form, DATA)
    ref = await platform.uploads.complete(single, await platform.uploads.list_parts(single))
    await post(form, DATA[::-1])
    assert await (await platform.objects.open(ref)).read(0, len(DATA)) == DATA


@pytest.mark.parametrize(("size_min", "size_max"), [(-1, 5), (6, 5), (0, 5_000_000_001)])
async def test_a_form_for_sizes_that_cannot_be_is_a_bug(
    platform: Platform, single: Session, size_min: int, size_max: int
) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        await sign(platform, single, size_min, size_max)


async def test_no_form_takes_a_part(platform: Platform, stage: Stage) -> None:
    session = await platform.uploads.begin(
        KEY, method="multipart", part_size=stage.part_bytes, content_type="video/mp4"
    )
    with pytest.raises(ValueError, match="multipart"):
        await sign(platform, session)


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_a_form_may_name_the_checksum_of_its_file(
    platform: Platform, single: Session, forms: UploadForms, algorithm: Algorithm
) -> None:
    digest = Digest(algorithm)
    digest.update(DATA)
    wanted: Checksum = digest.checksum()
    expires_at = platform.clock.now() + 60
    form = await forms.sign_form(single, size_min=1, size_max=9_999, expires_at=expires_at, checksum=wanted)
    assert form.fields[f"x-amz-checksum-{algorithm}"] == wanted.value
    assert (await post(form, DATA)).status_code == 201
    assert await content(platform, KEY) == DATA
