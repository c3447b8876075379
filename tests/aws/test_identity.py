"""Tokens of an OIDC issuer: what its published keys make right, and all that they do not."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from smmu.adapters.aws.identity import JwksVerifier
from smmu.adapters.inmemory.system import EPOCH, FixedClock
from smmu.ports.errors import Denied, Unavailable
from tests.support.issuer import ISSUER, Published, rsa_key
from tests.support.listening import listening


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def keys() -> Published:
    return Published()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def verifier(keys: Published, clock: FixedClock) -> JwksVerifier:
    return JwksVerifier(issuer=ISSUER, clock=clock, fetch=keys.fetch)


@pytest.mark.parametrize(("kid", "algorithm"), [("rsa", "RS256"), ("ec", "ES256")])
async def test_both_kinds_of_key_verify(verifier: JwksVerifier, keys: Published, kid: str, algorithm: str) -> None:
    assert (await verifier.verify(keys.token(kid=kid, algorithm=algorithm))).owner == "ada"


@pytest.mark.parametrize("audience", ["smmu", ["other", "smmu"]])
async def test_the_audience_may_be_one_of_several(verifier: JwksVerifier, keys: Published, audience: object) -> None:
    assert (await verifier.verify(keys.token(aud=audience))).owner == "ada"


async def test_an_access_token_of_cognito_names_its_audience_as_client(verifier: JwksVerifier, keys: Published) -> None:
    assert (await verifier.verify(keys.token(aud=None, client_id="smmu"))).owner == "ada"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": ["other"]},
        {"exp": None},
        {"exp": EPOCH - 3_600},
        {"nbf": EPOCH + 3_600},
        {"sub": None},
        {"sub": ""},
        {"kid": None},
        {"kid": "unknown"},
        {"algorithm": "RS512"},
        {"key": rsa_key(1)},
    ],
    ids=lambda changed: " ".join(f"{name}={'another' if name == 'key' else value}" for name, value in changed.items()),
)
async def test_a_token_that_is_not_wholly_right_is_denied(
    verifier: JwksVerifier, keys: Published, changed: dict[str, Any]
) -> None:
    with pytest.raises(Denied):
        await verifier.verify(keys.token(**changed))


async def test_a_public_key_is_no_secret_to_sign_with(verifier: JwksVerifier) -> None:
    public = rsa_key().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(Denied):
        await verifier.verify(_by_hand("HS256", pem))


async def test_an_unsigned_token_is_denied(verifier: JwksVerifier) -> None:
    with pytest.raises(Denied):
        await verifier.verify(_by_hand("none", b""))


@contextmanager
def served(text: str) -> Iterator[str]:
    """The URL of a text, over HTTP."""

    class Routes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

    with listening(Routes) as origin:
        yield f"{origin}/"


def _by_hand(algorithm: str, secret: bytes) -> str:
    """A token as a library would not make it."""
    head = {"alg": algorithm, "kid": "rsa", "typ": "JWT"}
    claims = {"sub": "ada", "exp": EPOCH + 60, "iss": ISSUER.issuer, "aud": ISSUER.audience}
    signed = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims))
    mac = hmac.digest(secret, signed, hashlib.sha256) if secret else b""
    return (signed + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()


async def test_a_symmetric_key_that_is_published_verifies_nothing(verifier: JwksVerifier, keys: Published) -> None:
    keys.extra.append({"kty": "oct", "kid": "shared", "alg": "HS256", "k": "c2VjcmV0"})
    with pytest.raises(Denied):
        await verifier.verify(keys.token(kid="shared", key=b"secret" * 8, algorithm="HS256"))


async def test_a_kind_of_key_that_nobody_knows_is_passed_over(verifier: JwksVerifier, keys: Published) -> None:
    keys.extra.append({"kty": "lattice", "kid": "later"})
    assert (await verifier.verify(keys.token())).owner == "ada"


async def test_keys_are_fetched_once_for_many_tokens(verifier: JwksVerifier, keys: Published) -> None:
    for _ in range(5):
        await verifier.verify(keys.token())
    assert keys.fetches == 1


async def test_a_new_key_is_found_and_made_up_ones_cost_the_issuer_nothing(
    verifier: JwksVerifier, keys: Published, clock: FixedClock
) -> None:
    await verifier.verify(keys.token())
    keys.names.append("new")
    for _ in range(5):
        with pytest.raises(Denied):
            await verifier.verify(keys.token(kid="new"))
    assert keys.fetches == 1
    clock.advance(61)
    assert (await verifier.verify(keys.token(kid="new", exp=EPOCH + 600))).owner == "ada"
    assert keys.fetches == 2


async def test_a_key_that_was_withdrawn_is_forgotten(
    verifier: JwksVerifier, keys: Published, clock: FixedClock
) -> None:
    await verifier.verify(keys.token(exp=EPOCH + 9_999))
    keys.names.remove("rsa")
    clock.advance(3_601)
    with pytest.raises(Denied):
        await verifier.verify(keys.token(exp=EPOCH + 9_999))


async def test_an_issuer_that_is_down_stops_nobody_whose_key_is_known(
    verifier: JwksVerifier, keys: Published, clock: FixedClock
) -> None:
    await verifier.verify(keys.token(exp=EPOCH + 9_999))
    keys.down = True
    clock.advance(3_601)
    for _ in range(3):
        assert (await verifier.verify(keys.token(exp=EPOCH + 9_999))).owner == "ada"
    assert keys.fetches == 2


async def test_keys_that_were_never_to_be_had_are_the_worlds_fault(
    verifier: JwksVerifier, keys: Published, clock: FixedClock
) -> None:
    keys.down = True
    with pytest.raises(Unavailable):
        await verifier.verify(keys.token())
    keys.down = False
    clock.advance(6)
    assert (await verifier.verify(keys.token())).owner == "ada"


async def test_an_issuer_that_is_down_is_not_waited_for_by_each_request(
    verifier: JwksVerifier, keys: Published
) -> None:
    keys.down = True
    for _ in range(5):
        with pytest.raises(Unavailable):
            await verifier.verify(keys.token())
    assert keys.fetches == 1


@pytest.mark.parametrize("found", ["[]", '"keys"', '{"keys": 7}', '{"keys": [7]}', "{", ""])
async def test_what_is_no_key_set_is_the_worlds_fault(found: str) -> None:
    with served(found) as url:
        verifier = JwksVerifier(issuer=replace(ISSUER, jwks_url=url), clock=FixedClock())
        with pytest.raises(Unavailable):
            await verifier.verify(Published().token())
