"""Which classifier a deployment gets, and what is wrong with one in one sentence."""

import pytest

from smmu.adapters.aws.rekognition import RekognitionClassifier
from smmu.adapters.inmemory.classify import PretendClassifier
from smmu.adapters.policy.classifier import FunctionClassifier
from smmu.bootstrap.classifier import Labels, classifier_of
from smmu.bootstrap.opening import open_system
from smmu.bootstrap.settings import AwsPlatform, InMemoryPlatform, Settings, load_settings
from smmu.bootstrap.variables import SettingsError


def test_without_an_engine_there_is_none() -> None:
    assert classifier_of(Settings().classifier, PretendClassifier()) is None


def test_a_function_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMMU_CLASSIFIER__ENGINE", "posixpath:basename")
    found = classifier_of(load_settings().classifier, None)
    assert isinstance(found, FunctionClassifier)
    assert found.function.__name__ == "basename"


def test_the_platforms_service_is_taken_where_it_is_named() -> None:
    service = PretendClassifier()
    assert classifier_of(Labels(engine="rekognition"), service) is service


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("rekognition", "SMMU_CLASSIFIER__ENGINE is rekognition, which is there on the platform aws alone."),
        ("look", "SMMU_CLASSIFIER__ENGINE is wrong ('look'): it is package.module:function, or rekognition."),
        ("nowhere.at_all:look", "SMMU_CLASSIFIER__ENGINE is wrong ('nowhere.at_all:look'): No module named 'nowhere'."),
        ("posixpath:curdir", "SMMU_CLASSIFIER__ENGINE is wrong ('posixpath:curdir'): that is no function."),
    ],
)
async def test_what_is_wrong_is_said_in_one_sentence(engine: str, words: str) -> None:
    settings = Settings(platform=InMemoryPlatform(kind="inmemory"), classifier=Labels(engine=engine))
    with pytest.raises(SettingsError) as refused:
        async with open_system(settings):
            pass
    assert str(refused.value) == words


async def test_on_aws_it_is_amazons_where_it_is_named_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):  # without any, the SDK would look for them elsewhere
        monkeypatch.setenv(name, "one")
    named = {name: name for name in AwsPlatform.model_fields if AwsPlatform.model_fields[name].is_required()}
    platform = AwsPlatform.model_validate({**named, "kind": "aws"})
    async with open_system(Settings(platform=platform, classifier=Labels(engine="rekognition"))) as running:
        labelling = running.system.worker.steps.labelling
        assert labelling is not None
        assert isinstance(labelling.classifier, RekognitionClassifier)
    async with open_system(Settings(platform=platform)) as running:
        assert running.system.worker.steps.labelling is None
