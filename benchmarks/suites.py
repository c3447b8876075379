"""How long the suites take that are run while one works: unit, contract and property tests, on two processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import Figure

_TARGET_SECONDS = 60.0
_PROJECT = Path(__file__).resolve().parents[1]
_CORES = 2
_FOLDERS = ("tests/unit", "tests/contract", "tests/property", "tests/properties")
_CHOSEN = "not slow and not kill and not served and not media"


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    folders = [name for name in _FOLDERS if (_PROJECT / name).is_dir()]
    chosen = [*folders[:1]] if quick else folders
    command = [sys.executable, "-m", "pytest", "-n", str(_CORES), "-m", _CHOSEN, "-k", "not aws", *chosen]
    log = folder / "log"
    begun = time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(command, cwd=_PROJECT, stdout=output, check=False, preexec_fn=_on_two_cores)
    took = time.perf_counter() - begun
    summary = log.read_text(encoding="utf-8").splitlines()[-1]
    if done.returncode != 0:
        raise RuntimeError(f"the suites fail: {summary}")
    return [
        Figure(
            name="unit, contract and property tests of inmemory and embedded, on 2 cores",
            measured=f"{took:.0f} s ({summary.strip(' =')})",
            target=f"≤ {_TARGET_SECONDS:.0f} s",
            met=took <= _TARGET_SECONDS,
        )
    ]


def _on_two_cores() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
