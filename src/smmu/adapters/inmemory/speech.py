"""A recogniser that pretends: the same sound always has the same words. It listens to nothing."""

import hashlib
from dataclasses import dataclass

from smmu.domain.limits import MIB
from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript, Word
from smmu.ports.media import Progress
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds, SpeechRecognizer

ENGINE, LANGUAGE = "pretend", "en"
_VOCABULARY = ("the", "sea", "was", "calm", "and", "nobody", "spoke", "until", "morning", "came")
_SAMPLE_BYTES = 4096
_SECONDS_A_WORD, _WORDS_MAX = 0.5, 12


@dataclass(frozen=True, slots=True)
class PretendRecognizer(SpeechRecognizer):
    """Words made from the first bytes of the sound, or the reason why there are none."""

    reason: str | None = None

    @property
    def demands(self) -> Demands:
        """Next to nothing."""
        return Demands(memory_bytes=64 * MIB, pace=1.0)

    async def unavailable(self) -> str | None:
        """The reason it was given."""
        return self.reason

    async def recognize(self, sound: Sound, _bounds: Bounds, progress: Progress) -> Transcript:
        """As many words as the digest of the sound says, and as there is time for in each voiced stretch."""
        digest = hashlib.sha256(await sound.samples.read(0, _SAMPLE_BYTES)).digest()[:_WORDS_MAX]
        await progress(0.0)
        words = tuple(
            _word(span.start + number * _SECONDS_A_WORD, byte)
            for span in sound.voiced
            for number, byte in enumerate(digest[: int((span.end - span.start) / _SECONDS_A_WORD)])
        )
        await progress(1.0)
        return Transcript(words=words, language=LANGUAGE, engine=ENGINE)


def _word(start: float, byte: int) -> Word:
    text = _VOCABULARY[byte % len(_VOCABULARY)]
    return Word(text=text, start=start, end=start + _SECONDS_A_WORD, confidence=0.5 + byte / 512)
