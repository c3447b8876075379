"""An OIDC issuer: it signs tokens with keys of its own, and publishes the keys."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from smmu.adapters.aws.identity import Issuer
from smmu.adapters.inmemory.system import EPOCH
from smmu.ports.errors import Unavailable

ISSUER = Issuer(issuer="https://issuer.example", audience="smmu", jwks_url="https://issuer.example/jwks.json")


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Keys by number: making one takes a while."""
    del number
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(slots=True)
class Published:
    """The keys that are published now, and how often they were asked for. `down`: they cannot be had."""

    names: list[str] = field(default_factory=lambda: ["rsa", "ec"])
    down: bool = False
    fetches: int = 0
    extra: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {"keys": [*(public(name) for name in self.names), *self.extra]}

    async def fetch(self, url: str) -> dict[str, Any]:
        self.fetches += 1
        if self.down:
            raise Unavailable(f"{url} is down")
        return self.document()

    def token(self, *, kid: str | None = "rsa", key: Any = None, algorithm: str = "RS256", **changed: object) -> str:
        claims = {"sub": "ada", "exp": EPOCH + 60, "iss": ISSUER.issuer, "aud": ISSUER.audience} | changed
        known = {name: claim for name, claim in claims.items() if claim is not None}
        return jwt.encode(known, key or private(kid), algorithm, headers={"kid": kid} if kid else None)


def private(name: str | None) -> Any:
    if name == "ec":
        return ec_key()
    return rsa_key(1 if name == "new" else 0)


def public(name: str) -> dict[str, Any]:
    """A key as it is published."""
    writer: Any = ECAlgorithm if name == "ec" else RSAAlgorithm
    known = json.loads(writer.to_jwk(private(name).public_key()))
    return {**known, "kid": name, "use": "sig", "alg": "ES256" if name == "ec" else "RS256"}
