"""What Amazon Transcribe is asked, what is left of a job afterwards, and how its failures are told."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smmu.adapters.aws.account import Clients, Resources, open_service
from smmu.adapters.aws.sessions import Narrowed
from smmu.adapters.aws.transcribe import TranscribeRecognizer, wav_head
from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.domain.limits import MIB
from smmu.domain.transcript import Span
from smmu.ports.errors import Corrupt, NotFound, Unavailable
from smmu.ports.platform import Scope
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds
from tests.support.aws.moto import account
from tests.support.aws.policies import Asked, allows, tagged
from tests.support.aws.trail import trail
from tests.support.infra import policy
from tests.support.media import FileSource, Fractions

BOUNDS = Bounds(memory_bytes=1, seconds_max=30)


class Service:
    """The stand-in's service with a memory of what it was asked, and with what it writes as the real one does."""

    def __init__(self, inner: Any, clients: Clients, written: bytes | None, status: str = "COMPLETED") -> None:
        self.inner, self.clients, self.written, self.status = inner, clients, written, status
        self.order: dict[str, Any] = {}
        self.sent = b""

    async def start_transcription_job(self, **order: Any) -> Any:
        self.order = order
        key = order["Media"]["MediaFileUri"].partition(f"s3://{order['OutputBucketName']}/")[2]
        answer = await self.clients.s3.get_object(Bucket=order["OutputBucketName"], Key=key)
        self.sent = await answer["Body"].read()
        if self.written is not None:
            await self.clients.s3.put_object(
                Bucket=order["OutputBucketName"], Key=order["OutputKey"], Body=self.written
            )
        return await self.inner.start_transcription_job(**order)

    async def get_transcription_job(self, **order: Any) -> Any:
        told = await self.inner.get_transcription_job(**order)
        if told["TranscriptionJob"]["TranscriptionJobStatus"] == "COMPLETED" and self.status == "FAILED":
            told["TranscriptionJob"] |= {"TranscriptionJobStatus": "FAILED", "FailureReason": "Bad day."}
        return told

    async def delete_transcription_job(self, **order: Any) -> Any:
        return await self.inner.delete_transcription_job(**order)


@pytest.fixture
async def transcribe() -> AsyncIterator[Any]:
    async with open_service(account(), "transcribe") as opened:
        yield opened


@pytest.fixture
def sound(tmp_path: Path) -> Sound:
    (tmp_path / "sound.pcm").write_bytes(bytes(32_000))
    samples = FileSource(tmp_path / "sound.pcm")
    return Sound(samples=samples, seconds=1.0, voiced=(Span(start=0.0, end=1.0),), measures={})


def written(**word: str) -> bytes:
    said = {"type": "pronunciation", "start_time": "0.1", "end_time": "0.4", **word}
    items = [{**said, "alternatives": [{"content": "hej", "confidence": "0.9"}]}]
    return json.dumps({"results": {"language_code": "sv-SE", "items": items}}).encode()


async def left(clients: Clients, resources: Resources, transcribe: Any) -> list[str]:
    stored = await clients.s3.list_object_versions(Bucket=resources.processed_bucket)
    jobs = await transcribe.list_transcription_jobs()
    names = [job["TranscriptionJobName"] for job in jobs["TranscriptionJobSummaries"]]
    return [entry["Key"] for entry in [*stored.get("Versions", ()), *stored.get("DeleteMarkers", ())]] + names


def recognizer(clients: Clients, service: Service, resources: Resources, **more: Any) -> TranscribeRecognizer:
    return TranscribeRecognizer(clients, service, resources, RandomIds(SystemClock()), look_seconds=0.01, **more)


