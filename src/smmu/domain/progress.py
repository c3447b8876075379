"""How far a job is, from its tasks: inspecting is 5 %, publishing 5 %, what is between is rendering."""

from collections.abc import Iterable

from smmu.domain.catalogue import INSPECT, PUBLISH, RENDER
from smmu.domain.task import State, Task

_INSPECTED, _RENDERED = 5.0, 90.0


def overall(tasks: Iterable[Task]) -> int:
    """0–100 over all tasks of one attempt. Render tasks count alike; what is not planned yet counts nothing."""
    known = list(tasks)
    inspected = any(task.does == INSPECT and task.state is State.SUCCEEDED for task in known)
    published = any(task.does == PUBLISH and task.state is State.SUCCEEDED for task in known)
    renders = [task.progress for task in known if task.does == RENDER]
    rendered = sum(renders) / (100 * len(renders)) if renders else 0.0
    return int(_INSPECTED * inspected + _RENDERED * rendered + (100 - _INSPECTED - _RENDERED) * published)
