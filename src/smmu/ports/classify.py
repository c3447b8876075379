"""`Classifier`: labels and moderation for a frame or a text, by whatever a deployment trusts."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label. `confidence` is 0.0–1.0; `moderation` marks one that a policy may refuse."""

    name: str
    confidence: float
    moderation: bool = False


class Classifier(Protocol):
    """Labels content."""

    @abstractmethod
    async def frame(self, jpeg: bytes) -> tuple[Label, ...]:
        """Labels of a picture (a JPEG of at most 5 MiB), the surest first."""

    @abstractmethod
    async def text(self, text: str) -> tuple[Label, ...]:
        """Labels of a text, the surest first."""
