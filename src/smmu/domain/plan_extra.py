"""What is left of a plan when extra tasks of it have failed, and what it says of them."""

from collections.abc import Mapping
from dataclasses import replace

from smmu.domain.plan import Decision, Plan, PlannedTask, Stage
from smmu.domain.remaking import ADDED, MADE_AGAIN

NOT_MADE = "not made"


def without(plan: Plan, failed: Mapping[str, str]) -> Plan:
    """The plan without the tasks of these names, with the reason why each has made nothing."""
    stages = (_without(stage, failed) for stage in plan.stages)
    lost = {spec.name for name in failed for spec in plan.task(name).renditions}
    held = (one for one in plan.decisions if one.subject not in lost or one.choice not in (ADDED, MADE_AGAIN))
    return Plan(
        stages=tuple(stage for stage in stages if stage.tasks),
        decisions=(*held, *(_lost(plan.task(name), why) for name, why in failed.items())),
    )


def _without(stage: Stage, failed: Mapping[str, str]) -> Stage:
    return replace(stage, tasks=tuple(task for task in stage.tasks if task.name not in failed))


def _lost(task: PlannedTask, why: str) -> Decision:
    names = ", ".join(spec.name for spec in task.renditions)
    return Decision(subject=names, choice=NOT_MADE, reason=f"{why} They are extra, and can be asked for again")
