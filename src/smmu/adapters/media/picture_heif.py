"""HEIC and HEIF pictures, by libheif, which alone puts the tiles of a phone's picture together.

The container's own turn is the truth, and libheif has applied it: EXIF says the same again, and applying it too is
the classic bug. It refuses to look at anything but the primary picture.
"""

from typing import Any

import pillow_heif
import pyvips

from smmu.adapters.media.heif_items import beside
from smmu.adapters.media.picture import DISPLAY_P3, P3, Notes, Picture, VipsImage, resized, with_profile
from smmu.adapters.media.workbench import Workbench
from smmu.domain.facts import ImageFacts
from smmu.domain.plan import Colours

_COLOUR_BANDS = 3


def open_heif(bench: Workbench) -> Picture:
    """The primary picture of the bench's source. Its size is the upright one."""
    in_p3 = beside(bench.source, bench.source.size).display_p3
    bench.source.seek(0)
    opened = pillow_heif.open_heif(bench.source, convert_hdr_to_8bit=True)
    primary = opened[opened.primary_index]
    known: dict[str, Any] = primary.info
    icc = known.get("icc_profile")
    meant = icc or (P3 if in_p3 else None)

    def pixels(
        width: int,
        height: int,
        *,
        animated: bool,  # noqa: ARG001 - a still
        colours: Colours = "srgb",
    ) -> VipsImage:
        return resized(with_profile(_decoded(primary), meant), width, height, colours)

    return Picture(
        facts=ImageFacts(
            width=primary.size[0],
            height=primary.size[1],
            has_alpha=bool(primary.has_alpha),
            bit_depth=known.get("bit_depth", 8),
            colour="b-w" if primary.mode.startswith("L") else DISPLAY_P3 if meant is P3 else "srgb",
            has_icc=bool(icc),
        ),
        notes=Notes(exif=known.get("exif"), xmp=known.get("xmp")),
        bytes_per_pixel=8,
        whole=lambda: _decoded(primary).avg(),
        pixels=pixels,
    )


def _decoded(primary: Any) -> VipsImage:  # noqa: ANN401 - pillow-heif ships no types
    """Pixels as they are shown. libheif pads its rows: read them as long as they are, then cut."""
    bands = len(primary.mode)
    width, height = primary.size
    data = primary.data
    padded = pyvips.Image.new_from_memory(data, primary.stride // bands, height, bands, "uchar")
    interpretation = "srgb" if bands >= _COLOUR_BANDS else "b-w"
    return padded.crop(0, 0, width, height).copy(interpretation=interpretation)
