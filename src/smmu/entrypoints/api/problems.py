"""What the API says when it refuses: RFC 9457 problem documents. The only place that knows HTTP statuses of errors.

Three owners of an error (docs/design.md): a rule refused, the world failed, or we have a bug. A bug's trace and the
world's own words go to telemetry under the request id that the caller is shown, and never into an answer.
"""

import secrets
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException

from smmu.domain.errors import REJECTIONS, Code, Reason, Refused, escaped
from smmu.entrypoints.api.replies import Reply, Scope
from smmu.ports.errors import Conflict, Full, Throttled, Unavailable, WorldError
from smmu.ports.system import Telemetry
from smmu.wire import PROBLEM_JSON, Fault, Problem

# --- the table

STATUS: Mapping[Code, int] = MappingProxyType(
    {
        Code.INVALID_REQUEST: 422,
        Code.INVALID_FILENAME: 422,
        Code.INVALID_SIZE: 422,
        Code.FILE_EMPTY: 422,
        Code.FILE_TOO_LARGE: 413,
        Code.TYPE_NOT_ADMITTED: 415,
        Code.INVALID_CHECKSUM: 422,
        Code.INVALID_METADATA: 422,
        Code.INVALID_OPTIONS: 422,
        Code.INVALID_WATERMARK: 422,
        Code.INVALID_PART: 422,
        Code.INVALID_VARIANT: 422,
        Code.QUOTA_EXCEEDED: 429,
        Code.IDEMPOTENCY_KEY_REUSED: 422,
        Code.UNAUTHENTICATED: 401,
        Code.NOT_FOUND: 404,
        Code.PRECONDITION_FAILED: 412,
        Code.UPLOAD_EXPIRED: 410,
        Code.UPLOAD_ABORTED: 409,
        Code.UPLOAD_REJECTED: 409,
        Code.UPLOAD_COMPLETED: 409,
        Code.UPLOAD_COMPLETING: 409,
        Code.UPLOAD_INCOMPLETE: 409,
        Code.SIZE_MISMATCH: 422,
        Code.CHECKSUM_MISMATCH: 422,
        Code.TYPE_MISMATCH: 422,
        Code.TYPE_UNRECOGNISED: 422,
        Code.JOB_NOT_CANCELLABLE: 409,
        Code.JOB_NOT_RETRYABLE: 409,
        Code.SOURCE_EXPIRED: 409,
        Code.MEDIA_DELETED: 410,
        Code.MEDIA_BUSY: 409,
        Code.NOT_PLAYABLE: 409,
        Code.MEDIA_NOT_READY: 409,
        Code.UNKNOWN_RENDITION: 422,
        Code.NOTHING_TO_MAKE: 409,
        Code.NOT_A_PICTURE: 409,
        Code.NOT_MADE_HERE: 501,
        Code.JOB_CANCELLED: 409,
        Code.JOB_TIMED_OUT: 409,
        Code.PROOF_FAILED: 500,
        **dict.fromkeys(REJECTIONS, 422),
        Code.OUT_OF_MEMORY: 500,
        Code.CRASHED: 500,
        Code.STALLED: 500,
        Code.TIMED_OUT: 500,
        Code.INTERRUPTED: 503,
        Code.WORLD_UNAVAILABLE: 503,
        Code.DISK_FULL: 507,
        Code.INTERNAL: 500,
    }
)
# What has been stored already is not a request that is too large or of a wrong type: its content is refused.
STATUS_OF_STORED: Mapping[Code, int] = MappingProxyType(
    {**STATUS, Code.FILE_TOO_LARGE: 422, Code.TYPE_NOT_ADMITTED: 422}
)


class HttpCode(StrEnum):
    """Stable codes of what only HTTP can get wrong."""

    MALFORMED_JSON = "malformed_json"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    URL_REFUSED = "url_refused"
    ALREADY_SENT = "already_sent"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"


