"""Our signer gives the URLs and forms that the SDK's own gives, wherever both can be asked."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import botocore.auth
import botocore.credentials
import botocore.crt.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.aws.signing import URL_SECONDS_MAX, Credentials, Place, Signer

NOW, SECONDS, REGION = 1_790_000_000, 900, "eu-central-1"
VIRTUAL = Place(scheme="https", host=f"a-bucket.s3.{REGION}.amazonaws.com")
BY_PATH = Place(scheme="http", host="127.0.0.1:4566", path="/a-bucket")
PLAIN = Credentials(key_id="AKIDEXAMPLE", secret="a/secret+that=is-none")

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
segments = texts.map(lambda text: text.replace("/", "-")).filter(lambda text: text not in {".", ".."})
keys = st.lists(segments, min_size=1, max_size=4).map("/".join)
tokens = st.one_of(st.just(""), st.text("abcXYZ019+/=", min_size=1, max_size=300))
places = st.sampled_from([VIRTUAL, BY_PATH, Place(scheme="http", host="minio:9000", path="/b.c")])
queries = st.fixed_dictionaries(
    {},
    optional={
        "partNumber": st.integers(1, 10_000).map(str),
        "uploadId": texts,
        "versionId": texts,
        "response-content-disposition": texts,
    },
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "content-length": st.integers(0, 5_000_000_000).map(str),
        "content-type": st.sampled_from(["video/mp4", "text/plain; charset=utf-8", 'a/b;  c="d  e"']),
        "If-None-Match": st.just("*"),
        "x-amz-checksum-sha256": st.binary(min_size=32, max_size=32).map(lambda b: base64.b64encode(b).decode()),
    },
)


@contextmanager
def at(now: int) -> Iterator[None]:
    """The SDK's clocks, stopped: it has one signer in Python and one in C."""

    def stopped(*, remove_tzinfo: bool = True) -> datetime:
        moment = datetime.fromtimestamp(now, UTC)
        return moment.replace(tzinfo=None) if remove_tzinfo else moment

    with pytest.MonkeyPatch.context() as patch:
        for module in (botocore.auth, botocore.crt.auth):
            patch.setattr(module, "get_current_datetime", stopped)
        yield


