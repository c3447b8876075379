"""Pictures that libvips cannot decode, or of which it shows one frame: BMP, animated PNG, AVIF sequences.

Pillow is bound to the one plugin that the first bytes name. It refuses nothing by itself: `inspect_image.py` does.
"""

from collections.abc import Iterator

import pyvips
from PIL import Image

from smmu.adapters.media.exif import orientation
from smmu.adapters.media.picture import (
    Notes,
    Picture,
    VipsImage,
    as_column,
    resized,
    upright,
    with_profile,
)
from smmu.adapters.media.workbench import Workbench
from smmu.domain.facts import ImageFacts
from smmu.domain.plan import Colours

PLUGINS = {"bmp": "BMP", "apng": "PNG", "avis": "AVIF"}
_DELAY_MS = 100
_WORD_MODES = frozenset({"I", "I;16", "I;16B", "F"})


def open_pillow(bench: Workbench, container: str) -> Picture:
    """The picture at the bench's source, by the plugin of its format."""
    Image.MAX_IMAGE_PIXELS = bench.limits.image_pixels_max
    bench.source.seek(0)
    image = Image.open(bench.source, formats=[PLUGINS[container]])  # type: ignore[arg-type]
    frames = getattr(image, "n_frames", 1)
    exif = image.info.get("exif")
    turn = orientation(exif)

    def pixels(width: int, height: int, *, animated: bool, colours: Colours = "srgb") -> VipsImage:
        shown = list(_frames(image, frames if animated else 1))
        delays, loop = [delay for _, delay in shown], int(image.info.get("loop", 0))
        column = upright(as_column([frame for frame, _ in shown], delays, loop), turn)
        return resized(with_profile(column, image.info.get("icc_profile")), width, height, colours)

    return Picture(
        facts=ImageFacts(
            width=image.width,
            height=image.height,
            orientation=turn,
            frames=frames,
            has_alpha=image.has_transparency_data,
            bit_depth=16 if image.mode in _WORD_MODES else 8,
            colour="b-w" if image.mode in {"1", "L", "LA"} else "srgb",
            has_icc="icc_profile" in image.info,
        ),
        notes=Notes(exif=exif, xmp=_bytes(image.info.get("xmp"))),
        bytes_per_pixel=12,
        whole=lambda: sum(frame.width for frame, _ in _frames(image, frames)),
        pixels=pixels,
    )


def _bytes(data: object) -> bytes | None:
    return data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else None


def _frames(image: Image.Image, count: int) -> Iterator[tuple[VipsImage, int]]:
    """Each frame as it is shown, and for how many milliseconds."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    for number in range(count):
        image.seek(number)
        shown = image.convert(mode)
        pixels = pyvips.Image.new_from_memory(shown.tobytes(), *shown.size, len(mode), "uchar")
        yield pixels.copy(interpretation="srgb"), int(image.info.get("duration") or _DELAY_MS)
