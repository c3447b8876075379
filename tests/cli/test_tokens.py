"""What a server says of where tokens come from, and that it does not start where no token would be believed."""

from typing import Any

import pytest

from smmu.bootstrap.settings import AwsPlatform, Identity
from smmu.bootstrap.variables import SettingsError
from smmu.entrypoints.cli.serve import _tokens_of

IDENTITY = Identity(issuer="https://issuer.example", audience="app", jwks_url="https://issuer.example/keys")
NAMES = ("region", "raw_bucket", "processed_bucket", "jobs_table", "uploads_table", "media_table", "jobs_queue")


def aws(identity: Identity | None, signing_key: str | None = "arn:key") -> AwsPlatform:
    named: dict[str, Any] = dict.fromkeys((*NAMES, "dead_letters", "state_machine", "cluster"), "x")
    return AwsPlatform(kind="aws", identity=identity, signing_key=signing_key, **named)


def test_on_aws_tokens_are_the_issuers() -> None:
    assert _tokens_of(aws(IDENTITY)) == "tokens: those of https://issuer.example"


def test_a_server_that_would_believe_no_token_does_not_start() -> None:
    with pytest.raises(SettingsError, match="SMMU_PLATFORM__IDENTITY__ISSUER"):
        _tokens_of(aws(None))


def test_a_server_that_could_let_nobody_play_does_not_start() -> None:
    with pytest.raises(SettingsError, match="SMMU_PLATFORM__SIGNING_KEY"):
        _tokens_of(aws(IDENTITY, signing_key=None))
