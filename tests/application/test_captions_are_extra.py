"""Captions are extra: a job whose transcription fails ends well, its manifest says why, and they can be had later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.speech import PretendRecognizer
from smmu.application.invocations import TaskFailed
from smmu.bootstrap.embedding import open_in_memory, until_over
from smmu.domain.plan_speech import Demands
from smmu.domain.remaking import Wish
from smmu.domain.transcript import Transcript
from smmu.entrypoints.lambdas.perform import perform
from smmu.ports.errors import TaskDied
from smmu.ports.media import Progress
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds, SpeechRecognizer
from tests.support.deployment import OWNER, Deployment, deployed
from tests.support.processing import manifest_of, processed

NAMES = {"captions", "captions-srt", "transcript"}
REASON = "The engine died. They are extra, and can be asked for again"


@dataclass(slots=True)
class Moody(SpeechRecognizer):
    """Dies while it is `ill`."""

    ill: bool = True
    well: PretendRecognizer = field(default_factory=PretendRecognizer)

    @property
    def demands(self) -> Demands:
        return self.well.demands

    async def unavailable(self) -> str | None:
        return None

    async def recognize(self, sound: Sound, bounds: Bounds, progress: Progress) -> Transcript:
        if self.ill:
            raise TaskDied("The engine died.", "crashed")
        return await self.well.recognize(sound, bounds, progress)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def made(manifest: Mapping[str, Any]) -> set[str]:
    return {one["name"] for one in manifest["renditions"]}


def lost(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(one["subject"], one["reason"]) for one in manifest["plan"]["decisions"] if one["choice"] == "not made"]


async def test_the_rest_is_published_the_plan_says_why_and_they_are_made_when_they_are_asked_for() -> None:
    moody = Moody()
    async with open_in_memory(PretendEngine(speed=None), recognizer=moody) as system:
        ended = await processed(system, pretend_file(duration_s=8))
        assert (ended.state, ended.error) == ("succeeded", None)
        manifest = await manifest_of(system, ended.media_id)
        media = (await system.library.get(OWNER, ended.media_id)).value
        assert (media.state, media.playable) == ("ready", True)
        seen = await system.jobs.get(OWNER, ended.id)
        assert {known.name: known.state for known in seen.tasks}["transcribe"] == "failed"
        assert not made(manifest) & NAMES
        assert lost(manifest) == [("captions, captions-srt, transcript", REASON)]
        assert [(one.subject, one.reason) for one in seen.job.warnings] == lost(manifest)
        moody.ill = False
        asked = await system.remaking.begin(OWNER, ended.media_id, Wish(names=("captions",)))
        again = await until_over(system, OWNER, asked.job.id)
        assert (again.state, again.warnings) == ("succeeded", ())
        manifest = await manifest_of(system, ended.media_id)
    assert made(manifest) >= {*NAMES, "hls"}
    assert lost(manifest) == []
    (hls,) = [one for one in manifest["renditions"] if one["name"] == "hls"]
    assert hls["proof"]["measures"]["texts"] == 1


async def test_what_is_added_later_does_not_fail_with_captions_that_nobody_asked_for() -> None:
    async with open_in_memory(PretendEngine(speed=None), recognizer=Moody()) as system:
        ended = await processed(system, pretend_file(duration_s=8, width=1280, height=720))
        asked = await system.remaking.begin(OWNER, ended.media_id, Wish(options={"codecs": ["av1"]}))
        over = await until_over(system, OWNER, asked.job.id)
        assert (over.state, over.error) == ("succeeded", None)
        manifest = await manifest_of(system, ended.media_id)
    assert "720p-av1" in made(manifest)
    assert not made(manifest) & NAMES
    assert lost(manifest) == [("captions, captions-srt, transcript", REASON)]
    added = {one["subject"] for one in manifest["plan"]["decisions"] if one["choice"] == "added"}
    assert "720p-av1" in added
    assert not added & NAMES


@pytest.mark.parametrize("wish", [Wish(names=("captions",)), Wish(options={"preset": "web"})])
async def test_captions_that_are_asked_for_by_themselves_are_owed(wish: Wish) -> None:
    async with open_in_memory(PretendEngine(speed=None), recognizer=Moody()) as system:
        ended = await processed(system, pretend_file(duration_s=8))
        asked = await system.remaking.begin(OWNER, ended.media_id, wish)
        over = await until_over(system, OWNER, asked.job.id)
    assert over.error is not None
    assert (over.state, over.error.code) == ("failed", "crashed")


# --- where a service sees the run through


async def rendered(deployment: Deployment, plan: Mapping[str, Any], told: Any) -> list[list[Any]]:
    """What a state machine gathers: of a task that failed for good, what it has caught."""
    given = []
    for number, task in enumerate(plan["stages"][0]["tasks"]):
        known = await deployment.system.invocations.open(deployment.rendering(plan, number))
        await deployment.system.worker.perform(OWNER, known.record_id, len(known.failures))
        if task["extra"]:
            with pytest.raises(TaskFailed, match="The engine died"):
                await deployment.collected(known)
            given.append(told)
        else:
            given.append(await deployment.collected(known))
    return [given]


CAUSE = json.dumps(
    {"errorType": "crashed", "errorMessage": json.dumps({"message": "The engine died.", "task_id": "t"})}
)


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        ("crashed", CAUSE, REASON),
        ("States.Timeout", "", "The task took longer than it may. They are extra, and can be asked for again"),
        ("ECS.AmazonECSException", "arn:aws:ecs says no", "Something that the task needs could not be reached."),
    ],
)
async def test_what_the_state_machine_has_caught_is_told_in_our_words(error: str, cause: str, reason: str) -> None:
    deployment = await deployed(recognizer=Moody())
    plan = await deployment.inspect()
    caught = {"error": error, "message": json.dumps({"Error": error, "Cause": cause})}
    asked = deployment.asked("publish")
    event = {
        **{
            name: getattr(asked, name) for name in ("owner", "job_id", "attempt", "path", "does", "name", "seconds_max")
        },
        "weight": asked.weight.value,
        "input": {"plan": plan["ref"], "rendered": await rendered(deployment, plan, caught)},
    }
    assert await perform(deployment.system, event) == {"revision": 1}
    known = (await deployment.system.jobs.get(OWNER, asked.job_id)).job
    assert known.state == "succeeded"
    ((_, told),) = lost(await manifest_of(deployment.system, known.media_id))
    assert told.startswith(reason)
