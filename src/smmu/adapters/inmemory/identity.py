"""A fixed table of tokens. It knows nothing of signatures or claims, and refuses every token that it was not given."""

from collections.abc import Mapping
from dataclasses import dataclass

from smmu.ports.errors import Denied
from smmu.ports.identity import Principal, TokenVerifier
from smmu.ports.system import Clock

_FOREVER = 253_402_300_800.0  # the year 10000


@dataclass(frozen=True, slots=True)
class StaticVerifier(TokenVerifier):
    """Knows whose each token is: an owner's name, for as long as the process lives, or a principal with its end."""

    tokens: Mapping[str, str | Principal]
    clock: Clock

    async def verify(self, token: str) -> Principal:
        """The principal of a token in the table."""
        found = self.tokens.get(token)
        if found is None:
            raise Denied("the token is not valid")
        if isinstance(found, str):
            return Principal(owner=found, expires_at=_FOREVER)
        if found.expires_at <= self.clock.now():
            raise Denied("the token has expired")
        return found