async def test_the_language_is_found_out_and_nothing_is_left(
    clients: Clients, resources: Resources, transcribe: Any, sound: Sound
) -> None:
    service = Service(transcribe, clients, written())
    heard = await recognizer(clients, service, resources).recognize(sound, BOUNDS, Fractions())
    assert (heard.language, [word.text for word in heard.words]) == ("sv-SE", ["hej"])
    assert service.order["IdentifyLanguage"] is True
    assert service.order["Media"]["MediaFileUri"].startswith(f"s3://{resources.processed_bucket}/media/-/speech/tsk_")
    assert await left(clients, resources, transcribe) == []


async def test_a_language_that_is_known_is_said(
    clients: Clients, resources: Resources, transcribe: Any, sound: Sound
) -> None:
    service = Service(transcribe, clients, written())
    heard = await recognizer(clients, service, resources, language="de-DE").recognize(sound, BOUNDS, Fractions())
    assert (service.order["LanguageCode"], heard.language) == ("de-DE", "de-DE")
    assert "IdentifyLanguage" not in service.order


@pytest.mark.parametrize(
    "case",
    [
        (None, "FAILED", Unavailable),
        (b"no JSON", "COMPLETED", Corrupt),
        (b'{"results": []}', "COMPLETED", Corrupt),
        (written(start_time="soon"), "COMPLETED", Corrupt),
        (None, "COMPLETED", NotFound),
    ],
    ids=["failed", "no JSON", "another form", "no time", "no result"],
)
async def test_what_fails_is_told_and_nothing_is_left(
    clients: Clients, resources: Resources, transcribe: Any, sound: Sound, case: tuple[bytes | None, str, type]
) -> None:
    result, status, kind = case
    service = Service(transcribe, clients, result, status)
    with pytest.raises(kind):
        await recognizer(clients, service, resources).recognize(sound, BOUNDS, Fractions())
    assert await left(clients, resources, transcribe) == []


async def test_a_long_sound_is_sent_in_parts(
    clients: Clients, resources: Resources, transcribe: Any, tmp_path: Path
) -> None:
    samples = random.Random(1).randbytes(17 * MIB)
    (tmp_path / "long.pcm").write_bytes(samples)
    source = FileSource(tmp_path / "long.pcm")
    long = Sound(samples=source, seconds=557.0, voiced=(Span(start=0.0, end=1.0),), measures={})
    service = Service(transcribe, clients, written())
    with trail() as seen:
        await recognizer(clients, service, resources).recognize(long, BOUNDS, Fractions())
    assert service.sent == wav_head(len(samples)) + samples
    assert [one.operation for one in seen.seen].count("s3:UploadPart") == 2
    assert await left(clients, resources, transcribe) == []


async def test_what_a_worker_does_there_is_its_own_attempts_alone(
    clients: Clients, resources: Resources, transcribe: Any, sound: Sound
) -> None:
    scope = Scope(owner="ada", job_id="job_1", attempt=2)
    service = Service(transcribe, clients, written())
    with trail() as seen:
        await recognizer(clients, service, resources, scope=scope).recognize(sound, BOUNDS, Fractions())
    names = {
        "${local.processed}": f"arn:aws:s3:::{resources.processed_bucket}",
        "${data.aws_partition.speech.partition}": "aws",
    }
    granted = policy("transcribes", names=names)
    job = f"arn:aws:transcribe:eu-central-1:123456789012:transcription-job/{service.order['TranscriptionJobName']}"
    asked = [request for one in seen.seen for request in one.asked]
    asked += [Asked(action=f"transcribe:{does}TranscriptionJob", resource=job) for does in ("Get", "Delete")]
    assert len(asked) > 4
    for other, allowed in ((scope, True), (replace(scope, attempt=1), False), (replace(scope, job_id="job_2"), False)):
        tags = tagged(Narrowed(role="", scope=other).tags)
        assert {allows(granted, replace(one, context={**one.context, **tags})) for one in asked} == {allowed}


def test_the_head_is_that_of_a_wav_file(tmp_path: Path) -> None:
    import wave  # noqa: PLC0415 - the judge

    path = tmp_path / "s.wav"
    path.write_bytes(wav_head(320) + bytes(320))
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (16_000, 1, 2, 160)
