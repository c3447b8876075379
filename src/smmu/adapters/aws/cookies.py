"""`SignedCookies`: CloudFront lets a browser in by a policy that it brings in its cookies, signed by a key it trusts.

The private key is one of KMS and never leaves it; the public one is in the distribution's key group
(infra/modules/delivery). So there is nothing to hand over, and rotating is adding a second key to the group and signing
with it.

A policy names one folder, and its cookies' path is that folder: browsers keep those of many apart. The cookies have no
end of their own, as CloudFront advises, so that they are gone with the browser; the policy has one, which CloudFront
looks at when a request begins.

Sources: CloudFront developer guide, "Set signed cookies using a custom policy"; the fourth cookie, without which
SHA-1 is taken, came with "Amazon CloudFront announces SHA-256 support for signed URLs and signed cookies" (2026).

IAM: `kms:Sign` on the signing key. Requests: one for each admission; 0.0015 cents.
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Final

from smmu.adapters.aws.account import Clients, Distribution
from smmu.adapters.aws.errors import translating
from smmu.ports.delivery import Cookie, Delivery

_ALGORITHM: Final = "RSASSA_PKCS1_V1_5_SHA_256"
_FOLDER = re.compile(r"[A-Za-z0-9._/-]+/")  # of keys.py; a policy would read `*` and `?` as more than themselves
_LETTERS = str.maketrans("+=/", "-_~")


class SignedCookies(Delivery):
    """The distribution of one deployment."""

    def __init__(self, clients: Clients, distribution: Distribution) -> None:
        self._kms = clients.kms
        self._distribution = distribution

    def url(self, key: str) -> str:
        """See the port. Keys are made of letters that need no quoting."""
        return f"{self._distribution.url}/{key}"

    async def admit(self, prefix: str, *, expires_at: float) -> Sequence[Cookie]:
        """See the port. CloudFront knows whole seconds: the end is never later than asked for."""
        if not _FOLDER.fullmatch(prefix):
            raise ValueError(f"{prefix!r} is no folder of keys")
        policy = _policy(self.url(f"{prefix}*"), int(expires_at))
        values = {
            "CloudFront-Policy": _encoded(policy),
            "CloudFront-Signature": _encoded(await self._sign(policy)),
            "CloudFront-Key-Pair-Id": self._distribution.public_key_id,
            "CloudFront-Hash-Algorithm": "SHA256",
        }
        domain = self._distribution.cookie_domain
        return [Cookie(name=name, value=value, domain=domain, path=f"/{prefix}") for name, value in values.items()]

    async def _sign(self, policy: bytes) -> bytes:
        with translating("a signature for CloudFront"):
            answer = await self._kms.sign(
                KeyId=self._distribution.signing_key,
                Message=policy,
                MessageType="RAW",
                SigningAlgorithm=_ALGORITHM,
            )
        return bytes(answer["Signature"])


def _policy(resource: str, expires_at: int) -> bytes:
    """Without white space, as what is signed must be what is sent."""
    condition = {"DateLessThan": {"AWS:EpochTime": expires_at}}
    statement = {"Statement": [{"Resource": resource, "Condition": condition}]}
    return json.dumps(statement, separators=(",", ":")).encode()


def _encoded(data: bytes) -> str:
    """Base64 with letters that a cookie may have; the ones that CloudFront chose."""
    return base64.b64encode(data).decode().translate(_LETTERS)
