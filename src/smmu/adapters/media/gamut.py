"""Whether a picture shows colours that sRGB has not: of such a one Display P3 is worth keeping.

It is looked at from as far as its look is. A profile alone says little: most pictures with a wide one show nothing
that needs it. The matrix leads from Display P3's primaries to those of sRGB; white and curve are the same in both
(SMPTE EG 432-1, IEC 61966-2-1). What inks and greys can show is not asked.
"""

import numpy as np
import numpy.typing as npt

from smmu.adapters.media.picture import DISPLAY_P3, Picture, VipsImage
from smmu.domain.facts import ImageFacts

_COLOURS = frozenset({"srgb", "rgb", "rgb16", "scrgb"})
_SHARE_MIN = 0.005  # of a picture: less of it does not characterise it
_LEVELS_MIN = 4  # of 255: what clipping changes less is not seen
_TO_SRGB = np.array(((1.22494, -0.22494, 0.0), (-0.04206, 1.04206, 0.0), (-0.01964, -0.07864, 1.09828)))

Numbers = npt.NDArray[np.float64]


def is_wide(picture: Picture, size: tuple[int, int]) -> bool:
    """Of this picture, or of its first frame, made as small as `size`."""
    if not _may_be(picture.facts):
        return False
    seen = _seen(picture.pixels(*size, animated=False, colours="p3"))
    light = _decoded(seen)
    clipped = _encoded(np.linalg.solve(_TO_SRGB, (light @ _TO_SRGB.T).clip(0, 1).T).T)
    lost = np.abs(clipped - seen).max(axis=1, initial=0) * 255 > _LEVELS_MIN
    return bool(lost.sum() > _SHARE_MIN * len(lost))


def _may_be(facts: ImageFacts) -> bool:
    return facts.colour == DISPLAY_P3 or (facts.has_icc and facts.colour in _COLOURS)


def _seen(image: VipsImage) -> Numbers:
    """Red, green and blue of what is not transparent, from 0 to 1."""
    data: Numbers = image.colourspace("srgb").cast("uchar").numpy().astype(np.float64) / 255
    data = data.reshape(-1, image.bands)
    return data[:, :3] if not image.hasalpha() else data[data[:, 3] > 0.5, :3]  # noqa: PLR2004 - half


def _decoded(numbers: Numbers) -> Numbers:
    light: Numbers = np.where(numbers <= 0.04045, numbers / 12.92, ((numbers + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    return light


def _encoded(light: Numbers) -> Numbers:
    light = light.clip(0, 1)
    numbers: Numbers = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    return numbers
