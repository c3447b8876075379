"""`SpeechRecognizer`: sound in, timed words out. No engine is a valid state; an invented sentence is not."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from smmu.ports.objects import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word: seconds from the start of the sound, and how sure the engine is (0.0–1.0)."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was heard. No words means "no speech", which is a result."""

    words: tuple[Word, ...]
    language: str
    engine: str


class SpeechRecognizer(Protocol):
    """Recognises speech."""

    @abstractmethod
    async def unavailable(self) -> str | None:
        """Why it cannot be used, with what to do about it, in one sentence; `None` when it can."""

    @abstractmethod
    async def recognize(self, source: Source, *, language: str | None) -> Transcript:
        """The words of the main sound track, in time order. `language` is a hint (BCP 47)."""
