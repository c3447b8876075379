"""A film to its ladder, and to all that is made of it: beside ffmpeg's command line, and beside itself.

The command line does the identical job: one decode, the same encoder with the same options and keyframes, the same
sizes, the same sound, CMAF segments. With the same cascade of scalers its packets are ours, to the byte.
"""

import hashlib
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import anyio
import av

from benchmarks import peers
from benchmarks.figures import Figure, at_most
from benchmarks.film import film
from benchmarks.film_routines import RUNGS, SOUND
from benchmarks.footage import footage
from benchmarks.runs import Run, both, interleaved, timed, together
from benchmarks.validation import CountingSource
from smmu.adapters.media.engine import PyavEngine
from smmu.domain.limits import GIB, MIB, Limits
from smmu.domain.options import Options
from smmu.domain.plan import PosterSpec
from smmu.domain.planner import plan
from smmu.ports.media import Sink
from smmu.ports.objects import Body

_ROUNDS, _SECONDS = 5, 10
_FEW_ROUNDS = 3  # of what takes minutes
_LONG = 10
_REQUESTS_MAX, _SHARE_MAX = 5, 0.005
_STORYBOARD_MAX = 0.08
_LENGTH_BYTES, _SEI = 4, 6  # before each unit of H.264 in an MP4; the type of units with remarks

Runs = Mapping[str, Sequence[Run]]


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    rounds, seconds = (1, 3) if quick else (_ROUNDS, _SECONDS)
    clip = footage(folder / "clip.mp4", seconds)
    runs = interleaved(_contenders(clip), folder, rounds)
    shaka = interleaved({"shaka": lambda out: timed(peers.shaka(clip, out, RUNGS))}, folder, min(rounds, _FEW_ROUNDS))
    return [
        *_beside(f"{seconds} s of 1080p30 to 1080/720/480/360 and AAC", {**runs, **shaka}),
        _identical(folder),
        _growth(folder, min(rounds, _FEW_ROUNDS), quick=quick),
        _storyboard(clip, folder, rounds),
        *_poster(folder, quick=quick),
    ]


def _contenders(clip: Path) -> dict[str, Callable[[Path], Run]]:
    def command(out: Path, *, cascade: bool) -> Run:
        return timed(peers.ladder(clip, out, RUNGS, SOUND, cascade=cascade))

    def separate(out: Path) -> Run:
        sounds = [SOUND, *[None] * (len(RUNGS) - 1)]
        runs = zip(RUNGS, sounds, strict=True)
        return together([timed(peers.ladder(clip, out, [rung], sound, cascade=False)) for rung, sound in runs])

    return {
        "ladder": lambda out: timed(_program("film_routines", "ladder", clip, out)),
        "split": lambda out: command(out, cascade=False),
        "cascade": lambda out: command(out, cascade=True),
        "separate": separate,
        "whole": partial(_whole, clip),
        "distant": lambda out: timed(_program("film_makers", "distant", clip, out)),
    }


def _program(module: str, which: str, clip: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{module}", which, str(clip), str(out)]


def _beside(job: str, runs: Runs) -> Iterable[Figure]:
    ours, whole, distant = runs["ladder"], runs["whole"], runs["distant"]
    yield _at_most(f"{job}: our ladder over ffmpeg, one process", ours, runs["split"], 0.95)
    yield _memory("the same: peak memory", ours, runs["split"], 1.05)
    yield _at_most("the same, byte-identical: ffmpeg scales in our cascade", ours, runs["cascade"], 1.0)
    yield _at_most("the same over one run of ffmpeg for each rendition", ours, runs["separate"], 0.7)
    yield _at_most(
        "the same film, all that its manifest holds and its proofs, over the ladder alone", whole, ours, 1.25
    )
    yield _at_most("all of it from ranges into a distant store over all of it on this machine", distant, whole, 1.05)
    yield _memory("the same: peak memory", distant, whole, 1.1)
    shaka = runs["shaka"]
    wall, cpu = (
        statistics.median(map(took, ours)) / statistics.median(map(took, shaka))
        for took in (lambda run: run.seconds, lambda run: run.cpu_seconds)
    )
    yield Figure(
        name="our ladder over Shaka Streamer, whose preset is slow",
        measured=f"{wall:.2f}, in processor time {cpu:.2f}; {both(ours, shaka)}; {len(shaka)} rounds",
    )


def _at_most(name: str, one: Sequence[Run], other: Sequence[Run], target: float) -> Figure:
    """Of wall and processor time both."""
    walls = [mine.seconds / its.seconds for mine, its in zip(one, other, strict=True)]
    cpus = [mine.cpu_seconds / its.cpu_seconds for mine, its in zip(one, other, strict=True)]
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    return Figure(
        name=name,
        measured=f"{wall:.2f} ({min(walls):.2f}–{max(walls):.2f}), in processor time {cpu:.2f} ({min(cpus):.2f}–"
        f"{max(cpus):.2f}) in {len(walls)} rounds; {both(one, other)}",
        target=f"≤ {target}",
        met=max(wall, cpu) <= target,
    )


def _memory(name: str, one: Sequence[Run], other: Sequence[Run], target: float) -> Figure:
    ratios = [mine.peak_kib / its.peak_kib for mine, its in zip(one, other, strict=True)]
    return at_most(name, ratios, target, f"{_mib(one):.0f} over {_mib(other):.0f} MiB")


def _mib(runs: Sequence[Run]) -> float:
    return statistics.median(run.peak_kib for run in runs) / 1024


# --- the bytes


def _identical(folder: Path) -> Figure:
    """What our ladder and the command line made in the last round, packet by packet."""
    same = total = 0
    for rung in RUNGS:
        ours = _packets(folder / "ladder" / "hls" / rung.name)
        its = _packets(folder / "cascade" / rung.name)
        total += max(len(ours), len(its))
        same += sum(one == other for one, other in zip(ours, its, strict=False))
    return Figure(
        name="packets of pictures that are byte-identical to ffmpeg's, scaled in the same cascade",
        measured=f"{same} of {total}",
        target="all",
        met=same == total,
    )


def _packets(folder: Path) -> list[bytes]:
    parts = [*folder.glob("init*.mp4"), *sorted(folder.glob("seg-*.m4s"))]
    with av.open(BytesIO(b"".join(part.read_bytes() for part in parts)), "r", format="mp4") as container:
        return [hashlib.sha256(_coded(bytes(packet))).digest() for packet in container.demux(video=0) if packet.size]


def _coded(packet: bytes) -> bytes:
    """Without the units that no picture is made of: in one of them x264 notes how many threads it had."""
    units, at = [], 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + _LENGTH_BYTES])
        unit = packet[at : at + _LENGTH_BYTES + size]
        units += [unit] if unit[_LENGTH_BYTES] & 31 != _SEI else []
        at += len(unit)
    return b"".join(units)


