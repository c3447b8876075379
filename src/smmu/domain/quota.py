"""What one owner may hold, counted by commits. Bytes are reserved when an upload begins and trued up when it ends."""

from collections.abc import Mapping

from smmu.domain.limits import Limits
from smmu.domain.upload import State, Upload

BYTES, OPEN = "bytes", "open_uploads"


def bounds(limits: Limits) -> Mapping[str, int]:
    """The highest value of each counter of one owner."""
    return {BYTES: limits.owner_bytes_max, OPEN: limits.owner_open_uploads_max}


def reserve(upload: Upload) -> Mapping[str, int]:
    """What beginning an upload adds."""
    return {BYTES: upload.reserved_bytes, OPEN: 1}


def settle(upload: Upload) -> Mapping[str, int]:
    """What ending an upload adds: the real size in place of the reserved one, or nothing but the release."""
    real = upload.stored.size if upload.state is State.COMPLETED and upload.stored is not None else 0
    return {BYTES: real - upload.reserved_bytes, OPEN: -1}


def release(bytes_stored: int) -> Mapping[str, int]:
    """What deleting a media adds."""
    return {BYTES: -bytes_stored}
