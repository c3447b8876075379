"""What moto's S3 does wrong and is mended here, so that tests see what S3 documents.

- Sending to and completing an upload that is over is `NoSuchUpload`; moto fails with a KeyError, which is a 500.
- An object whose sender named no checksum has its CRC-64/NVME all the same; moto has none of it. And HEAD tells whether
  a checksum is of the whole object; moto does not.
"""

from collections.abc import Callable
from typing import Any

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import FakeKey, S3Backend
from moto.s3.utils import compute_checksum

_DEFAULT = "CRC64NVME"


def mend() -> None:
    """Once, before the stand-in is started."""
    S3Backend.upload_part = _knowing(S3Backend.upload_part)
    S3Backend.complete_multipart_upload = _knowing(_keeping(S3Backend.complete_multipart_upload))
    S3Backend.put_object = _summing(S3Backend.put_object)
    FakeKey.response_dict = property(_telling(FakeKey.response_dict.fget))


def _knowing(call: Callable[..., Any]) -> Callable[..., Any]:
    def knowing(self: Any, bucket_name: str, multipart_id: str, *rest: Any, **named: Any) -> Any:
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(upload_id=multipart_id)
        return call(self, bucket_name, multipart_id, *rest, **named)

    return knowing


def _keeping(complete: Callable[..., Any]) -> Callable[..., Any]:
    def keeping(*given: Any, **named: Any) -> Any:
        key = complete(*given, **named)
        if key is not None:
            key.checksum_algorithm = key.checksum_algorithm or _DEFAULT
        return key

    return keeping


def _summing(put: Callable[..., Any]) -> Callable[..., Any]:
    def summing(self: Any, bucket_name: str, key_name: str, value: bytes, *rest: Any, **named: Any) -> Any:
        key = put(self, bucket_name, key_name, value, *rest, **named)
        key.checksum_type = key.checksum_type or "FULL_OBJECT"
        if key.checksum_value is None:
            key.checksum_algorithm, key.checksum_value = _DEFAULT, compute_checksum(value, _DEFAULT).decode()
        return key

    return summing


def _telling(told: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def telling(self: Any) -> dict[str, Any]:
        return {**told(self), "x-amz-checksum-type": self.checksum_type}

    return telling