# --- what must not grow


def _growth(folder: Path, rounds: int, *, quick: bool) -> Figure:
    """Memory does not know how long a film is."""
    short = 6 if quick else 30
    sources = {f"growth-{seconds}": folder / f"{seconds}.mp4" for seconds in (short, _LONG * short)}
    for source in sources.values():
        seconds = int(source.stem)
        film(source, MIB * seconds, seconds)
    makers = {name: partial(_whole, source) for name, source in sources.items()}
    brief, long = interleaved(makers, folder, rounds).values()
    return _memory(f"all of a film of {_LONG * short} s over all of one of {short} s: peak memory", long, brief, 1.1)


def _whole(source: Path, out: Path) -> Run:
    return timed(_program("film_makers", "whole", source, out))


def _storyboard(clip: Path, folder: Path, rounds: int) -> Figure:
    pairs = [(_cpu("storyboard", clip, folder), _cpu("decoding", clip, folder)) for _ in range(rounds)]
    more = " over ".join(f"{statistics.median(side):.2f} s" for side in zip(*pairs, strict=True))
    return at_most(
        "storyboard of the same film, a tile a second, over decoding it: processor time",
        [one / other for one, other in pairs],
        _STORYBOARD_MAX,
        more,
    )


def _cpu(which: str, clip: Path, folder: Path) -> float:
    out = folder / which
    out.mkdir(exist_ok=True)
    return float(
        subprocess.run(
            _program("film_routines", which, clip, out), check=True, stdout=subprocess.PIPE, text=True
        ).stdout
    )


# --- what must not be read


class _Nowhere(Sink):
    async def put(self, path: str, body: Body, content_type: str) -> None:
        """Keep nothing."""


def _poster(folder: Path, *, quick: bool) -> Iterable[Figure]:
    size, seconds = (200 * MIB, 60) if quick else (GIB * 3 // 2, 600)
    path = folder / "large.mp4"
    film(path, size, seconds)
    source = CountingSource(path)
    anyio.run(_make_poster, path, source, str(folder / "scratch"))
    read, requests = sum(source.reads), len(source.reads)
    name = f"poster of an MP4 of {source.size / GIB:.2f} GiB with its index at the end"
    yield Figure(
        name=f"{name}: requests",
        measured=f"{requests}",
        target=f"≤ {_REQUESTS_MAX}",
        met=requests <= _REQUESTS_MAX,
    )
    yield Figure(
        name=f"{name}: share of its bytes that is read",
        measured=f"{read / source.size:.2%} ({read / MIB:.1f} MiB)",
        target=f"≤ {_SHARE_MAX:.1%}",
        met=read <= _SHARE_MAX * source.size,
    )


async def _make_poster(path: Path, source: CountingSource, scratch: str) -> None:
    engine = PyavEngine(Limits(), scratch)
    task = plan(await engine.inspect(CountingSource(path)), Options(), Limits()).task("poster")
    wanted = tuple(spec for spec in task.renditions if isinstance(spec, PosterSpec))
    (made,) = await engine.render(source, replace(task, renditions=wanted), _Nowhere(), _ignore)
    assert made.proof.ok


async def _ignore(_: float) -> None:
    """Nobody asks how far it is."""
