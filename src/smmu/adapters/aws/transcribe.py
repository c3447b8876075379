"""`TranscribeRecognizer`: speech by Amazon Transcribe, for deployments that choose it (SMMU_SPEECH__ENGINE=transcribe).

It never gets what an owner sent: the isolated decoder's samples go into the processed bucket as a WAV file, the job
reads that and writes its result beside it, and both are removed with the job, however it ends. Each try is a job of its
own name. The language is identified where no setting says it. Words come with their times and confidence.

Storage layout: `media/-/speech/{id}.wav` and `.json` in the processed bucket; no owner's media are there, because ids
of media begin with `med_`.

IAM: `transcribe:StartTranscriptionJob`, `transcribe:GetTranscriptionJob`, `transcribe:DeleteTranscriptionJob`; on the
layout above `s3:PutObject`, `s3:GetObject`, `s3:DeleteObject`, `s3:DeleteObjectVersion` (Transcribe reads and writes
with the caller's rights); the key's, as objects.py has them.

Costs: 2.4 cents for each minute of sound in most regions, 15 seconds at least; one PUT, one GET, two DELETE, and one
GetTranscriptionJob every few seconds.
"""

import json
import struct
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from smmu.adapters.aws import sending
from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.errors import translating
from smmu.domain.limits import MIB
from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript, Word
from smmu.ports.errors import Corrupt, NotFound, Unavailable
from smmu.ports.media import Progress
from smmu.ports.sound import SAMPLE_BYTES, SAMPLE_RATE, Sound
from smmu.ports.speech import Bounds, SpeechRecognizer
from smmu.ports.system import IdSource

ENGINE = "amazon-transcribe"
SOUND_BYTES_MAX = 460 * MIB  # four hours, which is the longest job
_DEMANDS = Demands(memory_bytes=2 * SOUND_BYTES_MAX + 64 * MIB, pace=5.0)  # the sound is sent in one piece
_LOOK_SECONDS = 5.0
_CLEANING_SECONDS = 20
_FOLDER = "media/-/speech/"


class TranscribeRecognizer(SpeechRecognizer):
    """Jobs of one deployment. `look_seconds` is how long it waits before it looks again."""

    def __init__(
        self,
        clients: Clients,
        transcribe: Any,  # noqa: ANN401 - the SDK makes its clients' types at run time
        resources: Resources,
        ids: IdSource,
        *,
        language: str | None = None,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._s3, self._transcribe = clients.s3, transcribe
        self._bucket = resources.processed_bucket
        self._ids = ids
        self._language = language
        self._look_seconds = look_seconds

    @property
    def demands(self) -> Demands:
        """Room for the sound here; half of real time there, and a queue before it."""
        return _DEMANDS

    async def unavailable(self) -> str | None:
        """Who chose it has it; what it answers then is an error of the world."""
        return None

    async def recognize(self, sound: Sound, bounds: Bounds, progress: Progress) -> Transcript:
        """The words. See `ports.speech`."""
        if not sound.voiced:
            return Transcript(words=(), language=self._language or "und", engine=ENGINE)
        if sound.samples.size > SOUND_BYTES_MAX:
            raise Unavailable("Amazon Transcribe takes no more than four hours at once")
        await progress(0.0)
        with anyio.move_on_after(bounds.seconds_max):
            async with self._job(sound) as name:
                heard = await self._result(name, progress)
            await progress(1.0)
            return _transcript(heard, sound, self._language)
        raise Unavailable(f"Amazon Transcribe was not done after {bounds.seconds_max} seconds")

    @asynccontextmanager
    async def _job(self, sound: Sound) -> AsyncGenerator[str]:
        """A job over the sound, by its name; afterwards nothing of it is left."""
        name = self._ids.new("tsk")
        stored: list[tuple[str, str]] = []
        try:
            stored.append(await self._send(f"{_FOLDER}{name}.wav", sound))
            with translating(name):
                await self._transcribe.start_transcription_job(**self._order(name))
            yield name
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEANING_SECONDS):
                await self._remove(name, stored)

    def _order(self, name: str) -> dict[str, Any]:
        spoken = {"LanguageCode": self._language} if self._language else {"IdentifyLanguage": True}
        return {
            "TranscriptionJobName": name,
            "MediaFormat": "wav",
            "Media": {"MediaFileUri": f"s3://{self._bucket}/{_FOLDER}{name}.wav"},
            "OutputBucketName": self._bucket,
            "OutputKey": f"{_FOLDER}{name}.json",
            **spoken,
        }

    async def _send(self, key: str, sound: Sound) -> tuple[str, str]:
        body = wav_head(sound.samples.size) + await sound.samples.read(0, sound.samples.size)
        with translating(key):
            told = await self._s3.put_object(
                Bucket=self._bucket, Key=key, ContentType="audio/wav", **sending.body(body)
            )
        return key, told.get("VersionId", "null")

    async def _result(self, name: str, progress: Progress) -> Any:  # noqa: ANN401 - what the service wrote
        while True:
            with translating(name):
                told = await self._transcribe.get_transcription_job(TranscriptionJobName=name)
            job = told["TranscriptionJob"]
            if job["TranscriptionJobStatus"] == "FAILED":
                raise Unavailable(f"{name}: {job.get('FailureReason', 'it gave no reason')}")
            if job["TranscriptionJobStatus"] == "COMPLETED":
                return await self._read(f"{_FOLDER}{name}.json")
            await progress(0.0)
            await anyio.sleep(self._look_seconds)

    async def _read(self, key: str) -> Any:  # noqa: ANN401 - as above
        with translating(key):
            answer = await self._s3.get_object(Bucket=self._bucket, Key=key)
            async with answer["Body"] as body:
                written = await body.read()
        try:
            return json.loads(written)
        except ValueError as error:
            raise Corrupt(f"{key} is no JSON") from error

    async def _remove(self, name: str, stored: list[tuple[str, str]]) -> None:
        for key, version in stored:
            with translating(key):
                await self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
        try:
            with translating(name):
                told = await self._s3.head_object(Bucket=self._bucket, Key=f"{_FOLDER}{name}.json")
                version = told.get("VersionId", "null")
                await self._s3.delete_object(Bucket=self._bucket, Key=f"{_FOLDER}{name}.json", VersionId=version)
        except NotFound:
            return  # the job did not come so far
        finally:
            with translating(name):
                await self._transcribe.delete_transcription_job(TranscriptionJobName=name)


def wav_head(size: int) -> bytes:
    """The header of a WAV file over `size` bytes of samples (`ports.sound`)."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)


def _transcript(written: Any, sound: Sound, language: str | None) -> Transcript:  # noqa: ANN401 - as it was written
    try:
        results = written["results"]
        words = tuple(sorted(_words(results["items"]), key=lambda word: (word.start, word.end)))
        spoken = language or results.get("language_code") or "und"
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Corrupt("the result of Amazon Transcribe is in no form known here") from error
    heard = tuple(word for word in words if word.start < sound.seconds)
    return Transcript(words=heard, language=spoken, engine=ENGINE)


def _words(items: list[dict[str, Any]]) -> Iterator[Word]:
    """Each word with the punctuation that follows it, which has no time of its own."""
    words: list[Word] = []
    for item in items:
        best = item["alternatives"][0]
        if item["type"] == "punctuation" and words:
            last = words.pop()
            words.append(
                Word(text=last.text + best["content"], start=last.start, end=last.end, confidence=last.confidence)
            )
        elif item["type"] == "pronunciation":
            start, end = float(item["start_time"]), float(item["end_time"])
            words.append(Word(text=best["content"], start=start, end=end, confidence=float(best["confidence"])))
    yield from words
