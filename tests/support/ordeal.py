"""A file that may be anything goes through the real engine, and how it came out is said in one word.

Clean is: a rejection of the file with its stable code, or renditions whose proofs hold; and nothing left behind.
"""

from dataclasses import dataclass, field
from pathlib import Path

from smmu.adapters.media.engine import PyavEngine
from smmu.domain import planner
from smmu.domain.errors import Refused, refuse_if
from smmu.domain.facts import MediaFacts
from smmu.domain.judgement import judge
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import PlannedTask
from smmu.ports.errors import TaskDied
from tests.support.leavings import living_in
from tests.support.media import FileSource, Fractions, MemorySink

LIMITS = Limits(inspect_seconds=40)
LEAST = Options(preset="preview-only")
RENDERED_PIXELS_MAX = 40_000_000  # pictures times their size: a second of 720p, ten of the smallest


@dataclass(slots=True)
class Outcome:
    """`code` is None for a file that was accepted. `unclean` says what must never happen, in words."""

    code: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    renditions: int = 0
    unclean: list[str] = field(default_factory=list)


async def undergo(path: Path, scratch: Path) -> Outcome:
    """Inspect the file and, when it is accepted and small, render it."""
    engine, outcome, sink = PyavEngine(LIMITS, str(scratch)), Outcome(), MemorySink()
    try:
        facts = await engine.inspect(FileSource(path))
        refuse_if(judge(facts, LIMITS))
        for task in _tasks(facts):
            await _render(engine, path, task, sink, outcome)
    except Refused as refused:
        outcome.code = refused.code
        if not refused.code.startswith("rejected_"):
            outcome.unclean.append(f"refused as {refused.code}: {refused.message}")
    except TaskDied as died:
        outcome.code = died.cause
        outcome.unclean.append(" ".join([f"died: {died.cause}: {died}", *getattr(died, "__notes__", ())]))
    outcome.files = sink.files
    outcome.unclean += [f"left behind: {entry}" for entry in _left(scratch)]
    return outcome


async def _render(engine: PyavEngine, path: Path, task: PlannedTask, sink: MemorySink, outcome: Outcome) -> None:
    made = await engine.render(FileSource(path), task, sink, Fractions())
    outcome.renditions += len(made)
    outcome.unclean += [f"{one.name}: {failure}" for one in made for failure in one.proof.failures]


def _tasks(facts: MediaFacts) -> list[PlannedTask]:
    video = facts.video
    if video is not None:
        frames = float(video.frame_rate or 25) * (facts.duration_s or 0)
        if frames * video.width * video.height > RENDERED_PIXELS_MAX:
            return []
    plan = planner.plan(facts, LEAST, LIMITS)
    return [task for stage in plan.stages for task in stage.tasks]


def _left(scratch: Path) -> list[str]:
    files = [str(entry) for entry in scratch.iterdir()] if scratch.exists() else []
    return files + [f"process {number}" for number in living_in(scratch)]