HTTP_STATUS: Mapping[HttpCode, int] = MappingProxyType(
    {
        HttpCode.MALFORMED_JSON: 400,
        HttpCode.METHOD_NOT_ALLOWED: 405,
        HttpCode.BODY_TOO_LARGE: 413,
        HttpCode.URL_REFUSED: 403,
        HttpCode.ALREADY_SENT: 412,
        HttpCode.RANGE_NOT_SATISFIABLE: 416,
    }
)
_RETRY_AFTER: Mapping[str, int] = MappingProxyType(
    {Code.WORLD_UNAVAILABLE: 2, Code.INTERRUPTED: 2, Code.UPLOAD_COMPLETING: 1, Code.DISK_FULL: 60}
)
_TYPES: Mapping[str, str] = MappingProxyType(
    {Code.QUOTA_EXCEEDED: "https://iana.org/assignments/http-problem-types#quota-exceeded"}
)
_SCHEME = 'Bearer realm="smmu"'
_SIGNED = ("/blobs", "/play")
_FAULTS_MAX, _POINTER_CHARS_MAX = 50, 200


class HttpRefusal(Exception):
    """Something only HTTP can get wrong, with what has to be said in headers."""

    def __init__(self, code: HttpCode, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.headers = code, message, headers or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A refusal before it is a document."""

    status: int
    code: str
    message: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


_BUG = Said(
    status=500,
    code=Code.INTERNAL,
    message="Something went wrong on our side: try again, and give the request id if you report it.",
)


@dataclass(frozen=True, slots=True)
class Problems:
    """Turns errors into answers, and tells operators of those that are our fault."""

    telemetry: Telemetry

    def answer(
        self,
        error: Exception,
        scope: Scope,
        *,
        statuses: Mapping[Code, int] = STATUS,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The problem document of any error."""
        said = _explained(error, statuses)
        request_id = f"req_{secrets.token_hex(8)}"
        if said is _BUG:
            stack = "".join(traceback.format_exception(error))
            self.telemetry.event("bug", request_id=request_id, path=place(scope), stack=stack)
        elif isinstance(error, WorldError):
            self.telemetry.event("world_failed", request_id=request_id, path=place(scope), error=repr(error))
        return _document(said, place(scope), request_id, headers or {})

    def note_broken(self, error: Exception, scope: Scope) -> None:
        """Tell operators of an answer that broke off half-way."""
        stack = "".join(traceback.format_exception(error))
        self.telemetry.event("answer_broken", path=place(scope), stack=stack)


def place(scope: Scope) -> str:
    """The path of a request as it may be shown and logged: signed tokens are left out."""
    path: str = scope["path"]
    return next((shown for shown in _SIGNED if path.startswith(f"{shown}/")), path)


def _document(said: Said, instance: str, request_id: str, headers: Mapping[str, str]) -> Reply:
    problem = Problem(
        type=_TYPES.get(said.code, f"urn:smmu:problem:{said.code}"),
        title=said.code.replace("_", " ").capitalize(),
        status=said.status,
        detail=said.message,
        instance=instance,
        code=said.code,
        message=said.message,
        errors=list(said.faults[:_FAULTS_MAX]),
        request_id=request_id,
    )
    return Reply(
        problem.model_dump_json().encode(),
        status=said.status,
        content_type=PROBLEM_JSON,
        headers={"x-request-id": request_id, **_usual_headers(said), **said.headers, **headers},
    )


def _usual_headers(said: Said) -> dict[str, str]:
    headers = {}
    if said.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = _SCHEME
    if said.code in _RETRY_AFTER:
        headers["retry-after"] = str(_RETRY_AFTER[said.code])
    return headers


# --- one sentence for each owner of an error


def _explained(error: Exception, statuses: Mapping[Code, int]) -> Said:
    if isinstance(error, Refused):
        faults = [_fault(reason) for reason in error.reasons]
        return Said(status=statuses[error.code], code=error.code, message=error.message, faults=faults)
    if isinstance(error, ValidationError):
        return _not_valid(error)
    if isinstance(error, HttpRefusal):
        faults = [Fault(code=error.code, message=error.message)]
        status = HTTP_STATUS[error.code]
        return Said(status=status, code=error.code, message=error.message, faults=faults, headers=error.headers)
    if isinstance(error, HTTPException):
        return _of_the_framework(error)
    return _of_the_world(error)


def _fault(reason: Reason) -> Fault:
    return Fault(pointer=reason.pointer[:_POINTER_CHARS_MAX], code=reason.code, message=reason.message)


def _of_the_framework(error: HTTPException) -> Said:
    """What routing found out: there is no such place, or not by that method."""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = "This address does not take that method: see the Allow header."
        code: str = HttpCode.METHOD_NOT_ALLOWED
    else:
        message, code = "There is nothing at this address.", Code.NOT_FOUND
    faults = [Fault(code=code, message=message)]
    status = HTTPStatus.METHOD_NOT_ALLOWED if code != Code.NOT_FOUND else HTTPStatus.NOT_FOUND
    return Said(status=status, code=code, message=message, faults=faults, headers=error.headers or {})


def _of_the_world(error: Exception) -> Said:
    """What can be tried again says when; everything else that reaches this place is a bug."""
    if isinstance(error, Full):
        return _world(Code.DISK_FULL, "There is no room left to store this: try again later.")
    if isinstance(error, (Throttled, Unavailable, Conflict)):
        return _world(Code.WORLD_UNAVAILABLE, "The service is busy: try again in a moment.")
    return _BUG


def _world(code: Code, message: str) -> Said:
    return Said(status=STATUS[code], code=code, message=message, faults=[Fault(code=code, message=message)])


# --- pydantic's findings, as a person reads them

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "{field} is missing.",
        "extra_forbidden": "There is no field {field}: take it out.",
        "string_type": "{field} must be text.",
        "int_type": "{field} must be a whole number.",
        "int_from_float": "{field} must be a whole number.",
        "int_parsing_size": "{field} is too large a number.",
        "less_than_equal": "{field} must be at most {le}.",
        "greater_than_equal": "{field} must be at least {ge}.",
        "string_too_long": "{field} must have at most {max_length} characters.",
        "dict_type": "{field} must be an object.",
        "model_type": "{field} must be an object.",
        "list_type": "{field} must be a list.",
        "literal_error": "{field} must be {expected}.",
    }
)

