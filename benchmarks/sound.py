"""What a sound costs: its waveform against the clock, its loudness and its AAC beside ffmpeg's command line.

Processor time throughout, because that is what "on one core" means on a machine that others use too. The command line
is the newest that there is as a wheel (`make peers`); it is asked for the same gain, bit rate and decoding.
"""

import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from benchmarks import peers
from benchmarks.figures import Figure, at_least, at_most

_SECONDS, _QUICK_SECONDS, _ROUNDS = 300, 6, 5
_RATE = 48_000

Contender = Callable[[Path], float]


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    seconds, rounds = (_QUICK_SECONDS, 1) if quick else (_SECONDS, _ROUNDS)
    source, program = song(folder / "song.m4a", seconds), peers.ffmpeg()
    contenders: Mapping[str, Contender] = {
        "waveform": lambda out: _ours("waveform", source, out),
        "loudness": lambda out: _ours("loudness", source, out),
        "loudnorm": lambda _: _its(program, source, "-af", "loudnorm=print_format=json", "-f", "null", "-"),
        "encode": lambda out: _ours("encode", source, out),
        "command line": lambda out: _its(
            program, source, "-af", "volume=4dB:precision=float", "-c:a", "aac", "-b:a", "128k", str(out / "song.m4a")
        ),
    }
    spent = _interleaved(contenders, folder, rounds)
    length = f"of {seconds // 60} minutes" if seconds >= 60 else f"of {seconds} seconds"
    return [
        at_least(
            f"a sound {length} to its waveforms, proofs included: times real time on one core",
            [seconds / each for each in spent["waveform"]], 400, f"{statistics.median(spent['waveform']):.2f} s",
        ),
        _over("the same: our loudness over loudnorm's first pass, both with decoding", spent, "loudness", "loudnorm",
              0.2),
        _over("the same: our gain and AAC over the command line's, both with decoding", spent, "encode",
              "command line", 1.05),
    ]  # fmt: skip


def _over(name: str, spent: Mapping[str, list[float]], one: str, other: str, target: float) -> Figure:
    ratios = [mine / its for mine, its in zip(spent[one], spent[other], strict=True)]
    medians = f"{statistics.median(spent[one]):.2f} over {statistics.median(spent[other]):.2f} s"
    return at_most(name, ratios, target, medians)


def _interleaved(contenders: Mapping[str, Contender], folder: Path, rounds: int) -> dict[str, list[float]]:
    """Each once a round, from where the last round began one further on."""
    names, spent = list(contenders), {name: list[float]() for name in contenders}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            out = folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            spent[name].append(contenders[name](out))
    return spent


def _ours(which: str, source: Path, out: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.sound_makers", which, str(source), str(out)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def _its(program: str, source: Path, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [program, "-nostdin", "-loglevel", "error", "-y", "-i", str(source), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def song(path: Path, seconds: int) -> Path:
    """Noise with a slow swell, different on both sides, in AAC: as much work as music, and nothing that repeats."""
    chance = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=_RATE, layout="stereo")
        assert isinstance(stream, AudioStream)
        stream.codec_context.bit_rate = 160_000
        for second in range(seconds):
            noise = np.cumsum(chance.standard_normal((2, _RATE)), axis=1)
            noise -= noise.mean(axis=1, keepdims=True)
            noise *= (0.2 + 0.1 * np.sin(second)) / np.abs(noise).max()
            noise += 0.02 * chance.standard_normal((2, _RATE))
            frame = AudioFrame.from_ndarray(noise.astype(np.float32), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = _RATE, second * _RATE, Fraction(1, _RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
