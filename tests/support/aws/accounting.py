"""What the product asks of AWS, counted where it arrives: an account of requests by service and operation.

What the harness asks (it says so in its user agent) and what the state machine asks for itself is not the product's.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

HARNESS = "smmu-harness"  # in the user agent of whatever is not the product

_FORMS = {"AmazonEC2ContainerServiceV20141113": "ecs", "AWSStepFunctions": "states", "AmazonSQS": "sqs"}


class Account:
    """Counts while it is open."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()

    def note(self, environ: dict[str, Any]) -> None:
        """Count one request."""
        if HARNESS not in environ.get("HTTP_USER_AGENT", ""):
            self.requests[operation(environ)] += 1

    def since(self, before: "Counter[str]") -> "Counter[str]":
        """What came since `before`, a copy of `requests`."""
        return self.requests - before


def operation(environ: dict[str, Any]) -> str:
    """The request as `service:Operation`; S3's are told by method and query, as its documentation lists them."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        service, _, name = target.partition(".")
        return f"{_FORMS.get(service, 'dynamodb')}:{name}"
    return f"s3:{_of_s3(environ['REQUEST_METHOD'], parse_qs(environ.get('QUERY_STRING', ''), keep_blank_values=True))}"


def _of_s3(method: str, query: dict[str, list[str]]) -> str:
    names: Iterable[tuple[str, str, str]] = (
        ("PUT", "partNumber", "UploadPart"),
        ("POST", "uploads", "CreateMultipartUpload"),
        ("POST", "uploadId", "CompleteMultipartUpload"),
        ("DELETE", "uploadId", "AbortMultipartUpload"),
        ("POST", "delete", "DeleteObjects"),
        ("GET", "versions", "ListObjectVersions"),
        ("GET", "uploads", "ListMultipartUploads"),
        ("GET", "uploadId", "ListParts"),
        ("PUT", "", "PutObject"),
        ("HEAD", "", "HeadObject"),
        ("GET", "", "GetObject"),
        ("DELETE", "", "DeleteObject"),
    )
    return next((name for known, key, name in names if known == method and (not key or key in query)), method)
