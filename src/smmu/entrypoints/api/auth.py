"""Who is asking: a bearer token in the `Authorization` header, and nowhere else.

A token in a query string is not looked at: addresses end up in logs and histories.
"""

from dataclasses import dataclass

from starlette.requests import Request

from smmu.domain.errors import Code, refuse
from smmu.entrypoints.api.headers import header
from smmu.ports.errors import Denied
from smmu.ports.identity import Principal, TokenVerifier


@dataclass(frozen=True, slots=True)
class Doorman:
    """Lets in whoever has a valid token."""

    verifier: TokenVerifier

    async def owner(self, request: Request) -> str:
        """The owner every record of this request is under."""
        return (await self.principal(request)).owner

    async def principal(self, request: Request) -> Principal:
        """The verified caller. Refuses as unauthenticated, with a sentence that tells no secret."""
        scheme, _, token = (header(request, b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            message = "Sign in: send a token in the header Authorization, as Bearer followed by the token."
            raise refuse(Code.UNAUTHENTICATED, message)
        try:
            return await self.verifier.verify(token.strip())
        except Denied as error:
            raise refuse(Code.UNAUTHENTICATED, f"The token was refused: {error}.") from error
