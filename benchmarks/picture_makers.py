"""Two of the contenders of `benchmarks/pictures.py`, each run as a process: our routine, and Pillow at its best.

Pillow decodes once, at the scale that JPEG offers for the largest width, and chains down as ours does.
"""

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from smmu.adapters.media.image import render_images
from smmu.adapters.media.source import LocalSource
from smmu.adapters.media.workbench import Workbench
from smmu.domain.limits import Limits
from smmu.domain.options import IMAGE_FORMATS
from smmu.domain.plan import ImageSpec, PlannedTask, TaskKind

_QUALITY = {"jpeg": 80, "webp": 80, "avif": 60}
WIDTHS = (320, 640, 1280, 1920, 2560)
_SAVING = {
    "jpeg": {"quality": 80, "optimize": True, "progressive": True},
    "webp": {"quality": 80, "method": 4},
    "avif": {"quality": 60, "speed": 7},  # as libheif's effort 2: aom's cpu-used 7
}


def ours(source: Path, out: Path, kinds: Sequence[str]) -> None:
    """The routine of the isolated child: it decodes once, chains down, and reads back and proves what it wrote."""
    with Image.open(source) as opened:
        shape = opened.height / opened.width
        widths = [width for width in WIDTHS if width <= opened.width]
    specs = tuple(
        ImageSpec(name=f"{width}", format=kind, width=width, height=round(width * shape), quality=_QUALITY[kind])
        for width in widths
        for kind in IMAGE_FORMATS
        if kind in kinds
    )
    task = PlannedTask(name="images", kind=TaskKind.IMAGES, renditions=specs, memory_bytes=0, seconds_max=0)
    with source.open("rb") as file:
        local = LocalSource(file.fileno(), source.stat().st_size, lambda: None)
        bench = Workbench(source=local, directory=out, limits=Limits(), tell=lambda _: None)
        made = render_images(bench, task)
    assert all(rendition.proof.ok for rendition in made)


def pillow(source: Path, out: Path, kinds: Sequence[str]) -> None:
    """The same pictures by Pillow."""
    with Image.open(source) as opened:
        widths = [width for width in reversed(WIDTHS) if width <= opened.width]
        opened.draft("RGB", (2 * widths[0], 2 * widths[0]))
        picture: Image.Image = ImageOps.exif_transpose(opened)
        if profile := opened.info.get("icc_profile"):
            known = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            ImageCms.profileToProfile(picture, known, ImageCms.createProfile("sRGB"), inPlace=True)
    shape = picture.height / picture.width
    for width in widths:
        picture = picture.resize((width, round(width * shape)), Image.Resampling.LANCZOS, reducing_gap=2.0)
        for kind in kinds:
            picture.save(out / f"{width}.{kind}", kind.upper(), **_SAVING[kind])


if __name__ == "__main__":
    which, source_name, out_name, *wanted = sys.argv[1:]
    {"ours": ours, "pillow": pillow}[which](Path(source_name), Path(out_name), wanted)
