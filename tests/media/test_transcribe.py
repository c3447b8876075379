"""From a file to its captions with the real decoder and a real engine, both in the isolated child."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.isolation import ChildIsolation
from smmu.adapters.media.voice import SPAN_SECONDS_MAX, VoiceFinder
from smmu.adapters.speech.sphinx import SphinxRecognizer
from smmu.adapters.speech.whisper import WhisperRecognizer
from smmu.application.transcription import Transcription
from smmu.domain.captions import read_webvtt
from smmu.domain.manifest import Rendition, verify
from smmu.domain.options import Options
from smmu.domain.plan import Plan, PlannedTask
from smmu.domain.planner import plan
from smmu.domain.transcript import Span
from smmu.ports.errors import TaskDied
from smmu.ports.isolation import Routine
from smmu.ports.sound import SAMPLE_RATE, Sound
from smmu.ports.speech import SpeechRecognizer
from tests.support.clips import make
from tests.support.corpus import CorpusFile, each_corpus_file
from tests.support.media import LIMITS, FileSource, Fractions, MemorySink, clip
from tests.support.speech import sound_of, speak, tiny_model

pytestmark = pytest.mark.media


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def transcribed(
    source: Path, folder: Path, recognizer: SpeechRecognizer, options: Options | None = None
) -> tuple[dict[str, Rendition], MemorySink, Plan]:
    """What the task `transcribe` of a file makes, its files, and the plan."""
    engine = PyavEngine(LIMITS, str(folder / "scratch"))
    made = plan(await engine.inspect(FileSource(source)), options or Options(), LIMITS, recognizer.demands)
    sink = MemorySink()
    work = Transcription(engine=engine, recognizer=recognizer)
    renditions = await work.render(FileSource(source), made.task("transcribe"), sink, Fractions())
    assert list((folder / "scratch").iterdir()) == []
    return {rendition.name: rendition for rendition in renditions}, sink, made


def sphinx(folder: Path) -> SpeechRecognizer:
    return SphinxRecognizer(ChildIsolation(LIMITS, str(folder / "scratch")))


def alone(made: Plan, task: PlannedTask) -> Plan:
    """The plan with nothing but this task."""
    return Plan(stages=tuple(stage.__class__(name=stage.name, tasks=(task,)) for stage in made.stages))


@each_corpus_file("speech", where=lambda file: (file.number("duration_s") or 0) < 3)
async def test_known_words_of_real_voices_are_found(corpus_file: CorpusFile, tmp_path: Path) -> None:
    _, sink, _ = await transcribed(corpus_file.path, tmp_path, sphinx(tmp_path))
    document = json.loads(sink.files["captions/transcript.json"])
    found = {word["text"].strip(".,?!").lower() for word in document["words"]} & {
        *corpus_file.expected["known_words"].split()
    }
    assert found
    assert min(word["confidence"] for word in document["words"] if word["text"].lower() in found) > 0.3


async def test_a_voice_in_a_video_becomes_captions(tmp_path: Path) -> None:
    voice = speak(tmp_path / "voice.wav", pause=1.0)
    picture = ("-f", "lavfi", "-i", "color=red:s=64x64:r=10:d=3")
    film = make(tmp_path / "film.mp4", *picture, "-i", str(voice), "-c:v", "libx264", "-c:a", "aac")
    made, sink, planned = await transcribed(film, tmp_path, sphinx(tmp_path))
    assert list(made) == ["captions", "captions-srt", "transcript"]
    assert [rendition.role for rendition in made.values()] == ["captions", "captions", "transcript"]
    assert verify(tuple(made.values()), alone(planned, planned.task("transcribe"))) == ()
    document = json.loads(sink.files["captions/transcript.json"])
    assert document["engine"] == "pocketsphinx"
    assert {"what", "day"} & {word["text"] for word in document["words"]}
    assert all(0.9 < word["start"] < word["end"] < 2.7 for word in document["words"])
    cues = read_webvtt(sink.files["captions/captions.vtt"].decode())
    assert " ".join(" ".join(cue.lines) for cue in cues) == document["text"]


async def test_captions_of_a_clip_begin_with_the_clip(tmp_path: Path) -> None:
    voice = speak(tmp_path / "voice.wav", pause=2.0)
    made, sink, _ = await transcribed(voice, tmp_path, sphinx(tmp_path), Options(clip_start_s=1.5))
    document = json.loads(sink.files["captions/transcript.json"])
    assert 0.3 < document["words"][0]["start"] < 0.9
    assert document["duration_s"] == pytest.approx(sound_of(voice).seconds - 1.5, abs=0.01)
    assert made["captions"].proof.ok


async def test_no_speech_is_a_result_and_the_engine_is_not_asked(tmp_path: Path) -> None:
    class Deaf(SphinxRecognizer):
        async def recognize(self, sound: Sound, *_: object) -> None:  # type: ignore[override]
            assert sound.voiced == ()
            return await super().recognize(sound, *_)  # type: ignore[return-value, arg-type]

    tone = clip(tmp_path / "tone.mp4", seconds=1.5)
    made, sink, _ = await transcribed(tone, tmp_path, Deaf(ChildIsolation(LIMITS, str(tmp_path / "scratch"))))
    assert sink.files["captions/captions.vtt"] == b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
    assert json.loads(sink.files["captions/transcript.json"])["words"] == []
    assert all(rendition.proof.ok for rendition in made.values())


async def test_a_model_that_invents_is_published_with_its_doubts(tmp_path: Path) -> None:
    """A Whisper that has learnt nothing is as sure of itself as a fiftieth: that is told."""
    recognizer = WhisperRecognizer(ChildIsolation(LIMITS, str(tmp_path / "scratch")), tiny_model(tmp_path / "tiny"))
    made, sink, _ = await transcribed(speak(tmp_path / "voice.wav"), tmp_path, recognizer)
    document = json.loads(sink.files["captions/transcript.json"])
    assert (document["engine"], document["language"]) == ("faster-whisper tiny", "en")
    assert "unsure" in {flag["doubt"] for flag in document["flags"]}
    assert made["captions"].proof.measures["flags"] == len(document["flags"])


async def test_a_broken_model_is_a_task_that_died(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny")
    (model / "model.bin").write_bytes(b"not weights")
    recognizer = WhisperRecognizer(ChildIsolation(LIMITS, str(tmp_path / "scratch")), model)
    with pytest.raises(TaskDied):
        await transcribed(speak(tmp_path / "voice.wav"), tmp_path, recognizer)


async def test_a_routine_may_read_what_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    """The model's folder is readable to the engine; the rest of the disk is not."""
    voice = sound_of(speak(tmp_path / "voice.wav"), (0.0, 1.0))
    model = tiny_model(tmp_path / "tiny")
    arguments = {"spans": [[0.0, 1.0]], "model": str(model), "language": "en"}
    routine = Routine(
        name="smmu.adapters.speech.whisper:recognize", arguments=arguments, memory_bytes=4 << 30, seconds_max=60
    )
    with pytest.raises(TaskDied):
        await ChildIsolation(LIMITS, str(tmp_path / "scratch")).run(routine, voice.samples, Fractions())


