"""Models that a deployment keeps for its workers: put there checked, planned for unseen, brought checked or not at all."""

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.objects import MemoryObjectStore, MemorySource
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import FixedClock, MemoryTelemetry
from smmu.adapters.inmemory.world import World
from smmu.adapters.speech.kept import KeptRecognizer, bring, keep
from smmu.adapters.speech.models import SIZES
from smmu.adapters.speech.records import OPTIONAL, RECORD, Record, record_in, written
from smmu.adapters.speech.whisper import NEEDED
from smmu.bootstrap.embedding import open_in_memory, send, until_over
from smmu.domain import plan_speech
from smmu.domain.admission import UploadRequest
from smmu.domain.facts import Kind
from smmu.domain.limits import GIB, Limits
from smmu.domain.options import Options
from smmu.domain.remaking import Wish
from smmu.domain.transcript import Span
from smmu.domain.values import ObjectRef
from smmu.ports.errors import Corrupt, Full, NotFound
from smmu.ports.isolation import Isolation, Routine
from smmu.ports.media import Progress
from smmu.ports.objects import ObjectStore, Source
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds
from tests.support.media import FileSource, Fractions
from tests.support.planned import STEREO
from tests.support.planned import sound as sound_facts
from tests.support.speech import nominal_model, recorded

BOUNDS = Bounds(memory_bytes=1, seconds_max=30)
COMMIT = "a" * 40


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def models() -> ObjectStore:
    return memory_platform(Limits()).objects


@dataclass(slots=True)
class Listener(Isolation):
    """Hears one word, and remembers what it was asked."""

    asked: list[Routine] = field(default_factory=list)

    async def run(self, routine: Routine, source: Source, _progress: Progress) -> Any:
        assert source.size
        self.asked.append(routine)
        return {"words": [{"text": "hej", "start": 0.1, "end": 0.4, "confidence": 0.9}], "language": "sv"}


def sound(folder: Path, *voiced: Span) -> Sound:
    (folder / "sound.pcm").write_bytes(bytes(32_000))
    return Sound(samples=FileSource(folder / "sound.pcm"), seconds=1.0, voiced=voiced, measures={})


def counted(_done: int, _total: int) -> None:
    """Nobody looks."""


async def keys(models: ObjectStore) -> list[str]:
    return [ref.key async for ref in models.list("models/")]


# --- put, and brought


async def test_a_model_comes_out_as_it_was_put(models: ObjectStore, tmp_path: Path) -> None:
    there = nominal_model(tmp_path / "here" / "tiny")
    shown: list[tuple[int, int]] = []
    assert await keep(models, there, lambda done, total: shown.append((done, total))) is True
    assert shown[-1] == (11, 11)
    assert shown == sorted(shown)
    found = await bring(models, "tiny", tmp_path / "worker" / "models")
    assert found == tmp_path / "worker" / "models" / "tiny"
    assert {path.name: path.read_bytes() for path in found.iterdir()} == {
        path.name: path.read_bytes() for path in there.iterdir() if path.name != RECORD
    }
    assert [path.name for path in found.parent.iterdir()] == ["tiny"]
    assert await keys(models) == [
        *(f"models/tiny/{COMMIT}/{name}" for name in ("config.json", "model.bin", "tokenizer.json")),
        "models/tiny/model.json",
    ]


async def test_putting_it_again_sends_nothing_unless_something_is_missing(models: ObjectStore, tmp_path: Path) -> None:
    there = nominal_model(tmp_path / "tiny")
    await keep(models, there, counted)
    assert await keep(models, there, counted) is False
    await models.delete(f"models/tiny/{COMMIT}/config.json")
    assert await keep(models, there, counted) is True
    assert await models.stat(f"models/tiny/{COMMIT}/config.json") is not None


async def test_a_newer_one_takes_its_place_and_the_older_one_can_still_be_read(
    models: ObjectStore, tmp_path: Path
) -> None:
    await keep(models, nominal_model(tmp_path / "old" / "tiny", b"old"), counted)
    newer = nominal_model(tmp_path / "new" / "tiny", b"new")
    (newer / RECORD).unlink()
    await keep(models, recorded(newer, commit="b" * 40), counted)
    assert ((await bring(models, "tiny", tmp_path / "models")) / "model.bin").read_bytes() == b"new"
    assert await models.stat(f"models/tiny/{COMMIT}/model.bin") is not None


