"""Signature 4 of Amazon's, for URLs and HTML forms that others use: pure, and made for thousands at once.

An upload of 10,000 parts asks for 10,000 URLs. What all URLs of a batch share, the day's key, the credentials and the
time, is computed once here, and a URL is then two hashes and some joining of strings.
Nothing here asks anybody anything: credentials and time are arguments.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "Creating a POST policy" of the
S3 API reference. Where both can be asked, the SDK's own signer gives the same URLs (tests/aws/test_signing.py).

IAM: what a URL may do is what its signer may do: `s3:PutObject` on `raw/*`, `s3:GetObjectVersion`, `s3:GetObject`, and
`kms:GenerateDataKey`, `kms:Decrypt` for a bucket with a key. Requests and costs: none.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

URL_SECONDS_MAX = 7 * 24 * 3600
_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Whose signature it is. `expires_at` in unix seconds: nothing that they signed works after it; `None`: unknown."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A bucket's address: `https`, `bucket.s3.region.amazonaws.com`, "", or path-style with "/bucket" as `path`."""

    scheme: str
    host: str
    path: str = ""

    @property
    def url(self) -> str:
        """The bucket itself; where forms are posted to."""
        return f"{self.scheme}://{self.host}{self.path or '/'}"


class Signer:
    """Signs for one time: from `now` until `expires_at` (unix seconds), in whole seconds.

    Or until what is earlier: the end of the credentials, or of a week. A time that is over gives URLs that are over:
    they start a second before their end.
    """

    def __init__(self, credentials: Credentials, region: str, *, now: float, expires_at: float) -> None:
        end = int(expires_at if credentials.expires_at is None else min(expires_at, credentials.expires_at))
        begin = min(int(now), end - 1)
        self.expires_at = min(end, begin + URL_SECONDS_MAX)
        self._stamp = datetime.fromtimestamp(begin, UTC).strftime("%Y%m%dT%H%M%SZ")
        day = self._stamp[:8]
        self._scope = f"{day}/{region}/s3/aws4_request"
        self._credentials = credentials
        self._credential = f"{credentials.key_id}/{self._scope}"
        self._key = _key_of_day(credentials.secret, day, region)
        self._common = self._query(self.expires_at - begin)

    def presign(
        self, method: str, place: Place, key: str, *, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> str:
        """A URL for one request on `key` that sends exactly these headers. Names of `query` start in lower case."""
        path = f"{place.path}/{_quoted_key(key)}"
        told = {name.lower(): " ".join(value.split()) for name, value in headers.items()} | {"host": place.host}
        names = sorted(told)
        signed = ";".join(names)
        # Capitals sort before small letters, so what is ours comes first and is in order already.
        own = "".join(f"&{_quoted(name)}={_quoted(query[name])}" for name in sorted(query))
        parameters = f"{self._common}&X-Amz-SignedHeaders={_quoted(signed)}{own}"
        lines = "".join([f"{name}:{told[name]}\n" for name in names])
        request = f"{method}\n{path}\n{parameters}\n{lines}\n{signed}\nUNSIGNED-PAYLOAD"
        digest = sha256(request.encode()).hexdigest()
        signature = self._sign(f"{_ALGORITHM}\n{self._stamp}\n{self._scope}\n{digest}")
        return f"{place.scheme}://{place.host}{path}?{parameters}&X-Amz-Signature={signature}"

    def form(self, fields: Mapping[str, str], *, bucket: str, size_min: int, size_max: int) -> dict[str, str]:
        """All fields of an HTML form, each of them exact, with a policy that takes bodies of these lengths in bytes."""
        told = {
            **fields,
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": self._credential,
            "x-amz-date": self._stamp,
            **({"x-amz-security-token": self._credentials.token} if self._credentials.token else {}),
        }
        policy = {
            "expiration": datetime.fromtimestamp(self.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conditions": [
                {"bucket": bucket},
                ["content-length-range", size_min, size_max],
                *({name: value} for name, value in told.items()),
            ],
        }
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        return {**told, "policy": encoded, "x-amz-signature": self._sign(encoded)}

    def _query(self, seconds: int) -> str:
        token = f"&X-Amz-Security-Token={_quoted(self._credentials.token)}" if self._credentials.token else ""
        return (
            f"X-Amz-Algorithm={_ALGORITHM}&X-Amz-Credential={_quoted(self._credential)}"
            f"&X-Amz-Date={self._stamp}&X-Amz-Expires={seconds}{token}"
        )

    def _sign(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()


@lru_cache(maxsize=16)
def _key_of_day(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return quote(text, safe=_UNRESERVED)


@lru_cache(maxsize=64)
def _quoted_key(key: str) -> str:
    return quote(key, safe=f"/{_UNRESERVED}")
