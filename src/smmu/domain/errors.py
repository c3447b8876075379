"""What the domain says when a rule refuses: a stable code, one clear sentence, and every reason.

The codes are the product's interface (problem documents, exit statuses, job errors): they are never renamed.
How a code becomes an HTTP status is decided in one place, `entrypoints/api/problems.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Code(StrEnum):
    """Stable error codes."""

    # a request that is not well formed, or not allowed
    INVALID_REQUEST = "invalid_request"
    INVALID_FILENAME = "invalid_filename"
    INVALID_SIZE = "invalid_size"
    FILE_EMPTY = "file_empty"
    FILE_TOO_LARGE = "file_too_large"
    TYPE_NOT_ADMITTED = "type_not_admitted"
    INVALID_CHECKSUM = "invalid_checksum"
    INVALID_METADATA = "invalid_metadata"
    INVALID_OPTIONS = "invalid_options"
    INVALID_WATERMARK = "invalid_watermark"
    INVALID_PART = "invalid_part"
    INVALID_VARIANT = "invalid_variant"
    QUOTA_EXCEEDED = "quota_exceeded"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    UNAUTHENTICATED = "unauthenticated"
    NOT_FOUND = "not_found"
    PRECONDITION_FAILED = "precondition_failed"

    # uploads
    UPLOAD_EXPIRED = "upload_expired"
    UPLOAD_ABORTED = "upload_aborted"
    UPLOAD_REJECTED = "upload_rejected"
    UPLOAD_COMPLETED = "upload_completed"
    UPLOAD_COMPLETING = "upload_completing"
    UPLOAD_INCOMPLETE = "upload_incomplete"
    SIZE_MISMATCH = "size_mismatch"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    TYPE_MISMATCH = "type_mismatch"
    TYPE_UNRECOGNISED = "type_unrecognised"

    # jobs and media
    JOB_NOT_CANCELLABLE = "job_not_cancellable"
    JOB_NOT_RETRYABLE = "job_not_retryable"
    SOURCE_EXPIRED = "source_expired"
    MEDIA_DELETED = "media_deleted"
    MEDIA_BUSY = "media_busy"
    NOT_PLAYABLE = "not_playable"
    MEDIA_NOT_READY = "media_not_ready"
    UNKNOWN_RENDITION = "unknown_rendition"
    NOTHING_TO_MAKE = "nothing_to_make"
    NOT_A_PICTURE = "not_a_picture"
    NOT_MADE_HERE = "not_made_here"
    JOB_CANCELLED = "job_cancelled"
    JOB_TIMED_OUT = "job_timed_out"
    PROOF_FAILED = "proof_failed"

    # a file that inspection refuses: the job fails, the media is rejected, a retry is refused
    REJECTED_NOT_MEDIA = "rejected_not_media"
    REJECTED_UNSUPPORTED = "rejected_unsupported"
    REJECTED_UNSUPPORTED_CODEC = "rejected_unsupported_codec"
    REJECTED_ENCRYPTED = "rejected_encrypted"
    REJECTED_CORRUPT = "rejected_corrupt"
    REJECTED_TRUNCATED = "rejected_truncated"
    REJECTED_EMPTY = "rejected_empty"
    REJECTED_PIXELS = "rejected_pixels"
    REJECTED_FRAMES = "rejected_frames"
    REJECTED_DIMENSIONS = "rejected_dimensions"
    REJECTED_DURATION = "rejected_duration"
    REJECTED_STREAMS = "rejected_streams"
    REJECTED_ACTIVE_CONTENT = "rejected_active_content"
    REJECTED_PLAYLIST = "rejected_playlist"
    REJECTED_TYPE_MISMATCH = "rejected_type_mismatch"
    REJECTED_BY_POLICY = "rejected_by_policy"  # of the deployment's own (docs/policy.md)

    # how a task ended when nobody decided it should
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    STALLED = "stalled"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    WORLD_UNAVAILABLE = "world_unavailable"
    DISK_FULL = "disk_full"
    INTERNAL = "internal"


REJECTIONS = frozenset(code for code in Code if code.startswith("rejected_"))
# What the same bytes with the same wishes meet every time: the media is rejected, and no retry helps.
FINAL = REJECTIONS | {Code.INVALID_OPTIONS, Code.UNKNOWN_RENDITION}

# What an owner is told where nobody decided that a task should end. The world's own words are for operators: they name
# resources, paths and services.
WORDS: Mapping[Code, str] = MappingProxyType(
    {
        Code.OUT_OF_MEMORY: "The worker ran out of memory.",
        Code.CRASHED: "The worker crashed.",
        Code.STALLED: "The worker did not get on any more.",
        Code.TIMED_OUT: "The task took longer than it may.",
        Code.INTERRUPTED: "The worker was interrupted.",
        Code.WORLD_UNAVAILABLE: "Something that the task needs could not be reached.",
        Code.DISK_FULL: "There is no room left to store what the task makes.",
        Code.INTERNAL: "The task failed unexpectedly on our side.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason of a refusal. `pointer` is a JSON pointer into the request ("" when it is about no field)."""

    code: Code
    message: str
    pointer: str = ""


class Refused(Exception):
    """A rule refused. Carries every reason found, the first of them giving the code and the sentence."""

    def __init__(self, *reasons: Reason) -> None:
        if not reasons:
            msg = "a refusal needs a reason"
            raise ValueError(msg)
        super().__init__(reasons[0].message)
        self.reasons: tuple[Reason, ...] = reasons

    @property
    def code(self) -> Code:
        """The code of the first reason."""
        return self.reasons[0].code

    @property
    def message(self) -> str:
        """All reasons in one line, as a person reads them."""
        return " ".join(reason.message for reason in self.reasons)


def escaped(name: str) -> str:
    """`name` as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def refuse(code: Code, message: str, pointer: str = "") -> Refused:
    """A refusal with one reason, to be raised."""
    return Refused(Reason(code=code, message=message, pointer=pointer))


def refuse_if(reasons: Sequence[Reason]) -> None:
    """Raise `Refused` with all of `reasons` when there are any."""
    if reasons:
        raise Refused(*reasons)