def taken_apart(url: str) -> tuple[Any, ...]:
    """A URL without the order of its parameters, which says nothing."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True))


def sdk_url(method: str, url: str, credentials: Credentials, query: Mapping[str, str], sent: Mapping[str, str]) -> str:
    known = botocore.credentials.Credentials(credentials.key_id, credentials.secret, credentials.token or None)
    request = AWSRequest(method=method, url=url, headers=dict(sent), params=dict(query))
    with at(NOW):
        botocore.auth.S3SigV4QueryAuth(known, "s3", REGION, expires=SECONDS).add_auth(request)
    return str(request.url)


@given(st.sampled_from(["GET", "PUT", "HEAD"]), places, keys, st.tuples(queries, headers), tokens)
def test_a_url_is_the_one_that_the_sdk_signs(
    method: str, place: Place, key: str, asked: tuple[dict[str, str], dict[str, str]], token: str
) -> None:
    query, sent = asked
    credentials = Credentials(key_id="AKIDEXAMPLE", secret="a/secret", token=token)
    ours = Signer(credentials, REGION, now=NOW, expires_at=NOW + SECONDS).presign(
        method, place, key, query=query, headers=sent
    )
    url = f"{place.scheme}://{place.host}{place.path}/{quote(key, safe='/~')}"
    assert taken_apart(ours) == taken_apart(sdk_url(method, url, credentials, query, sent))


@given(
    st.sampled_from(["eu-central-1", "us-west-2", "ap-southeast-2"]),
    st.sampled_from(["virtual", "path"]),
    segments,
    st.integers(1, 10_000),
    st.text("abcXYZ019._-", min_size=1, max_size=120),
)
def test_a_part_is_signed_as_a_client_of_the_sdk_signs_it(
    region: str, style: str, name: str, number: int, upload: str
) -> None:
    key, host = f"raw/ada/{name}/source", f"s3.{region}.amazonaws.com"
    place = (
        Place(scheme="https", host=f"a-bucket.{host}")
        if style == "virtual"
        else Place(scheme="https", host=host, path="/a-bucket")
    )
    query = {"partNumber": str(number), "uploadId": upload}
    ours = Signer(PLAIN, region, now=NOW, expires_at=NOW + SECONDS).presign(
        "PUT", place, key, query=query, headers={"content-length": "5"}
    )
    parameters = {"Key": key, "UploadId": upload, "PartNumber": number, "ContentLength": 5}
    assert taken_apart(ours) == taken_apart(client_url(region, style, "upload_part", parameters))


def client_url(region: str, style: str, operation: str, parameters: dict[str, Any]) -> str:
    with at(NOW):
        return str(
            client(region, style).generate_presigned_url(operation, {"Bucket": "a-bucket", **parameters}, SECONDS)
        )


CLIENTS: dict[tuple[str, str], Any] = {}


def client(region: str, style: str) -> Any:
    if (region, style) not in CLIENTS:
        CLIENTS[region, style] = botocore.session.Session().create_client(
            "s3",
            region_name=region,
            aws_access_key_id=PLAIN.key_id,
            aws_secret_access_key=PLAIN.secret,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": style},
                request_checksum_calculation="when_required",
            ),
        )
    return CLIENTS[region, style]


def test_a_read_of_one_version_is_signed_as_a_client_of_the_sdk_signs_it() -> None:
    disposition = "attachment; filename=\"a_.jpg\"; filename*=UTF-8''a%C3%A4.jpg"
    ours = Signer(PLAIN, REGION, now=NOW, expires_at=NOW + SECONDS).presign(
        "GET",
        VIRTUAL,
        "media/a b.jpg",
        query={"versionId": "v/1", "response-content-disposition": disposition},
        headers={},
    )
    parameters = {"Key": "media/a b.jpg", "VersionId": "v/1", "ResponseContentDisposition": disposition}
    assert taken_apart(ours) == taken_apart(client_url(REGION, "virtual", "get_object", parameters))


@given(tokens)
def test_a_form_is_signed_as_the_sdk_signs_it(token: str) -> None:
    credentials = Credentials(key_id="AKIDEXAMPLE", secret="a/secret", token=token)
    signer = Signer(credentials, REGION, now=NOW, expires_at=NOW + SECONDS)
    form = signer.form({"key": "raw/ä", "content-type": "video/mp4"}, bucket="a-bucket", size_min=1, size_max=9)
    policy = json.loads(base64.b64decode(form["policy"]))
    conditions = [
        one for one in policy["conditions"] if not (isinstance(one, dict) and next(iter(one))[:6] == "x-amz-")
    ]
    request = AWSRequest(method="POST", url=VIRTUAL.url)
    request.context["s3-presign-post-fields"] = {"key": "raw/ä", "content-type": "video/mp4"}
    request.context["s3-presign-post-policy"] = {"expiration": policy["expiration"], "conditions": conditions}
    known = botocore.credentials.Credentials(credentials.key_id, credentials.secret, token or None)
    with at(NOW):
        botocore.auth.S3SigV4PostAuth(known, "s3", REGION).add_auth(request)
    assert form == request.context["s3-presign-post-fields"]


def test_every_field_of_a_form_is_a_condition_of_its_policy() -> None:
    signer = Signer(PLAIN, REGION, now=NOW, expires_at=NOW + SECONDS)
    form = signer.form({"key": "raw/a", "content-type": "video/mp4"}, bucket="a-bucket", size_min=1, size_max=9)
    policy = json.loads(base64.b64decode(form["policy"]))
    exact = {name: value for one in policy["conditions"] if isinstance(one, dict) for name, value in one.items()}
    assert exact == {"bucket": "a-bucket"} | {
        name: value for name, value in form.items() if name not in {"policy", "x-amz-signature"}
    }
    assert ["content-length-range", 1, 9] in policy["conditions"]
    assert policy["expiration"] == "2026-09-21T14:28:20.000Z"


def life_of(url: str) -> tuple[str, int]:
    told = dict(parse_qsl(urlsplit(url).query))
    return told["X-Amz-Date"], int(told["X-Amz-Expires"])


@pytest.mark.parametrize(
    ("expires_at", "credentials_expire_at", "seconds"),
    [
        (NOW + 60.9, None, 60),
        (NOW + 60, NOW + 30.5, 30),
        (NOW + 60, NOW + 90, 60),
        (NOW + 9_999_999, None, URL_SECONDS_MAX),
    ],
)
def test_a_url_lives_no_longer_than_asked_for_nor_than_its_credentials_nor_a_week(
    expires_at: float, credentials_expire_at: float | None, seconds: int
) -> None:
    credentials = Credentials(key_id="A", secret="b", expires_at=credentials_expire_at)
    signer = Signer(credentials, REGION, now=NOW, expires_at=expires_at)
    assert signer.expires_at == NOW + seconds
    assert life_of(signer.presign("GET", VIRTUAL, "a", query={}, headers={})) == ("20260921T141320Z", seconds)


def test_a_url_for_a_time_that_is_over_is_over() -> None:
    signer = Signer(PLAIN, REGION, now=NOW, expires_at=NOW - 10)
    assert signer.expires_at == NOW - 10
    assert life_of(signer.presign("GET", VIRTUAL, "a", query={}, headers={})) == ("20260921T141309Z", 1)


def test_a_key_of_the_day_is_of_its_day_region_and_secret() -> None:
    urls = {
        Signer(Credentials(key_id="A", secret=secret), region, now=now, expires_at=now + 60).presign(
            "GET", VIRTUAL, "a", query={}, headers={}
        )[-64:]
        for secret in ("one", "two")
        for region in ("eu-central-1", "eu-west-1")
        for now in (NOW, NOW + 86_400)
    }
    assert len(urls) == 8


def test_secrets_are_not_shown_by_accident() -> None:
    shown = repr(Credentials(key_id="A", secret="the-secret", token="the-token"))
    assert "the-secret" not in shown
    assert "the-token" not in shown
