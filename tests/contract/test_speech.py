"""The promises of `ports/speech.py`, kept by every engine there is: each listens to the same synthetic voice.

What an engine understands is measured elsewhere (docs/speech.md). Here a Whisper that has learnt nothing does: it is
asked, and answers, exactly as one that has.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from smmu.adapters.aws.account import open_service
from smmu.adapters.aws.transcribe import TranscribeRecognizer
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.speech import PretendRecognizer
from smmu.adapters.media.isolation import ChildIsolation
from smmu.adapters.speech.kept import KeptRecognizer, keep
from smmu.adapters.speech.sphinx import SphinxRecognizer
from smmu.adapters.speech.whisper import WhisperRecognizer
from smmu.domain.limits import Limits
from smmu.domain.transcript import in_order
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds, SpeechRecognizer
from smmu.ports.system import IdSource
from tests.support.aws.moto import account
from tests.support.aws.sites import at_moto
from tests.support.speech import recorded, sound_of, speak, tiny_model

Opener = Callable[[Path], AbstractAsyncContextManager[SpeechRecognizer]]


@asynccontextmanager
async def pretend(_folder: Path) -> AsyncIterator[SpeechRecognizer]:
    yield PretendRecognizer()


@asynccontextmanager
async def sphinx(folder: Path) -> AsyncIterator[SpeechRecognizer]:
    yield SphinxRecognizer(ChildIsolation(Limits(), str(folder / "scratch")))


@asynccontextmanager
async def whisper(folder: Path) -> AsyncIterator[SpeechRecognizer]:
    yield WhisperRecognizer(ChildIsolation(Limits(), str(folder / "scratch")), tiny_model(folder / "tiny"))


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[SpeechRecognizer]:
    """The same Whisper, where its model is first to be brought from a store."""
    models = memory_platform(Limits()).objects
    await keep(models, recorded(tiny_model(folder / "here" / "tiny")), lambda _done, _total: None)
    yield KeptRecognizer(ChildIsolation(Limits(), str(folder / "scratch")), models, "tiny", folder / "models")


HEARD = {
    "results": {
        "language_code": "en",
        "items": [
            {"type": "pronunciation", "start_time": "1.1", "end_time": "1.4", "alternatives": [{"content": "What", "confidence": "0.97"}]},
            {"type": "pronunciation", "start_time": "1.5", "end_time": "1.9", "alternatives": [{"content": "day", "confidence": "0.6"}]},
            {"type": "punctuation", "alternatives": [{"content": "?", "confidence": "0.0"}]},
        ],
    }
}  # fmt: skip


@dataclass(slots=True)
class Numbered(IdSource):
    """Names that are known before they are used."""

    count: int = 0

    def new(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}_{self.count}"


@asynccontextmanager
async def transcribe(_folder: Path) -> AsyncIterator[SpeechRecognizer]:
    """Amazon's stand-in takes jobs and understands nothing: what it will have heard is there before."""
    async with at_moto() as (clients, resources), open_service(account(), "transcribe") as service:
        for number in (1, 2):
            key, body = f"media/-/speech/tsk_{number}.json", json.dumps(HEARD).encode()
            await clients.s3.put_object(Bucket=resources.processed_bucket, Key=key, Body=body)
        yield TranscribeRecognizer(clients, service, resources, Numbered(), look_seconds=0.01)


ENGINES = (
    pytest.param(pretend, id="pretend"),
    pytest.param(sphinx, id="pocketsphinx", marks=pytest.mark.media),
    pytest.param(whisper, id="faster-whisper", marks=pytest.mark.media),
    pytest.param(kept, id="faster-whisper, kept", marks=pytest.mark.media),
    pytest.param(transcribe, id="amazon-transcribe", marks=pytest.mark.aws),
)


@pytest.fixture
def anyio_backend() -> str:
    """These are of no platform: once is enough."""
    return "asyncio"


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SpeechRecognizer]:
    opener: Opener = request.param
    async with opener(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speak(tmp_path_factory.mktemp("voice") / "voice.wav", pause=1.0)


@pytest.fixture
def sound(voice: Path) -> Sound:
    """A second of nothing, a question, a second of nothing."""
    heard = sound_of(voice)
    return sound_of(voice, (0.9, heard.seconds - 0.9))


@dataclass(slots=True)
class Told:
    """The progress that was told."""

    values: list[float] = field(default_factory=list)

    async def __call__(self, value: float) -> None:
        self.values.append(value)


def bounds(engine: SpeechRecognizer) -> Bounds:
    return Bounds(memory_bytes=max(engine.demands.memory_bytes, Limits().child_memory_bytes), seconds_max=100)


async def test_it_can_be_used_and_says_what_it_takes(engine: SpeechRecognizer) -> None:
    assert await engine.unavailable() is None
    assert engine.demands.memory_bytes > 0
    assert engine.demands.pace > 0


async def test_words_are_in_time_order_and_within_the_voice(engine: SpeechRecognizer, sound: Sound) -> None:
    heard = await engine.recognize(sound, bounds(engine), Told())
    (span,) = sound.voiced
    assert heard.words
    assert in_order(heard.words)
    for word in heard.words:
        assert word.text
        assert span.start <= word.start < word.end <= span.end + 0.1
        assert 0 <= word.confidence <= 1
    assert heard.language == "en"
    assert heard.engine


async def test_where_nobody_speaks_there_are_no_words(engine: SpeechRecognizer, sound: Sound) -> None:
    heard = await engine.recognize(replace(sound, voiced=()), bounds(engine), Told())
    assert heard.words == ()


async def test_the_same_sound_has_the_same_words(engine: SpeechRecognizer, sound: Sound) -> None:
    first = await engine.recognize(sound, bounds(engine), Told())
    assert first == await engine.recognize(sound, bounds(engine), Told())


async def test_progress_never_goes_back_and_ends_at_one(engine: SpeechRecognizer, sound: Sound) -> None:
    told = Told()
    await engine.recognize(sound, bounds(engine), told)
    assert told.values == sorted(told.values)
    assert told.values[-1] == 1.0


# --- why an engine cannot be used


@pytest.mark.parametrize("reason", [None, "Install a model."])
async def test_a_recogniser_says_why_it_cannot_be_used(reason: str | None) -> None:
    assert await PretendRecognizer(reason).unavailable() == reason


async def test_a_model_that_is_not_there_is_named_with_the_command_that_gets_it(tmp_path: Path) -> None:
    engine = WhisperRecognizer(ChildIsolation(Limits(), str(tmp_path)), tmp_path / "models" / "small")
    assert await engine.unavailable() == "there is no speech model small: smmu models fetch small"
