"""Pictures that libvips decodes, by the loader that the first bytes name: no loader may guess.

JPEG, PNG and TIFF are streamed: memory stays flat whatever their size. It refuses damaged data ("error"), not the
oddities that every decoder lives with ("warning").
"""

from dataclasses import replace
from typing import Any

import pyvips

from smmu.adapters.media.exif import ORIENTATIONS
from smmu.adapters.media.heif_items import beside
from smmu.adapters.media.picture import DISPLAY_P3, Notes, Picture, VipsImage, colours_of, resized, upright
from smmu.adapters.media.samples import LOOSE, in_words, numbers
from smmu.adapters.media.workbench import Workbench
from smmu.domain.facts import ImageFacts
from smmu.domain.plan import Colours

_LOADERS = {
    "jpeg": "jpegload_source",
    "png": "pngload_source",
    "gif": "gifload_source",
    "webp": "webpload_source",
    "tiff": "tiffload_source",
    "avif": "heifload_source",
}
_ANIMATED = frozenset({"gif", "webp"})
_HELD = {"webp": 4, "gif": 4, "avif": 8}
_SAMPLE_BYTES = {"uchar": 1, "ushort": 2, "uint": 4, "float": 4, "double": 8}
_NOTES = {"exif": "exif-data", "xmp": "xmp-data", "iptc": "iptc-data"}
_FAIL_ON = "error"
_LITTER = "extraneous bytes"


def open_vips(bench: Workbench, container: str) -> Picture:
    """The picture at the bench's source, in one of libvips' formats."""
    kept: list[Any] = []  # pyvips does not keep a source alive for the pictures that read from it: the Picture does
    image = _loaded(bench, container, kept)
    fields = frozenset(image.get_fields())
    facts = _facts(image, fields, container)
    if container == "avif" and not facts.has_icc and beside(bench.source, bench.source.size).display_p3:
        facts = replace(facts, colour=DISPLAY_P3)

    def pixels(width: int, height: int, *, animated: bool, colours: Colours = "srgb") -> VipsImage:
        if image.format in LOOSE:
            brightest = _loaded(bench, container, kept).max()
            words = in_words(_loaded(bench, container, kept), brightest)
            return resized(upright(words, facts.orientation), width, height, colours)
        column = animated and container in _ANIMATED
        if column and facts.orientation >= 5:  # noqa: PLR2004 - EXIF: 5 to 8 swap the axes
            width, height = height, width
        made = pyvips.Image.thumbnail_source(
            _streamed(bench, kept),
            width,
            height=height,
            size="force",
            no_rotate=column,
            **colours_of(image, colours, "p3" if facts.colour == DISPLAY_P3 else None),
            fail_on=_FAIL_ON,
            option_string="[n=-1]" if column else "",
        )
        return upright(made, facts.orientation) if column else made

    return Picture(
        facts=facts,
        notes=Notes(**{name: image.get(field) for name, field in _NOTES.items() if field in fields}),
        bytes_per_pixel=_held(image, fields, container),
        whole=lambda: _decode_all(bench, container, kept),
        pixels=pixels,
    )


def _decode_all(bench: Workbench, container: str, kept: list[Any]) -> None:
    """Every pixel. libjpeg only warns of missing data and paints it grey; what it may warn of is harmless litter."""
    if container == "jpeg":
        try:
            _loaded(bench, container, kept, fail_on="warning").avg()
        except pyvips.Error as error:
            if _LITTER not in str(error):
                raise
        else:
            return
    _loaded(bench, container, kept).avg()


def _streamed(bench: Workbench, kept: list[Any]) -> Any:  # noqa: ANN401 - pyvips ships no types
    bench.source.seek(0)
    source = pyvips.SourceCustom()
    source.on_read(bench.source.read)
    source.on_seek(bench.source.seek)
    kept.append(source)
    return source


def _loaded(bench: Workbench, container: str, kept: list[Any], fail_on: str = _FAIL_ON) -> VipsImage:
    options: dict[str, Any] = {"n": -1} if container in _ANIMATED else {}
    loader = getattr(pyvips.Image, _LOADERS[container])
    return numbers(loader(_streamed(bench, kept), access="sequential", fail_on=fail_on, **options))


def _facts(image: VipsImage, fields: frozenset[str], container: str) -> ImageFacts:
    # Containers of the HEIF family turn the picture themselves, and libheif has done so.
    orientation = image.get("orientation") if "orientation" in fields and container != "avif" else 1
    return ImageFacts(
        width=image.width,
        height=image.get_page_height(),
        orientation=orientation if orientation in ORIENTATIONS else 1,
        frames=image.get("n-pages") if container in _ANIMATED and "n-pages" in fields else 1,
        has_alpha=bool(image.hasalpha()),
        bit_depth=_bit_depth(image, fields),
        colour=str(image.interpretation),
        has_icc="icc-profile-data" in fields,
    )


def _bit_depth(image: VipsImage, fields: frozenset[str]) -> int:
    if "heif-bitdepth" in fields:
        return int(image.get("heif-bitdepth"))
    return 8 * _SAMPLE_BYTES.get(image.format, 1)


def _held(image: VipsImage, fields: frozenset[str], container: str) -> int:
    """Bytes that the decoder keeps for each pixel because it cannot stream."""
    if container in _HELD:
        return _HELD[container]
    if "interlaced" not in fields:
        return 0
    sample = 2 if container == "jpeg" else _SAMPLE_BYTES.get(image.format, 1)  # JPEG keeps coefficients
    return int(image.bands) * sample
