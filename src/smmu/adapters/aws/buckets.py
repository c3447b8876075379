"""Where keys live in S3, how their URLs are written, and who signs them: what both stores share.

Storage layout: what owners send (`raw/…`) is in the raw bucket, all that is made is in the processed one; both keep
versions, so that a version that was looked at stays what it is. IAM: that of the stores. Requests: one HEAD in `head`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import NoCredentialsError

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.errors import translating
from smmu.adapters.aws.signing import Credentials, Place, Signer
from smmu.domain.values import ObjectRef
from smmu.ports.errors import AlreadyExists, NotFound
from smmu.ports.objects import ObjectInfo
from smmu.ports.system import Clock

RAW = "raw/"


@dataclass(frozen=True, slots=True)
class Buckets:
    """The two buckets of a deployment."""

    s3: Any
    raw: str
    processed: str
    clock: Clock

    @classmethod
    def of(cls, clients: Clients, resources: Resources, clock: Clock) -> "Buckets":
        """Those that a deployment names."""
        return cls(clients.s3, resources.raw_bucket, resources.processed_bucket, clock)

    def holding(self, key: str) -> str:
        """The bucket of a key."""
        return self.raw if key.startswith(RAW) else self.processed

    def where(self, key: str) -> dict[str, str]:
        """Bucket and key, as arguments of a call."""
        return {"Bucket": self.holding(key), "Key": key}

    def place(self, key: str) -> Place:
        """The address of the key's bucket. A name with dots matches no certificate, so it goes into the path."""
        bucket, endpoint = self.holding(key), urlsplit(str(self.s3.meta.endpoint_url))
        if self.s3.meta.config.s3["addressing_style"] == "path" or "." in bucket:
            return Place(scheme=endpoint.scheme, host=endpoint.netloc, path=f"/{bucket}")
        return Place(scheme=endpoint.scheme, host=f"{bucket}.{endpoint.netloc}")

    async def signer(self, expires_at: float) -> Signer:
        """A signer from now on, with the client's own credentials, renewed if need be. Raises `Denied` without any."""
        region = str(self.s3.meta.region_name)
        return Signer(await _credentials(self.s3), region, now=self.clock.now(), expires_at=expires_at)

    async def head(self, key: str, **more: str) -> tuple[ObjectInfo, dict[str, Any]] | None:
        """What S3 tells of an object without its bytes; `None` without one, or where a condition in `more` fails."""
        try:
            with translating(key):
                told = await self.s3.head_object(**self.where(key), **more)
        except (NotFound, AlreadyExists):
            return None
        return _info(key, told), told


def ref_of(key: str, told: Mapping[str, Any], size: int) -> ObjectRef:
    """A reference from an answer that has ETag and version; without versioning, S3 calls the only one "null"."""
    return ObjectRef(key=key, version=told.get("VersionId", "null"), etag=unquoted(told["ETag"]), size=size)


def unquoted(etag: str) -> str:
    """An ETag without the quotes that HTTP puts around it."""
    return etag.strip('"')


def pins(ref: ObjectRef) -> dict[str, str]:
    """The very version, as arguments of a call. The ETag is for a bucket without versions, where all are "null"."""
    return {"VersionId": ref.version, "IfMatch": f'"{ref.etag}"'}


def _info(key: str, told: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        ref=ref_of(key, told, int(told["ContentLength"])),
        content_type=told.get("ContentType", ""),
        modified_at=told["LastModified"].timestamp(),
    )


async def _credentials(client: Any) -> Credentials:  # noqa: ANN401 - the SDK makes its clients' types at run time
    """The client's, as they are now. The SDK renews them when it is asked; it tells their end to nobody but itself."""
    provider = client._get_credentials()  # noqa: SLF001 - no public way leads to a client's own credentials
    with translating("signing"):
        frozen = await _frozen(provider)
    ends = getattr(provider, "_expiry_time", None)
    return Credentials(
        key_id=frozen.access_key,
        secret=frozen.secret_key,
        token=frozen.token or "",
        expires_at=None if ends is None else ends.timestamp(),
    )


async def _frozen(provider: Any) -> Any:  # noqa: ANN401 - as above
    if provider is None:
        raise NoCredentialsError
    return await provider.get_frozen_credentials()
