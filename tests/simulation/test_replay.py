"""The same scenario always has the same log: here, again, and in another interpreter."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

from tests.simulation.faults import Fault
from tests.simulation.plans import FILM, PICTURE, STORM
from tests.simulation.world import Scenario, simulate
from tests.support.source import PROJECT

PLAN = {20: Fault.CRASH_AFTER, 60: Fault.PAUSE, 110: Fault.FAIL_AFTER}
TROUBLED = Scenario(wishes=[FILM, replace(PICTURE, owner="bob")], plan=PLAN, weather=STORM)
ELSEWHERE = "import hypothesis; from tests.simulation.test_replay import digest; print(digest(1))"


def log(seed: int) -> list[str]:
    report = simulate(replace(TROUBLED, seed=seed))
    return [*map(str, report.calls), *report.violations, *map(str, report.jobs)]


def digest(seed: int) -> str:
    return hashlib.sha256("\n".join(log(seed)).encode()).hexdigest()


def test_the_same_seed_has_the_same_log() -> None:
    for seed in range(3):
        assert log(seed) == log(seed)


def test_other_seeds_are_other_universes() -> None:
    assert len({digest(seed) for seed in range(8)}) == 8


def test_another_interpreter_has_the_same_log() -> None:
    """With other hashes of strings and other addresses of objects, which no order may depend on."""
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == digest(1)
