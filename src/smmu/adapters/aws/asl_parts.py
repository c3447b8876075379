"""Parts of a compiled machine: the states of one step, the exits that still lead nowhere, and how parts are joined."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from smmu.adapters.aws.asl_tasks import Names, State, Where

NAME_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class Facts:
    """Which paths of the document are surely there, and which of them are lists."""

    present: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Whether there is surely something at `path`."""
        return not path or any(known == path or known.startswith(f"{path}.") for known in self.present)

    def knowing(self, paths: Iterable[str], lists: Iterable[str] = ()) -> "Facts":
        """The same, and these."""
        return Facts(self.present | frozenset(paths), self.lists | frozenset(lists))

    def giving(self, key: str | None, *, a_list: bool = False) -> "Facts":
        """After a step has put something new under `key`."""
        if key is None:
            return self
        kept, lists = (
            frozenset(p for p in paths if p != key and not p.startswith(f"{key}."))
            for paths in (self.present, self.lists)
        )
        return Facts(kept, lists).knowing((key,), (key,) if a_list else ())

    def both(self, other: "Facts | None") -> "Facts":
        """What holds whichever of two ways was gone; `None` is a way that nobody comes back from."""
        return self if other is None else Facts(self.present & other.present, self.lists & other.lists)


@dataclass(frozen=True, slots=True)
class Exit:
    """A place where the name of the next state is still to be written."""

    of: State
    key: str = "Next"

    @property
    def can_end(self) -> bool:
        """Whether the machine can end here: at a state of its own, and not at a choice."""
        return self.key == "Next" and "Type" in self.of


@dataclass(frozen=True, slots=True)
class Part:
    """The states of a step. `facts` is `None` when nothing comes after; `boxed` is a key that holds [value] so far."""

    start: str | None
    exits: tuple[Exit, ...]
    facts: Facts | None
    boxed: str | None = None


@dataclass(slots=True)
class Build:
    """One `States` object being made. Names are unique in the whole machine."""

    names: Names
    states: dict[str, State] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def inner(self) -> "Build":
        """For a machine inside this one."""
        return Build(self.names, {}, self.said)

    def name(self, wanted: str) -> str:
        """`wanted`, or the first of "wanted 2", "wanted 3"… that is free."""
        number, name = 1, wanted[:NAME_CHARS_MAX]
        while name in self.said:
            number += 1
            name = f"{wanted[: NAME_CHARS_MAX - 8]} {number}"
        self.said.add(name)
        return name

    def add(self, wanted: str, state: State) -> str:
        """Add a state; the name it has got."""
        name = self.name(wanted)
        self.states[name] = state
        return name


def stated(build: Build, wanted: str, state: State, facts: Facts) -> Part:
    """A part of one state."""
    return Part(build.add(wanted, state), (Exit(state),), facts)


def _link(part: Part, following: str) -> None:
    for way in part.exits:
        way.of[way.key] = following


def then(before: Part, after: Part) -> Part:
    """One after the other. Either may have no states."""
    if after.start is None:
        return Part(before.start, before.exits, after.facts, before.boxed)
    if before.start is None:
        return after
    _link(before, after.start)
    return Part(before.start, after.exits, after.facts, after.boxed)


def unboxed(part: Part, where: Where, build: Build) -> Part:
    """The same, with what is boxed taken out: JSONPath can replace [value] by value only in a state of its own."""
    if part.boxed is None or part.facts is None:
        return part
    path = where.doc(part.boxed)
    out = {"Type": "Pass", "InputPath": f"{path}[0]", "ResultPath": path}
    return then(part, stated(build, f"unwrap {part.boxed}", out, part.facts))


def yielding(part: Part, facts: Facts, where: Where, path: str, build: Build) -> Part:
    """Make a scope answer what it yields: by its last state where that surely has it, else by states of its own."""
    boxed = part.boxed is not None and part.boxed == path
    part = part if boxed else unboxed(part, where, build)
    wanted = where.doc(path) + ("[0]" if boxed else "")
    if wanted == "$":
        return part
    if facts.has(path) and part.exits and all(last.can_end and last.of["Type"] != "Fail" for last in part.exits):
        for last in part.exits:
            last.of["OutputPath"] = last.of.get("OutputPath", "$") + wanted[1:]
        return part
    answer = stated(build, f"yield {path or 'all'}", {"Type": "Pass", "InputPath": wanted}, facts)
    if facts.has(path):
        return then(part, answer)
    nothing = stated(
        build, f"yield no {path}", {"Type": "Pass", "Parameters": {"none": None}, "OutputPath": "$.none"}, facts
    )
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": wanted, "IsPresent": True, "Next": answer.start}],
        "Default": nothing.start,
    }
    return then(part, Part(build.add(f"has {path}?", choice), (*answer.exits, *nothing.exits), facts))


def end(part: Part, build: Build) -> None:
    """Let every exit be the end of its machine."""
    for way in part.exits:
        if way.can_end:
            way.of["End"] = True
    last = [way for way in part.exits if not way.can_end]
    if last:
        _link(Part(None, tuple(last), None), build.add("done", {"Type": "Succeed"}))


def joined(name: str, ways: list[tuple[Exit, Part]]) -> Part:
    """Several ways from one state, of which one is gone."""
    exits: list[Exit] = []
    facts: Facts | None = None
    for first, part in ways:
        if part.start is None:
            exits.append(first)
        else:
            first.of[first.key] = part.start
            exits.extend(part.exits)
        facts = facts if part.facts is None else part.facts.both(facts)
    return Part(name, tuple(exits), facts)
