"""What an owner may ask for with a file: one preset, and what to change in it. Everything else is the planner's.

A preset is a promise, kept by the planner and stated here:

    web           everything: all widths and crops, the whole ladder, sound, poster, storyboard, one file, waveform
    archive       as web, with more bits: a lower CRF, higher caps and a higher image quality
    preview-only  the least that shows what it is: two small pictures; the lowest rung and a poster; sound as a file
    audio-only    of a video, just its sound, as of a sound file

Parsing refuses unknown fields instead of ignoring them: a misspelt wish must not look granted. What can only be judged
by the file itself, such as a clip that begins after its end, is in `judgement.judge_options`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from smmu.domain import watermark
from smmu.domain.errors import Code, Reason, escaped, refuse_if
from smmu.domain.quick import quick
from smmu.domain.watermark import WatermarkWish

Preset = Literal["web", "archive", "preview-only", "audio-only"]
ImageFormat = Literal["webp", "jpeg", "avif"]
VideoCodec = Literal["h264", "hevc", "av1"]
AudioFormat = Literal["aac", "opus", "mp3"]

PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)
VIDEO_CODECS: Final[tuple[VideoCodec, ...]] = get_args(VideoCodec)
AUDIO_FORMATS: Final[tuple[AudioFormat, ...]] = get_args(AudioFormat)
RUNGS: Final = (240, 360, 480, 720, 1080, 1440, 2160)
IMAGE_FORMATS: Final[tuple[ImageFormat, ...]] = get_args(ImageFormat)
IMAGE_FORMATS_ALWAYS: Final[tuple[ImageFormat, ...]] = ("webp", "jpeg")
IMAGE_WIDTHS: Final = (320, 640, 1280, 1920, 2560)
IMAGE_WIDTH_MIN, IMAGE_WIDTH_MAX, IMAGE_WIDTHS_MAX = 16, 8_192, 8
CLIP_SECONDS_MIN, CLIP_SECONDS_MAX = 0.1, 86_400.0
ADDABLE: Final = ("preset", "rungs", "codecs", "audio_formats", "image_widths", "image_formats")  # to what is there
CHANGEABLE: Final = (*ADDABLE, "watermark")


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The owner's wishes. `image_widths` are pixels of width, ascending; none is ever made by enlarging.

    `rungs` are short sides in pixels, ascending; none means all that fit. H.264 is always among `codecs`. A clip is
    from `clip_start_s` until `clip_end_s` (`None`: the end), in seconds from where the file begins. WebP and JPEG are
    always among `image_formats`, AAC among `audio_formats`, which are of sound files. `read_metadata`: what a file says
    of its making (a picture's camera, time, place and words; a sound's title, artist, album and so on) is kept with the
    media; it is in nothing that is made, whatever is wished. A `watermark` is laid over a video.
    """

    preset: Preset = "web"
    image_widths: tuple[int, ...] = IMAGE_WIDTHS
    image_formats: tuple[ImageFormat, ...] = IMAGE_FORMATS_ALWAYS
    read_metadata: bool = False
    rungs: tuple[int, ...] = ()
    codecs: tuple[VideoCodec, ...] = ("h264",)
    audio_formats: tuple[AudioFormat, ...] = ("aac",)
    clip_start_s: float = 0.0
    clip_end_s: float | None = None
    mute: bool = False
    watermark: WatermarkWish | None = None

    @property
    def is_clipped(self) -> bool:
        """Whether less than the whole file is wanted."""
        return self.clip_start_s > 0 or self.clip_end_s is not None


_NO_WISHES: Final = Options()  # as most uploads have it


def parse_options(given: Mapping[str, object], pointer: str = "/options") -> Options:
    """Options from a plain mapping. Raises `Refused` (`invalid_options`) naming every bad field at `pointer`."""
    if not given:
        return _NO_WISHES
    refuse_if(tuple(_complaints(given, pointer)))
    refuse_if(tuple(_contradictions(given, pointer)))
    return Options(**{name: _FIELDS[name].parse(value) for name, value in given.items()})


def widened(base: Options, given: Mapping[str, object], pointer: str = "/options") -> Options:
    """`base` with more of what can be added later: a list is added to, a preset or a watermark replaces the one before.

    Raises `Refused` as `parse_options`, and for what is settled with the upload: which part, whether with sound.
    """
    refuse_if(tuple(_settled(given, pointer)))
    more = parse_options(given, pointer)
    after = replace(
        base,
        preset=more.preset if "preset" in given else base.preset,
        rungs=_with(base.rungs, more.rungs) if base.rungs else (),
        codecs=tuple(codec for codec in VIDEO_CODECS if codec in (*base.codecs, *more.codecs)),
        audio_formats=tuple(name for name in AUDIO_FORMATS if name in (*base.audio_formats, *more.audio_formats)),
        image_widths=_with(base.image_widths, more.image_widths if "image_widths" in given else ()),
        image_formats=tuple(name for name in IMAGE_FORMATS if name in (*base.image_formats, *more.image_formats)),
        watermark=more.watermark if "watermark" in given else base.watermark,
    )
    kept = {"preset": after.preset, "mute": after.mute, "watermark": after.watermark}
    refuse_if(tuple(_contradictions(kept, pointer)))
    return after


