"""`TranscribeRecognizer`: speech by Amazon Transcribe, for deployments that choose it (SMMU_SPEECH__ENGINE=transcribe).

It never gets what an owner sent: the isolated decoder's samples go into the processed bucket as a WAV file, the job
reads that and writes its result beside it, and both are removed with the job, however it ends. Each try is a job of its
own name. The language is identified where no setting says it. Words come with their times and confidence.

Storage layout: `media/-/speech/{job}-a{attempt}.{id}.wav` and `.json` in the processed bucket; no owner's media are
there, because ids of media begin with `med_`. The name in between is the transcription job's as well, so a worker's
session (sessions.py) has rights to the sounds and to the jobs of its own attempt, and to no other's.

IAM: `transcribe:StartTranscriptionJob`, `transcribe:GetTranscriptionJob`, `transcribe:DeleteTranscriptionJob`; on the
layout above `s3:PutObject`, `s3:AbortMultipartUpload`, `s3:GetObject`, `s3:DeleteObject`, `s3:DeleteObjectVersion`
(Transcribe reads and writes with the caller's rights); the key's, as objects.py has them.

Where the bucket's rule ends what is left in `media/-/speech/`, sounds of workers that died end with it.

Costs: 2.4 cents for each minute of sound in most regions, 15 seconds at least; one PUT for each 16 MiB (nine minutes)
and two around several, one GET, two DELETE, and one GetTranscriptionJob every few seconds.
"""

import json
import struct
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from smmu.adapters.aws import sending
from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.errors import translating
from smmu.domain.limits import MIB
from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript, Word
from smmu.ports.errors import Corrupt, Unavailable
from smmu.ports.media import Progress
from smmu.ports.platform import Scope
from smmu.ports.sound import SAMPLE_BYTES, SAMPLE_RATE, Sound
from smmu.ports.speech import Bounds, SpeechRecognizer
from smmu.ports.system import IdSource

ENGINE = "amazon-transcribe"
SOUND_BYTES_MAX = 460 * MIB  # four hours, which is the longest job
_DEMANDS = Demands(memory_bytes=256 * MIB, pace=5.0)
_LOOK_SECONDS = 5.0
_CLEANING_SECONDS = 20
_FOLDER = "media/-/speech/"


class TranscribeRecognizer(SpeechRecognizer):
    """Jobs of one deployment, all for `scope` where there is one.

    `look_seconds` is how long it waits before it looks again.
    """

    def __init__(
        self,
        clients: Clients,
        transcribe: Any,  # noqa: ANN401 - the SDK makes its clients' types at run time
        resources: Resources,
        ids: IdSource,
        *,
        scope: Scope | None = None,
        language: str | None = None,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._s3, self._transcribe = clients.s3, transcribe
        self._bucket = resources.processed_bucket
        self._ids = ids
        self._apart = "" if scope is None else f"{scope.job_id}-a{scope.attempt}."
        self._language = language
        self._look_seconds = look_seconds

    @property
    def demands(self) -> Demands:
        """Room for a few parts of the sound here; half of real time there, and a queue before it."""
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
            async with self._job(sound) as job:
                heard = await self._result(job, progress)
            await progress(1.0)
            return _transcript(heard, sound, self._language)
        raise Unavailable(f"Amazon Transcribe was not done after {bounds.seconds_max} seconds")

    @asynccontextmanager
    async def _job(self, sound: Sound) -> AsyncGenerator["_Job"]:
        """A job over the sound; afterwards nothing of it is left."""
        job = _Job(name=f"{self._apart}{self._ids.new('tsk')}")
        try:
            await self._send(job, sound)
            with translating(job.name):
                await self._transcribe.start_transcription_job(**self._order(job))
            yield job
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEANING_SECONDS):
                await self._remove(job)

    def _order(self, job: "_Job") -> dict[str, Any]:
        spoken = {"LanguageCode": self._language} if self._language else {"IdentifyLanguage": True}
        return {
            "TranscriptionJobName": job.name,
            "MediaFormat": "wav",
            "Media": {"MediaFileUri": f"s3://{self._bucket}/{job.sound}"},
            "OutputBucketName": self._bucket,
            "OutputKey": job.result,
            **spoken,
        }

    async def _send(self, job: "_Job", sound: Sound) -> None:
        head = wav_head(sound.samples.size)
        size = len(head) + sound.samples.size

        async def read(start: int, length: int) -> bytes:
            begun = head[start : start + length]
            return begun + await sound.samples.read(max(0, start - len(head)), length - len(begun))

        wanted = {"Bucket": self._bucket, "Key": job.sound, "ContentType": "audio/wav"}
        if size > sending.SMALL_BYTES_MAX:
            told = await sending.send_parts(self._s3, read, size, wanted)
        else:
            with translating(job.sound):
                told = await self._s3.put_object(**wanted, **sending.body(await read(0, size)))
        job.versions[job.sound] = told.get("VersionId", "null")

    async def _result(self, job: "_Job", progress: Progress) -> Any:  # noqa: ANN401 - what the service wrote
        while True:
            with translating(job.name):
                told = await self._transcribe.get_transcription_job(TranscriptionJobName=job.name)
            known = told["TranscriptionJob"]
            if known["TranscriptionJobStatus"] == "FAILED":
                raise Unavailable(f"{job.name}: {known.get('FailureReason', 'it gave no reason')}")
            if known["TranscriptionJobStatus"] == "COMPLETED":
                return await self._read(job)
            await progress(0.0)
            await anyio.sleep(self._look_seconds)

    async def _read(self, job: "_Job") -> Any:  # noqa: ANN401 - as above
        with translating(job.result):
            answer = await self._s3.get_object(Bucket=self._bucket, Key=job.result)
            job.versions[job.result] = answer.get("VersionId", "null")
            async with answer["Body"] as body:
                written = await body.read()
        try:
            return json.loads(written)
        except ValueError as error:
            raise Corrupt(f"{job.result} is no JSON") from error

    async def _remove(self, job: "_Job") -> None:
        """What was sent and read, and the job. A result that comes too late for this expires with its bucket's rule."""
        try:
            for key, version in job.versions.items():
                with translating(key):
                    await self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
        finally:
            with translating(job.name):
                await self._transcribe.delete_transcription_job(TranscriptionJobName=job.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A transcription job, and the versions of what it has stored, by their keys."""

    name: str
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> str:
        """The key of what it listens to."""
        return f"{_FOLDER}{self.name}.wav"

    @property
    def result(self) -> str:
        """The key of what it writes."""
        return f"{_FOLDER}{self.name}.json"


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
