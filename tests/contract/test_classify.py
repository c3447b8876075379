"""The promises of `ports/classify.py`, by one that pretends, by a callable and by Amazon Rekognition."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from smmu.adapters.aws.account import open_service
from smmu.adapters.aws.rekognition import RekognitionClassifier
from smmu.adapters.inmemory.classify import FORBIDDEN, PretendClassifier
from smmu.domain.labels import CONFIDENCE_MIN, LABELS_MAX, Label, Sight
from smmu.ports.classify import Classifier
from smmu.ports.errors import Corrupt, Denied, Throttled, WorldError
from tests.support.classifiers import SEA, Eye, in_process, rekognition

JPEG = b"\xff\xd8 a picture"


@pytest.fixture
def anyio_backend() -> str:
    """These are of no platform: once is enough."""
    return "asyncio"


@pytest.fixture
def eye() -> Eye:
    return Eye()


def opened(kind: str, eye: Eye) -> Any:
    return {"pretend": _pretend, "callable": _callable, "rekognition": _rekognition}[kind](eye)


async def _pretend(_eye: Eye) -> AsyncIterator[Classifier]:
    yield PretendClassifier()


async def _callable(eye: Eye) -> AsyncIterator[Classifier]:
    yield in_process(eye)


async def _rekognition(eye: Eye) -> AsyncIterator[Classifier]:
    """Without the SDK's own tries, which take seconds and are the same for every service."""
    with rekognition(eye) as account:
        async with open_service(account, "rekognition") as client:
            client.meta.events.unregister("needs-retry.rekognition", unique_id="retry-config-rekognition")
            yield RekognitionClassifier(client)


@pytest.fixture(params=["pretend", "callable", pytest.param("rekognition", marks=pytest.mark.aws)])
async def classifier(request: pytest.FixtureRequest, eye: Eye) -> AsyncIterator[Classifier]:
    async for one in opened(request.param, eye):
        yield one


@pytest.fixture(params=["callable", pytest.param("rekognition", marks=pytest.mark.aws)])
async def told(request: pytest.FixtureRequest, eye: Eye) -> AsyncIterator[Classifier]:
    """One that sees what a test says."""
    async for one in opened(request.param, eye):
        yield one


@pytest.fixture
async def service(eye: Eye) -> AsyncIterator[Classifier]:
    async for one in _rekognition(eye):
        yield one


async def test_it_says_what_it_sees_how_surely_and_who_says_so(classifier: Classifier) -> None:
    sight = await classifier.look(JPEG)
    assert sight.labels
    assert all(0 <= label.confidence <= 1 for label in (*sight.labels, *(sight.moderation or ())))
    assert set(sight.models) == {"labels", "moderation"}


async def test_it_may_be_asked_again(classifier: Classifier) -> None:
    assert await classifier.look(JPEG) == await classifier.look(JPEG)


async def test_it_is_shown_the_picture_and_tells_labels_from_moderation(told: Classifier, eye: Eye) -> None:
    sight = await told.look(JPEG)
    assert eye.shown == [JPEG]
    assert (sight.labels, sight.moderation) == (SEA.labels, SEA.moderation)


async def test_nothing_may_be_seen(told: Classifier, eye: Eye) -> None:
    eye.sight = Sight(labels=(), moderation=(), models=SEA.models)
    sight = await told.look(JPEG)
    assert (sight.labels, sight.moderation) == ((), ())


@pytest.mark.parametrize(("trouble", "retryable"), [("away", True), ("broken", False)])
async def test_what_may_pass_is_told_from_what_will_not(
    told: Classifier, eye: Eye, trouble: str, *, retryable: bool
) -> None:
    eye.trouble = trouble
    with pytest.raises(WorldError) as raised:
        await told.look(JPEG)
    assert raised.value.retryable is retryable


async def test_it_may_be_cancelled_while_it_is_asked(told: Classifier, eye: Eye) -> None:
    eye.trouble = "slow"
    with anyio.move_on_after(0.05) as scope:
        await told.look(JPEG)
    assert scope.cancelled_caught


async def test_what_a_picture_asks_for_is_moderated_where_it_is_pretended() -> None:
    sight = await PretendClassifier().look(JPEG + FORBIDDEN.encode())
    assert [label.name for label in sight.moderation or ()] == [FORBIDDEN]


# --- what a callable may do wrong


async def test_an_answer_that_is_no_sight_is_an_error_of_the_world(eye: Eye) -> None:
    eye.sight = "the sea"  # type: ignore[assignment] # a deployment's code may do as it likes
    with pytest.raises(Corrupt, match="gave a str, and no sight"):
        await in_process(eye).look(JPEG)


# --- how Amazon Rekognition is asked, and what its answers mean


@pytest.mark.aws
async def test_the_service_gets_bytes_and_says_its_models(service: Classifier, eye: Eye) -> None:
    sight = await service.look(JPEG)
    assert set(eye.asked) == {"DetectLabels", "DetectModerationLabels"}
    assert eye.asked["DetectLabels"] == {
        "Image": {"Bytes": "/9ggYSBwaWN0dXJl"},
        "MaxLabels": LABELS_MAX,
        "MinConfidence": 100 * CONFIDENCE_MIN,
    }
    assert sight.models == {
        "labels": "Amazon Rekognition, labels 3.0",
        "moderation": "Amazon Rekognition, moderation 7.0",
    }


@pytest.mark.aws
@pytest.mark.parametrize(
    ("trouble", "kind"), [("busy", Throttled), ("denied", Denied), ("unknown", Corrupt), ("empty", Corrupt)]
)
async def test_whatever_the_service_answers_is_an_error_of_the_world(
    service: Classifier, eye: Eye, trouble: str, kind: type[WorldError]
) -> None:
    eye.trouble = trouble
    with pytest.raises(kind):
        await service.look(JPEG)


@pytest.mark.aws
async def test_a_label_that_cannot_be_shown_is_no_answer(service: Classifier, eye: Eye) -> None:
    label = object.__new__(Label)
    object.__setattr__(label, "name", "two\nlines")
    object.__setattr__(label, "confidence", 0.9)
    eye.sight = Sight(labels=(label,))
    with pytest.raises(Corrupt):
        await service.look(JPEG)
