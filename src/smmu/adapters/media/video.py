"""`render_video`: a video's ladder with its sound, playlists and progressive MP4.

Sound first (it is cheap, and the MP4 needs it at hand), then the ladder, then what is written over both. Everything
starts at one common zero, so picture and sound keep the distance they had. Refuses to plan: what is made, in which
sizes and rates, is the task's to say.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from smmu.adapters.media import aac, dash, hls
from smmu.adapters.media.copying import UnfitError, take_stock
from smmu.adapters.media.decode import judge_together, survey
from smmu.adapters.media.joining import Join, read_chunks, unjoinable
from smmu.adapters.media.kept import kept_tracks
from smmu.adapters.media.ladder import Delivery, Footing, Ladder, Shipped
from smmu.adapters.media.mp4 import progressive
from smmu.adapters.media.proof import check, check_within, prove_progressive
from smmu.adapters.media.soundtrack import DASH_PATH, MASTER_PATH, Sound, publish_sound, text_file
from smmu.adapters.media.subtitles import make_subtitles
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Check, Proof, RenderedFile, Rendition
from smmu.domain.plan import AudioSpec, DashSpec, Mp4Spec, PlannedTask, PlaylistSpec, RungSpec, SubtitlesSpec

MP4_PATH, MP4_TYPE = "mp4/video.mp4", "video/mp4"
CAPPED_SHARE = 0.8  # of the allowed bits: nearer to the cap it is the cap that decides on quality
LEVEL_MAX = 52  # of H.264, in tenths: players take no more
BITS_TOLERANCE = {"h264": 1.15, "hevc": 1.15, "av1": 1.5}  # SVT-AV1 takes half as much again for noise that goes on
BOXES_BITS_MAX = 100_000
HEARD_SHARE, SOUND_SHARE, VIDEO_SHARE = 0.06, 0.12, 0.97  # of the progress: measured, encoded, ladder done


def render_video(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Make every rendition of a video task, in the task's order."""
    return _Job(bench, task).run()


