"""What chunks cost, and what they give: the ladder of one film in chunks and joined, beside one pass over it.

Processor time is that of all chunks and the join over that of one pass with a thread for each encoder, as chunks have:
once where the source has keyframes where chunks begin, once where it has not. Throughput is that of two workers of one
core each, at a chunk of the film each, over two such workers that each encode a film as long as their chunk by itself.
What is made first, so that the film plays early, is counted in a figure of its own: it decodes everything once more.
Of a film of 1080 lines the parts are told, and what the model of docs/scale.md makes of them.
"""

import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.footage import HEIGHT, RATE, WIDTH, footage
from smmu.domain import planner
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import ChunkSpec, Plan, PlannedTask, TaskKind
from tests.support import clips

_CPU_ALIGNED, _CPU_OTHER, _THROUGHPUT = 1.10, 1.25, 0.9
_LARGE = f"{WIDTH}x{HEIGHT}"
_FILM_SECONDS, _CHUNK_SECONDS, _START_SECONDS, _CORES = 7_200, 60, 10, 2  # what the model is asked about
_WORKERS = (1, 10, 40, 100)
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
    shape = Shape(seconds=13, chunk=6, size="320x180") if quick else Shape(seconds=24, chunk=12, size="854x480")
    rounds = 1 if quick else 5
    films = {"on": _film(folder / "on.mp4", shape, 60), "off": _film(folder / "off.mp4", shape, 250)}
    ratios: dict[str, list[float]] = {name: [] for name in films}
    early: list[float] = []
    told = {}
    for number in range(rounds):
        for name, film in films.items():
            parts = _run("parts", film, folder / f"{name}-{number}", shape)
            joined, whole = sum(parts["chunks"] + parts["join"]), sum(parts["one pass"])
            ratios[name].append(joined / whole)
            early += [(joined + sum(parts["first look"])) / whole] if name == "on" else []
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
        _told(f"{what}, on keyframes, and what plays first: processor time over one pass", early, told["on"]),
        *_scale(folder, rounds, quick=quick),
    ]


def _told(name: str, ratios: list[float], more: str) -> Figure:
    """A figure about which nothing was promised."""
    spread = f"({min(ratios):.2f}–{max(ratios):.2f} in {len(ratios)} rounds)"
    return Figure(name=name, measured=f"{statistics.median(ratios):.2f} {spread}; {more}")


def _scale(folder: Path, rounds: int, *, quick: bool) -> Iterator[Figure]:
    """The parts of a second of 1080 lines with sound, in processor time, and what many workers would take by them."""
    shape = Shape(seconds=3 if quick else 12, chunk=12, size=_LARGE)
    film = footage(folder / "large.mp4", shape.seconds)
    runs = [_run("large", film, folder / f"large-{number}", shape) for number in range(rounds)]
    look, chunk, join = (
        statistics.median(sum(run[part]) for run in runs) / shape.seconds for part in ("first look", "chunks", "join")
    )
    yield Figure(
        name=f"a second of 1080p{RATE} with sound, by parts: processor time",
        measured=f"{look:.2f} s to play first, {chunk:.2f} s in chunks, {join:.3f} s to join; {rounds} rounds",
    )
    wave = _CHUNK_SECONDS * chunk / _CORES + _START_SECONDS
    took = [math.ceil(_FILM_SECONDS / _CHUNK_SECONDS / workers) * wave for workers in _WORKERS]
    yield Figure(
        name=f"{_FILM_SECONDS // 3600} hours of it by the model of docs/scale.md, workers of {_CORES} cores",
        measured=f"plays after {_minutes(_FILM_SECONDS * look / _CORES)}; chunks by {', '.join(map(str, _WORKERS))} "
        f"workers {', '.join(map(_minutes, took))}; join {_minutes(_FILM_SECONDS * join)}",
    )


def _minutes(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min"


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


def _plan(film: Path, out: Path, shape: Shape, *, mute: bool = True) -> Plan:
    return planner.plan(clips.inspect(film, out), Options(mute=mute), shape.limits)


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
    """Processor seconds of one pass, of each chunk, of the join and of what is made first; nothing of any sound."""
    plan = _plan(film, out, shape)
    return {"one pass": [_cpu(film, out / "whole", _whole(plan))], **_divided(film, out, plan)}


def large(film: Path, out: Path, shape: Shape) -> Parts:
    """The same without one pass, and with the sound, which is made first and made again by who joins."""
    return _divided(film, out, _plan(film, out, shape, mute=False))


def _divided(film: Path, out: Path, plan: Plan) -> Parts:
    look = [task for stage in plan.early.stages for task in stage.tasks]  # nothing, where there is one rung
    join = next(task for task in _tasks(plan, TaskKind.VIDEO) if task.joins)
    chunks = list(_tasks(plan, TaskKind.CHUNK))
    return {
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
    divided = {"parts": parts, "large": large}.get(way)
    made = divided(Path(film), Path(out), told) if divided else one(Path(film), Path(out), told, way)
    print(json.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
