"""What a child could leave behind: files in the scratch folder, and itself."""

import contextlib
from pathlib import Path


def assert_nothing_left(scratch: Path) -> None:
    assert list(scratch.iterdir()) == []
    assert living_in(scratch) == []


def living_in(folder: Path) -> list[int]:
    """Processes whose working folder is inside `folder`."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and str((process / "cwd").readlink()).startswith(str(folder)):
                found.append(int(process.name))
    return found
