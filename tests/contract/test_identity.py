"""The promises of `ports/identity.py`, for every verifier; what only signed tokens can get wrong is with their verifier."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.system import EPOCH, FixedClock
from smmu.ports.errors import Denied
from smmu.ports.identity import Principal, TokenVerifier

VALID, PAST = "valid", "past"


@dataclass(frozen=True, slots=True)
class Issued:
    """A verifier and two tokens of ada's that it should know: one that is valid, and one whose time is over."""

    verifier: TokenVerifier
    valid: str
    past: str


def static() -> Issued:
    past = Principal(owner="ada", expires_at=EPOCH)
    return Issued(StaticVerifier({VALID: "ada", PAST: past}, FixedClock()), VALID, PAST)


VERIFIERS: tuple[Callable[[], Issued], ...] = (static,)


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
