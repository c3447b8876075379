"""Our routines that `benchmarks/sound.py` measures, each run as a process; it prints the processor time it took.

`waveform` is the isolated child's task of a film's sound: three files from one pass, with proofs. `loudness` is the
pass that measures, `encode` the one that turns up and encodes. Starting the interpreter is not in the time.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from smmu.adapters.media import aac
from smmu.adapters.media.audio import render_audio
from smmu.adapters.media.decode import survey
from smmu.adapters.media.loudness import Loudness
from smmu.adapters.media.source import LocalSource
from smmu.adapters.media.workbench import Message, Workbench
from smmu.domain.limits import Limits
from smmu.domain.plan import AudioSpec, Clip, PlannedTask, TaskKind
from smmu.domain.plan_sound import waveforms

SPEC = AudioSpec(name="audio", track_index=0, channels=2, sample_rate=48_000, bitrate_bps=128_000)
SOFT = Loudness(integrated_lufs=-20.0, range_lu=2.0, true_peak_dbtp=-6.0, seconds=60.0)


def waveform(bench: Workbench) -> None:
    """Peaks as JSON, binary and picture."""
    task = PlannedTask(name="audio", kind=TaskKind.AUDIO, renditions=waveforms(0), memory_bytes=0, seconds_max=0)
    assert all(made.proof.ok for made in render_audio(bench, task))


def loudness(bench: Workbench) -> None:
    """Integrated loudness, range and true peak of the whole."""
    meter = aac.meter_for(SPEC)
    found = survey(bench, 0, clip=Clip())
    aac.listen(bench, 0, [meter], found=found, planned_s=None, progress=_unheard)
    assert meter.result().integrated_lufs is not None


def encode(bench: Workbench) -> None:
    """The second pass, from the file to segments' packets in a fragmented MP4."""
    found = survey(bench, 0, clip=Clip())
    made = aac.encode(bench, SPEC, SOFT, found=found, planned_s=None, folder=None, progress=_unheard)
    assert made.gain.decibels == 4.0


def _unheard(_: float) -> None:
    """Nobody listens."""


def _bench(source: Path, out: Path) -> Workbench:
    def tell(_: Message) -> None:
        """Nobody listens."""

    handle = os.open(source, os.O_RDONLY)
    local = LocalSource(handle, source.stat().st_size, lambda: None)
    return Workbench(source=local, directory=out, limits=Limits(), tell=tell)


def main() -> None:
    """Carry out what the command line names."""
    which, source, out = sys.argv[1:]
    routines: dict[str, Callable[[Workbench], None]] = {"waveform": waveform, "loudness": loudness, "encode": encode}
    begun = time.process_time()
    routines[which](_bench(Path(source), Path(out)))
    print(time.process_time() - begun)


if __name__ == "__main__":
    main()
