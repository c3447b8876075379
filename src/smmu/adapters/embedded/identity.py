"""`HmacVerifier`: tokens that this machine signs for itself (HS256), with the secret of its data folder.

It refuses every other algorithm, tokens without an end or an owner, and tokens of other secrets. A token that was
verified is remembered until its end, because every request carries one and verifying costs more than a point read.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import jwt

from smmu.ports.errors import Denied
from smmu.ports.identity import OWNER_CHARS_MAX, Principal, TokenVerifier, principal_of
from smmu.ports.system import Clock

_ALGORITHM = "HS256"
_REMEMBERED = 1_024
_LEEWAY_SECONDS_MAX = 60.0
# Times are judged here, by the Clock port, and not by the library, which reads the machine's clock.
_OPTIONS: Any = {"require": ["exp"], **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud"), False)}


class HmacVerifier(TokenVerifier):
    """Verifies and issues tokens. `owner_claim` names the claim that says who the owner is."""

    def __init__(self, secret: bytes, clock: Clock, *, owner_claim: str = "sub", leeway_seconds: float = 30.0) -> None:
        if not 0 <= leeway_seconds <= _LEEWAY_SECONDS_MAX:
            raise ValueError(f"a leeway of {leeway_seconds} seconds: at most {_LEEWAY_SECONDS_MAX:.0f}")
        self._secret = secret
        self._clock = clock
        self._owner_claim = owner_claim
        self._leeway = leeway_seconds
        self._known: OrderedDict[str, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """See the port."""
        principal = self._known.get(token) or self._principal(token)
        if principal.expires_at + self._leeway <= self._clock.now():
            self._known.pop(token, None)
            raise Denied("the token has expired: get a new one")
        self._remember(token, principal)
        return principal

    def issue(self, owner: str, ttl: float) -> str:
        """A token for `owner` that lives `ttl` seconds."""
        if not owner or len(owner) > OWNER_CHARS_MAX or ttl <= 0:
            raise ValueError(f"a token needs an owner of at most {OWNER_CHARS_MAX} characters and time to live")
        now = self._clock.now()
        claims = {self._owner_claim: owner, "iat": int(now), "exp": int(now + ttl)}
        return jwt.encode(claims, self._secret, _ALGORITHM)

    def _principal(self, token: str) -> Principal:
        return principal_of(
            self._claims(token), owner_claim=self._owner_claim, now=self._clock.now(), leeway=self._leeway
        )

    def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options=_OPTIONS)
        except jwt.MissingRequiredClaimError as error:
            raise Denied("the token has no end: exp is missing") from error
        except jwt.InvalidAlgorithmError as error:
            raise Denied(f"the token is not signed with {_ALGORITHM}") from error
        except jwt.InvalidSignatureError as error:
            raise Denied("the token was not signed here") from error
        except jwt.PyJWTError as error:
            raise Denied("this is not a token") from error
        return claims

    def _remember(self, token: str, principal: Principal) -> None:
        self._known[token] = principal
        self._known.move_to_end(token)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
