"""What each failure of AWS is in the ports' words: one table for all services, and no guesses."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from smmu.adapters.aws.errors import translating
from smmu.ports.errors import AlreadyExists, Conflict, Corrupt, Denied, NotFound, Throttled, Unavailable, WorldError
from tests.support.aws.unruly import error_of

S3 = "https://s3"


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        (
            "403",
            403,
            Denied,
        ),  # HEAD has no body, so its code is the status; also for what is missing, without ListBucket
        ("AccessDenied", 403, Denied),
        ("InvalidObjectState", 403, Denied),
        ("KMS.DisabledException", 400, Denied),
        ("KmsAccessDenied", 400, Denied),
        ("ExpiredToken", 400, Denied),
        ("404", 404, NotFound),
        ("NoSuchVersion", 404, NotFound),
        ("405", 405, NotFound),
        ("ResourceNotFoundException", 400, NotFound),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, NotFound),
        ("412", 412, AlreadyExists),
        ("ConditionalCheckFailedException", 400, Conflict),
        ("BadDigest", 400, Corrupt),
        ("SlowDown", 503, Throttled),
        ("ThrottlingException", 400, Throttled),
        ("KMS.ThrottlingException", 400, Throttled),
        ("RequestTimeout", 400, Unavailable),
        ("NeverHeardOf", 500, Unavailable),
        ("502", 502, Unavailable),
    ],
)
def test_a_code_means_the_same_in_every_service(code: str, status: int, meaning: type[WorldError]) -> None:
    with pytest.raises(meaning) as raised, translating("a record"):
        raise error_of(code, status)
    assert isinstance(raised.value.__cause__, ClientError)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=S3),
        ConnectTimeoutError(endpoint_url=S3),
        ReadTimeoutError(endpoint_url=S3),
        HTTPClientError(error="the connection was closed while nobody looked"),
        ResponseStreamingError(error="the body was cut off"),
    ],
)
def test_what_was_not_answered_may_be_done(error: BotoCoreError) -> None:
    with pytest.raises(Unavailable), translating("a record"):
        raise error


def test_no_credentials_is_a_right_that_is_missing() -> None:
    with pytest.raises(Denied), translating("a record"):
        raise NoCredentialsError


@pytest.mark.parametrize("error", [error_of("ValidationException", 400), ParamValidationError(report="x")])
def test_what_nobody_foresaw_is_a_bug_and_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, translating("a record"):
        raise error
    assert raised.value is error