class _Job:
    def __init__(self, bench: Workbench, task: PlannedTask) -> None:
        self._bench, self._task = bench, task
        self._audio = [spec for spec in task.renditions if isinstance(spec, AudioSpec)]
        self._mp4 = next((spec for spec in task.renditions if isinstance(spec, Mp4Spec)), None)
        self._kept = kept_tracks(task.kept)
        self._whole = bench.directory / "whole-video.mp4"
        heard = task.kept.heard if task.kept else tuple(spec.track_index for spec in self._audio)
        tracks = (task.transform.track_index, *heard)
        self._survey = survey(bench, *tracks, clip=task.clip)
        self._target = 0
        self._unfit = self._why_whole = ""

    def run(self) -> list[Rendition]:
        sounds = {spec.name: self._sound(spec, index) for index, spec in enumerate(self._audio)}
        ladder = self._ladder(self._between(SOUND_SHARE if sounds else 0.0, VIDEO_SHARE))
        covered = [float(ladder.end)] if ladder.rungs else []
        covered += [sound.encoded.seconds for sound in sounds.values()]
        if covered:
            judge_together(covered, self._task.owed_s, self._survey)
        every = [rung.pieces for rung in ladder.rungs] + [sound.pieces for sound in sounds.values()]
        self._target = hls.target_seconds(*every, *(track.pieces for track in self._kept.every))
        made = dict(self._renditions(ladder, sounds))
        for left in self._bench.directory.glob("whole-*.mp4"):
            left.unlink()
        self._bench.progress(1.0)
        return [made[spec.name] for spec in self._task.renditions]

    def _ladder(self, progress: Callable[[float], None]) -> Ladder | Join:
        """The ladder, made: of chunks where they give what one pass does, else in one pass."""
        bench, task = self._bench, self._task
        chunks = read_chunks(bench, task)
        self._why_whole = unjoinable(task, chunks) if task.joins else ""
        if not task.joins or self._why_whole:
            return self._in_one_pass(progress)
        join = Join(bench, task, self._survey, chunks, keep=self._whole_of)
        join.run(progress)
        return join

    def _in_one_pass(self, progress: Callable[[float], None]) -> Ladder:
        """All of it encoded where packets that should have been copied turn out to be unfit.

        Such a second one keeps the keyframes of the first, so that every file of the first is written again.
        """
        footing = self._footing()
        ladder = self._new_ladder(footing)
        try:
            ladder.run(progress)
        except UnfitError as error:
            self._unfit = str(error)
            self._whole.unlink(missing_ok=True)
            ladder = self._new_ladder(Footing(grid=footing.grid))
            ladder.run(progress)
        return ladder

    def _new_ladder(self, footing: Footing) -> Ladder:
        specs = [spec for spec in self._task.renditions if isinstance(spec, RungSpec)]
        delivery = Delivery(
            keep=self._whole_of, ship=lambda rung, segment: rung.ship(self._bench, segment, rung.encoder.segmenter)
        )
        return Ladder(self._bench, self._task, self._survey, specs=specs, delivery=delivery, footing=footing)

    def _whole_of(self, spec: RungSpec) -> Path | None:
        return self._whole if self._mp4 and spec.name == self._mp4.rung else None

    def _footing(self) -> Footing:
        """What the ladder stands on. Where rungs are kept, it is their keyframes, whatever the source's are."""
        grid = self._kept.grid
        copied = next((spec for spec in self._task.renditions if isinstance(spec, RungSpec) and spec.copied), None)
        if copied is None:
            return Footing(grid=grid)
        try:
            stock = take_stock(self._bench, self._task, copied, self._survey)
        except UnfitError as error:
            self._unfit = str(error)
            return Footing(grid=grid)
        if grid.keys and grid != stock.grid:
            self._unfit = "rungs that are kept have other keyframes"
            return Footing(grid=grid)
        return Footing(stock=stock, grid=stock.grid)

    def _between(self, start: float, end: float) -> Callable[[float], None]:
        return lambda fraction: self._bench.progress(start + (end - start) * fraction)

    def _sound(self, spec: AudioSpec, index: int) -> Sound:
        folder = "hls/audio" if len(self._audio) == 1 else f"hls/audio/{spec.name}"
        meter = aac.meter_for(spec)
        found, planned = self._survey, self._task.owed_s
        share = 1 / len(self._audio)
        measured, done = index * share * SOUND_SHARE, (index + 1) * share * SOUND_SHARE
        middle = measured + (done - measured) * HEARD_SHARE / SOUND_SHARE
        aac.listen(self._bench, spec.track_index, [meter], found=found, planned_s=planned,
                   progress=self._between(measured, middle))  # fmt: skip
        encoded = aac.encode(self._bench, spec, meter.result(), found=found, planned_s=planned, folder=folder,
                             progress=self._between(middle, done))  # fmt: skip
        return Sound(encoded=encoded, folder=folder)

    def _renditions(self, ladder: Ladder | Join, sounds: dict[str, Sound]) -> Iterator[tuple[str, Rendition]]:
        rungs = {rung.spec.name: rung for rung in ladder.rungs}
        for spec in self._task.renditions:
            if isinstance(spec, RungSpec):
                yield spec.name, self._rung(ladder, rungs[spec.name])
            elif isinstance(spec, AudioSpec):
                yield spec.name, publish_sound(self._bench, sounds[spec.name], self._target)
            elif isinstance(spec, SubtitlesSpec):
                yield spec.name, make_subtitles(self._bench, self._task, spec, self._survey)
        # After the others: both stand on what was measured there.
        for spec in self._task.renditions:
            if isinstance(spec, PlaylistSpec):
                yield spec.name, self._master(spec, ladder, list(sounds.values()))
            elif isinstance(spec, DashSpec):
                yield spec.name, self._dash(spec, ladder, list(sounds.values()))
            elif isinstance(spec, Mp4Spec):
                yield spec.name, self._progressive(spec, ladder, rungs[spec.rung], sounds)

    def _rung(self, ladder: Ladder | Join, rung: Shipped) -> Rendition:
        average, peak = hls.average_bps(rung.pieces), hls.peak_bps(rung.pieces, self._target)
        checks = [*rung.witness.checks(ladder.longest_gap, capped=_is_capped(rung, peak)), *_rung_checks(ladder, rung)]
        measures = {**ladder.damage.measures(), **_clock_measures(ladder), "frames": rung.witness.frames,
                    "keyframes": rung.witness.keyframes, "frames_decoded": rung.witness.decoded,
                    "bitrate_average_bps": average, "bitrate_peak_bps": peak,
                    **rung.witness.likeness.measures(), **rung.witness.sighting.measures(),
                    **self._copied_measures(rung), **self._chunk_measures()}  # fmt: skip
        return Rendition(
            name=rung.spec.name,
            role=rung.spec.role,
            files=(self._playlist(rung.folder, rung.pieces), self._keys_playlist(ladder, rung), *rung.files),
            width=rung.spec.width,
            height=rung.spec.height,
            duration_s=float(ladder.end),
            bitrate_bps=average,
            codecs=rung.codecs,
            proof=Proof(checks=tuple(checks), measures=measures),
        )

    def _copied_measures(self, rung: Shipped) -> dict[str, float | int | str]:
        """What became of a rung that was to be copied."""
        if rung.is_copy:
            return {"packets_copied": rung.witness.frames}
        return {"encoded_because": self._unfit} if rung.spec.copied else {}

    def _chunk_measures(self) -> dict[str, float | int | str]:
        if self._why_whole:
            return {"encoded_in_one_pass_because": self._why_whole}
        return {"chunks": len(self._task.joins)} if self._task.joins else {}

    def _listed(self, ladder: Ladder | Join, sounds: list[Sound]) -> tuple[list[hls.Track], list[hls.Track]]:
        """The rungs and the sounds that playlists name: those of this task, and those that are kept."""
        rungs = [*(_track(rung, ladder) for rung in ladder.rungs), *self._kept.rungs.values()]
        rungs.sort(key=lambda track: track.width * track.height, reverse=True)
        heard = {**{sound.encoded.spec.name: sound.track for sound in sounds}, **self._kept.sounds}
        return rungs, [heard[name] for name in sorted(heard, key=self._kept.place)]

    def _seconds(self, ladder: Ladder | Join) -> float:
        return float(ladder.end if ladder.rungs else max(track.seconds for track in self._kept.every))

    def _master(self, spec: PlaylistSpec, ladder: Ladder | Join, sounds: list[Sound]) -> Rendition:
        rungs, audio = self._listed(ladder, sounds)
        file = text_file(self._bench, MASTER_PATH, hls.multivariant_playlist(rungs, audio), hls.PLAYLIST_TYPE)
        ends = [_together(ladder, sound) for sound in sounds if ladder.rungs]
        checks = (*_common_checks(ladder), _same_keyframes(rungs), *ends)
        codecs = ",".join(dict.fromkeys([track.codecs for track in (*rungs, *audio)]))
        return Rendition(
            name=spec.name, role=spec.role, files=(file,), width=rungs[0].width, height=rungs[0].height,
            duration_s=self._seconds(ladder), codecs=codecs,
            proof=Proof(checks=checks, measures={"rungs": len(rungs), "audio": len(audio)}),
        )  # fmt: skip

    def _dash(self, spec: DashSpec, ladder: Ladder | Join, sounds: list[Sound]) -> Rendition:
        rungs, audio = self._listed(ladder, sounds)
        file = text_file(self._bench, DASH_PATH, dash.manifest(rungs, audio), dash.MANIFEST_TYPE)
        durations = {tuple(piece.duration for piece in rung.pieces) for rung in rungs}
        return Rendition(
            name=spec.name, role=spec.role, files=(file,), width=rungs[0].width, height=rungs[0].height,
            duration_s=self._seconds(ladder),
            codecs=",".join(dict.fromkeys([track.codecs for track in (*rungs, *audio)])),
            proof=Proof(checks=(check("one timeline for every rung", 1, len(durations)),),
                        measures={"rungs": len(rungs), "audio": len(audio)}),
        )  # fmt: skip

    def _progressive(self, spec: Mp4Spec, ladder: Ladder | Join, rung: Shipped, sounds: dict[str, Sound]) -> Rendition:
        sound = sounds[spec.audio] if spec.audio is not None else None
        target = self._bench.directory / MP4_PATH
        tracks = [self._whole, *([sound.encoded.whole] if sound else [])]
        progressive(tracks, target, self._bench.beat)
        counts = [rung.witness.frames]
        counts += [sound.encoded.packets] if sound else []
        checks = prove_progressive(target, counts, self._bench.beat)
        file = self._bench.finish(MP4_PATH, MP4_TYPE)
        codecs = [rung.codecs, *([sound.encoded.codecs] if sound else [])]
        seconds = max(float(ladder.end), sound.encoded.seconds if sound else 0.0)
        bitrate = round(file.size * 8 / seconds)
        return Rendition(
            name=spec.name, role=spec.role, files=(file,), width=rung.spec.width, height=rung.spec.height,
            duration_s=seconds, bitrate_bps=bitrate, codecs=",".join(codecs),
            proof=Proof(checks=checks, measures={"packets": sum(counts), "bitrate_average_bps": bitrate}),
        )  # fmt: skip

    def _playlist(self, folder: str, pieces: list[hls.Piece]) -> RenderedFile:
        return text_file(
            self._bench, f"{folder}/{hls.PLAYLIST_NAME}", hls.media_playlist(pieces, self._target), hls.PLAYLIST_TYPE
        )

    def _keys_playlist(self, ladder: Ladder | Join, rung: Shipped) -> RenderedFile:
        keys = hls.key_pieces(rung.keys, ladder.end)
        told = hls.media_playlist(keys, hls.target_seconds(keys), keys_only=True)
        return text_file(self._bench, f"{rung.folder}/{hls.KEYS_NAME}", told, hls.PLAYLIST_TYPE)


