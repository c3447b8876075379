"""What will be made of a file, as data: stages of tasks, each with the renditions it owes, and why.

A plan is made by `planner.plan` and obeyed by a media engine. It never names a decoder, a cloud or a clock.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from smmu.domain.facts import Purpose
from smmu.domain.kept import Kept
from smmu.domain.watermark import Watermark

_CORES_MAX = 4
_CHUNK_CORES = 2  # its encoders have a thread each


class Role(StrEnum):
    """What a rendition is for."""

    IMAGE = "image"
    CROP = "crop"
    COVER = "cover"
    LOOP = "loop"
    POSTER = "poster"
    STORYBOARD = "storyboard"
    PREVIEW = "preview"
    HLS = "hls"
    HLS_VIDEO = "hls-video"
    HLS_AUDIO = "hls-audio"
    DASH = "dash"
    MP4 = "mp4"
    AUDIO = "audio"
    WAVEFORM = "waveform"
    SUBTITLES = "subtitles"
    CHAPTERS = "chapters"
    CAPTIONS = "captions"
    TRANSCRIPT = "transcript"
    CHUNK = "chunk"


class TaskKind(StrEnum):
    """What a render task does; a media engine has one routine for each, a recogniser the last."""

    IMAGES = "images"
    LOOP = "loop"
    VIDEO = "video"
    CHUNK = "chunk"
    POSTER = "poster"
    AUDIO = "audio"
    TRANSCRIBE = "transcribe"


class Family(StrEnum):
    """Which workers run a task: behaviour.md's two ECS families."""

    TRANSCODE = "transcode"
    TRANSCRIBE = "transcribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One choice the planner made, with its reason in words: `subject` is a rendition, a track or "source"."""

    subject: str
    choice: str
    reason: str


