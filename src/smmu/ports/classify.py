"""`Classifier`: labels and moderation for a picture, by whatever a deployment trusts."""

from abc import abstractmethod
from typing import Protocol

from smmu.domain.labels import Sight


class Classifier(Protocol):
    """Says what is to be seen."""

    @abstractmethod
    async def look(self, jpeg: bytes) -> Sight:
        """What it sees in a picture that the product itself has made: a JPEG of at most `PICTURE_BYTES_MAX` bytes.

        May be asked again about the same picture, and be cancelled while it is asked. What it cannot do now and may do
        later raises a `WorldError` that is retryable, anything else one that is not. Nothing else is raised, whatever
        the deployment's own code does.
        """
