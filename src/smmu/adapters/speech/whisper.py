"""Whisper by faster-whisper: about a hundred languages, from a model in a folder of this machine.

The folder gets there by `smmu models fetch`, or by a worker that a deployment keeps it for (`kept.py`); nothing is
downloaded here, and the child that loads the model could not. The routine `recognize` runs in the isolated child alone.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from smmu.adapters.speech.answers import spans_of, transcript_in
from smmu.adapters.speech.stretches import Bench, samples, stretches
from smmu.domain.limits import GIB
from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript
from smmu.ports.isolation import Isolation, Routine
from smmu.ports.media import Progress
from smmu.ports.sound import SAMPLE_RATE, Sound
from smmu.ports.speech import Bounds, SpeechRecognizer

ENGINE = "faster-whisper"
NEEDED = ("config.json", "model.bin", "tokenizer.json")
_ROUTINE = "smmu.adapters.speech.whisper:recognize"
_PACE = 10.0  # of the largest model on one core
_BASE_BYTES = 3 * GIB  # address space of the libraries and of their arenas
_MODEL_SHARE = 3  # weights are read, converted and held
_FULL_SCALE = 32_768


class WhisperRecognizer(SpeechRecognizer):
    """`model` is a folder in CTranslate2's format; `language` what is spoken, when that is known (BCP 47)."""

    def __init__(self, isolation: Isolation, model: Path, *, language: str | None = None) -> None:
        self._isolation = isolation
        self._model = model
        self._language = language

    @property
    def demands(self) -> Demands:
        """By the size of the model."""
        weights = self._model / "model.bin"
        return demands_of(weights.stat().st_size if weights.is_file() else 0)

    async def unavailable(self) -> str | None:
        """It is there when the package and the model are."""
        if importlib.util.find_spec("faster_whisper") is None:
            return "faster-whisper is not installed: pip install 'smart-media-uploader[speech]'"
        if not is_model(self._model):
            return f"there is no speech model {self._model.name}: smmu models fetch {self._model.name}"
        return None

    async def recognize(self, sound: Sound, bounds: Bounds, progress: Progress) -> Transcript:
        """The words. See `ports.speech`."""
        engine = f"{ENGINE} {self._model.name}"
        if not sound.voiced:
            return Transcript(words=(), language=self._language or "und", engine=engine)
        routine = Routine(
            name=_ROUTINE,
            arguments={
                "spans": spans_of(sound.voiced),
                "model": str(self._model),
                "language": self._language and self._language.partition("-")[0].lower(),
            },
            readable=(str(self._model),),
            memory_bytes=bounds.memory_bytes,
            seconds_max=bounds.seconds_max,
        )
        return transcript_in(await self._isolation.run(routine, sound.samples, progress), engine)


def demands_of(weights_bytes: int, *, before_s: float = 0.0) -> Demands:
    """What a model with so many bytes of weights takes, when it is there `before_s` seconds after it was wanted."""
    return Demands(memory_bytes=_BASE_BYTES + _MODEL_SHARE * weights_bytes, pace=_PACE, before_s=before_s)


def is_model(folder: Path) -> bool:
    """Whether a model lies in this folder, whole: `smmu models fetch` moves it there when it is."""
    return all((folder / name).is_file() for name in NEEDED)


def recognize(bench: Bench, spans: Sequence[Sequence[float]], model: str, language: str | None) -> dict[str, Any]:
    """The routine. The language, when nobody said it, is that of the longest stretch."""
    from faster_whisper import WhisperModel  # noqa: PLC0415 - the parent, which reads `NEEDED` here, has no use for it

    whisper = WhisperModel(model, device="cpu", compute_type="int8", local_files_only=True)
    spoken = language or _language(whisper, bench, spans)
    words = [word for start, sound in stretches(bench, spans) for word in _words(whisper, _wave(sound), start, spoken)]
    return {"words": words, "language": spoken}


def _language(whisper: Any, bench: Bench, spans: Sequence[Sequence[float]]) -> str:  # noqa: ANN401 - it has no types
    if not whisper.model.is_multilingual:
        return "en"
    start, end = max(spans, key=lambda span: span[1] - span[0])
    return str(whisper.detect_language(_wave(samples(bench, start, end)))[0])


def _words(whisper: Any, wave: Any, start: float, language: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as above
    """Without the text before (a sentence once invented would go on for ever), and without chance.

    Whisper listens in windows of 30 s: what it hears after the end of the stretch, it made up.
    """
    segments, _ = whisper.transcribe(
        wave, language=language, word_timestamps=True, condition_on_previous_text=False, temperature=0.0
    )
    seconds = len(wave) / SAMPLE_RATE
    for segment in segments:
        for word in segment.words or ():
            if word.start < seconds:
                yield {
                    "text": word.word.strip(),
                    "start": start + float(word.start),
                    "end": start + min(float(word.end), seconds),
                    "confidence": min(1.0, max(0.0, float(word.probability))),
                }


def _wave(sound: bytes) -> Any:  # noqa: ANN401 - an array of the child's
    import numpy as np  # noqa: PLC0415 - the parent has no use for it

    return np.frombuffer(sound, "<i2").astype(np.float32) / _FULL_SCALE
