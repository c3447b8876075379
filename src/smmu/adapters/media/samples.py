"""Samples that are no whole numbers of 8 or 16 bits, made such: libvips would cut their fractions off, and show black.

Full light is 1.0, and what is brighter is white; much brighter samples count as those of 8 or 16 bits do. Colours
without a profile are linear light, as renderers write them and libvips reads them; greys, and what has a profile, are
what they say (it is their numbers that a profile is about). It refuses to guess an exposure.
"""

from smmu.adapters.media.picture import PROFILE, VipsImage

FLOATING = frozenset({"float", "double"})  # formats of libvips
LOOSE = FLOATING | {"uint"}
_WORD = 65_535
_FULL_UINT = 4_294_967_295.0
_GLARE = 16.0  # lights in a rendered picture may be so much brighter than its white
_LINEAR = "scrgb"
_COLOUR_BANDS = 3


def numbers(image: VipsImage) -> VipsImage:
    """The picture with 0 for every sample that is no number: one would make an average of all of them none either."""
    return (image == image).ifthenelse(image, 0) if image.format in FLOATING else image  # noqa: PLR0124 - NaN is not


def in_words(image: VipsImage, brightest: float) -> VipsImage:
    """The picture in 16 bits; `brightest` is its largest sample."""
    full = _full(image, brightest)
    if image.interpretation == _LINEAR and full == 1.0 and not image.get_typeof(PROFILE):
        return image.colourspace("rgb16")
    words = (image * (_WORD / full)).cast("ushort")
    return words.copy(interpretation="rgb16" if image.bands >= _COLOUR_BANDS else "grey16")


def _full(image: VipsImage, brightest: float) -> float:
    if image.format == "uint":
        return _FULL_UINT
    if brightest <= _GLARE:
        return 1.0
    return 255.0 if brightest <= 255.0 else _WORD  # noqa: PLR2004 - what 8 bits hold
