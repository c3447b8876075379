"""The project's own files, parsed, for the tests that read code."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "src" / "smmu"
MADE_BY_TOOLS = (
    "__pycache__",
    "build",
    "dist",
    "htmlcov",
    "node_modules",
    "demo-data",
    "gallery",
    "smmu-data",
    "smmu-out",
)


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is or would be tracked; without git, every file that no tool made."""
    listing = ["git", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        return tuple(_walk(PROJECT))
    return tuple(sorted(PROJECT / name for name in names if name and (PROJECT / name).is_file()))


def project_texts() -> Iterator[tuple[Path, str]]:
    """Every file of the project that is text."""
    for path in project_files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def python_files(*folders: str) -> list[Path]:
    """The project's Python files in these folders, given relative to the project."""
    roots = [PROJECT / folder for folder in folders]
    return [path for path in project_files() if path.suffix == ".py" and any(map(path.is_relative_to, roots))]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, node: ast.AST | None = None) -> str:
    """`path:line` as an editor understands it."""
    name = path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path
    return f"{name}:{getattr(node, 'lineno', 1)}"


def imported_modules(tree: ast.Module) -> set[str]:
    """Dotted names of all that a module imports, at any depth; `from a import b` counts as `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots_of(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def dotted(node: ast.AST) -> str:
    """`a.b.c` for an attribute or a name, else an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {
            ".ci",
            ".github",
            ".dockerignore",
            ".gitignore",
            ".editorconfig",
        }
        if hidden or path.name in MADE_BY_TOOLS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path
