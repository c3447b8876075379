"""What moto's S3 does wrong and is mended here, so that tests see what S3 documents.

- Sending to and completing an upload that is over is `NoSuchUpload`; moto fails with a KeyError, which is a 500.
"""

from collections.abc import Callable
from typing import Any

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend

_OF_AN_UPLOAD = ("complete_multipart_upload", "upload_part")


def mend() -> None:
    """Once, before the stand-in is started."""
    for name in _OF_AN_UPLOAD:
        setattr(S3Backend, name, _knowing(getattr(S3Backend, name)))


def _knowing(call: Callable[..., Any]) -> Callable[..., Any]:
    def knowing(self: Any, bucket_name: str, multipart_id: str, *rest: Any, **named: Any) -> Any:
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(upload_id=multipart_id)
        return call(self, bucket_name, multipart_id, *rest, **named)

    return knowing
