"""Which renditions of a plan are made later than the others, once more or for the first time, and what follows. Pure.

A wish names renditions, gives more options, or both. What is named is made whether it is there or not; without names
everything is made that the options add. Some renditions stand on others: an MP4 holds the packets of a rung and of its
sound, playlists list rungs, sounds and texts, captions and transcript are of one hearing. The stream of a sound is made
whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from smmu.domain.errors import Code, Reason, refuse, refuse_if
from smmu.domain.limits import Limits
from smmu.domain.plan import (
    CaptionsSpec,
    DashSpec,
    Decision,
    Mp4Spec,
    Plan,
    PlannedTask,
    PlaylistSpec,
    Role,
    Spec,
    TaskKind,
)

NAMES_MAX = 100
ADDED, MADE_AGAIN = "added", "made again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an owner asks to be made: `names` of renditions, `options` as they are given at an upload."""

    names: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)


def at_once(limits: Limits) -> Limits:
    """The limits that later jobs are planned by: in one stage, since what they make stands on what is there."""
    return replace(limits, chunks_from_seconds=limits.duration_seconds_max + 1)


def check(wish: Wish) -> tuple[Reason, ...]:
    """Every reason that it is no wish at all."""
    if not wish.names and not wish.options:
        words = "Say what to make: names of renditions, or options that add some."
        return (Reason(code=Code.INVALID_REQUEST, message=words),)
    if len(wish.names) > NAMES_MAX:
        words = f"At most {NAMES_MAX} renditions are named at once: without names all that is new is made."
        return (Reason(code=Code.INVALID_REQUEST, message=words, pointer="/names"),)
    return ()


def chosen(plan: Plan, there: Sequence[str], wish: Wish, *, again: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The names that a wish comes to, of a media that has the renditions `there`, in the plan's order.

    What has to be made `again` is among them, named or not.

    Raises `Refused` for what the plan does not have, and where nothing is left to be made.
    """
    planned = [spec.name for spec in _specs(plan)]
    if wish.names:
        refuse_if(tuple(_unknown(plan, planned, wish.names)))
        return tuple(name for name in planned if name in wish.names or name in again)
    added = tuple(name for name in planned if name not in there or name in again)
    if not added:
        words = "There is nothing to add: all that these options make of this file is there."
        raise refuse(Code.NOTHING_TO_MAKE, " ".join([words, *_why_not(plan, wish)]), "/options")
    return added


def narrowed(plan: Plan, names: Sequence[str], there: Sequence[str]) -> Plan:
    """The plan with the tasks that make these renditions, and those that stand on them; and with why.

    What is extra stays so beside something else, and is owed where nothing else was asked for.
    """
    wanted, stages = _standing(plan, frozenset(names), frozenset(there)), []
    alone = frozenset(names) <= {spec.name for task in _tasks(plan) if task.extra for spec in task.renditions}
    for stage in plan.stages:
        tasks = tuple(part for task in stage.tasks if (part := _narrowed(task, wanted, owed=alone)).renditions)
        stages += [replace(stage, tasks=tasks)] if tasks else []
    made = [spec.name for stage in stages for task in stage.tasks for spec in task.renditions]
    return Plan(stages=tuple(stages), decisions=(*plan.decisions, *_about(made, names, there)))


def _tasks(plan: Plan) -> Iterator[PlannedTask]:
    return (task for stage in plan.stages for task in stage.tasks)


def _specs(plan: Plan) -> Iterator[Spec]:
    return (spec for task in _tasks(plan) for spec in task.renditions)


def _unknown(plan: Plan, planned: Sequence[str], names: Sequence[str]) -> Iterator[Reason]:
    for at, name in enumerate(names):
        if name not in planned:
            why = next((f"{one.choice}: {one.reason}" for one in plan.decisions if one.subject == name), "")
            words = why or f"of this file there can be {', '.join(planned)}"
            shown = "".join(char for char in name[:60] if char.isprintable())
            yield Reason(
                code=Code.UNKNOWN_RENDITION, message=f"{shown} cannot be made ({words}).", pointer=f"/names/{at}"
            )


def _why_not(plan: Plan, wish: Wish) -> Iterator[str]:
    """What the plan says of those things that the options ask for."""
    asked = {f"{value}p" for value in _listed(wish, "rungs")} | {str(value) for value in _listed(wish, "codecs")}
    asked |= {f"image-{value}" for value in _listed(wish, "image_widths")} | set(wish.options)
    for one in plan.decisions:
        if one.subject in asked and one.choice in ("skipped", "not applied"):
            yield f"{one.subject} is {one.choice}: {one.reason}."


def _listed(wish: Wish, option: str) -> Sequence[object]:
    found = wish.options.get(option, ())
    return found if isinstance(found, (list, tuple)) else ()


def _narrowed(task: PlannedTask, wanted: frozenset[str], *, owed: bool) -> PlannedTask:
    made = tuple(spec for spec in task.renditions if spec.name in wanted)
    return replace(task, renditions=made, extra=task.extra and not owed)


def _standing(plan: Plan, names: frozenset[str], there: frozenset[str]) -> frozenset[str]:
    """These, and what else has to be made with them."""
    wanted = set(names)
    if any(isinstance(spec, CaptionsSpec) and spec.name in wanted for spec in _specs(plan)):
        wanted |= {spec.name for spec in _specs(plan) if isinstance(spec, CaptionsSpec)}
    for spec in _specs(plan):
        if isinstance(spec, Mp4Spec) and spec.name in wanted:
            wanted |= {spec.rung} | ({spec.audio} if spec.audio else set())
    if any(spec.name in wanted for spec in _specs(plan) if spec.role in _OFFERED):
        wanted |= {spec.name for spec in _specs(plan) if isinstance(spec, (PlaylistSpec, DashSpec))}
    for task in _tasks(plan):
        if any(isinstance(spec, PlaylistSpec) and spec.name in wanted for spec in task.renditions):
            wanted |= _lacking(task, there if task.kind is TaskKind.VIDEO else frozenset(), wanted)
    return frozenset(wanted)


def _lacking(task: PlannedTask, there: frozenset[str], wanted: set[str]) -> set[str]:
    """What playlists that are written have to list and is not there: every sound, and at least some rungs."""
    sounds = {spec.name for spec in task.renditions if spec.role == Role.HLS_AUDIO}
    rungs = {spec.name for spec in task.renditions if spec.role == Role.HLS_VIDEO}
    return (sounds - there) | (set() if rungs & (there | wanted) else rungs)


# What playlists offer, and they themselves: none of these changes alone.
_OFFERED = frozenset({Role.HLS, Role.DASH, Role.HLS_VIDEO, Role.HLS_AUDIO, Role.SUBTITLES, Role.CAPTIONS})


def _about(made: Sequence[str], names: Sequence[str], there: Sequence[str]) -> Iterator[Decision]:
    for name in made:
        choice = MADE_AGAIN if name in there else ADDED
        reason = "asked for" if name in names else "what was asked for stands on it, or is listed in it"
        yield Decision(subject=name, choice=choice, reason=reason)
    kept = [name for name in there if name not in made]
    if kept:
        yield Decision(subject=", ".join(kept), choice="kept", reason="nobody asked for another")
