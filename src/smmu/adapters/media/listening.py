"""`listen`: the sound of one track as a recogniser wants it, and where in it a voice is. It recognises nothing."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from av.audio.frame import AudioFrame

from smmu.adapters.media import aac
from smmu.adapters.media.decode import judge_together, survey
from smmu.adapters.media.sound import Converter
from smmu.adapters.media.voice import VoiceFinder
from smmu.adapters.media.workbench import Workbench
from smmu.domain.plan import CaptionsSpec, PlannedTask
from smmu.ports.sound import SAMPLE_BYTES, SAMPLE_RATE

PATH, CONTENT_TYPE = "sound.pcm", "application/octet-stream"


def listen(bench: Workbench, task: PlannedTask) -> dict[str, Any]:
    """Leave the samples of the task's track, and answer how long they are and where somebody may speak."""
    track = next(spec.track_index for spec in task.renditions if isinstance(spec, CaptionsSpec))
    found = survey(bench, track, clip=task.clip)
    with _Recorder(bench.directory / PATH) as recorder:
        heard = aac.listen(bench, track, [recorder], found=found, planned_s=task.owed_s, progress=bench.progress)
        recorder.finish()
    judge_together([float(heard.line.position)], task.owed_s, found)
    size = bench.finish(PATH, CONTENT_TYPE).size
    return {
        "seconds": size / SAMPLE_BYTES / SAMPLE_RATE,
        "voiced": recorder.voice.spans(),
        "measures": heard.measures(),
    }


class _Recorder:
    """Hears a track, writes its samples and measures its voice."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._converter = Converter(sample_rate=SAMPLE_RATE, channels=1, sample_format="s16")
        self.voice = VoiceFinder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._file.close()

    def feed(self, frame: AudioFrame) -> None:
        """Take one more block."""
        for block in self._converter.feed(frame):
            self._add(block)

    def finish(self) -> None:
        """No more sound."""
        for block in self._converter.flush():
            self._add(block)

    def _add(self, block: AudioFrame) -> None:
        samples = block.to_ndarray().reshape(-1).astype("<i2")
        self._file.write(samples.tobytes())
        self.voice.feed(samples.astype(np.int16))
