"""Facts of imagined files, their plans, and what is in them: for tests of the planner."""

from fractions import Fraction
from typing import Any

from smmu.domain.facts import AudioTrack, ImageFacts, Kind, MediaFacts, VideoTrack
from smmu.domain.options import Options
from smmu.domain.plan import Plan, Spec
from smmu.domain.planner import plan
from tests.support.strategies import LIMITS

STEREO = AudioTrack(index=1, codec="aac", channels=2, sample_rate=48_000)


def image(content_type: str = "image/jpeg", **changed: Any) -> MediaFacts:
    facts = ImageFacts(**{"width": 4000, "height": 3000, **changed})
    return MediaFacts(kind=Kind.IMAGE, container="jpeg", content_type=content_type, size_bytes=9, image=facts)


def video(*audio: AudioTrack, duration_s: float | None = 60.0, **changed: Any) -> MediaFacts:
    usual: dict[str, Any] = {"index": 0, "codec": "h264", "width": 1920, "height": 1080, "frame_rate": Fraction(30)}
    return MediaFacts(
        kind=Kind.VIDEO,
        container="mp4",
        content_type="video/mp4",
        size_bytes=9,
        duration_s=duration_s,
        video=VideoTrack(**{**usual, **changed}),
        audio=audio,
    )


def sound(*audio: AudioTrack, **changed: Any) -> MediaFacts:
    usual: dict[str, Any] = {"container": "mp3", "content_type": "audio/mpeg", "size_bytes": 9, "duration_s": 60.0}
    return MediaFacts(**{"kind": Kind.AUDIO, "audio": audio, **usual, **changed})


def planned(facts: MediaFacts, preset: Any = "web") -> Plan:
    return plan(facts, Options(preset=preset), LIMITS)


def specs(made: Plan) -> list[Spec]:
    return [spec for stage in made.stages for task in stage.tasks for spec in task.renditions]


def names(made: Plan) -> dict[str, list[str]]:
    return {task.name: [spec.name for spec in task.renditions] for stage in made.stages for task in stage.tasks}


def choices(made: Plan) -> dict[tuple[str, str], str]:
    return {(one.subject, one.choice): one.reason for one in made.decisions}


def wished(facts: MediaFacts, **wishes: Any) -> Plan:
    return plan(facts, Options(**wishes), LIMITS)