def _same_keyframes(rungs: list[hls.Track]) -> Check:
    """Of every rung that is listed, made now or kept: a player may switch to it at each of its keyframes."""
    grids = {tuple(accumulate(key.duration for key in rung.keys[:-1])) for rung in rungs}
    return check("keyframes at the same times on every rung that is listed", 1, len(grids))


def _common_checks(ladder: Ladder | Join) -> Iterator[Check]:
    if not ladder.rungs:
        return
    starts = {tuple(rung.witness.starts) for rung in ladder.rungs}
    keyframes = {rung.witness.keyframes for rung in ladder.rungs}
    yield check("segments start at the same times on every rung", 1, len(starts))
    yield check("as many keyframes on every rung", 1, len(keyframes))
    yield check("rungs that have segments", len(ladder.rungs), sum(bool(rung.pieces) for rung in ladder.rungs))


def _together(ladder: Ladder | Join, sound: Sound) -> Check:
    """Picture and sound end as far from each other as in the source, to one picture and one AAC frame."""
    encoded = sound.encoded
    source = float(ladder.end - encoded.heard.line.position)
    made = float(sum(ladder.rungs[0].witness.durations, Fraction(0))) - encoded.seconds
    return check_within(
        "picture ends after sound (s)",
        source,
        made,
        float(ladder.clock.step) + aac.FRAME_SAMPLES / encoded.spec.sample_rate,
    )


