"""`TokenVerifier`: who is asking."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from smmu.ports.errors import Denied

OWNER_CHARS_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A verified caller. `owner` is the claim every record, key and query is under."""

    owner: str
    expires_at: float
    claims: Mapping[str, object] = field(default_factory=dict)


class TokenVerifier(Protocol):
    """Turns a bearer token into a principal."""

    @abstractmethod
    async def verify(self, token: str) -> Principal:
        """The principal. Raises `Denied`, with a sentence that tells no secret, for anything but a valid token.

        That is: `alg: none`, the wrong algorithm family, a missing or past `exp`, an unknown key, a wrong issuer
        or audience.
        """


def principal_of(claims: Mapping[str, Any], *, owner_claim: str, now: float, leeway: float) -> Principal:
    """Whose verified claims these are, and until when; `leeway` in seconds is what clocks may differ by.

    Raises `Denied` when the claims name no owner, or are not valid at this time.
    """
    owner, end = claims.get(owner_claim), claims.get("exp")
    if not isinstance(owner, str) or not 0 < len(owner) <= OWNER_CHARS_MAX:
        raise Denied(f"the token does not say whose it is: {owner_claim} is missing")
    if not isinstance(end, int | float) or not _is_past(claims.get("nbf"), now + leeway):
        raise Denied("the token is not valid at this time")
    if end + leeway <= now:
        raise Denied("the token has expired: get a new one")
    return Principal(owner=owner, expires_at=float(end), claims=claims)


def _is_past(moment: object, now: float) -> bool:
    return moment is None or (isinstance(moment, int | float) and moment <= now)
