"""`JwksVerifier`: tokens of an OIDC issuer (a Cognito user pool is one), verified by the keys that it publishes.

RS256 and ES256 only: a symmetric algorithm would let whoever reads a public key sign with it. Keys are fetched when a
token names one that is not known, at most once a minute, so that made-up key ids cost the issuer nothing, and again
each hour, so that a key that was withdrawn is forgotten. It asks no AWS service, so it needs no IAM action.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import httpx
import jwt

from smmu.ports.errors import Denied, Unavailable
from smmu.ports.identity import Principal, TokenVerifier, principal_of
from smmu.ports.system import Clock

Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]

_ALGORITHMS = ("RS256", "ES256")
_AGAIN_SECONDS, _FRESH_SECONDS = 60.0, 3600.0
_PAUSE_SECONDS = 5.0  # after a fetch that failed while no key was known
_FETCH_SECONDS = 5.0
# Times are judged by the Clock port, and the audience by us: Cognito's access tokens name it `client_id`.
_OPTIONS: Any = {
    "require": ["exp", "iss"],
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose tokens are believed: the claim `iss`, the audience they must be for, and where the keys are."""

    issuer: str
    audience: str
    jwks_url: str
    owner_claim: str = "sub"
    leeway_seconds: float = 30.0


async def fetch_keys(url: str) -> Mapping[str, Any]:
    """The key set that an issuer publishes. Raises `Unavailable`."""
    try:
        async with httpx.AsyncClient(timeout=_FETCH_SECONDS) as client:
            answer = await client.get(url)
            found = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"the issuer's keys cannot be had from {url}: {error!r}") from error
    if not _is_key_set(found):
        raise Unavailable(f"what is at {url} is no key set")
    return cast("Mapping[str, Any]", found)


def _is_key_set(found: object) -> bool:
    keys = found.get("keys") if isinstance(found, Mapping) else None
    return isinstance(keys, list) and all(isinstance(key, Mapping) for key in keys)


@dataclass(slots=True)
class JwksVerifier(TokenVerifier):
    """Verifies an issuer's tokens."""

    issuer: Issuer
    clock: Clock
    fetch: Fetch = fetch_keys
    _keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _fetched_at: float = float("-inf")
    _failed_at: float = float("-inf")
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    async def verify(self, token: str) -> Principal:
        """See the port. Raises `Unavailable` when the issuer's keys were never to be had."""
        claims = _claims(token, await self._key(_key_id(token)), self.issuer)
        return principal_of(
            claims,
            owner_claim=self.issuer.owner_claim,
            now=self.clock.now(),
            leeway=self.issuer.leeway_seconds,
        )

    async def _key(self, key_id: str) -> jwt.PyJWK:
        async with self._lock:
            age = self.clock.now() - self._fetched_at
            if age >= _FRESH_SECONDS or (key_id not in self._keys and age >= _AGAIN_SECONDS):
                await self._renew()
        if key_id not in self._keys:
            raise Denied("the token is signed with a key that its issuer does not publish")
        return self._keys[key_id]

    async def _renew(self) -> None:
        """Fetch the keys; where that fails, those that are known serve on, and it is tried again in a minute.

        Where none are known it is tried again after a pause: requests must not wait for a dead issuer one by one.
        """
        if not self._keys and self.clock.now() < self._failed_at + _PAUSE_SECONDS:
            raise Unavailable("the issuer's keys could not be had a moment ago")
        try:
            self._keys = _usable(await self.fetch(self.issuer.jwks_url))
        except Unavailable:
            self._failed_at = self.clock.now()
            if not self._keys:
                raise
            self._fetched_at = self.clock.now() - _FRESH_SECONDS + _AGAIN_SECONDS
        else:
            self._fetched_at = self.clock.now()


def _usable(found: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """The published keys by id, but for those that are not for our algorithms."""
    keys = {}
    for known in found.get("keys", ()):
        try:
            key = jwt.PyJWK.from_dict(known)
        except jwt.PyJWTError:
            continue  # of a kind that this library does not know, so no token of ours is signed with it
        if key.key_id and key.algorithm_name in _ALGORITHMS:
            keys[key.key_id] = key
    return keys


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise Denied("this is not a token") from error
    if header.get("alg") not in _ALGORITHMS or not isinstance(header.get("kid"), str):
        raise Denied(f"the token is not signed with {' or '.join(_ALGORITHMS)} and a named key")
    return str(header["kid"])


def _claims(token: str, key: jwt.PyJWK, issuer: Issuer) -> Mapping[str, Any]:
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token, key, algorithms=[key.algorithm_name], issuer=issuer.issuer, options=_OPTIONS
        )
    except jwt.MissingRequiredClaimError as error:
        raise Denied(f"the token lacks a claim: {error.claim}") from error
    except jwt.InvalidIssuerError as error:
        raise Denied("the token is of another issuer") from error
    except jwt.InvalidSignatureError as error:
        raise Denied("the token was not signed by its issuer") from error
    except jwt.PyJWTError as error:
        raise Denied("this is not a token that can be verified") from error
    named = claims.get("aud", claims.get("client_id"))
    if issuer.audience not in (named if isinstance(named, list) else [named]):
        raise Denied("the token is for another audience")
    return claims
