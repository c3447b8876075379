"""Every number that bounds the product, with its unit in its name.

Two kinds live here: what storage services allow (facts, from the S3 user guide, "Multipart upload limits") and
what this product allows (policy, changed by a deployment through `Limits`). Nothing here decides anything.
"""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB

PART_BYTES_MIN = 5 * MIB
PART_BYTES_MAX = 5 * GIB
PART_COUNT_MAX = 10_000
OBJECT_BYTES_MAX = PART_COUNT_MAX * PART_BYTES_MAX  # 48.8 TiB
SINGLE_PUT_BYTES_MAX = 5_000_000_000
LIST_PAGE_MAX = 1_000

RECORD_BYTES_MAX = 400_000  # a DynamoDB item
COMMIT_CHANGES_MAX = 100  # a DynamoDB transaction
COMMIT_BYTES_MAX = 4_000_000
MESSAGE_BYTES_MAX = 1_048_576  # an SQS message
STATE_BYTES_MAX = 262_144  # a Step Functions payload
QUEUE_LEASE_SECONDS_MAX = 12 * 3600
RUN_NAME_CHARS_MAX = 80
NOTICED_SECONDS_MAX = 60  # a dead worker is noticed within this


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one deployment allows. Immutable; the relations between the fields are checked at construction."""

    # uploads
    upload_bytes_max: int = 1 * TIB
    upload_seconds: int = 24 * 3600
    single_bytes_max: int = 100 * MIB
    part_bytes_preferred: int = 16 * MIB
    parts_signed_max: int = 1_000
    parts_signed_at_init: int = 100
    parts_signed_unsized: int = 10  # at init, of a file whose size nobody has said: most are small
    url_seconds_max: int = 15 * 60
    completing_seconds: int = 300
    sniff_bytes: int = 16 * KIB
    filename_chars_max: int = 255
    metadata_bytes_max: int = 8 * KIB
    unknown_size_bytes: int = 5 * GIB
    idempotency_key_chars_max: int = 255

    # quota of one owner
    owner_bytes_max: int = 10 * TIB
    owner_open_uploads_max: int = 10_000

    # jobs and tasks
    lease_seconds: int = 45
    heartbeat_seconds: int = 10
    dispatch_seconds: int = 60
    check_seconds: int = 60
    job_seconds_max: int = 24 * 3600
    light_task_seconds_max: int = 300
    heavy_task_seconds_max: int = 6 * 3600
    stalled_seconds: int = 120
    task_tries_max: int = 4
    progress_seconds: float = 1.0
    progress_percent: int = 1  # news of less progress than this is not told
    queue_receives_max: int = 5
    map_concurrency: int = 40

    # long videos: from here on they are encoded in chunks, of this length unless there would be too many
    chunks_from_seconds: int = 600
    chunk_seconds: int = 60
    chunks_max: int = 200  # their names and references are one state of a state machine

    # small tasks, which need no machine of their own: up to so many predicted seconds, none unless it is set
    small_seconds_max: int = 0
    small_bytes_max: int = 32 * MIB

    # hostile media: checked from the header, before pixels are decoded
    image_pixels_max: int = 268_000_000
    image_side_max: int = 65_535
    image_frames_max: int = 2_000
    image_total_pixels_max: int = 2_000_000_000
    watermark_pixels_max: int = 16_777_216
    video_side_max: int = 8_192
    video_pixels_max: int = 8_192 * 4_320
    video_frames_max: int = 24 * 3600 * 120  # a day of slow motion
    video_total_pixels_max: int = 24 * 3600 * 30 * 3_840 * 2_160  # a day of the largest ladder
    streams_max: int = 64
    duration_seconds_max: int = 24 * 3600
    inspect_bytes_max: int = 64 * MIB
    inspect_seconds: int = 60
    child_memory_bytes: int = 1_536 * MIB
    output_bytes_max: int = 64 * GIB  # of one file
    outputs_bytes_max: int = 1 * TIB  # of all that one task makes: a day of the largest ladder is half of that

    # lists and playback
    page_items_default: int = 50
    page_items_max: int = 200
    read_url_seconds: int = 900
    playback_seconds: int = 6 * 3600  # beyond the duration of what is played
    replaced_max: int = 50  # manifests of one media that are kept for whoever still plays them

    # pictures made on request
    variants_max: int = 100  # of one media: stored, or being made by this process
    variant_seconds: int = 60

    # pictures shown to a classifier
    classify_seconds: float = 15.0  # for one answer

    def __post_init__(self) -> None:
        """Refuse a set of limits that contradicts itself or the storage services."""
        _require(PART_BYTES_MIN <= self.part_bytes_preferred <= PART_BYTES_MAX, "part_bytes_preferred")
        _require(self.single_bytes_max <= SINGLE_PUT_BYTES_MAX, "single_bytes_max")
        _require(0 < self.upload_bytes_max <= OBJECT_BYTES_MAX, "upload_bytes_max")
        _require(self.parts_signed_at_init <= self.parts_signed_max <= PART_COUNT_MAX, "parts_signed_max")
        _require(1 <= self.parts_signed_unsized <= self.parts_signed_at_init, "parts_signed_unsized")
        _require(3 * self.heartbeat_seconds < self.lease_seconds <= NOTICED_SECONDS_MAX, "lease_seconds")
        _require(self.lease_seconds <= QUEUE_LEASE_SECONDS_MAX, "lease_seconds")
        _require(self.progress_percent >= 1, "progress_percent")
        _require(self.url_seconds_max <= self.upload_seconds, "url_seconds_max")
        _require(self.heavy_task_seconds_max < self.job_seconds_max, "heavy_task_seconds_max")
        _require(self.chunk_seconds > 0, "chunk_seconds")
        _require(self.chunks_max > 0, "chunks_max")
        _require(self.small_seconds_max >= 0, "small_seconds_max")
        _require(self.stalled_seconds < self.light_task_seconds_max, "stalled_seconds")
        _require(self.image_pixels_max <= self.image_total_pixels_max, "image_total_pixels_max")
        _require(self.video_pixels_max <= self.video_total_pixels_max, "video_total_pixels_max")
        _require(self.page_items_default <= self.page_items_max <= LIST_PAGE_MAX, "page_items_max")
        _require(self.metadata_bytes_max < RECORD_BYTES_MAX // 4, "metadata_bytes_max")


def _require(holds: bool, name: str) -> None:  # noqa: FBT001 - a predicate reads best as a positional argument
    if not holds:
        msg = f"limit {name} contradicts another limit: see domain/limits.py"
        raise ValueError(msg)
