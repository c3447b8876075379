"""What chunks cost, and what they give: the ladder of one film in chunks and joined, beside one pass over it.

Processor time is that of all chunks and the join over that of one pass with a thread for each encoder, as chunks have:
once where the source has keyframes where chunks begin, once where it has not. Throughput is that of two workers of one
core each, at a chunk of the film each, over two such workers that each encode a film as long as their chunk by itself.
The parts, from which docs/scale.md computes what many workers would take, are told beside the figures.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Figure, at_least, at_most
from smmu.domain import planner
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import ChunkSpec, Plan, PlannedTask, TaskKind
from tests.support import clips

_CPU_ALIGNED, _CPU_OTHER, _THROUGHPUT = 1.10, 1.25, 0.9
_SHOWN = "testsrc2=s={}:r=30,noise=alls=6:allf=t"


Parts = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How long the film and its chunks are, in seconds, and how large."""

    seconds: int
    chunk: int
    size: str

    @property
    def limits(self) -> Limits:
        """Under which it is long."""
        return Limits(chunks_from_seconds=1, chunk_seconds=self.chunk)


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    shape = Shape(seconds=13, chunk=6, size="320x180") if quick else Shape(seconds=36, chunk=12, size="854x480")
    rounds = 1 if quick else 2
    films = {"on": _film(folder / "on.mp4", shape, 60), "off": _film(folder / "off.mp4", shape, 250)}
    ratios: dict[str, list[float]] = {name: [] for name in films}
    told = {}
    for number in range(rounds):
        for name, film in films.items():
            parts = _run("parts", film, folder / f"{name}-{number}", shape)
            ratios[name].append(sum(parts["chunks"] + parts["join"]) / sum(parts["one pass"]))
            told[name] = _words(parts)
    pairs = [_pair(films["on"], folder / f"pair-{number}", shape) for number in range(rounds)]
    what = f"a film of {shape.seconds} s at {shape.size} in chunks of {shape.chunk} s"
    return [
        at_most(f"{what}, on keyframes: processor time over one pass", ratios["on"], _CPU_ALIGNED, told["on"]),
        at_most(f"{what}, not on keyframes: processor time over one pass", ratios["off"], _CPU_OTHER, told["off"]),
        at_least(
            "two workers of a core each at chunks: throughput over two at films of their own",
            [alone / chunks for alone, chunks in pairs],
            _THROUGHPUT,
            f"{pairs[-1][1]:.1f} s over {pairs[-1][0]:.1f} s",
        ),
    ]


def _film(target: Path, shape: Shape, group: int) -> Path:
    inputs = ("-f", "lavfi", "-t", str(shape.seconds), "-i", _SHOWN.format(shape.size))
    coding = (*clips.FAST, "-g", str(group), "-keyint_min", str(group), "-sc_threshold", "0", "-b:v", "6M")
    return clips.make(target, *inputs, *coding)


def _words(parts: Parts) -> str:
    return "CPU seconds: " + ", ".join(
        f"{name} {' + '.join(f'{one:.2f}' for one in took)}" for name, took in parts.items()
    )


def _run(way: str, film: Path, out: Path, shape: Shape, core: int | None = None) -> Parts:
    return _ended(_start(way, film, out, shape, core))


def _start(way: str, film: Path, out: Path, shape: Shape, core: int | None) -> "subprocess.Popen[str]":
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    told = [str(film), str(out), str(shape.seconds), str(shape.chunk), shape.size]
    return subprocess.Popen([*pinned, sys.executable, "-m", "benchmarks.chunks", way, *told], stdout=-1, text=True)


def _ended(process: "subprocess.Popen[str]") -> Parts:
    out, _ = process.communicate()
    assert process.returncode == 0
    found: Parts = json.loads(out)
    return found


def _pair(film: Path, out: Path, shape: Shape) -> tuple[float, float]:
    """Seconds on the clock until both have ended: alone, and at chunks."""
    short = clips.make(out.with_suffix(".mp4"), "-t", str(shape.chunk), "-i", str(film), "-c", "copy")
    alone = [_start("alone", short, out / f"alone-{core}", shape, core) for core in range(2)]
    seconds_alone = max(_ended(process)["wall"][0] for process in alone)
    chunks = [_start(f"chunk-{core}", film, out / f"chunk-{core}", shape, core) for core in range(2)]
    return seconds_alone, max(_ended(process)["wall"][0] for process in chunks)


# --- in a process of its own


def _plan(film: Path, out: Path, shape: Shape) -> Plan:
    return planner.plan(clips.inspect(film, out), Options(mute=True), shape.limits)


def _tasks(plan: Plan, kind: TaskKind) -> Iterator[PlannedTask]:
    return (task for stage in plan.stages for task in stage.tasks if task.kind is kind)


def _whole(plan: Plan) -> PlannedTask:
    """One pass, as one chunk over everything: the same encoders with the same threads."""
    task = next(_tasks(plan, TaskKind.CHUNK))
    (spec,) = task.renditions
    assert isinstance(spec, ChunkSpec)
    return replace(task, renditions=(replace(spec, end=None),))


def _cpu(film: Path, out: Path, task: PlannedTask, pieces: Path | None = None) -> float:
    began = time.process_time()
    made = clips.run(film, out, task, pieces)
    assert all(one.proof.ok for one in made)
    return time.process_time() - began


def parts(film: Path, out: Path, shape: Shape) -> Parts:
    """Processor seconds of one pass, of each chunk, of the join and of what is made first."""
    plan = _plan(film, out, shape)
    look = [task for stage in plan.early.stages for task in stage.tasks]  # nothing, where there is one rung
    join = next(task for task in _tasks(plan, TaskKind.VIDEO) if task.joins)
    chunks = list(_tasks(plan, TaskKind.CHUNK))
    return {
        "one pass": [_cpu(film, out / "whole", _whole(plan))],
        "chunks": [_cpu(film, out / "pieces" / task.name, task) for task in chunks],
        "join": [_cpu(film, out / "join", join, out / "pieces")],
        "first look": [_cpu(film, out / "look", task) for task in look],
    }


def one(film: Path, out: Path, shape: Shape, name: str) -> Parts:
    """Seconds on the clock for one chunk, or for all of a film by itself."""
    plan = _plan(film, out, shape)
    task = _whole(plan) if name == "alone" else plan.task(f"chunk-{int(name.removeprefix('chunk-')):04d}")
    began = time.perf_counter()
    clips.run(film, out, task)
    return {"wall": [time.perf_counter() - began]}


def main(way: str, film: str, out: str, *shape: str) -> None:
    seconds, chunk, size = shape
    told = Shape(seconds=int(seconds), chunk=int(chunk), size=size)
    made = parts(Path(film), Path(out), told) if way == "parts" else one(Path(film), Path(out), told, way)
    print(json.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
