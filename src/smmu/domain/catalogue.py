"""The product's pipeline, as a value of the algebra: inspect, render stage by stage, publish; on any error, record it.

What an early stage made is revealed when it is done.

What each `does` name means is `application/steps.py`. References travel between steps, never the plan itself: a state
machine's payload is bounded (256 KiB), a plan is not.
"""

from smmu.domain.errors import Code
from smmu.domain.limits import Limits
from smmu.domain.pipeline import ANY, Catch, Choice, Fail, Map, Retry, Rule, Sequence, Step, Task, Test, Weight

INSPECT, RENDER, REVEAL, PUBLISH = "inspect", "render", "reveal", "publish"
RECORD_FAILURE = "record_failure"

# What the world does wrong is tried again for long; what the file may have caused is tried again once or twice.
_LOST = Retry(errors=(Code.INTERRUPTED,), times=20, seconds=0.5, seconds_max=60)  # its worker went away
_WORLD = Retry(errors=(Code.WORLD_UNAVAILABLE, Code.DISK_FULL), times=6, seconds=1, seconds_max=120)
_MEMORY = Retry(errors=(Code.OUT_OF_MEMORY,), times=2, seconds=1)  # each try is given more memory
_CRASH = Retry(errors=(Code.CRASHED, Code.STALLED, Code.TIMED_OUT), times=1, seconds=2)
_BUG = Retry(errors=(Code.INTERNAL,), times=1, seconds=2)
RETRIES = (_LOST, _WORLD, _MEMORY, _CRASH, _BUG)


def pipeline(limits: Limits) -> Step:
    """The way of every job.

    Input: {"job_id", "owner", "attempt", "trace"}; `inspect` adds what the later steps need.
    """
    inspect = Task(name="inspect", does=INSPECT, gives="plan", seconds_max=limits.light_task_seconds_max, retry=RETRIES)
    publish = Task(
        name="publish",
        does=PUBLISH,
        takes={"plan": "plan.ref", "rendered": "rendered"},
        gives="manifest",
        seconds_max=limits.light_task_seconds_max,
        retry=RETRIES,
    )
    return Catch(
        name="job",
        body=Sequence(steps=(inspect, _stages(limits), publish)),
        errors=(ANY,),
        handler=Sequence(steps=(_record(limits), Fail(name="failed", again="error"))),
    )


def _stages(limits: Limits) -> Map:
    """Stage by stage, the tasks of each at once."""
    render = Task(
        name="task",
        does=RENDER,
        takes={"plan": "plan", "task": "task"},
        gives="rendered",
        weight=Weight.HEAVY,
        seconds_max=limits.heavy_task_seconds_max,
        retry=RETRIES,
        extra="task.extra",
    )
    tasks = Map(
        name="tasks",
        items="stage.tasks",
        each="task",
        body=render,
        takes={"plan": "plan"},
        concurrency=limits.map_concurrency,
        yields="rendered",
        gives="done",
    )
    reveal = Task(
        name="reveal",
        does=REVEAL,
        takes={"plan": "plan", "rendered": "done"},
        seconds_max=limits.light_task_seconds_max,
        retry=RETRIES,
    )
    early = Rule(path="stage.early", test=Test.EQUALS, value=True, then=reveal)
    stage = Sequence(steps=(tasks, Choice(name="early", rules=(early,))))
    return Map(
        name="stages",
        items="plan.stages",
        each="stage",
        body=stage,
        takes={"plan": "plan.ref"},
        concurrency=1,
        yields="done",
        gives="rendered",
    )


def _record(limits: Limits) -> Task:
    """Writing down why a job failed must not fail for want of tries."""
    return Task(
        name="record_failure",
        does=RECORD_FAILURE,
        takes={"error": "error"},
        seconds_max=limits.light_task_seconds_max,
        retry=(Retry(errors=(ANY,), times=10, seconds=1, seconds_max=60),),
    )
