"""`Picture`: an opened picture, its header read and its pixels not yet; and what every decoder's pixels go through.

Formats are opened in `picture_vips.py`, `picture_heif.py` and `picture_pillow.py`. Nothing is judged here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyvips

from smmu.domain.facts import ImageFacts
from smmu.domain.plan import Colours

VipsImage = Any  # pyvips ships no types
PROFILE = "icc-profile-data"
_HASTY_MS, _USUAL_MS = 10, 100  # browsers show a frame that asks for no more than 10 ms for 100
_PLAIN = frozenset({"srgb", "rgb", "b-w", "rgb16", "grey16"})  # sRGB, or what it is a few shifts away

P3: bytes = pyvips.Image.profile_load("p3")  # 480 bytes that name nobody: saucecontrol/Compact-ICC-Profiles, CC0

DISPLAY_P3 = "display-p3"  # as a container says it, in facts

pyvips.cache_set_max(0)  # a process looks at one picture once: what a cache kept would only not be freed


class Pixels(Protocol):
    """Upright pixels of exactly this size, in `colours`; all frames in one tall column when `animated`."""

    def __call__(self, width: int, height: int, *, animated: bool, colours: Colours = "srgb") -> VipsImage:
        """Decode them; raises what the decoder raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What a file carries beside its pixels, as it carries it."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`whole` decodes every pixel once and keeps none; `bytes_per_pixel` is what its decoder holds meanwhile."""

    facts: ImageFacts
    notes: Notes
    bytes_per_pixel: int
    whole: Callable[[], object] = field(repr=False)
    pixels: Pixels = field(repr=False)


def with_profile(image: VipsImage, icc: bytes | None) -> VipsImage:
    """The same pixels, knowing what their colours mean."""
    if not icc:
        return image
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, PROFILE, icc)
    return image


def as_column(frames: Sequence[VipsImage], delays_ms: Sequence[int], loop: int = 0) -> VipsImage:
    """Frames of one size as libvips holds an animation: one below the other. `loop`: how often; 0, for ever."""
    column = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    column.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    column.set_type(pyvips.GValue.gint_type, "n-pages", len(frames))
    column.set_type(pyvips.GValue.array_int_type, "delay", list(delays_ms))
    column.set_type(pyvips.GValue.gint_type, "loop", loop)
    return column


def shown_ms(delays: Sequence[int]) -> list[int]:
    """How long browsers show frames that ask for so many milliseconds."""
    return [delay if delay > _HASTY_MS else _USUAL_MS for delay in delays]


def upright(image: VipsImage, orientation: int) -> VipsImage:
    """Every frame turned as EXIF's `orientation` asks. Turning a column as a whole would mix its frames up."""
    if orientation == 1:
        return image
    if image.get_page_height() == image.height:
        return _turned(image, orientation)
    image = image.copy_memory()
    height = image.get_page_height()
    frames = [image.crop(0, top, image.width, height) for top in range(0, image.height, height)]
    loop = image.get("loop") if image.get_typeof("loop") else 0
    return as_column([_turned(frame, orientation) for frame in frames], image.get("delay"), loop)


def _turned(frame: VipsImage, orientation: int) -> VipsImage:
    frame = frame.copy()
    for name in ("page-height", "n-pages"):
        frame.remove(name)
    frame.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return frame.autorot()


def resized(image: VipsImage, width: int, height: int, colours: Colours = "srgb") -> VipsImage:
    """Every frame in exactly this size, in these colours. What is plain and has no profile is in them already."""
    return image.thumbnail_image(width, height=height, size="force", **colours_of(image, colours))


def colours_of(image: VipsImage, colours: Colours, meant: str | None = None) -> dict[str, str]:
    """What scaling is told about colours. A picture that is in sRGB already would be converted for nothing, slowly.

    Perceptual: relative, which is libvips' own choice, leaves the black of ink and of some profiles a grey. Inks of an
    unknown kind are taken for libvips' own, by name: else they are converted before anybody asks how. `meant` is the
    name of what the numbers are without a profile, where the container says so.
    """
    meant = meant or ("cmyk" if image.interpretation == "cmyk" else None)
    if meant is None and not image.get_typeof(PROFILE) and image.interpretation in _PLAIN:
        return {}
    known = {} if meant is None else {"input_profile": meant}
    return {"output_profile": colours, "intent": "perceptual", **known}


def in_srgb(image: VipsImage) -> VipsImage:
    """What is in Display P3, as near as sRGB comes to it."""
    return with_profile(image, P3).icc_transform("srgb", embedded=True, intent="perceptual").copy_memory()


def cropped(image: VipsImage, width: int, height: int) -> VipsImage:
    """The part of this size that draws the eye: edges, skin and saturated colours, as libvips weighs them."""
    return image.smartcrop(width, height, interesting="attention").copy_memory()
