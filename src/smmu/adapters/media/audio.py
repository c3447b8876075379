"""`render_audio`: sound files and waveforms of a file's audio tracks.

Each track is decoded once for everything that is measured on it (loudness, peaks) and once more for each AAC file.
Refuses to make playlists; sound inside a video's ladder is `video.py`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from smmu.adapters.media import aac
from smmu.adapters.media.aac import Heard
from smmu.adapters.media.decode import Survey, judge_together, survey
from smmu.adapters.media.loudness import Loudness, Meter
from smmu.adapters.media.mp4 import progressive
from smmu.adapters.media.proof import check, prove_audio, prove_progressive
from smmu.adapters.media.waveform import CONTENT_TYPE, Peaks
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
    peaks: dict[str, Peaks] = field(default_factory=dict)


def render_audio(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Make every rendition of an audio task, in the task's order."""
    specs = [spec for spec in task.renditions if isinstance(spec, AudioSpec | WaveformSpec)]
    tracks = sorted({spec.track_index for spec in specs})
    found = survey(bench, *tracks)
    measured = {
        track: _measure(bench, task, found, track, _between(bench, index, len(tracks), 0.0, MEASURE_SHARE))
        for index, track in enumerate(tracks)
    }
    judge_together([float(one.heard.line.position) for one in measured.values()], task.duration_s, found)
    made = []
    for index, spec in enumerate(specs):
        track = measured[spec.track_index]
        if isinstance(spec, WaveformSpec):
            made.append(_waveform(bench, spec, track))
        else:
            progress = _between(bench, index, len(specs), MEASURE_SHARE, 1.0)
            made.append(_file(bench, task, spec, track.meters[spec.name].result(), found, progress))
    bench.progress(1.0)
    return made


def _between(bench: Workbench, index: int, count: int, start: float, end: float) -> Callable[[float], None]:
    share = (end - start) / count
    return lambda fraction: bench.progress(start + share * (index + fraction))


def _measure(
    bench: Workbench, task: PlannedTask, found: Survey, track: int, progress: Callable[[float], None]
) -> Measured:
    mine = [spec for spec in task.renditions if isinstance(spec, AudioSpec | WaveformSpec) and spec.track_index == track]
    meters = {spec.name: aac.meter_for(spec) for spec in mine if isinstance(spec, AudioSpec)}
    peaks = {spec.name: Peaks(spec) for spec in mine if isinstance(spec, WaveformSpec)}
    listeners: Sequence[aac.Listener] = [*meters.values(), *peaks.values()]
    heard = aac.listen(bench, track, listeners, zero=found.zero, planned_s=task.duration_s, progress=progress)
    for line in peaks.values():
        line.finish()
    return Measured(heard, meters, peaks)


def _waveform(bench: Workbench, spec: WaveformSpec, track: Measured) -> Rendition:
    peaks = track.peaks[spec.name]
    path = f"audio/{spec.name}.json"
    target = bench.directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    peaks.write(target)
    pixels = -(-peaks.samples // peaks.samples_per_pixel)
    checks = (check("pixels", pixels, peaks.length), check("has sound", True, peaks.samples > 0))  # noqa: FBT003 - a check compares two values
    measures = {**track.heard.measures(), "samples": peaks.samples, "pixels": peaks.length}
    return Rendition(
        name=spec.name,
        role=spec.role,
        files=(bench.finish(path, CONTENT_TYPE),),
        duration_s=peaks.samples / peaks.sample_rate if peaks.sample_rate else 0.0,
        proof=Proof(checks=checks, measures=measures),
    )


def _file(
    bench: Workbench,
    task: PlannedTask,
    spec: AudioSpec,
    loudness: Loudness,
    found: Survey,
    progress: Callable[[float], None],
) -> Rendition:
    encoded = aac.encode(
        bench, spec, loudness, zero=found.zero, planned_s=task.duration_s, folder=None, progress=progress
    )
    path = f"audio/{spec.name}.m4a"
    target = bench.directory / path
    progressive([encoded.whole], target, bench.beat)
    encoded.whole.unlink()
    checks, measures = prove_audio(encoded, target, bench.beat)
    packets = sum(len(segment.packets) for segment in encoded.segments)
    checks += prove_progressive(target, [packets], bench.beat)
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
