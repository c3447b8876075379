"""The promises of `ports/identity.py`, for every verifier; what only signed tokens can get wrong is with their verifier."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

import jwt
import pytest

from smmu.adapters.aws.identity import JwksVerifier
from smmu.adapters.embedded.identity import HmacVerifier
from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.system import EPOCH, FixedClock
from smmu.ports.errors import Denied
from smmu.ports.identity import Principal, TokenVerifier
from tests.support.issuer import ISSUER, Published

SECRET = b"a secret of thirty-two bytes or so, and more for HS512, sixty-four"
VALID, PAST = "valid", "past"


@pytest.fixture
def anyio_backend() -> str:
    """These are of no platform: once is enough."""
    return "asyncio"


@dataclass(frozen=True, slots=True)
class Issued:
    """A verifier and two tokens of ada's that it should know: one that is valid, and one whose time is over."""

    verifier: TokenVerifier
    valid: str
    past: str


def static() -> Issued:
    past = Principal(owner="ada", expires_at=EPOCH)
    return Issued(StaticVerifier({VALID: "ada", PAST: past}, FixedClock()), VALID, PAST)


def hmac() -> Issued:
    verifier = HmacVerifier(SECRET, FixedClock())
    return Issued(verifier, verifier.issue("ada", 60), signed(exp=EPOCH - 3_600))


def signed(*, secret: bytes = SECRET, algorithm: str = "HS256", **changed: object) -> str:
    claims = {"sub": "ada", "exp": EPOCH + 60} | changed
    return jwt.encode({name: claim for name, claim in claims.items() if claim is not None}, secret, algorithm)


def unsigned() -> str:
    parts = [{"alg": "none", "typ": "JWT"}, {"sub": "ada", "exp": EPOCH + 60}]
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def jwks() -> Issued:
    keys = Published()
    verifier = JwksVerifier(issuer=ISSUER, clock=FixedClock(), fetch=keys.fetch)
    return Issued(verifier, keys.token(), keys.token(exp=EPOCH - 3_600))


VERIFIERS: tuple[Callable[[], Issued], ...] = (static, hmac, jwks)


@pytest.fixture(params=VERIFIERS, ids=lambda build: build.__name__)
def issued(request: pytest.FixtureRequest) -> Issued:
    made: Issued = request.param()
    return made


async def test_a_valid_token_names_its_owner(issued: Issued) -> None:
    principal = await issued.verifier.verify(issued.valid)
    assert principal.owner == "ada"
    assert principal.expires_at > EPOCH


async def test_a_token_whose_time_is_over_is_denied(issued: Issued) -> None:
    with pytest.raises(Denied):
        await issued.verifier.verify(issued.past)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é", "x" * 10_000, "\x00"])
async def test_what_is_no_token_is_denied(issued: Issued, token: str) -> None:
    with pytest.raises(Denied):
        await issued.verifier.verify(token)


async def test_a_changed_token_is_denied_and_not_repeated(issued: Issued) -> None:
    changed = issued.valid + "x"
    with pytest.raises(Denied) as refusal:
        await issued.verifier.verify(changed)
    assert changed not in str(refusal.value)


# --- signed tokens


@pytest.mark.parametrize(
    "token",
    [
        unsigned(),
        signed(algorithm="HS512"),
        signed(secret=SECRET[::-1]),
        signed(exp=None),
        signed(exp="never"),
        signed(sub=None),
        signed(sub=""),
        signed(sub=7),
        signed(sub="a" * 1_000),
        signed(nbf=EPOCH + 3_600),
        signed()[:-2],
    ],
    ids=["none", "HS512", "secret", "no exp", "odd exp", "no sub", "empty sub", "odd sub", "long sub", "nbf", "cut"],
)
async def test_a_token_that_anyone_could_have_made_or_nobody_owns_is_denied(token: str) -> None:
    with pytest.raises(Denied):
        await HmacVerifier(SECRET, FixedClock()).verify(token)


async def test_the_owner_is_in_the_claim_that_was_chosen() -> None:
    verifier = HmacVerifier(SECRET, FixedClock(), owner_claim="tenant")
    assert (await verifier.verify(signed(tenant="grace"))).owner == "grace"
    with pytest.raises(Denied):
        await verifier.verify(signed())


async def test_a_token_that_was_good_once_still_expires() -> None:
    clock = FixedClock()
    verifier = HmacVerifier(SECRET, clock)
    token = verifier.issue("ada", 60)
    assert (await verifier.verify(token)).owner == "ada"
    clock.advance(600)
    with pytest.raises(Denied):
        await verifier.verify(token)
