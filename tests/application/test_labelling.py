"""A deployment's classifier: what it is shown, where its answer is found, and that it can keep nothing from being made."""

from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.system import MemoryTelemetry
from smmu.adapters.policy.classifier import FunctionClassifier
from smmu.application.invocations import TaskFailed
from smmu.bootstrap.embedding import open_in_memory, until_over
from smmu.domain.errors import Code
from smmu.domain.facts import Kind
from smmu.domain.labels import Sight
from smmu.domain.limits import Limits
from smmu.domain.remaking import Wish
from smmu.ports.classify import Classifier
from tests.support.classifiers import SEA, Eye, in_process
from tests.support.deployment import OWNER, deployed
from tests.support.processing import manifest_of, processed

FILM = pretend_file(duration_s=5)
SEEN = {
    "labels": [{"name": "Sea", "confidence": 0.98}, {"name": "Sky", "confidence": 0.75}],
    "moderation": [{"name": "Alcohol", "confidence": 0.625}],
    "classifier": {"picture": "poster", "labels": "seer 3", "moderation": "seer 7"},
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def decided(manifest: dict[str, Any]) -> list[str]:
    return [one["choice"] for one in manifest["plan"]["decisions"] if one["subject"] == "classifier"]


def kept(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: manifest["classification"][name] for name in SEEN if name in manifest["classification"]}


async def test_what_it_sees_in_the_poster_is_in_the_classification() -> None:
    eye, telemetry = Eye(), MemoryTelemetry()
    async with open_in_memory(PretendEngine(speed=None), classifier=in_process(eye), telemetry=telemetry) as system:
        ended = await processed(system, FILM)
        manifest = await manifest_of(system, ended.media_id)
        assert (kept(manifest), decided(manifest)) == (SEEN, ["asked"])
        assert manifest["classification"]["kind"] == "video"
        (poster,) = [one for one in manifest["renditions"] if one["name"] == "poster"]
        assert [len(jpeg) for jpeg in eye.shown] == [poster["size"]]
    (told,) = [event.fields for event in telemetry.events if event.name == "classifier_answered"]
    assert (told["labels"], told["moderated"]) == (2, 1)


async def test_of_a_picture_it_is_shown_what_was_made_of_it() -> None:
    eye, data = Eye(), pretend_file(Kind.IMAGE, width=3000, height=2000)
    async with open_in_memory(PretendEngine(speed=None), classifier=in_process(eye)) as system:
        manifest = await manifest_of(system, (await processed(system, data)).media_id)
    assert manifest["classification"]["classifier"]["picture"] == "image-1280-jpeg"
    assert eye.shown != [data]


async def test_a_sound_shows_nothing_and_nobody_is_asked() -> None:
    eye = Eye()
    async with open_in_memory(PretendEngine(speed=None), classifier=in_process(eye)) as system:
        manifest = await manifest_of(system, (await processed(system, pretend_file(Kind.AUDIO))).media_id)
    assert (kept(manifest), decided(manifest), eye.shown) == ({}, [], [])


async def test_without_one_the_manifest_says_nothing_of_it() -> None:
    async with open_in_memory(PretendEngine(speed=None)) as system:
        manifest = await manifest_of(system, (await processed(system, FILM)).media_id)
    assert (kept(manifest), decided(manifest)) == ({}, [])


async def test_one_that_is_broken_costs_the_labels_and_no_job() -> None:
    eye, telemetry = Eye(trouble="broken"), MemoryTelemetry()
    async with open_in_memory(PretendEngine(speed=None), classifier=in_process(eye), telemetry=telemetry) as system:
        ended = await processed(system, FILM)
        assert ended.state == "succeeded"
        manifest = await manifest_of(system, ended.media_id)
        assert (kept(manifest), decided(manifest), len(eye.shown)) == ({}, ["not classified"], 1)
    assert [event.name for event in telemetry.events if "classifier" in event.name] == ["classifier_unanswered"]


@pytest.mark.parametrize(
    "given", [{"labels": (), "models": {"labels": object()}}, {"labels": ["Sea"]}, {"moderation": None}]
)
async def test_one_that_says_what_cannot_be_kept_costs_the_labels_and_no_job(given: Any) -> None:
    classifier = FunctionClassifier(function=lambda _: Sight(**given))
    async with open_in_memory(PretendEngine(speed=None), classifier=classifier) as system:
        ended = await processed(system, FILM)
        assert (ended.state, ended.error) == ("succeeded", None)
        assert decided(await manifest_of(system, ended.media_id)) == ["not classified"]


async def test_what_was_not_seen_is_seen_when_its_picture_is_made_again_and_kept_after_that() -> None:
    eye = Eye(trouble="broken")
    async with open_in_memory(PretendEngine(speed=None), classifier=in_process(eye)) as system:
        media_id = (await processed(system, FILM)).media_id
        eye.trouble = ""
        for name in ("poster", "storyboard"):
            begun = await system.remaking.begin(OWNER, media_id, Wish(names=(name,)))
            assert (await until_over(system, OWNER, begun.job.id)).state == "succeeded"
            assert kept(await manifest_of(system, media_id)) == SEEN
    assert len(eye.shown) == 2


async def test_what_nobody_looks_for_any_more_is_not_left_from_before() -> None:
    eye = Eye()
    async with open_in_memory(PretendEngine(speed=None), classifier=in_process(eye)) as system:
        media_id = (await processed(system, FILM)).media_id
        eye.sight = Sight(labels=SEA.labels, models={"labels": "seer 4"})
        begun = await system.remaking.begin(OWNER, media_id, Wish(names=("poster",)))
        await until_over(system, OWNER, begun.job.id)
        known = (await system.library.get(OWNER, media_id)).value
    assert {name: known.classification.get(name) for name in SEEN} == {
        "labels": SEEN["labels"],
        "moderation": None,
        "classifier": {"picture": "poster", "labels": "seer 4"},
    }


@dataclass(slots=True)
class Sleeper(Classifier):
    """One that never answers."""

    asked: int = 0

    async def look(self, jpeg: bytes) -> Sight:
        self.asked += len(jpeg) > 0
        await anyio.sleep_forever()
        raise AssertionError("it slept for ever")


async def published(classifier: Classifier, seconds: float = 15.0) -> tuple[list[str], int]:
    """How the tries of publishing failed, and the revision that the last one made."""
    deployment = await deployed(classifier=classifier, limits=Limits(classify_seconds=seconds))
    plan = await deployment.inspect()
    given = {"plan": plan["ref"], "rendered": await deployment.rendered(plan)}
    errors: list[str] = []
    while len(errors) < 9:
        try:
            done = await deployment.system.invocations.perform(deployment.asked("publish", given))
        except TaskFailed as failed:
            errors.append(failed.error)
        else:
            return errors, done["revision"]
    raise AssertionError(errors)


async def test_one_that_is_away_is_asked_three_times_and_then_left_out() -> None:
    eye = Eye(trouble="away")
    assert await published(in_process(eye)) == ([Code.WORLD_UNAVAILABLE] * 2, 1)
    assert len(eye.shown) == 3


async def test_one_that_never_answers_is_waited_for_as_long_as_the_limit_says() -> None:
    sleeper = Sleeper()
    assert await published(sleeper, seconds=0.01) == ([Code.WORLD_UNAVAILABLE] * 2, 1)
    assert sleeper.asked == 3
