"""What the product asks of AWS, counted where it arrives: an account of requests by service and operation.

What the harness asks (it says so in its user agent) and what the state machine asks for itself (by the stand-in's own
key) is not the product's. What is sent to a signed URL is: the deployment's owner pays for it.
"""

import io
import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

Item = dict[str, Any]
Key = tuple[tuple[str, str], ...]

HARNESS = "smmu-harness"  # in the user agent of whatever is not the product

_INTERPRETER = "Credential=ak/"  # moto signs with it what a state machine asks for
_STS = "/sts/aws4_request"
_FORMS = {"AmazonEC2ContainerServiceV20141113": "ecs", "AWSStepFunctions": "states", "AmazonSQS": "sqs"}
_KIB = 1024


class Account:
    """Counts while it is open. Units are DynamoDB's for writing; bytes are what requests carry to S3 or ask of it."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self._waiting: dict[Key, Any] = {}
        self._lock = threading.Lock()

    def note(self, environ: dict[str, Any]) -> None:
        """Count one request, unless it is not the product's."""
        if HARNESS in environ.get("HTTP_USER_AGENT", "") or _INTERPRETER in environ.get("HTTP_AUTHORIZATION", ""):
            return
        name = operation(environ)
        with self._lock:
            self.requests[name] += 1
            if name.startswith("dynamodb:"):
                self.units += write_units(json.loads(body_of(environ)), self._waiting)
            elif name.startswith("s3:"):
                self.bytes += _moved(environ)


def operation(environ: dict[str, Any]) -> str:
    """The request as `service:Operation`; S3's are told by method and query, as its documentation lists them.

    STS is told by the scope of its signature, and says what it is asked in a form.
    """
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        service, _, name = target.partition(".")
        return f"{_FORMS.get(service, 'dynamodb')}:{name}"
    if _STS in environ.get("HTTP_AUTHORIZATION", ""):
        return f"sts:{parse_qs(body_of(environ).decode())['Action'][0]}"
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


def write_units(asked: Item, waiting: dict[Key, Any]) -> Counter[str]:
    """The write units of a request, of the table and of its index `work`, whose entries `waiting` keeps in mind.

    Source: DynamoDB developer guide, "read and write operations": a unit is 1 KB of an item, a transaction pays twice,
    and an index is written only where an entry of it changes: one that moves is two writes.
    """
    units: Counter[str] = Counter()
    for times, given in _written(asked):
        item = given.get("Item", {})
        key = tuple(sorted((name, value["S"]) for name, value in (item or given["Key"]).items() if name.endswith("Id")))
        before, after = waiting.get(key), [item[name] for name in ("work", "workAt") if name in item]
        waiting[key] = after
        units["table"] += times * max(1, -(-_size(item) // _KIB))
        units["index"] += 0 if before == after else bool(before) + bool(after)
    return units


def _written(asked: Item) -> Iterator[tuple[int, Item]]:
    """What a request writes: (units for a KB, what is put, updated or deleted)."""
    if "Item" in asked:
        yield 1, asked
    for part in asked.get("TransactItems", ()):
        yield from ((2, given) for action, given in part.items() if action != "ConditionCheck")
    batches = (batch for batch in asked.get("RequestItems", {}).values() if isinstance(batch, list))  # else it reads
    for parts in batches:
        yield from ((1, given) for part in parts for given in part.values())


def _size(item: Item) -> int:
    """What DynamoDB counts of an item, nearly: its names, and its values as text."""
    return sum(len(name) + len(text.encode()) for name, held in item.items() for text in held.values())


def body_of(environ: dict[str, Any]) -> bytes:
    """The request's body, which is left for others to read."""
    data: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(data)
    return data


def _moved(environ: dict[str, Any]) -> Counter[str]:
    start, _, end = environ.get("HTTP_RANGE", "").removeprefix("bytes=").partition("-")
    read = int(end) - int(start) + 1 if end else 0
    return Counter(sent=int(environ.get("CONTENT_LENGTH") or 0), read=read)
