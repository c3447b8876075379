"""A contender of `benchmarks/pictures.py`, run as a process: Pillow at its best. Its argument is `picture_makers.py`'s.

It decodes once, at the scale that JPEG offers for the largest width, and chains down as ours does.
"""

import io
import json
import sys
from typing import Any

from PIL import Image, ImageCms, ImageOps

_SAVING: dict[str, dict[str, Any]] = {
    "jpeg": {"optimize": True, "progressive": True},
    "webp": {"method": 4},
    "avif": {"speed": 7},  # as libheif's effort 2: aom's cpu-used 7
}


def main() -> None:
    """Decode, turn, convert, and make all sizes, largest first."""
    order = json.loads(sys.argv[1])
    sizes = sorted(order["sizes"], reverse=True)
    with Image.open(order["source"]) as opened:
        opened.draft("RGB", (2 * sizes[0][0], 2 * sizes[0][0]))
        picture: Image.Image = ImageOps.exif_transpose(opened)
        if profile := opened.info.get("icc_profile"):
            known = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            ImageCms.profileToProfile(picture, known, ImageCms.createProfile("sRGB"), inPlace=True)
    for width, height in sizes:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        for kind, quality in order["qualities"].items():
            picture.save(f"{order['out']}/{width}.{kind}", kind.upper(), quality=quality, **_SAVING[kind])


if __name__ == "__main__":
    main()
