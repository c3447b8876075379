"""The routines of ours that `benchmarks/ladder.py` compares, each run as a process that loads no more than it needs.

`ladder` is that of the isolated child without its proofs, so that it does what a command line does: all rungs and the
sound from one decode. `storyboard` and `decoding` print what processor time they took, without that of starting.
"""

import os
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from benchmarks.runs import SHORTS
from smmu.adapters.media import aac
from smmu.adapters.media.decode import Damage, survey, video_frames
from smmu.adapters.media.ladder import Delivery, Footing, Ladder
from smmu.adapters.media.loudness import Loudness
from smmu.adapters.media.proof import RungWitness
from smmu.adapters.media.segments import Segment
from smmu.adapters.media.source import LocalSource
from smmu.adapters.media.window import Window
from smmu.adapters.media.workbench import Message, Workbench
from smmu.domain import ladder
from smmu.domain.limits import Limits
from smmu.domain.plan import AudioSpec, Clip, PlannedTask, StoryboardSpec, TaskKind

RUNGS = ladder.rungs((1920, 1080), Fraction(30), wanted=SHORTS)
SOUND = AudioSpec(name="audio", track_index=1, channels=2, sample_rate=48_000, bitrate_bps=128_000)
_UNMEASURED = Loudness(integrated_lufs=None, range_lu=None, true_peak_dbtp=None, seconds=0.0)


class _Blind(RungWitness):
    """Proves nothing."""

    def plan(self, tick: int, picture: object, *, key: bool) -> None:
        """Not needed."""

    def examine(self, segment: Segment, init: bytes, data: bytes) -> None:
        """Nor this."""


def the_ladder(source: Path, out: Path) -> None:
    """All rungs and the sound, which is left as loud as it is."""
    task = PlannedTask(name="video", kind=TaskKind.VIDEO, renditions=(*RUNGS, SOUND), memory_bytes=0, seconds_max=0)
    bench = _bench(source, out)
    found = survey(bench, 0, SOUND.track_index, clip=Clip())
    aac.encode(bench, SOUND, _UNMEASURED, found=found, planned_s=None, folder="audio", progress=_unheard)
    delivery = Delivery(
        keep=lambda _: None,
        ship=lambda rung, segment: rung.ship(bench, segment, rung.encoder.segmenter),
        witness=_Blind,
    )
    Ladder(bench, task, found, specs=RUNGS, delivery=delivery, footing=Footing()).run(_unheard)


def storyboard(source: Path, out: Path) -> None:
    """As the task of what shows a film makes it, without the first look that it shares with poster and preview."""
    from smmu.adapters.media.storyboard import make_storyboard  # noqa: PLC0415 - as the isolated child: libvips is large

    bench = _bench(source, out)
    found = survey(bench, 0, clip=Clip())
    seconds = float(_length(bench))
    task = PlannedTask(
        name="poster", kind=TaskKind.POSTER, renditions=(), duration_s=seconds, memory_bytes=0, seconds_max=0
    )
    spec = StoryboardSpec(width=160, height=90, interval=Fraction(1))
    begun = time.process_time()
    assert make_storyboard(bench, task, spec, found).proof.ok
    print(time.process_time() - begun)


def decoding(source: Path, out: Path) -> None:
    """Every picture, as the ladder decodes them."""
    bench = _bench(source, out)
    begun = time.process_time()
    assert sum(1 for _ in video_frames(bench, Damage(track=0), Window()))
    print(time.process_time() - begun)


def _bench(source: Path, out: Path) -> Workbench:
    """As in the isolated child, but that files are where they belong when they are finished."""

    def tell(message: Message) -> None:
        if message["says"] == "file":
            (out / message["name"]).rename(out / message["path"])

    local = LocalSource(os.open(source, os.O_RDONLY), source.stat().st_size, lambda: None)
    return Workbench(source=local, directory=out, limits=Limits(), tell=tell)


def _length(bench: Workbench) -> Fraction:
    with bench.open_container() as container:
        return Fraction(container.duration or 0, 1_000_000)


def _unheard(_: float) -> None:
    """Nobody asks how far it is."""


_ROUTINES: dict[str, Callable[[Path, Path], None]] = {
    "ladder": the_ladder,
    "storyboard": storyboard,
    "decoding": decoding,
}

if __name__ == "__main__":
    which, source_name, out_name = sys.argv[1:]
    _ROUTINES[which](Path(source_name), Path(out_name))
