"""What moto's S3 does wrong and is mended here, so that tests see what S3 documents.

- Completing an upload that is over is `NoSuchUpload`; moto fails with a KeyError, which is a 500.
"""

from typing import Any

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend


def mend() -> None:
    """Once, before the stand-in is started."""
    complete = S3Backend.complete_multipart_upload

    def knowing(self: Any, bucket_name: str, multipart_id: str, *rest: Any, **named: Any) -> Any:
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(upload_id=multipart_id)
        return complete(self, bucket_name, multipart_id, *rest, **named)

    S3Backend.complete_multipart_upload = knowing
