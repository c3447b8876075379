"""What arrives at the stand-in, and by whose credentials: each request as IAM would have to judge it.

Source: the service authorization reference, "Actions, resources, and condition keys" of S3, DynamoDB and STS.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.support.aws.accounting import body_of, operation
from tests.support.aws.moto import REGION, Answer, Watch, watching
from tests.support.aws.policies import Asked

_KEY_ID = re.compile(r"Credential=([^/]+)/")
_WRITES = ("PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload")
_ITEMS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
_READS = ("GetObject", "HeadObject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request: whose key signed it, what it is, what it asks for, and the tags of a session that it begins.

    `asked` is empty for what workers never do (indexes, streams, other services): `operation` tells.
    """

    key_id: str
    operation: str
    asked: tuple[Asked, ...]
    tags: Mapping[str, str]
    token: bool


@dataclass(slots=True)
class Trail:
    """What was seen, in order."""

    seen: list[Seen] = field(default_factory=list)

    def of(self, key_id: str) -> list[Seen]:
        return [one for one in self.seen if one.key_id == key_id]

    def note(self, environ: dict[str, Any]) -> None:
        found = _KEY_ID.search(environ.get("HTTP_AUTHORIZATION", ""))
        if found is not None:
            name = operation(environ)
            form = parse_qs(body_of(environ).decode()) if name.startswith("sts:") else {}
            token = "HTTP_X_AMZ_SECURITY_TOKEN" in environ
            asked = tuple(_asked(name, environ))
            self.seen.append(Seen(key_id=found[1], operation=name, asked=asked, tags=_tags(form), token=token))


@contextmanager
def trail(answer: Watch | None = None) -> Iterator[Trail]:
    """Look at all requests until the block ends; `answer` may answer some of them in the stand-in's place."""
    found = Trail()

    def watch(environ: dict[str, Any]) -> Answer | None:
        found.note(environ)
        return None if answer is None else answer(environ)

    with watching(watch):
        yield found


def _tags(form: Mapping[str, list[str]]) -> dict[str, str]:
    names = {name.split(".")[2]: told[0] for name, told in form.items() if name.endswith(".Key")}
    return {name: form[f"Tags.member.{place}.Value"][0] for place, name in names.items()}


def _asked(name: str, environ: dict[str, Any]) -> Iterator[Asked]:
    service, _, action = name.partition(":")
    if service == "s3":
        yield _of_s3(action, environ)
    elif service == "dynamodb":
        yield from (_of_dynamodb(*one) for one in _parts(action, json.loads(body_of(environ))))


def _of_s3(action: str, environ: dict[str, Any]) -> Asked:
    resource = f"arn:aws:s3:::{unquote(environ['PATH_INFO']).strip('/')}"
    if action in _WRITES:
        return Asked(action="s3:PutObject", resource=resource)
    if action in _READS:
        version = "Version" if "versionId=" in environ.get("QUERY_STRING", "") else ""
        return Asked(action=f"s3:GetObject{version}", resource=resource)
    prefix = parse_qs(environ.get("QUERY_STRING", "")).get("prefix", [])
    allowed_by = "ListBucketVersions" if action == "ListObjectVersions" else action
    return Asked(action=f"s3:{allowed_by}", resource=resource, context={"s3:prefix": prefix})


def _parts(action: str, told: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The actions of an owner's items that a request comes to; a transaction needs those of its parts."""
    if action in _ITEMS or ":owner" in told.get("ExpressionAttributeValues", ()):
        yield action, told
    for part in told.get("TransactItems", ()):
        yield from ((f"{verb}Item", given) for verb, given in part.items())


def _of_dynamodb(action: str, told: Mapping[str, Any]) -> Asked:
    item = told.get("Item") or told.get("Key") or {"userId": told["ExpressionAttributeValues"][":owner"]}
    resource = f"arn:aws:dynamodb:{REGION}:123456789012:table/{told['TableName']}"
    return Asked(
        action=f"dynamodb:{action}", resource=resource, context={"dynamodb:LeadingKeys": [item["userId"]["S"]]}
    )