# --- where a voice is


def spans(samples: np.ndarray) -> tuple[Span, ...]:
    finder = VoiceFinder()
    for start in range(0, len(samples), 1_000):
        finder.feed(samples[start : start + 1_000].astype(np.int16))
    return finder.spans()


SECONDS = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
CHANCE = np.random.default_rng(1)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0),
        np.zeros(100),
        np.zeros(10 * SAMPLE_RATE),
        CHANCE.normal(0, 3_000, 10 * SAMPLE_RATE),
        CHANCE.normal(0, 3_000, 10 * SAMPLE_RATE) * (np.sin(SECONDS * np.pi) > 0),
        np.sin(SECONDS * 2 * np.pi * 440) * 9_000,
        np.sign(np.sin(SECONDS * 2 * np.pi * 120)) * 9_000,
    ],
    ids=["nothing", "less than a frame", "silence", "noise", "bursts of noise", "a tone", "hum"],
)
def test_nobody_speaks_in(samples: np.ndarray) -> None:
    assert spans(samples) == ()


def test_a_voice_is_found_where_it_is(tmp_path: Path) -> None:
    path = speak(tmp_path / "voice.wav", pause=2.0)
    sound = sound_of(path)
    samples = np.frombuffer((tmp_path / "voice.pcm").read_bytes(), "<i2")
    (found,) = spans(samples)
    assert 1.7 <= found.start <= 2.2
    assert sound.seconds - 2.2 - 0.3 <= found.end <= sound.seconds - 1.6


def test_somebody_who_talks_for_long_is_cut_where_it_is_softest(tmp_path: Path) -> None:
    path = speak(tmp_path / "voice.wav", "One two three four five six seven eight nine ten. " * 20)
    sound = sound_of(path)
    found = spans(np.frombuffer((tmp_path / "voice.pcm").read_bytes(), "<i2"))
    assert len(found) >= sound.seconds // SPAN_SECONDS_MAX
    assert all(span.end - span.start <= SPAN_SECONDS_MAX for span in found)
    assert all(first.end <= second.start for first, second in pairwise(found))
