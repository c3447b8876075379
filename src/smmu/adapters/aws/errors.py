"""How AWS fails, said in the ports' words. Nothing else in this family names its errors, but for expected ones.

A code means the same in every service, so there is one table; what a service's code means beyond that (a condition
that did not hold, a run that exists) is decided where the call is. It refuses to guess: a code that nobody knows is
`Unavailable` when the service says it is its own fault (5xx), and else our bug, which passes through as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from smmu.ports.errors import AlreadyExists, Conflict, Corrupt, Denied, NotFound, Throttled, Unavailable, WorldError

_SERVERS_FAULT = 500

_CODES: dict[str, type[WorldError]] = {
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "403", "ExpiredToken"), Denied),
    **dict.fromkeys(
        ("ExpiredTokenException", "InvalidAccessKeyId", "SignatureDoesNotMatch", "UnrecognizedClientException"), Denied
    ),
    **dict.fromkeys(("KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"), Denied),  # S3's
    **dict.fromkeys(("DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"), Denied),  # its own
    **dict.fromkeys(("KmsAccessDenied", "KmsDisabled", "KmsInvalidState", "KmsNotFound"), Denied),  # SQS's
    "InvalidObjectState": Denied,  # archived: it is there, and nobody may read it
    **dict.fromkeys(("404", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NoSuchBucket"), NotFound),
    **dict.fromkeys(("405", "MethodNotAllowed", "InvalidPart"), NotFound),  # 405: that version marks a deletion
    **dict.fromkeys(
        ("ResourceNotFoundException", "ExecutionDoesNotExist", "QueueDoesNotExist", "NotFoundException"), NotFound
    ),
    "AWS.SimpleQueueService.NonExistentQueue": NotFound,
    **dict.fromkeys(("412", "PreconditionFailed"), AlreadyExists),
    **dict.fromkeys(("ConditionalCheckFailedException", "ConditionalRequestConflict", "OperationAborted"), Conflict),
    **dict.fromkeys(("BadDigest", "XAmzContentChecksumMismatch", "EntityTooSmall", "IncompleteBody"), Corrupt),
    **dict.fromkeys(
        ("SlowDown", "Throttling", "ThrottlingException", "RequestThrottled", "TooManyRequests"), Throttled
    ),
    **dict.fromkeys(("ProvisionedThroughputExceededException", "RequestLimitExceeded", "LimitExceeded"), Throttled),
    **dict.fromkeys(("TooManyRequestsException", "EC2ThrottledException"), Throttled),  # Lambda's
    **dict.fromkeys(("OverLimit", "KmsThrottled", "KMS.ThrottlingException"), Throttled),
    **dict.fromkeys(("TransactionInProgressException", "ServiceUnavailable", "RequestTimeout"), Unavailable),
    "ResourceConflictException": Unavailable,  # Lambda's: the function is being changed
    **dict.fromkeys(("InternalError", "InternalServerError", "InternalFailure", "503", "500"), Unavailable),
}


@contextmanager
def translating(what: str) -> Iterator[None]:
    """Turn what AWS raises into `ports.errors`; `what` names the thing asked for, for the sentence."""
    try:
        yield
    except ClientError as error:
        raise _of_client_error(error, what) from error
    except NoCredentialsError as error:
        raise Denied(f"{what}: there are no AWS credentials here") from error
    except ParamValidationError:
        raise  # we asked for something that does not exist: a bug
    except BotoCoreError as error:  # no connection, a timeout, an answer cut short: the effect may be there
        raise Unavailable(f"{what}: {error}") from error


def code_of(error: ClientError) -> str:
    """The service's own code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _of_client_error(error: ClientError, what: str) -> WorldError | ClientError:
    known = _CODES.get(code_of(error))
    if known is not None:
        return known(f"{what}: {error}")
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= _SERVERS_FAULT:
        return Unavailable(f"{what}: {error}")
    return error
