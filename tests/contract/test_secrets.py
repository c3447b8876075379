"""The promises of `ports/secrets.py`, on every platform. That processes share them is with each platform's own tests."""

from smmu.ports.platform import Platform


async def test_a_secret_is_long_and_stays_what_it_is(platform: Platform) -> None:
    secret = await platform.secrets.secret("playback")
    assert len(secret) == 32
    assert await platform.secrets.secret("playback") == secret


async def test_secrets_for_two_purposes_have_nothing_in_common(platform: Platform) -> None:
    assert await platform.secrets.secret("playback") != await platform.secrets.secret("plays")
