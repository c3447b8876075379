"""What an error that nobody meant is to a task's owner: a code. Its sentence is in `domain/errors.py` (`WORDS`)."""

from collections.abc import Sequence

from smmu.domain.catalogue import RETRIES
from smmu.domain.errors import Code
from smmu.domain.evaluate import retry_delay
from smmu.domain.task import TryFailure
from smmu.ports.errors import Conflict, Full, WorldError


def cause_of(error: Exception) -> Code:
    """The code that a pipeline's rules match. What may pass is the world's fault; everything else is ours."""
    if isinstance(error, Full):
        return Code.DISK_FULL
    if isinstance(error, Conflict) or (isinstance(error, WorldError) and error.retryable):
        return Code.WORLD_UNAVAILABLE
    return Code.INTERNAL


def tried_again(failures: Sequence[TryFailure], error: WorldError) -> bool:
    """Whether a task that has failed like `failures` before has another try after this one."""
    this = TryFailure(error=cause_of(error), message="", at=0.0)
    return retry_delay(RETRIES, (*failures, this)) is not None
