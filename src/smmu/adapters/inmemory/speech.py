"""A recogniser that pretends: the same sound always has the same words. It listens to nothing."""

import hashlib
from dataclasses import dataclass

from smmu.ports.objects import Source
from smmu.ports.speech import SpeechRecognizer, Transcript, Word

ENGINE = "pretend"
_VOCABULARY = ("the", "sea", "was", "calm", "and", "nobody", "spoke", "until", "morning", "came")
_SAMPLE_BYTES = 4096
_SECONDS_A_WORD, _WORDS_MAX = 0.5, 12


@dataclass(frozen=True, slots=True)
class PretendRecognizer(SpeechRecognizer):
    """Words made from the first bytes of the sound, or the reason why there are none."""

    reason: str | None = None

    async def unavailable(self) -> str | None:
        """The reason it was given."""
        return self.reason

    async def recognize(self, source: Source, *, language: str | None) -> Transcript:
        """As many words as the digest of the sound says; a sound of no bytes has none."""
        head = await source.read(0, _SAMPLE_BYTES)
        digest = hashlib.sha256(head).digest()[: _WORDS_MAX if head else 0]
        words = tuple(_word(number, byte) for number, byte in enumerate(digest))
        return Transcript(words=words, language=language or "en", engine=ENGINE)


def _word(number: int, byte: int) -> Word:
    start = number * _SECONDS_A_WORD
    text = _VOCABULARY[byte % len(_VOCABULARY)]
    return Word(text=text, start=start, end=start + _SECONDS_A_WORD, confidence=0.5 + byte / 512)