def _is_capped(rung: Shipped, peak_bps: int) -> bool:
    """Whether bits may have decided on quality anywhere. SVT-AV1 loses noise far below the cap, so for it they may."""
    most = max(peak_bps, rung.witness.burst_bits)
    return rung.spec.codec == "av1" or most >= CAPPED_SHARE * rung.spec.bitrate_bps_max


def _rung_checks(ladder: Ladder | Join, rung: Shipped) -> Iterator[Check]:
    seconds = float(sum(rung.witness.durations, Fraction(0)))
    yield check_within("duration against the source", float(ladder.end), seconds, 1 / 1000)
    bits, most = sum(piece.size for piece in rung.pieces) * 8, _bits_max(rung.spec, seconds)
    yield Check(name="bits", ok=bits <= most, expected=f"at most {most}", measured=str(bits))
    if rung.spec.codec == "h264":
        level = int(rung.codecs[-2:], 16)
        yield Check(name="level", ok=level <= LEVEL_MAX, expected=f"at most {LEVEL_MAX / 10}", measured=f"{level / 10}")
    rate = rung.cadence.rate
    if rate is not None:
        limit = rung.spec.frame_rate_max * Fraction(106, 100)
        yield Check(name="frame rate", ok=rate <= limit, expected=f"at most {float(rung.spec.frame_rate_max):.3f}",
                    measured=f"{float(rate):.3f}")  # fmt: skip


def _bits_max(spec: RungSpec, seconds: float) -> int:
    """What the cap lets through: a full buffer of two seconds may come on top, and the boxes around the packets."""
    return round(spec.bitrate_bps_max * (seconds + 2) * BITS_TOLERANCE[spec.codec]) + BOXES_BITS_MAX


def _clock_measures(ladder: Ladder | Join) -> dict[str, float | int | str]:
    noted = {"pictures_out_of_order": ladder.clock.dropped, "timestamp_breaks": ladder.clock.closed_up,
             "pictures_of_fields": ladder.unplanned.fields}  # fmt: skip
    return {name: value for name, value in noted.items() if value}


def _track(rung: Shipped, ladder: Ladder | Join) -> hls.Track:
    rate = rung.cadence.rate or 1 / ladder.end  # of one picture, which is all there is
    return hls.Track(
        folder=rung.spec.name,
        codecs=rung.codecs,
        ticks=ladder.ticks,
        pieces=rung.pieces,
        keys=hls.key_pieces(rung.keys, ladder.end),
        width=rung.spec.width,
        height=rung.spec.height,
        frame_rate=min(rate, rung.spec.frame_rate_max),
    )
