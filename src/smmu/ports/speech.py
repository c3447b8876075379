"""`SpeechRecognizer`: sound in, timed words out. No engine is a valid state; an invented sentence is not."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript
from smmu.ports.media import Progress
from smmu.ports.sound import Sound


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of one recognition. `memory_bytes` is address space."""

    memory_bytes: int
    seconds_max: int


class SpeechRecognizer(Protocol):
    """Recognises speech."""

    @property
    @abstractmethod
    def demands(self) -> Demands:
        """What a recognition takes."""

    @abstractmethod
    async def unavailable(self) -> str | None:
        """Why it cannot be used, with what to do about it, in one sentence; `None` when it can."""

    @abstractmethod
    async def recognize(self, sound: Sound, bounds: Bounds, progress: Progress) -> Transcript:
        """The words, in time order, of what is said in the voiced stretches of `sound`.

        Where none is, there are no words: an engine is not asked what it hears in silence. May be repeated. Raises
        `TaskDied` when an isolated engine died, `WorldError` when a service failed.
        """
