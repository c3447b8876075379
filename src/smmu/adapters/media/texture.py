"""How the pixels of a picture lie beside each other: what tells a screen from a photo (`domain/classification.py`).

Colours are counted in the small picture that the look is taken of. Neighbours have to be the file's own pixels, because
scaling makes them alike; that is one more decoding, streamed, and done only where there are few colours.
"""

import numpy as np

from smmu.adapters.media.look import Numbers
from smmu.adapters.media.picture import Picture, VipsImage
from smmu.domain.classification import COMMON_SHARE_MIN
from smmu.domain.facts import Texture

_PIXELS_MAX = 50_000_000  # beyond that the time goes to what has to be known
_LEVELS = 16  # of each colour: what is as near as this is one
_COMMON = 4
_VISIBLE = 0.5
_JUMP = 48  # of 255: more than shading and noise do from one pixel to the next
_MEAN = 4  # a column of libvips' statistics; its first row is of all bands together


def texture_of(picture: Picture, small: Numbers) -> Texture:
    """The texture of a picture, or of its first frame. `small` is what its look was taken of."""
    common, (width, height) = common_share(small), picture.facts.display_size
    if common < COMMON_SHARE_MIN or width * height > _PIXELS_MAX or width == 1:
        return Texture(common=round(common, 3))
    flat, sharp = neighbours(picture.pixels(width, height, animated=False))
    return Texture(common=round(common, 3), flat=round(flat, 3), sharp=round(sharp, 3))


def common_share(small: Numbers) -> float:
    """The share of visible pixels that have one of the four commonest colours; 0 where nothing is to be seen."""
    seen = small[..., :3][small[..., 3] >= _VISIBLE]
    if not len(seen):
        return 0.0
    levels = np.minimum((seen * _LEVELS).astype(np.int64), _LEVELS - 1)
    counts = np.bincount(levels @ (_LEVELS * _LEVELS, _LEVELS, 1))
    return float(np.sort(counts)[-_COMMON:].sum() / len(seen))


def neighbours(image: VipsImage) -> tuple[float, float]:
    """The share of pixels that are exactly like the one to their left, and of the others the share of jumps."""
    image = image.colourspace("srgb").cast("uchar")
    image = image.flatten(background=255) if image.hasalpha() else image
    width, height = image.width - 1, image.height
    steps = (image.crop(1, 0, width, height) - image.crop(0, 0, width, height)).abs()
    told = (steps == 0).bandand().bandjoin((steps > _JUMP).bandor()).stats()
    flat, jumps = (told.getpoint(_MEAN, row)[0] / 255 for row in (1, 2))
    return flat, jumps / (1 - flat) if flat < 1 else 0.0
