"""Draws the state machines from their tables. `python -m tests.support.diagrams` rewrites docs/states.md."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from smmu.domain import job, media, task, upload

Table = Mapping[Any, StrEnum]  # (state, event) → state: each machine has words of its own
PAGE = Path(__file__).parents[2] / "docs" / "states.md"
HEAD = """# States

Drawn from the tables in `src/smmu/domain/`; `tests/test_states_page.py` fails when this page is stale. To draw it
again: `python -m tests.support.diagrams`.
"""


def page() -> str:
    """The whole page."""
    sections = [
        _section("Upload", upload.TRANSITIONS, upload.State.OPEN),
        _section("Job", job.TRANSITIONS, job.State.CREATED),
        _section("Task", task.TRANSITIONS, task.State.QUEUED),
        _section("Media", media.TRANSITIONS, media.State.PROCESSING),
    ]
    return "\n".join([HEAD, *sections])


def _section(name: str, table: Table, first: StrEnum) -> str:
    lines = [f"## {name}", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {state} --> {target}: {event}" for (state, event), target in table.items()]
    lines += [f"    {state} --> [*]" for state in _ends(table)]
    return "\n".join([*lines, "```", ""])


def _ends(table: Table) -> Iterable[StrEnum]:
    """States that nothing leaves."""
    left = {state for state, _ in table}
    return dict.fromkeys(target for target in table.values() if target not in left)


if __name__ == "__main__":
    PAGE.write_text(page())
