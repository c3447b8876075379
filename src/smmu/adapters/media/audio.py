"""`render_audio`: sound files and waveforms of a file's audio tracks.

Each track is decoded once for everything that is measured on it (loudness, peaks) and once more for each AAC file.
Refuses to make playlists; sound inside a video's ladder is `video.py`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from smmu.adapters.media import aac
from smmu.adapters.media.aac import Heard
from smmu.adapters.media.decode import judge_together, survey
from smmu.adapters.media.loudness import Loudness, Meter
from smmu.adapters.media.mp4 import progressive
from smmu.adapters.media.proof import prove_audio, prove_progressive
from smmu.adapters.media.waveform import Peaks
from smmu.adapters.media.waveform_files import CONTENT_TYPES, write_waveform
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Proof, Rendition
from smmu.domain.plan import AudioSpec, PlannedTask, WaveformSpec

AUDIO_TYPE = "audio/mp4"
MEASURE_SHARE = 0.3


@dataclass(slots=True)
class Measured:
    """What one pass over a track found."""

    heard: Heard
    meters: dict[str, Meter] = field(default_factory=dict)
    peaks: dict[int, Peaks] = field(default_factory=dict)


def render_audio(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Make every rendition of an audio task, in the task's order."""
    return _Job(bench, task).run()


class _Job:
    def __init__(self, bench: Workbench, task: PlannedTask) -> None:
        self._bench, self._planned_s = bench, task.owed_s
        self._specs = [spec for spec in task.renditions if isinstance(spec, AudioSpec | WaveformSpec)]
        self._tracks = sorted({spec.track_index for spec in self._specs})
        self._survey = survey(bench, *self._tracks, clip=task.clip)

    def run(self) -> list[Rendition]:
        share = MEASURE_SHARE / len(self._tracks)
        measured = {
            track: self._measure(track, self._between(index * share, (index + 1) * share))
            for index, track in enumerate(self._tracks)
        }
        covered = [float(one.heard.line.position) for one in measured.values()]
        judge_together(covered, self._planned_s, self._survey)
        share = (1 - MEASURE_SHARE) / len(self._specs)
        made = []
        for index, spec in enumerate(self._specs):
            start = MEASURE_SHARE + index * share
            made.append(self._rendition(spec, measured[spec.track_index], self._between(start, start + share)))
        self._bench.progress(1.0)
        return made

    def _between(self, start: float, end: float) -> Callable[[float], None]:
        return lambda fraction: self._bench.progress(start + (end - start) * fraction)

    def _measure(self, track: int, progress: Callable[[float], None]) -> Measured:
        mine = [spec for spec in self._specs if spec.track_index == track]
        meters = {spec.name: aac.meter_for(spec) for spec in mine if isinstance(spec, AudioSpec)}
        finenesses = {spec.pixels_per_second for spec in mine if isinstance(spec, WaveformSpec)}
        peaks = {fineness: Peaks(fineness) for fineness in finenesses}
        listeners: Sequence[aac.Listener] = [*meters.values(), *peaks.values()]
        heard = aac.listen(
            self._bench, track, listeners, found=self._survey, planned_s=self._planned_s, progress=progress
        )
        for line in peaks.values():
            line.finish()
        return Measured(heard, meters, peaks)

    def _rendition(
        self, spec: AudioSpec | WaveformSpec, track: Measured, progress: Callable[[float], None]
    ) -> Rendition:
        if isinstance(spec, WaveformSpec):
            return self._waveform(spec, track)
        return self._file(spec, track.meters[spec.name].result(), progress)

    def _waveform(self, spec: WaveformSpec, track: Measured) -> Rendition:
        peaks = track.peaks[spec.pixels_per_second]
        path = f"audio/{spec.name}.{spec.format}"
        checks = write_waveform(peaks, spec, self._bench.directory / path)
        return Rendition(
            name=spec.name,
            role=spec.role,
            files=(self._bench.finish(path, CONTENT_TYPES[spec.format]),),
            width=spec.width,
            height=spec.height,
            duration_s=peaks.samples / peaks.sample_rate if peaks.sample_rate else 0.0,
            proof=Proof(checks=checks, measures={**track.heard.measures(), **peaks.measures()}),
        )

    def _file(self, spec: AudioSpec, loudness: Loudness, progress: Callable[[float], None]) -> Rendition:
        bench = self._bench
        encoded = aac.encode(
            bench, spec, loudness, found=self._survey, planned_s=self._planned_s, folder=None, progress=progress
        )
        path = f"audio/{spec.name}.m4a"
        progressive([encoded.whole], bench.directory / path, bench.beat)
        encoded.whole.unlink()
        checks, measures = prove_audio(encoded, bench.directory / path, bench.beat)
        checks += prove_progressive(bench.directory / path, [encoded.packets], bench.beat)
        file = bench.finish(path, AUDIO_TYPE)
        return Rendition(
            name=spec.name,
            role=spec.role,
            files=(file,),
            duration_s=encoded.seconds,
            bitrate_bps=round(file.size * 8 / encoded.seconds),
            codecs=encoded.codecs,
            proof=Proof(checks=checks, measures=measures),
        )
