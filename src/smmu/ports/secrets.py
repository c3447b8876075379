"""`Secrets`: what a deployment signs with."""

from abc import abstractmethod
from typing import Protocol


class Secrets(Protocol):
    """Secrets of a deployment, each for one purpose. They are made by the platform and never shown."""

    @abstractmethod
    async def secret(self, purpose: str) -> bytes:
        """The 32 bytes for a purpose: the same in every process of the deployment and after every start.

        Those of one purpose say nothing of another's. Asking again costs nothing.
        """