def _settled(given: Mapping[str, object], pointer: str) -> Iterator[Reason]:
    for name in given:
        if name in _FIELDS and name not in CHANGEABLE:
            added = f"what can be added later is {', '.join(ADDABLE)}"
            words = f"{name} is settled with the upload: {added}; the watermark can be changed."
            yield _bad(f"{pointer}/{name}", words)


def _with(base: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted({*base, *more}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One option: whether a value is one, what to say if not or of what is in it, and the value that is kept."""

    holds: Callable[[Any], bool]
    otherwise: str
    inside: Callable[[Any, str], Iterator[Reason]] = lambda _value, _pointer: iter(())
    parse: Callable[[Any], Any] = lambda value: value


def _complaints(given: Mapping[str, object], pointer: str) -> Iterator[Reason]:
    for name, value in given.items():
        place = f"{pointer}/{escaped(name)}"
        if name not in _FIELDS:
            yield _bad(place, f"There is no such option: the options are {', '.join(_FIELDS)}.")
        elif not _FIELDS[name].holds(value):
            yield _bad(place, _FIELDS[name].otherwise)
        else:
            yield from _FIELDS[name].inside(value, place)


def _contradictions(given: Mapping[str, Any], pointer: str) -> Iterator[Reason]:
    start, end = given.get("clip_start_s", 0), given.get("clip_end_s")
    if end is not None and end - start < CLIP_SECONDS_MIN:
        words = f"The clip ends at {end:g} s and starts at {start:g} s: it lasts at least {CLIP_SECONDS_MIN} seconds."
        yield _bad(f"{pointer}/clip_end_s", words)
    if given.get("mute") and given.get("preset") == "audio-only":
        yield _bad(f"{pointer}/mute", "The preset audio-only makes nothing but sound: leave out one of the two.")
    if given.get("watermark") and given.get("preset") == "audio-only":
        words = "The preset audio-only makes nothing that a watermark could be laid over: leave out one of the two."
        yield _bad(f"{pointer}/watermark", words)


def _are_widths(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= IMAGE_WIDTHS_MAX:
        return False
    return all(type(width) is int and IMAGE_WIDTH_MIN <= width <= IMAGE_WIDTH_MAX for width in value)


def _are_among(known: tuple[object, ...]) -> Callable[[object], bool]:
    def holds(value: object) -> bool:
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= len(known):
            return False
        return all(isinstance(one, (int, str)) and not isinstance(one, bool) and one in known for one in value)

    return holds


def _are_seconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and 0 <= value <= CLIP_SECONDS_MAX


def _ascending(values: list[int]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


_SECONDS = f"a number of seconds from 0 to {CLIP_SECONDS_MAX:.0f}"
_FIELDS: Final[Mapping[str, _Field]] = {
    "preset": _Field(
        holds=lambda value: isinstance(value, str) and value in PRESETS,
        otherwise=f"The preset is not known: choose one of {', '.join(PRESETS)}.",
    ),
    "image_widths": _Field(
        holds=_are_widths,
        otherwise=f"Image widths are a list of one to {IMAGE_WIDTHS_MAX} whole numbers"
        f" from {IMAGE_WIDTH_MIN} to {IMAGE_WIDTH_MAX}.",
        parse=_ascending,
    ),
    "image_formats": _Field(
        holds=_are_among(IMAGE_FORMATS),
        otherwise=f"Image formats are a list of {', '.join(IMAGE_FORMATS)}; webp and jpeg are always made.",
        parse=lambda value: tuple(name for name in IMAGE_FORMATS if name in (*IMAGE_FORMATS_ALWAYS, *value)),
    ),
    "read_metadata": _Field(
        holds=lambda value: isinstance(value, bool), otherwise="Whether metadata is read is true or false."
    ),
    "rungs": _Field(
        holds=_are_among(RUNGS),
        otherwise=f"Rungs are a list of short sides in pixels: {', '.join(map(str, RUNGS))}.",
        parse=_ascending,
    ),
    "codecs": _Field(
        holds=_are_among(VIDEO_CODECS),
        otherwise=f"Codecs are a list of {', '.join(VIDEO_CODECS)}; h264 is always made.",
        parse=lambda value: tuple(codec for codec in VIDEO_CODECS if codec == "h264" or codec in value),
    ),
    "audio_formats": _Field(
        holds=_are_among(AUDIO_FORMATS),
        otherwise=f"Audio formats are a list of {', '.join(AUDIO_FORMATS)}; aac is always made.",
        parse=lambda value: tuple(name for name in AUDIO_FORMATS if name == "aac" or name in value),
    ),
    "clip_start_s": _Field(holds=_are_seconds, otherwise=f"A clip's start is {_SECONDS}.", parse=float),
    "clip_end_s": _Field(
        holds=lambda value: value is None or _are_seconds(value),
        otherwise=f"A clip's end is {_SECONDS}, or null for the file's end.",
        parse=lambda value: None if value is None else float(value),
    ),
    "mute": _Field(holds=lambda value: isinstance(value, bool), otherwise="Mute is true or false."),
    "watermark": _Field(
        holds=lambda value: value is None or isinstance(value, Mapping),
        otherwise="A watermark is an object that names its image, or null for none.",
        inside=lambda value, pointer: iter(()) if value is None else watermark.complaints(value, pointer),
        parse=lambda value: None if value is None else WatermarkWish(**value),
    ),
}


def _bad(pointer: str, message: str) -> Reason:
    return Reason(code=Code.INVALID_OPTIONS, message=message, pointer=pointer)
