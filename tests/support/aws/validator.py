"""The validator of state machines: asl-validator, a program for Node, judges what the compiler makes.

`scripts/validator` installs it. Where Node is missing the summary of the tests says that nothing was validated;
continuous integration does not pass then.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "validator"


def is_there() -> bool:
    return shutil.which("node") is not None and (_FOLDER / "node_modules" / "asl-validator").is_dir()


def complaints(machines: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """What is wrong with each; of nothing is anything known where the validator is not there."""
    lines = [json.dumps(machine) for machine in machines]
    if not is_there():
        assert os.environ.get("CI") != "true", "asl-validator is missing: scripts/validator installs it"
        return [[] for _ in lines]
    done = subprocess.run(
        ["node", str(_FOLDER / "validate.js")], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
