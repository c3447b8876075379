"""A real AWS account, when the environment names one, for what no stand-in can prove (`make test-live`).

SMMU_LIVE_REGION, SMMU_LIVE_RAW_BUCKET, SMMU_LIVE_PROCESSED_BUCKET; credentials as the SDK finds them. Both buckets keep
versions, are for these tests alone and are emptied before and after each of them, so "smmu-live" must be in their names.
"""

import os

from smmu.adapters.aws.account import Account, Clients, Resources

_NAMES = ("SMMU_LIVE_REGION", "SMMU_LIVE_RAW_BUCKET", "SMMU_LIVE_PROCESSED_BUCKET")
_SAID = "smmu-live"


def is_present() -> bool:
    """Whether an account is named, and nobody else empties its buckets: workers of pytest-xdist would."""
    return all(os.environ.get(name) for name in _NAMES) and "PYTEST_XDIST_WORKER" not in os.environ


def account() -> Account:
    """The account."""
    return Account(region=os.environ[_NAMES[0]])


def resources() -> Resources:
    """Its buckets."""
    raw, processed = (os.environ[name] for name in _NAMES[1:])
    if _SAID not in raw or _SAID not in processed:
        raise RuntimeError(f"these tests empty their buckets, whose names must have {_SAID!r} in them")
    return Resources(raw_bucket=raw, processed_bucket=processed)


async def clear(clients: Clients, bucket: str) -> None:
    """Remove every version, every mark of a deletion and every open upload."""
    async for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            await clients.s3.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
    async for page in clients.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            await clients.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
