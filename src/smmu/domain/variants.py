"""Pictures made on request: which there may be, and how each is made. There are few, so that each is made once.

Sides come in steps, because every width that a page may think of would be another picture. Nothing is enlarged: what
is asked larger than the source is made in the source's size, with the shape that was asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from smmu.domain import estimates
from smmu.domain.errors import Code, Reason, refuse_if
from smmu.domain.facts import ImageFacts
from smmu.domain.limits import Limits
from smmu.domain.options import IMAGE_FORMATS, ImageFormat, Options
from smmu.domain.plan import ImageSpec, PlannedTask, Role, TaskKind
from smmu.domain.plan_images import SIDE_MAX, colours_of, quality_of

Fit = Literal["contain", "cover"]

SIDES: Final = (64, 96, 128, 160, 192, 256, 320, 384, 480, 512, 640, 768, 960, 1024, 1280, 1600, 1920, 2560)
FITS: Final[tuple[Fit, ...]] = get_args(Fit)
_FIELDS: Final = ("w", "h", "fit", "format")
_RECIPE: Final = 2  # raised when the same wish makes another picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One picture that may be asked for: within `width` and `height` (`contain`), or cut to fill both (`cover`)."""

    width: int | None
    height: int | None
    fit: Fit = "contain"
    format: ImageFormat = "webp"

    @property
    def name(self) -> str:
        """What it is called in storage: equal for equal wishes, and for no others."""
        return f"{_RECIPE}-{self.width or 'any'}x{self.height or 'any'}-{self.fit}.{self.format}"

    @property
    def query(self) -> dict[str, str]:
        """How it is asked for."""
        sides = {"w": self.width, "h": self.height}
        asked = {name: str(side) for name, side in sides.items() if side is not None}
        return {**asked, "fit": self.fit, "format": self.format}


def parse_variant(given: Mapping[str, str]) -> Variant:
    """The variant that a query asks for. Raises `Refused` (`invalid_variant`) naming every bad field."""
    refuse_if(tuple(_complaints(given)))
    return Variant(
        width=_side(given.get("w")),
        height=_side(given.get("h")),
        fit=cast("Fit", given.get("fit", "contain")),
        format=cast("ImageFormat", given.get("format", "webp")),
    )


def not_made_here() -> Reason:
    """Why there are none where nobody makes them."""
    words = "This service makes no pictures on request: ask for widths when you upload."
    return Reason(code=Code.NOT_MADE_HERE, message=words)


def plan_variant(variant: Variant, image: ImageFacts, limits: Limits) -> PlannedTask:
    """The task that makes it. An animation's is its first frame."""
    width, height = size_of(variant, image.display_size)
    pixels = image.width * image.height
    spec = ImageSpec(
        name="variant",
        role=Role.IMAGE,
        format=variant.format,
        width=width,
        height=height,
        quality=quality_of(variant.format, Options()),
        crop=variant.fit == "cover",
        colours=colours_of(variant.format, image),
    )
    return PlannedTask(
        name="variant",
        kind=TaskKind.IMAGES,
        renditions=(spec,),
        memory_bytes=estimates.images_memory((spec,), pixels, 1, limits),
        seconds_max=limits.variant_seconds,
    )


def size_of(variant: Variant, source: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the picture that is made of one of this size."""
    width, height = source
    across, down = variant.width or width, variant.height or height
    if variant.fit == "cover":
        shrink = min(1.0, width / across, height / down)
        return max(1, min(width, round(across * shrink))), max(1, min(height, round(down * shrink)))
    shrink = min(1.0, across / width, down / height, SIDE_MAX / max(width, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))


def _side(text: str | None) -> int | None:
    return None if text is None else int(text)


def _complaints(given: Mapping[str, str]) -> Iterator[Reason]:
    steps = {str(side) for side in SIDES}
    for name in given:
        if name not in _FIELDS:
            yield _bad("", f"There is no such parameter: the parameters are {', '.join(_FIELDS)}.")
    for name in ("w", "h"):
        if given.get(name, "64") not in steps:
            yield _bad(f"/{name}", f"{name} is a number of pixels, in these steps: {', '.join(map(str, SIDES))}.")
    if given.get("fit", "contain") not in FITS:
        yield _bad("/fit", f"There is no such fit: choose one of {', '.join(FITS)}.")
    elif given.get("fit") == "cover" and not {"w", "h"} <= given.keys():
        yield _bad("/fit", "To cover a frame needs both its sides, w and h.")
    elif not {"w", "h"} & given.keys():
        yield _bad("/w", "Say how large the picture may be: w, h or both.")
    if given.get("format", "webp") not in IMAGE_FORMATS:
        yield _bad("/format", f"There is no such format: choose one of {', '.join(IMAGE_FORMATS)}.")


def _bad(pointer: str, message: str) -> Reason:
    return Reason(code=Code.INVALID_VARIANT, message=message, pointer=pointer)
