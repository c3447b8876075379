"""Which engine a deployment gets: what was chosen, or what is there; never a download."""

from pathlib import Path

import pytest

from smmu.adapters.speech.kept import KeptRecognizer
from smmu.adapters.speech.sphinx import SphinxRecognizer
from smmu.adapters.speech.whisper import WhisperRecognizer
from smmu.bootstrap.opening import open_system
from smmu.bootstrap.settings import AwsPlatform, InMemoryPlatform, Settings, load_settings
from smmu.bootstrap.speech import Speech, local_recognizer, speech_in
from smmu.bootstrap.variables import SettingsError
from smmu.domain.limits import Limits


def model(folder: Path, name: str, size: int) -> None:
    for file in ("config.json", "tokenizer.json", "model.bin"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_bytes(b"x" * size)


def test_a_worker_reads_the_branch_as_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"SMMU_SPEECH__ENGINE": "faster-whisper", "SMMU_SPEECH__MODEL": "base", "SMMU_SPEECH__LANGUAGE": "de"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert speech_in(environment) == load_settings().speech
    for name in environment:
        monkeypatch.delenv(name)
    assert speech_in({}) == Settings().speech


def test_an_engine_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="SMMU_SPEECH__ENGINE is wrong: it is one of auto, none, faster-whisper"):
        speech_in({"SMMU_SPEECH__ENGINE": "siri"})


@pytest.mark.parametrize("engine", ["auto", "none", "transcribe"])
def test_without_a_model_there_is_no_engine_on_this_machine(tmp_path: Path, engine: str) -> None:
    speech = Speech(engine=engine, models=tmp_path / "none")
    assert local_recognizer(speech, Limits(), str(tmp_path)) is None


async def test_the_largest_model_that_is_there_is_taken(tmp_path: Path) -> None:
    model(tmp_path, "tiny", 10)
    model(tmp_path, "mine", 30)
    (tmp_path / "half").mkdir()
    found = local_recognizer(Speech(models=tmp_path), Limits(), str(tmp_path))
    assert isinstance(found, WhisperRecognizer)
    assert await found.unavailable() is None
    assert found.demands.memory_bytes > 3 * 30


async def test_a_model_that_was_chosen_and_is_not_there_is_told_of(tmp_path: Path) -> None:
    found = local_recognizer(Speech(engine="faster-whisper", models=tmp_path), Limits(), str(tmp_path))
    assert found is not None
    assert await found.unavailable() == "there is no speech model small: smmu models fetch small"


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a role gives them. Without any, the SDK would look for them all over the network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "one")


def on_aws(**speech: str) -> Settings:
    named = {name: name for name in AwsPlatform.model_fields if AwsPlatform.model_fields[name].is_required()}
    platform = AwsPlatform.model_validate({**named, "kind": "aws", "models_bucket": "models"})
    return Settings(platform=platform, speech=Speech.model_validate(speech))


@pytest.mark.usefixtures("credentials")
async def test_where_workers_fetch_their_model_the_plan_needs_none() -> None:
    async with open_system(on_aws(engine="faster-whisper", model="small", models="/nowhere")) as running:
        recognizer = running.system.worker.steps.recognizer
    assert isinstance(recognizer, KeptRecognizer)
    assert await recognizer.unavailable() is None
    assert recognizer.demands.memory_bytes > 3 * 486_000_000


@pytest.mark.parametrize("engine", ["auto", "none"])
@pytest.mark.usefixtures("credentials")
async def test_a_place_for_models_is_no_choice_of_an_engine(engine: str, tmp_path: Path) -> None:
    async with open_system(on_aws(engine=engine, models=str(tmp_path))) as running:
        assert running.system.worker.steps.recognizer is None


@pytest.mark.parametrize(
    ("speech", "words"), [({}, "is missing: where workers fetch"), ({"model": "mine"}, "is wrong ('mine'): where")]
)
@pytest.mark.usefixtures("credentials")
async def test_a_model_whose_demands_nobody_knows_is_refused(speech: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        async with open_system(on_aws(engine="faster-whisper", **speech)):
            pass
    assert str(refused.value).startswith(f"SMMU_SPEECH__MODEL {words}")


async def test_amazons_engine_is_for_amazons_platform_alone() -> None:
    settings = Settings(platform=InMemoryPlatform(kind="inmemory"), speech=Speech(engine="transcribe"))
    with pytest.raises(SettingsError, match="SMMU_SPEECH__ENGINE is transcribe, which is there on the platform aws"):
        async with open_system(settings):
            pass


def test_the_draft_engine_is_there_for_who_asks_for_it(tmp_path: Path) -> None:
    assert isinstance(local_recognizer(Speech(engine="pocketsphinx"), Limits(), str(tmp_path)), SphinxRecognizer)
