"""`render_audio`: a file's sound as files and as a stream, and its waveforms.

Each track is decoded once for everything that is measured on it (loudness, peaks) and once more for all that is encoded
of it. The AAC of the stream and that of the file are one encoding. Sound inside a video's ladder is `video.py`'s.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from smmu.adapters.media import aac, dash, hls
from smmu.adapters.media.aac import AacEncoder, Coded, Encoded, Heard
from smmu.adapters.media.chapters import make_chapters
from smmu.adapters.media.decode import judge_together, survey
from smmu.adapters.media.loudness import Loudness, Meter
from smmu.adapters.media.mp4 import progressive
from smmu.adapters.media.proof import prove_audio, prove_progressive
from smmu.adapters.media.sound_file import FORMS, FileEncoder
from smmu.adapters.media.soundtrack import DASH_PATH, MASTER_PATH, Sound, prove_stream, publish_sound, text_file
from smmu.adapters.media.waveform import Peaks
from smmu.adapters.media.waveform_files import CONTENT_TYPES, write_waveform
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Proof, Rendition
from smmu.domain.plan import AudioSpec, ChaptersSpec, DashSpec, PlannedTask, PlaylistSpec, Role, WaveformSpec

AUDIO_TYPE = "audio/mp4"
MEASURE_SHARE, ENCODE_SHARE = 0.3, 0.9  # of the progress: measured, encoded
FOLDER = "hls/audio"

Shape = tuple[int, int]


@dataclass(slots=True)
class Measured:
    """What one pass over a track found; `meters` by channels and sample rate, `peaks` by pixels a second."""

    heard: Heard
    meters: dict[Shape, Loudness] = field(default_factory=dict)
    peaks: dict[int, Peaks] = field(default_factory=dict)


def render_audio(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Make every rendition of an audio task, in the task's order."""
    return _Job(bench, task).run()


