"""`Picture`: an opened picture, its header read and its pixels not yet; and what every decoder's pixels go through.

Formats are opened in `picture_vips.py`, `picture_heif.py` and `picture_pillow.py`. Nothing is judged here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyvips

from smmu.domain.facts import ImageFacts

VipsImage = Any  # pyvips ships no types
EXIF_GPS = 0x8825
_POSITION_TAGS = (2, 4)  # GPSLatitude, GPSLongitude

pyvips.cache_set_max(0)  # a process looks at one picture once: what a cache kept would only not be freed


class Pixels(Protocol):
    """Upright sRGB pixels of exactly this size; all frames in one tall column when `animated`."""

    def __call__(self, width: int, height: int, *, animated: bool) -> VipsImage:
        """Decode them; raises what the decoder raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`whole` decodes every pixel once and keeps none; `bytes_per_pixel` is what its decoder holds meanwhile."""

    facts: ImageFacts
    has_position: bool
    bytes_per_pixel: int
    whole: Callable[[], object] = field(repr=False)
    pixels: Pixels = field(repr=False)


def with_profile(image: VipsImage, icc: bytes | None) -> VipsImage:
    """The same pixels, knowing what their colours mean."""
    if not icc:
        return image
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return image


def as_column(frames: Sequence[VipsImage], delays_ms: Sequence[int]) -> VipsImage:
    """Frames of one size as libvips holds an animation: one below the other."""
    column = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    column.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    column.set_type(pyvips.GValue.gint_type, "n-pages", len(frames))
    column.set_type(pyvips.GValue.array_int_type, "delay", list(delays_ms))
    return column


def resized(image: VipsImage, width: int, height: int) -> VipsImage:
    """Every frame in exactly this size, in sRGB."""
    return image.thumbnail_image(width, height=height, size="force", output_profile="srgb")


def exif_position(exif: bytes | None) -> bool:
    """Whether EXIF data says where the picture was taken."""
    if not exif:
        return False
    from PIL import Image  # noqa: PLC0415 - only for the files that need it

    found = Image.Exif()
    found.load(exif)
    place = found.get_ifd(EXIF_GPS)
    return any(tag in place for tag in _POSITION_TAGS)
