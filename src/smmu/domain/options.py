"""What an owner may ask for with a file: one preset, and the widths of pictures. Everything else is the planner's.

A preset is a promise, kept by the planner and stated here:

    web           everything: every width, the whole ladder, sound, poster, progressive file, waveform
    archive       as web, with more bits: a lower CRF and a higher image quality
    preview-only  the least that shows what it is: two small pictures; the lowest rung and a poster; the sound
    audio-only    of a video, just its sound

Parsing refuses unknown fields instead of ignoring them: a misspelt wish must not look granted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from smmu.domain.errors import Code, Reason, refuse_if

Preset = Literal["web", "archive", "preview-only", "audio-only"]

PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)
IMAGE_WIDTHS: Final = (320, 640, 1280, 1920, 2560)
IMAGE_WIDTH_MIN, IMAGE_WIDTH_MAX, IMAGE_WIDTHS_MAX = 16, 8_192, 8
_FIELDS: Final = ("preset", "image_widths")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The owner's wishes. `image_widths` are pixels of width, ascending; none is ever made by enlarging."""

    preset: Preset = "web"
    image_widths: tuple[int, ...] = IMAGE_WIDTHS


def parse_options(given: Mapping[str, object], pointer: str = "/options") -> Options:
    """Options from a plain mapping. Raises `Refused` (`invalid_options`) naming every bad field at `pointer`."""
    if not given:
        return Options()
    refuse_if(tuple(_complaints(given, pointer)))
    widths = cast("tuple[int, ...]", given.get("image_widths", IMAGE_WIDTHS))
    return Options(
        preset=cast("Preset", given.get("preset", "web")),
        image_widths=tuple(sorted(set(widths))),
    )


def _complaints(given: Mapping[str, object], pointer: str) -> Iterator[Reason]:
    for name in given:
        if name not in _FIELDS:
            place = f"{pointer}/{escaped(name)}"
            yield _bad(place, f"There is no such option: the options are {', '.join(_FIELDS)}.")
    if given.get("preset", "web") not in PRESETS:
        yield _bad(f"{pointer}/preset", f"The preset is not known: choose one of {', '.join(PRESETS)}.")
    if not _are_widths(given.get("image_widths", IMAGE_WIDTHS)):
        yield _bad(
            f"{pointer}/image_widths",
            f"Image widths are a list of one to {IMAGE_WIDTHS_MAX} whole numbers"
            f" from {IMAGE_WIDTH_MIN} to {IMAGE_WIDTH_MAX}.",
        )


def _are_widths(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= IMAGE_WIDTHS_MAX:
        return False
    return all(type(width) is int and IMAGE_WIDTH_MIN <= width <= IMAGE_WIDTH_MAX for width in value)


def escaped(name: str) -> str:
    """`name` as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _bad(pointer: str, message: str) -> Reason:
    return Reason(code=Code.INVALID_OPTIONS, message=message, pointer=pointer)