async def test_a_record_that_is_none_can_be_replaced(models: ObjectStore, tmp_path: Path) -> None:
    await models.put("models/tiny/model.json", b"no record", content_type="application/json")
    assert await keep(models, nominal_model(tmp_path / "tiny"), counted) is True
    await bring(models, "tiny", tmp_path / "models")


def without_record(folder: Path) -> None:
    (folder / RECORD).unlink()


def with_other_weights(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"weighed")


def without_weights(folder: Path) -> None:
    (folder / "model.bin").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_record, "has no model.json, which smmu models fetch writes"),
        (with_other_weights, "model.bin is not what model.json says"),
        (without_weights, "model.bin is not there, and model.json lists it"),
    ],
)
async def test_what_is_not_what_was_fetched_is_not_put(
    models: ObjectStore, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    there = nominal_model(tmp_path / "tiny")
    spoil(there)
    before = sorted(path.name for path in there.iterdir())
    with pytest.raises(Corrupt, match=words):
        await keep(models, there, counted)
    assert await models.stat("models/tiny/model.json") is None
    assert sorted(path.name for path in there.iterdir()) == before


@pytest.mark.parametrize(
    ("key", "body", "words"),
    [
        (f"{COMMIT}/model.bin", b"weighed", "is not what the model's record says"),
        (f"{COMMIT}/config.json", b"[]", "is not what the model's record says"),
        (f"{COMMIT}/model.bin", b"weights and more", "is not what the model's record says"),
        (f"{COMMIT}/model.bin", None, "is not there, and the model's record lists it"),
        ("model.json", b"{}", "is no record of a model"),
        ("model.json", b"\xff", "is no record of a model"),
        ("model.json", b" " * 70_000, "is no record of a model"),
    ],
)
async def test_a_model_that_is_not_what_its_record_says_is_not_brought(
    models: ObjectStore, tmp_path: Path, key: str, body: bytes | None, words: str
) -> None:
    await keep(models, nominal_model(tmp_path / "tiny"), counted)
    await models.delete(f"models/tiny/{key}")
    if body is not None:
        await models.put(f"models/tiny/{key}", body, content_type="application/octet-stream")
    with pytest.raises(Corrupt, match=f"models/tiny/{key} {words}"):
        await bring(models, "tiny", tmp_path / "models")
    assert [*(tmp_path / "models").glob("*")] == []


@pytest.mark.parametrize(
    "files",
    [
        {"model.bin": "0" * 64},
        dict.fromkeys(("model.bin", "config.json", "tokenizer.json", "../../etc/passwd"), "0" * 64),
        {"model.bin": "0" * 64, "config.json": "0" * 40, "tokenizer.json": "0" * 39},
        [],
    ],
)
def test_a_record_lists_the_files_of_a_model_with_their_digests_and_no_others(files: Any) -> None:
    told = {"repository": "x", "commit": COMMIT, "files": files}
    with pytest.raises(Corrupt):
        record_in(json.dumps(told).encode(), "it")


@given(
    st.text("0123456789abcdef", min_size=40, max_size=40),
    st.sets(st.sampled_from(OPTIONAL)),
    st.sampled_from([40, 64]).flatmap(lambda size: st.text("0123456789abcdef", min_size=size, max_size=size)),
)
def test_a_record_is_read_as_it_was_written(commit: str, more: set[str], digest: str) -> None:
    record = Record(repository="x/y", commit=commit, files=dict.fromkeys((*NEEDED, *more), digest))
    assert record_in(written(record), "it") == record


async def test_a_model_that_is_there_is_not_brought_again(models: ObjectStore, tmp_path: Path) -> None:
    await keep(models, nominal_model(tmp_path / "here" / "tiny"), counted)
    found = await bring(models, "tiny", tmp_path / "models")
    await models.delete_all("models/")
    assert await bring(models, "tiny", tmp_path / "models") == found


class NoRoom(MemorySource):
    """The bytes come, and there is nowhere to put them."""

    async def read(self, _start: int, _length: int) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")


class Cramped(MemoryObjectStore):
    """A store from which nothing large can be brought, because the disk is full."""

    async def open(self, ref: ObjectRef) -> MemorySource:
        found = await super().open(ref)
        return found if ref.key.endswith(RECORD) else NoRoom(found.world, found.ref)


async def test_a_full_disk_is_told_as_what_may_pass(tmp_path: Path) -> None:
    models = Cramped(World(), FixedClock())
    await keep(models, nominal_model(tmp_path / "here" / "tiny"), counted)
    with pytest.raises(Full, match="no room for the speech model tiny"):
        await bring(models, "tiny", tmp_path / "models")
    assert [*(tmp_path / "models").iterdir()] == []


# --- planned for unseen


def test_what_a_model_takes_is_known_without_it(models: ObjectStore, tmp_path: Path) -> None:
    taken = [KeptRecognizer(Listener(), models, name, tmp_path).demands for name in SIZES]
    assert [demands.memory_bytes for demands in taken] == sorted(demands.memory_bytes for demands in taken)
    assert 4 * GIB < taken[2].memory_bytes < 5 * GIB
    facts, limits = sound_facts(STEREO, duration_s=60.0), Limits()
    (task,), _ = plan_speech.tasks(facts, Options(), limits, taken[-1])
    (same_machine,), _ = plan_speech.tasks(
        facts, Options(), limits, plan_speech.Demands(memory_bytes=1, pace=taken[-1].pace)
    )
    assert task.memory_bytes == taken[-1].memory_bytes
    assert task.seconds_max == same_machine.seconds_max + 309  # 3,090 MB at 10 MB/s


async def test_a_sound_in_which_somebody_speaks_brings_the_model_once(models: ObjectStore, tmp_path: Path) -> None:
    await keep(models, nominal_model(tmp_path / "here" / "tiny"), counted)
    listener = Listener()
    recognizer = KeptRecognizer(listener, models, "tiny", tmp_path / "models", language="sv")
    spoken = sound(tmp_path, Span(start=0.0, end=1.0))
    heard = await recognizer.recognize(spoken, BOUNDS, Fractions())
    await models.delete_all("models/")
    assert heard == await recognizer.recognize(spoken, BOUNDS, Fractions())
    assert ([word.text for word in heard.words], heard.engine) == (["hej"], "faster-whisper tiny")
    assert {routine.readable for routine in listener.asked} == {(str(tmp_path / "models" / "tiny"),)}


async def test_a_sound_in_which_nobody_speaks_brings_nothing(models: ObjectStore, tmp_path: Path) -> None:
    recognizer = KeptRecognizer(Listener(), models, "tiny", tmp_path / "models")
    assert (await recognizer.recognize(sound(tmp_path), BOUNDS, Fractions())).words == ()
    assert not (tmp_path / "models").exists()


async def test_a_model_that_is_not_there_is_named_with_the_command_that_puts_it(
    models: ObjectStore, tmp_path: Path
) -> None:
    recognizer = KeptRecognizer(Listener(), models, "tiny", tmp_path / "models")
    with pytest.raises(NotFound, match=r"^models/tiny/model\.json is not there, .*: smmu models fetch tiny --deploy$"):
        await recognizer.recognize(sound(tmp_path, Span(start=0.0, end=1.0)), BOUNDS, Fractions())


async def test_a_job_whose_model_is_missing_does_without_captions_and_they_are_made_when_it_is_there(
    models: ObjectStore, tmp_path: Path
) -> None:
    recognizer = KeptRecognizer(Listener(), models, "tiny", tmp_path / "models")
    told, data = MemoryTelemetry(), pretend_file(Kind.AUDIO, duration_s=4)
    async with open_in_memory(PretendEngine(speed=None), recognizer=recognizer, telemetry=told) as system:
        begun = (await system.uploads.begin("ada", UploadRequest(filename="file", size=len(data)))).upload
        (part,) = await system.uploads.sign("ada", begun.id, [1])
        await send(system, part, data)
        job_id = (await system.uploads.complete("ada", begun.id)).job_id
        assert job_id is not None
        done = await until_over(system, "ada", job_id)
        assert done.state == "succeeded"
        captions = Wish(names=("captions",))
        asked = await system.remaking.begin("ada", done.media_id, captions)
        failed = await until_over(system, "ada", asked.job.id)  # what is asked for by itself is owed
        assert failed.error is not None
        assert (failed.state, failed.error.code, failed.error.retryable) == ("failed", "internal", True)
        assert all("smmu models fetch tiny --deploy" in str(one["error"]) for one in told.named("world_failed"))
        assert len(told.named("world_failed")) == 2 * 2  # not tried as often as what passes by itself
        await keep(models, nominal_model(tmp_path / "here" / "tiny"), counted)
        await system.jobs.retry("ada", failed.id)
        assert (await until_over(system, "ada", failed.id)).state == "succeeded"
        made = (await system.library.get("ada", done.media_id)).value
        assert {"captions", "transcript"} <= {record.name for record in made.renditions}
