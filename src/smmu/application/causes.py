"""What an error that nobody meant is to a task's owner: a code. Its sentence is in `domain/errors.py` (`WORDS`)."""

from smmu.domain.errors import Code
from smmu.ports.errors import Conflict, Full, WorldError


def cause_of(error: Exception) -> Code:
    """The code that a pipeline's rules match. What may pass is the world's fault; everything else is ours."""
    if isinstance(error, Full):
        return Code.DISK_FULL
    if isinstance(error, Conflict) or (isinstance(error, WorldError) and error.retryable):
        return Code.WORLD_UNAVAILABLE
    return Code.INTERNAL
