"""What is known of a media file after inspection: measured, never declared.

All sizes are in pixels or bytes, durations and times in seconds, rates as exact fractions.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from smmu.domain.tags import Tags


class Kind(StrEnum):
    """What a file is to the product, whatever its container."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Transfer(StrEnum):
    """The light a video's numbers stand for."""

    SDR = "sdr"
    PQ = "pq"
    HLG = "hlg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a picture looks like, in a few bytes. `colours` are `#rrggbb`, those of most pixels first.

    `thumbhash` is a placeholder in base 64; `fingerprint` 64 bits in hexadecimal, alike for pictures that look alike.
    """

    thumbhash: str
    colours: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Texture:
    """How the pixels of a picture lie beside each other, as shares of them.

    `common`: those of its four commonest colours. `flat`: those that are exactly like their neighbour. `sharp`: of the
    others, those that are nothing like it. The latter two are `None` where they were not measured.
    """

    common: float
    flat: float | None = None
    sharp: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """A still or animated picture. `width` and `height` are as stored; `orientation` (EXIF 1–8) makes it upright.

    For HEIF `orientation` is what the container's own transform leaves to do, which is nothing: 1. `transfer` is what
    the container says of its numbers. One of `wide_gamut` shows colours that sRGB has not.
    """

    width: int
    height: int
    orientation: int = 1
    frames: int = 1
    has_alpha: bool = False
    bit_depth: int = 8
    colour: str = "srgb"
    has_icc: bool = False
    transfer: Transfer = Transfer.SDR
    wide_gamut: bool = False
    look: Look | None = None
    texture: Texture | None = None

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        turned = self.orientation >= 5  # noqa: PLR2004 - EXIF: 5 to 8 swap the axes
        return (self.height, self.width) if turned else (self.width, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The groups of pictures of a track, each of them from a keyframe to the next.

    `closed`: of every keyframe that was looked at, nothing from before it is needed to show what follows.
    """

    count: int
    longest_s: float
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTrack:
    """The main picture track. `width`, `height` as coded; `rotation_cw` degrees clockwise make it upright.

    A `reflected` one is mirrored top to bottom first, and turned then. `level` is ten times the codec's own. `groups`
    are known where all of the track was read, or is in an index; of a `trimmed` one an edit list hides some pictures.
    A `tilted` one has a display matrix that is no turn by quarters. `others` are further tracks of moving pictures.
    `captions` are inside of its pictures (CEA-608 and 708).
    """

    index: int
    codec: str
    profile: str = ""
    level: int | None = None
    width: int
    height: int
    sample_aspect: Fraction = Fraction(1)
    rotation_cw: int = 0
    reflected: bool = False
    tilted: bool = False
    frame_rate: Fraction | None = None
    variable_frame_rate: bool = False
    frames: int | None = None
    duration_s: float | None = None
    pixel_format: str = "yuv420p"
    bit_depth: int = 8
    transfer: Transfer = Transfer.SDR
    colour_primaries: str = ""
    colour_space: str = ""
    colour_transfer: str = ""
    full_range: bool = False
    interlaced: bool = False
    bitrate_bps: int | None = None
    groups: Groups | None = None
    trimmed: bool = False
    others: int = 0
    captions: bool = False

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height of the upright picture, with square pixels and rounded to whole ones."""
        width = max(1, round(self.width * self.sample_aspect))
        return (self.height, width) if self.rotation_cw % 180 else (width, self.height)


class Purpose(StrEnum):
    """What a sound or text is for, when it is not simply the film's."""

    FORCED = "forced"  # text for who reads none: what is said in a language that the film is not in
    HARD_OF_HEARING = "hard-of-hearing"
    DESCRIPTION = "description"  # sound that says what is to be seen
    COMMENTARY = "commentary"
    RECOGNISED = "recognised"  # text that a machine has heard


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    """One sound track. `language` is a tag (BCP 47), `title` what the file calls it; "" when it does not say.

    `unheard` says why nobody can hear it here, beside a track that can be heard or a picture; "" when one can.
    """

    index: int
    codec: str
    channels: int
    sample_rate: int
    duration_s: float | None = None
    language: str = ""
    default: bool = False
    title: str = ""
    purpose: Purpose | None = None
    unheard: str = ""

    @property
    def playable(self) -> bool:
        """Whether the track says what a decoder must know; one that does not has no decoder or no sound."""
        return self.channels > 0 and self.sample_rate > 0 and not self.unheard

    @property
    def why_unplayable(self) -> str:
        """The reason, for a track that is not playable."""
        return self.unheard or "it states no channels or no sample rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleTrack:
    """One text track carried by the file; `language` and `title` as those of a sound."""

    index: int
    codec: str
    language: str = ""
    title: str = ""
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A named part of a file, in seconds from where it begins."""

    start_s: float
    end_s: float
    title: str = ""


class Mark(StrEnum):
    """What a file says of how it is to be shown, in a standard's own place for it; never guessed from its shape."""

    SPHERICAL = "spherical"  # a projection of a sphere, or of a part of one
    PANORAMA = "panorama"  # a part of a cylinder
    STEREO = "stereo"  # a picture for each eye: in every frame, or in layers of it
    LIVE_PHOTO = "live_photo"  # a photo with a film to it, or the film of Apple's pair
    SLOW_MOTION = "slow_motion"  # a film that is to be shown slower than it was taken
    GAIN_MAP = "gain_map"  # a picture with what makes it brighter where a screen can
    DEPTH = "depth"  # a picture with how far away everything in it is


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """Everything inspection measured. `duration_s` is `None` only for a still image.

    `duration_s` is the span of packet timestamps where the header cannot be believed; `duration_exact` says whether
    it was measured, by all packets or by the first and the last, or is the header's word within the read budget
    ("measured by render"). `cover` is the picture that a sound carries, where it is one that can be decoded. `tags` are
    as the file has them until they are cleaned, and are kept only for who asked for them.
    """

    kind: Kind
    container: str
    content_type: str
    size_bytes: int
    duration_s: float | None = None
    duration_exact: bool = True
    image: ImageFacts | None = None
    video: VideoTrack | None = None
    audio: tuple[AudioTrack, ...] = ()
    subtitles: tuple[SubtitleTrack, ...] = ()
    has_cover_art: bool = False
    cover: ImageFacts | None = None
    has_position: bool = False
    chapters: tuple[Chapter, ...] = ()
    tags: Tags | None = None
    marks: tuple[Mark, ...] = ()
    bytes_read: int = 0
    warnings: tuple[str, ...] = ()
