"""PocketSphinx: a draft engine for English, whose model is in its wheel. Small, exact in time, and often wrong.

A deployment has to choose it by name: what it hears of a clear voice has a fifth of its words wrong, of others most
(docs/speech.md), so it never becomes captions by default. The routine `recognize` runs in the isolated child alone.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from typing import Any

from smmu.adapters.speech.answers import spans_of, transcript_in
from smmu.adapters.speech.stretches import Bench, stretches
from smmu.domain.limits import GIB
from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript
from smmu.ports.isolation import Isolation, Routine
from smmu.ports.media import Progress
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds, SpeechRecognizer

ENGINE, LANGUAGE = "pocketsphinx", "en"
_ROUTINE = "smmu.adapters.speech.sphinx:recognize"
_FRAMES_A_SECOND = 100
_DEMANDS = Demands(memory_bytes=1 * GIB, pace=10.0)


class SphinxRecognizer(SpeechRecognizer):
    """English, by PocketSphinx in the isolated child."""

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation

    @property
    def demands(self) -> Demands:
        """What a recognition takes."""
        return _DEMANDS

    async def unavailable(self) -> str | None:
        """It is there when its wheel is."""
        if importlib.util.find_spec("pocketsphinx") is None:
            return "pocketsphinx is not installed: pip install 'smart-media-uploader[draft-speech]'"
        return None

    async def recognize(self, sound: Sound, bounds: Bounds, progress: Progress) -> Transcript:
        """The words. See `ports.speech`."""
        if not sound.voiced:
            return Transcript(words=(), language=LANGUAGE, engine=ENGINE)
        routine = Routine(
            name=_ROUTINE,
            arguments={"spans": spans_of(sound.voiced)},
            memory_bytes=bounds.memory_bytes,
            seconds_max=bounds.seconds_max,
        )
        return transcript_in(await self._isolation.run(routine, sound.samples, progress), ENGINE)


def recognize(bench: Bench, spans: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The routine. Every stretch is decoded whole: the mean of the cepstrum is then its own."""
    from pocketsphinx import Decoder  # noqa: PLC0415 - the parent, which reads `ENGINE` here, has no use for it

    decoder = Decoder(loglevel="FATAL")
    words = [word for start, samples in stretches(bench, spans) for word in _words(decoder, start, samples)]
    return {"words": words, "language": LANGUAGE}


def _words(decoder: Any, start: float, samples: bytes) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - it has no types
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:  # asked first: it is what computes the words' probabilities
        return
    for part in decoder.seg():
        if part.word[0] in "<[+":  # silence, noise and other fillers
            continue
        yield {
            "text": part.word.partition("(")[0],  # "and(2)" is another way to say "and"
            "start": start + part.start_frame / _FRAMES_A_SECOND,
            "end": start + (part.end_frame + 1) / _FRAMES_A_SECOND,
            "confidence": min(1.0, max(0.0, part.prob)),
        }
