"""What is said in a file, written down: the isolated decoder's sound, an engine's words, the domain's captions.

What the engine heard is reviewed before anything of it is kept (`domain/transcript.py`), and what was written is read
back and compared, as every rendition is proven. It refuses to know which engine it is.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from smmu.application.documents import JSON
from smmu.domain import captions
from smmu.domain.captions import Cue
from smmu.domain.facts import Purpose
from smmu.domain.languages import tag_of
from smmu.domain.manifest import Check, Proof, RenderedFile, Rendition
from smmu.domain.plan import CaptionsSpec, PlannedTask
from smmu.domain.plan_speech import NO_ENGINE, Speech
from smmu.domain.plan_tracks import called
from smmu.domain.transcript import Reviewed, in_order, review
from smmu.ports.media import MediaEngine, Progress, Sink
from smmu.ports.objects import Source
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds, SpeechRecognizer

_LISTENING = 0.1  # of the work: decoding is quick, recognising is not
_TYPES = {"vtt": "text/vtt", "srt": "application/x-subrip", "json": JSON}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """Does the tasks of kind `transcribe`."""

    engine: MediaEngine
    recognizer: SpeechRecognizer

    async def render(self, source: Source, task: PlannedTask, sink: Sink, progress: Progress) -> tuple[Rendition, ...]:
        """Make every rendition the task owes, as `MediaEngine.render` does."""
        bounds = Bounds(memory_bytes=task.memory_bytes, seconds_max=task.seconds_max)
        async with self.engine.listen(source, task, _part(progress, 0.0, _LISTENING)) as sound:
            heard = await self.recognizer.recognize(sound, bounds, _part(progress, _LISTENING, 1.0))
        said = _Said(sound, review(heard, sound.voiced, sound.seconds))
        made = []
        for spec in task.renditions:
            if isinstance(spec, CaptionsSpec):
                rendition, body = said.rendition(spec)
                await sink.put(rendition.path, body, rendition.files[0].content_type)
                made.append(rendition)
        await progress(1.0)
        return tuple(made)


async def speech_of(recognizer: SpeechRecognizer | None) -> Speech:
    """What there is to recognise speech with, or why there is nothing."""
    if recognizer is None:
        return NO_ENGINE
    return await recognizer.unavailable() or recognizer.demands


class _Said:
    """What was understood, and the files that say it."""

    def __init__(self, sound: Sound, found: Reviewed) -> None:
        self._sound, self._found = sound, found
        self._cues = captions.cues(found.transcript.words)

    def rendition(self, spec: CaptionsSpec) -> tuple[Rendition, bytes]:
        """One file and its proof."""
        body = self._text(spec).encode()
        file = RenderedFile(
            path=f"captions/{spec.name}.{spec.format}",
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            content_type=_TYPES[spec.format],
        )
        proof = Proof(checks=tuple(_checks(spec, body.decode(), self._found, self._cues)), measures=self._measures())
        language = tag_of(self._found.transcript.language)
        made = Rendition(
            name=spec.name,
            role=spec.role,
            files=(file,),
            duration_s=round(self._sound.seconds, 3),
            language=language or None,
            title=called(language, Purpose.RECOGNISED, "Captions"),
            purpose=Purpose.RECOGNISED,
            proof=proof,
        )
        return made, body

    def _text(self, spec: CaptionsSpec) -> str:
        if spec.format == "vtt":
            return captions.webvtt(self._cues)
        if spec.format == "srt":
            return captions.srt(self._cues)
        document = captions.document(self._found, self._cues, self._sound.voiced, self._sound.seconds)
        return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"

    def _measures(self) -> dict[str, float | int | str]:
        found = self._found
        measured: dict[str, float | int | str] = {
            "engine": found.transcript.engine,
            "language": found.transcript.language,
            "words": len(found.transcript.words),
            "words_outside_voice": found.outside,
            "flags": len(found.flags),
            "cues": len(self._cues),
            "voiced_s": round(sum(span.end - span.start for span in self._sound.voiced), 3),
        }
        sure = {} if found.confidence is None else {"confidence": round(found.confidence, 3)}
        return {**self._sound.measures, **measured, **sure}


def _checks(spec: CaptionsSpec, written: str, found: Reviewed, cues: tuple[Cue, ...]) -> Iterator[Check]:
    broken = captions.problems(cues)
    yield Check(name="rules of captions", ok=not broken, expected="none broken", measured="; ".join(broken) or "none")
    if spec.format == "vtt":
        read = captions.read_webvtt(written)
        yield Check(name="read back", ok=read == cues, expected=f"{len(cues)} cues", measured=f"{len(read)} cues")
    elif spec.format == "srt":
        times = written.count(" --> ")
        yield Check(name="times", ok=times == len(cues), expected=str(len(cues)), measured=str(times))
    else:
        ordered = in_order(found.transcript.words)
        yield Check(name="words in order", ok=ordered, expected="True", measured=str(ordered))


def _part(progress: Progress, start: float, end: float) -> Progress:
    async def told(fraction: float) -> None:
        await progress(start + (end - start) * fraction)

    return told
