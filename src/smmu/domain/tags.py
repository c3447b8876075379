"""What a file says of its own making, and how much of that is kept: everything here was written by a stranger.

Texts lose what cannot be shown and are cut to a length, numbers that cannot be are dropped, times and places are
checked. No serial number and no owner's name of a camera is among the tags: they identify a person by a thing.
"""

import math
import re
import unicodedata
from dataclasses import dataclass, fields, replace
from typing import Any, Final

WORDS_CHARS_MAX: Final = 200
DESCRIPTION_CHARS_MAX: Final = 2_000
KEYWORDS_MAX: Final = 50

_TIME: Final = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,6})?"
    r"(Z|[+-](0\d|1[0-4]):[0-5]\d)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """A picture's camera, lens, time, exposure and place; a sound's record; words. Not known: `None`, "" or empty.

    `taken_at` is a local time, with its offset from UTC when the camera knew it. Degrees are of WGS 84, north and east
    positive.
    """

    make: str = ""
    model: str = ""
    lens: str = ""
    software: str = ""
    taken_at: str | None = None
    exposure_s: float | None = None
    aperture: float | None = None
    iso: float | None = None
    focal_length_mm: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None
    title: str = ""
    description: str = ""
    creator: str = ""
    copyright: str = ""
    keywords: tuple[str, ...] = ()
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    composer: str = ""
    genre: str = ""
    released: str | None = None
    track: int | None = None
    disc: int | None = None


# the least and the most that each number may be; what is beyond is nonsense, and dropped
_RANGES: Final = {
    "exposure_s": (0.0, 86_400.0),
    "aperture": (0.1, 1_000.0),
    "iso": (1.0, 10_000_000.0),
    "focal_length_mm": (0.1, 100_000.0),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "altitude_m": (-12_000.0, 100_000.0),
}
_NUMBERS_MAX: Final = {"track": 9_999, "disc": 999}
_DAY: Final = re.compile(r"[12]\d{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


def cleaned(tags: Tags) -> Tags | None:
    """What may be kept of these tags; `None` when nothing is left."""
    words = [field.name for field in fields(tags) if field.type is str]
    clean: dict[str, Any] = {
        **{name: clean_words(getattr(tags, name), _chars_max(name)) for name in words},
        **{name: _within(getattr(tags, name), *bounds) for name, bounds in _RANGES.items()},
        **{name: _counted(getattr(tags, name), most) for name, most in _NUMBERS_MAX.items()},
    }
    kept = replace(
        tags,
        **clean,
        keywords=_keywords(tags.keywords),
        released=tags.released if tags.released and _DAY.fullmatch(tags.released) else None,
        taken_at=tags.taken_at if tags.taken_at and _TIME.fullmatch(tags.taken_at) else None,
    )
    if kept.latitude is None or kept.longitude is None:  # half a place is none
        kept = replace(kept, latitude=None, longitude=None, altitude_m=None)
    return None if kept == Tags() else kept


def clean_words(text: str, chars_max: int) -> str:
    """One line without what cannot be shown: control characters, marks of direction, halves of characters."""
    shown = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text[: 4 * chars_max])
    kept = "".join(char for char in shown if unicodedata.category(char)[0] != "C")
    return " ".join(kept.split())[:chars_max].rstrip()


def _chars_max(name: str) -> int:
    return DESCRIPTION_CHARS_MAX if name == "description" else WORDS_CHARS_MAX


def _keywords(given: tuple[str, ...]) -> tuple[str, ...]:
    words = (clean_words(word, WORDS_CHARS_MAX) for word in given[:KEYWORDS_MAX])
    return tuple(dict.fromkeys(word for word in words if word))


def _counted(number: int | None, most: int) -> int | None:
    return number if number is not None and 1 <= number <= most else None


def _within(number: float | None, least: float, most: float) -> float | None:
    if number is None or not math.isfinite(number) or not least <= number <= most:
        return None
    return number
