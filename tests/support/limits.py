"""The limits of platforms under test: few receives, so that a message dies soon."""

from smmu.domain.limits import Limits

LIMITS = Limits(queue_receives_max=3)
