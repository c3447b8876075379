"""Contenders as processes of their own: how long each took, what processor time it used, and how much memory it had."""

import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHORTS = (360, 480, 720, 1080)  # the ladder that films are made to
_MIB = 1024
_SAID_CHARS_MAX = 2_000

# A process inherits the peak of the one that starts it, so a small one is put in between.
_LAUNCHER = """
import os, sys, time
begun = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(process, 0)
print(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) and 1)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: wall and processor time of it and all that it started, and the most that one process of them had."""

    seconds: float
    cpu_seconds: float
    peak_kib: int


def timed(command: Sequence[str]) -> Run:
    """Run a program to its end. What it says is shown when it fails."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    done = subprocess.run(launcher, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-_SAID_CHARS_MAX:]
        raise RuntimeError(f"{Path(command[0]).name} ended with status {done.returncode}: {said}")
    seconds, cpu_seconds, peak_kib = done.stdout.split()
    return Run(float(seconds), float(cpu_seconds), int(peak_kib))


def together(runs: Sequence[Run]) -> Run:
    """Runs one after the other, as one."""
    return Run(
        sum(run.seconds for run in runs), sum(run.cpu_seconds for run in runs), max(run.peak_kib for run in runs)
    )


def interleaved(contenders: Mapping[str, Callable[[Path], Run]], folder: Path, rounds: int) -> dict[str, list[Run]]:
    """Each contender once in every round, from where the last round began one further on; each into an empty folder.

    What it made in the last round is left in the folder of its name.
    """
    names, runs = list(contenders), {name: list[Run]() for name in contenders}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            out = folder / name
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            runs[name].append(contenders[name](out))
            assert any(out.iterdir()), f"{name} made nothing"
    return runs


def both(one: Sequence[Run], other: Sequence[Run]) -> str:
    """Medians of both sides, in words."""
    return f"{_median(one)} over {_median(other)}"


def _median(side: Sequence[Run]) -> str:
    return (
        f"{statistics.median(run.seconds for run in side):.2f} s"
        f" ({statistics.median(run.cpu_seconds for run in side):.2f} s of processors),"
        f" {statistics.median(run.peak_kib for run in side) / _MIB:.0f} MiB"
    )