class _Job:
    def __init__(self, bench: Workbench, task: PlannedTask) -> None:
        self._bench, self._task = bench, task
        self._sounds = [spec for spec in task.renditions if isinstance(spec, AudioSpec)]
        self._waveforms = [spec for spec in task.renditions if isinstance(spec, WaveformSpec)]
        heard = {spec.track_index for spec in self._sounds} | {spec.track_index for spec in self._waveforms}
        self._tracks = sorted(heard)
        self._survey = survey(bench, *self._tracks, clip=task.clip)

    def run(self) -> list[Rendition]:
        measured = {track: self._measure(track, 0.0, MEASURE_SHARE) for track in self._tracks}
        covered = [float(one.heard.line.position) for one in measured.values()]
        judge_together(covered, self._task.owed_s, self._survey)
        coded: dict[str, Coded] = {}
        for track in self._tracks:
            coded |= self._encode(track, measured[track])
        made = {one.name: one for one in (*self._published(coded), *self._drawn(measured), *self._told())}
        for left in {one.whole for one in coded.values()}:
            left.unlink(missing_ok=True)
        self._bench.progress(1.0)
        return [made[spec.name] for spec in self._task.renditions]

    def _between(self, track: int, start: float, end: float) -> Callable[[float], None]:
        """Progress of one track's share of a span."""
        each = (end - start) / len(self._tracks)
        begin = start + each * self._tracks.index(track)
        return lambda fraction: self._bench.progress(begin + each * fraction)

    def _listen(self, track: int, listeners: Sequence[aac.Listener], start: float, end: float) -> Heard:
        progress = self._between(track, start, end)
        return aac.listen(self._bench, track, listeners, found=self._survey, planned_s=self._task.owed_s,
                          progress=progress)  # fmt: skip

    def _measure(self, track: int, start: float, end: float) -> Measured:
        shapes = {_shape(spec) for spec in self._sounds if spec.track_index == track}
        finenesses = {spec.pixels_per_second for spec in self._waveforms if spec.track_index == track}
        meters = {shape: Meter(channels=shape[0], sample_rate=shape[1]) for shape in shapes}
        peaks = {fineness: Peaks(fineness) for fineness in finenesses}
        heard = self._listen(track, [*meters.values(), *peaks.values()], start, end)
        for line in peaks.values():
            line.finish()
            aac.require_sound(line.samples, heard)
        return Measured(heard, {shape: meter.result() for shape, meter in meters.items()}, peaks)

    def _encode(self, track: int, measured: Measured) -> dict[str, Coded]:
        """Everything that is encoded of a track, in one pass; what differs in its name alone is encoded once."""
        mine = [spec for spec in self._sounds if spec.track_index == track]
        names = {spec.name: _alike(spec) for spec in mine}
        streamed = {_alike(spec) for spec in mine if spec.role == Role.HLS_AUDIO}
        with ExitStack() as stack:
            encoders: dict[AudioSpec, AacEncoder | FileEncoder] = {}
            for spec in dict.fromkeys(names.values()):
                loudness = measured.meters[_shape(spec)]
                if spec.codec == "aac":
                    folder = FOLDER if spec in streamed else None
                    encoders[spec] = AacEncoder(self._bench, spec, loudness, folder)
                else:
                    encoders[spec] = stack.enter_context(FileEncoder(self._bench, spec, loudness))
            if not encoders:
                return {}
            heard = self._listen(track, list(encoders.values()), MEASURE_SHARE, ENCODE_SHARE)
            done = {spec: encoder.finish(heard) for spec, encoder in encoders.items()}
        return {spec.name: replace(done[names[spec.name]], spec=spec) for spec in mine}

    def _told(self) -> Iterator[Rendition]:
        for spec in self._task.renditions:
            if isinstance(spec, ChaptersSpec):
                yield make_chapters(self._bench, self._task, spec, self._survey)

    def _drawn(self, measured: dict[int, Measured]) -> Iterator[Rendition]:
        for spec in self._waveforms:
            track = measured[spec.track_index]
            peaks = track.peaks[spec.pixels_per_second]
            path = f"audio/{spec.name}.{spec.format}"
            checks = write_waveform(peaks, spec, self._bench.directory / path)
            yield Rendition(
                name=spec.name,
                role=spec.role,
                files=(self._bench.finish(path, CONTENT_TYPES[spec.format]),),
                width=spec.width,
                height=spec.height,
                duration_s=peaks.samples / peaks.sample_rate if peaks.sample_rate else 0.0,
                proof=Proof(checks=checks, measures={**track.heard.measures(), **peaks.measures()}),
            )

    def _published(self, coded: dict[str, Coded]) -> Iterator[Rendition]:
        """The stream first: what was proven of it holds for the file of the same packets."""
        proven: dict[AudioSpec, Proof] = {}
        for one in coded.values():
            if isinstance(one, Encoded) and one.spec.role == Role.HLS_AUDIO:
                sound = Sound(encoded=one, folder=FOLDER)
                streamed = publish_sound(self._bench, sound, hls.target_seconds(sound.pieces))
                proven[_alike(one.spec)] = streamed.proof
                yield streamed
                yield from self._playlists(sound)
        for one in coded.values():
            if one.spec.role == Role.AUDIO:
                yield self._file(one, proven.get(_alike(one.spec)))

    def _playlists(self, sound: Sound) -> Iterator[Rendition]:
        told = {
            PlaylistSpec: (MASTER_PATH, hls.sound_playlist(sound.track), hls.PLAYLIST_TYPE),
            DashSpec: (DASH_PATH, dash.manifest([], [sound.track]), dash.MANIFEST_TYPE),
        }
        for spec in self._task.renditions:
            if isinstance(spec, PlaylistSpec | DashSpec):
                yield Rendition(
                    name=spec.name,
                    role=spec.role,
                    files=(text_file(self._bench, *told[type(spec)]),),
                    duration_s=sound.encoded.seconds,
                    codecs=sound.encoded.codecs,
                    proof=Proof(checks=prove_stream(sound), measures={"rungs": 0, "audio": 1}),
                )

    def _file(self, one: Coded, proven: Proof | None) -> Rendition:
        bench, spec = self._bench, one.spec
        if isinstance(one, Encoded):
            path, content_type, codecs = f"audio/{spec.name}.m4a", AUDIO_TYPE, one.codecs
            progressive([one.whole], bench.directory / path, bench.beat)
            in_order = prove_progressive(bench.directory / path, [one.packets], bench.beat)
        else:
            form = FORMS[spec.codec]
            path, content_type, codecs = f"audio/{spec.name}.{form.suffix}", form.content_type, spec.codec
            (bench.directory / path).parent.mkdir(parents=True, exist_ok=True)
            one.whole.replace(bench.directory / path)
            in_order = ()
        proof = proven or prove_audio(one, bench.directory / path, bench.beat)
        file = bench.finish(path, content_type)
        return Rendition(
            name=spec.name,
            role=spec.role,
            files=(file,),
            duration_s=one.seconds,
            bitrate_bps=round(file.size * 8 / one.seconds),
            codecs=codecs,
            proof=Proof(checks=(*proof.checks, *in_order), measures=proof.measures),
        )


def _shape(spec: AudioSpec) -> Shape:
    return spec.channels, spec.sample_rate


def _alike(spec: AudioSpec) -> AudioSpec:
    """What is encoded for this rendition, whatever it is called and wherever it goes."""
    return replace(spec, name=f"{spec.codec}-{spec.track_index}-{spec.bitrate_bps}", role=Role.AUDIO, title="")
