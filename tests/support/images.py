"""What images/Dockerfile says, read without Docker, and what an image has installed, by the extras of pyproject.toml."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata

from packaging.requirements import Requirement

from tests.support.source import PROJECT

DOCKERFILE = PROJECT / "images" / "Dockerfile"
_PRODUCT = "smart-media-uploader"
_FROM = re.compile(r"(\S+) AS (\S+)")


@dataclass(slots=True)
class Stage:
    """A stage, with the instructions of those that it comes from: the earliest first."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all_of(self, instruction: str) -> list[str]:
        """The arguments of each such instruction."""
        return [words for name, words in self.instructions if name == instruction]

    def last(self, instruction: str) -> str:
        """The one that holds. Raises `IndexError` when there is none."""
        return self.all_of(instruction)[-1]


def stages(text: str) -> dict[str, Stage]:
    """Every stage of a Dockerfile, by its name."""
    found: dict[str, Stage] = {}
    name = ""
    for instruction, words in _instructions(text):
        if instruction == "FROM":
            match = _FROM.fullmatch(words)
            assert match, f"a stage without a name: FROM {words}"
            base, name = match.groups()
            inherited = found[base].instructions if base in found else []
            found[name] = Stage(name, base, list(inherited))
        else:
            found[name].instructions.append((instruction, words))
    return found


def distributions(extra: str) -> set[str]:
    """The distributions that installing the product with this extra installs, as far as they are here."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known: set[tuple[str, str]] = set()
    waiting = [Requirement(f"{_PRODUCT}[{extra}]")]
    while waiting:
        wanted = waiting.pop()
        name = _canonical(wanted.name)
        for chosen in wanted.extras | {""}:
            if (name, chosen) in known:
                continue
            known.add((name, chosen))
            asked = _asked(project, chosen) if name == _PRODUCT else _requires(name)
            waiting += [
                needed
                for needed in map(Requirement, asked)
                if not needed.marker or needed.marker.evaluate({"extra": chosen})
            ]
    return {name for name, _ in known}


def modules_without(extra: str) -> set[str]:
    """The top-level modules that are here, and would not be where only that extra is installed."""
    installed = distributions(extra)
    return {
        module
        for module, owners in metadata.packages_distributions().items()
        if not installed & set(map(_canonical, owners))
    }


def _asked(project: dict[str, dict[str, list[str]]], extra: str) -> list[str]:
    dependencies = project["dependencies"]
    return list(project["optional-dependencies"][extra] if extra else dependencies)


def _requires(name: str) -> list[str]:
    """Nothing for what is not needed on this machine, and so is not here."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for joined in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        instruction, _, words = joined.partition(" ")
        yield instruction, words.strip()