Colours = Literal["srgb", "p3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """A picture to make: upright, in `colours`, metadata stripped, exactly `width` × `height` pixels.

    One in Display P3 says so in a profile of ours; one in sRGB needs none. A `crop` is the part of it that draws the
    eye, cut to this shape; without, the whole picture has this shape.
    """

    type: Literal["image"] = "image"
    name: str
    role: Role = Role.IMAGE
    format: Literal["webp", "jpeg", "avif"]
    width: int
    height: int
    quality: int = 80
    animated: bool = False
    crop: bool = False
    colours: Colours = "srgb"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSpec:
    """An animated picture as a muted H.264 video, to be played over and over. Even sizes, the picture's own times."""

    type: Literal["loop"] = "loop"
    name: str = "loop"
    role: Role = Role.LOOP
    width: int
    height: int
    frames: int
    crf: int = 23


@dataclass(frozen=True, slots=True, kw_only=True)
class RungSpec:
    """One rung of a ladder, in fMP4 segments. Square pixels, even sizes, 8-bit 4:2:0 BT.709.

    A `copied` one is the source's own packets where these prove to be all of that, and the source's keyframes are those
    of every rung then; where they do not, it is encoded like the others.
    """

    type: Literal["rung"] = "rung"
    name: str
    role: Role = Role.HLS_VIDEO
    codec: Literal["h264", "hevc", "av1"] = "h264"
    width: int
    height: int
    frame_rate_max: Fraction
    crf: int
    bitrate_bps_max: int
    keyframe_seconds: Fraction = Fraction(2)
    segment_seconds: Fraction = Fraction(6)
    copied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSpec:
    """One track with linear gain towards `target_lufs`, which lifts no peak over `ceiling_dbtp`.

    That is of what goes into the encoder: a lossy one adds a decibel or two to peaks, which its proof tells and bounds.

    AAC-LC as a file (MP4) or as HLS segments, which only AAC is; Opus as a file (Ogg); MP3. `title` is what a player's
    menu calls it.
    """

    type: Literal["audio"] = "audio"
    name: str
    role: Role = Role.AUDIO
    codec: Literal["aac", "opus", "mp3"] = "aac"
    track_index: int
    channels: int
    sample_rate: int
    bitrate_bps: int
    target_lufs: float = -16.0
    ceiling_dbtp: float = -1.0
    segment_seconds: Fraction = Fraction(6)
    language: str = ""
    title: str = ""
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistSpec:
    """The HLS multivariant playlist over the rungs and audio of its task."""

    type: Literal["playlist"] = "playlist"
    name: str = "hls"
    role: Role = Role.HLS


@dataclass(frozen=True, slots=True, kw_only=True)
class DashSpec:
    """The DASH manifest over the same segments."""

    type: Literal["dash"] = "dash"
    name: str = "dash"
    role: Role = Role.DASH


@dataclass(frozen=True, slots=True, kw_only=True)
class Mp4Spec:
    """A progressive (fast start) MP4: the packets of rung `rung` and, when there is sound, of audio `audio`."""

    type: Literal["mp4"] = "mp4"
    name: str = "mp4"
    role: Role = Role.MP4
    rung: str
    audio: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitlesSpec:
    """A text track of the source as WebVTT. `language` is its tag, "" when it has none, `title` for menus."""

    type: Literal["subtitles"] = "subtitles"
    name: str
    role: Role = Role.SUBTITLES
    track_index: int
    language: str = ""
    title: str = ""
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaptersSpec:
    """The film's chapters as WebVTT, a cue for each."""

    type: Literal["chapters"] = "chapters"
    name: str = "chapters"
    role: Role = Role.CHAPTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class PosterSpec:
    """A JPEG of a representative frame: not black, not simply the first."""

    type: Literal["poster"] = "poster"
    name: str = "poster"
    role: Role = Role.POSTER
    width: int
    height: int
    quality: int = 82


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryboardSpec:
    """Sheets of small pictures, one for each `interval` seconds, and WebVTT that says where each is (`#xywh`)."""

    type: Literal["storyboard"] = "storyboard"
    name: str = "storyboard"
    role: Role = Role.STORYBOARD
    width: int
    height: int
    interval: Fraction
    columns: int = 10
    rows: int = 10
    quality: int = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSpec:
    """A small silent MP4 of a few pieces, to be looped; pieces from evenly over the video."""

    type: Literal["preview"] = "preview"
    name: str = "preview"
    role: Role = Role.PREVIEW
    width: int
    height: int
    pieces: int = 4
    piece_seconds: Fraction = Fraction(1)
    frame_rate_max: Fraction = Fraction(15)
    crf: int = 26
    bitrate_bps_max: int = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveformSpec:
    """Peaks of one audio track: as audiowaveform's JSON or binary, version 2, or drawn, `width` × `height`."""

    type: Literal["waveform"] = "waveform"
    name: str = "waveform"
    role: Role = Role.WAVEFORM
    format: Literal["json", "dat", "png"] = "json"
    track_index: int
    bits: Literal[8, 16] = 8
    pixels_per_second: int = 100
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionsSpec:
    """What is said in one audio track: captions as WebVTT or SRT, or the transcript with its words as JSON."""

    type: Literal["captions"] = "captions"
    name: str
    role: Role = Role.CAPTIONS
    format: Literal["vtt", "srt", "json"]
    track_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSpec:
    """A part of a ladder's pictures, encoded by itself: those shown from `start` until before `end` (`None`: the end).

    Times are the ladder's own, multiples of its segments. `tracks` are all that the ladder is made of: their common
    beginning is its zero. `threads` are each encoder's: one gives the same bits every time, and on every machine.
    """

    type: Literal["chunk"] = "chunk"
    name: str
    role: Role = Role.CHUNK
    start: Fraction
    end: Fraction | None
    rungs: tuple[RungSpec, ...]
    tracks: tuple[int, ...]
    threads: int = 1


Spec = (
    ImageSpec | LoopSpec | RungSpec | AudioSpec | PlaylistSpec | DashSpec | Mp4Spec | SubtitlesSpec
    | ChaptersSpec | PosterSpec | StoryboardSpec | PreviewSpec | WaveformSpec | CaptionsSpec | ChunkSpec
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """What is done to every decoded picture of the source before it is scaled.

    `reflected` mirrors top to bottom first; then it is turned by `rotation_cw` degrees clockwise.
    """

    track_index: int = 0
    rotation_cw: int = 0
    reflected: bool = False
    deinterlace: bool = False
    tone_map: Literal["pq", "hlg"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The part of the source to make something of: seconds from the file's common zero, `end` excluded."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it leaves nothing out."""
        return self.start == 0 and self.end is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """One unit of rendering, run by one worker; it owes every rendition of `renditions` or fails.

    `duration_s` is that of the clip. `kept` are tracks of an earlier revision that its playlists name too. `joins`
    names the tasks whose chunks it puts together, in their order. Of an `extra` one nothing else depends on what it
    makes: when it fails, the rest is published without. A `small` one needs no machine of its own. A `watermark` is
    laid over every frame that is made.
    """

    name: str
    kind: TaskKind
    family: Family = Family.TRANSCODE
    renditions: tuple[Spec, ...]
    transform: Transform = field(default_factory=Transform)
    clip: Clip = field(default_factory=Clip)
    kept: Kept | None = None
    duration_s: float | None = None
    duration_exact: bool = True
    joins: tuple[str, ...] = ()
    extra: bool = False
    watermark: Watermark | None = None
    memory_bytes: int
    seconds_max: int
    small: bool = False

    @property
    def cores(self) -> int:
        """How many processor cores it can keep busy: encoding a ladder many, everything else hardly more than one."""
        return {TaskKind.VIDEO: _CORES_MAX, TaskKind.CHUNK: _CHUNK_CORES}.get(self.kind, 1)

    @property
    def owed_s(self) -> float | None:
        """The duration that its output may be held to, in seconds: a header's word alone is no evidence."""
        return self.duration_s if self.duration_exact else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Tasks that run beside each other; the next stage starts when all are done.

    What an `early` one makes is to be had as soon as it is done, until what later stages make takes its place.
    """

    name: str
    tasks: tuple[PlannedTask, ...]
    early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole of it. `decisions` explain what was chosen, skipped or changed, in the order of deciding."""

    stages: tuple[Stage, ...]
    decisions: tuple[Decision, ...] = ()

    @property
    def early(self) -> "Plan":
        """Those of its stages whose renditions are published before the others are made."""
        return replace(self, stages=tuple(stage for stage in self.stages if stage.early))

    @property
    def lasting(self) -> "Plan":
        """Those of its stages whose renditions are published at the end."""
        return replace(self, stages=tuple(stage for stage in self.stages if not stage.early))

    def task(self, name: str) -> PlannedTask:
        """The task called `name`; `KeyError` when the plan has none."""
        for stage in self.stages:
            for task in stage.tasks:
                if task.name == name:
                    return task
        raise KeyError(name)
