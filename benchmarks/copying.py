"""What a copied top rung saves: the whole video task of one film, with its largest rung copied and with it encoded.

Both are the same routine on the same plan, but for the one word that says whether packets may be copied. Each is a
process of its own, and its clocks run from the first byte that is read of the source to the last proof.
"""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Figure, at_most
from smmu.domain.plan import PlannedTask, RungSpec, Spec
from tests.support import clips

_TARGET = 0.55
_WAYS = ("copied", "encoded")


@dataclass(frozen=True, slots=True)
class Run:
    """One rendering: seconds on the clock, and of processor time."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Round:
    """Both ways, one after the other."""

    copied: Run
    encoded: Run


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    rounds, seconds, shape, bitrate = (1, 4, "640x360", 500) if quick else (5, 12, "1920x1080", 5_000)
    film = clips.top_rung(
        folder / "film.mp4",
        *("-g", "60", "-keyint_min", "60", "-b:v", f"{bitrate}k", "-maxrate", f"{bitrate}k"),
        shown=f"testsrc2=s={shape}:r=30,noise=alls=6:allf=t",
        seconds=seconds,
    )
    found = [_round(film, folder / str(number), number) for number in range(rounds)]
    name = f"a film of {seconds} s at {shape} with sound, its top rung copied: {{}} over that of encoding all rungs"
    return [
        at_most(name.format("wall"), [one.copied.wall / one.encoded.wall for one in found], _TARGET, _told(found)),
        at_most(
            name.format("processor time"), [one.copied.cpu / one.encoded.cpu for one in found], _TARGET, _told(found)
        ),
    ]


def _round(film: Path, out: Path, number: int) -> Round:
    runs = {way: _run(way, film, out / way) for way in (_WAYS if number % 2 else _WAYS[::-1])}
    return Round(copied=runs["copied"], encoded=runs["encoded"])


def _run(way: str, film: Path, out: Path) -> Run:
    command = [sys.executable, "-m", "benchmarks.copying", way, str(film), str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(*map(float, done.stdout.split()))


def _told(found: list[Round]) -> str:
    copied, encoded = (statistics.median(run.wall for run in runs) for runs in _sides(found))
    copied_cpu, encoded_cpu = (statistics.median(run.cpu for run in runs) for runs in _sides(found))
    return f"{copied:.1f} s, CPU {copied_cpu:.1f} s over {encoded:.1f} s, CPU {encoded_cpu:.1f} s"


def _sides(found: list[Round]) -> tuple[list[Run], list[Run]]:
    return [one.copied for one in found], [one.encoded for one in found]


def render(way: str, film: Path, out: Path) -> Run:
    """Render the film's video task, its first rung copied or encoded like the others."""
    task = clips.plan(film, out).task("video")
    if way == "encoded":
        task = replace(task, renditions=tuple(_encoded(task)))
    wall, cpu = time.perf_counter(), time.process_time()
    made = {one.name: one for one in clips.run(film, out, task)}
    run = Run(time.perf_counter() - wall, time.process_time() - cpu)
    copied = [name for name, one in made.items() if "packets_copied" in one.proof.measures]
    assert bool(copied) == (way == "copied")
    assert all(one.proof.ok for one in made.values())
    return run


def _encoded(task: PlannedTask) -> list[Spec]:
    return [replace(spec, copied=False) if isinstance(spec, RungSpec) else spec for spec in task.renditions]


if __name__ == "__main__":
    ran = render(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    print(ran.wall, ran.cpu)