_NOTHING_SENT = "EOF while parsing a value at line 1 column 0"  # pydantic's words


def _not_valid(error: ValidationError) -> Said:
    """All findings; a body that is no JSON at all is a different answer."""
    found = error.errors(include_url=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        why = found[0]["ctx"]["error"]
        message = "The body is empty: send JSON." if why == _NOTHING_SENT else f"The body is not valid JSON: {why}."
        code = HttpCode.MALFORMED_JSON
        return Said(status=HTTP_STATUS[code], code=code, message=message, faults=[Fault(code=code, message=message)])
    faults = list(_faults(found[:_FAULTS_MAX]))
    code_, status = Code.INVALID_REQUEST, STATUS[Code.INVALID_REQUEST]
    return Said(status=status, code=code_, message=" ".join(fault.message for fault in faults), faults=faults)


def _faults(found: Sequence[Any]) -> Iterator[Fault]:
    for each in found:
        pointer = "".join(f"/{escaped(str(step))}" for step in each["loc"])[:_POINTER_CHARS_MAX]
        name = _name(each["loc"])
        words = _WORDS.get(each["type"])
        message = words.format(field=name, **each.get("ctx", {})) if words else f"{name}: {each['msg']}."
        yield Fault(pointer=pointer, code=Code.INVALID_REQUEST, message=message)


def _name(path: Sequence[object]) -> str:
    """`parts[3].number`; text that came from outside is cut and shown without line breaks."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    shown = "".join(char if char.isprintable() else "?" for char in steps)[:_POINTER_CHARS_MAX]
    return shown or "The body"
