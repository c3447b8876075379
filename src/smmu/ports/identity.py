"""`TokenVerifier`: who is asking."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


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
