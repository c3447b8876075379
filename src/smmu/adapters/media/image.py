"""Makes the pictures that a task owes: upright, sRGB, stripped of everything but pixels, in exactly the size asked.

The source is decoded once, at the largest size; the others are made from that, largest to smallest. A still of an
animation is its first frame. It refuses to choose sizes or formats: the plan did.
"""

from collections.abc import Sequence
from typing import Any

from smmu.adapters.media.image_proof import prove
from smmu.adapters.media.inspect import admitted
from smmu.adapters.media.picture import Picture, VipsImage, resized
from smmu.adapters.media.pictures import open_picture
from smmu.adapters.media.workbench import Workbench
from smmu.domain.manifest import Rendition
from smmu.domain.plan import ImageSpec, PlannedTask

_FOLDER = "images"
_WEBP_EFFORT, _ANIMATED_EFFORT = 4, 2  # an animation is many pictures: the last percents cost too much
_WHITE = 255
_CONTENT_TYPES = {"webp": "image/webp", "jpeg": "image/jpeg"}


def render_images(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Every picture of `task.renditions`, each proven."""
    (bench.directory / _FOLDER).mkdir()
    bench.source.seek(0)
    head = bench.source.read(bench.limits.sniff_bytes)
    picture = open_picture(bench, admitted(head).container)
    specs = [spec for spec in task.renditions if isinstance(spec, ImageSpec)]
    made: list[Rendition] = []
    for animated in (False, True):
        alike = sorted((spec for spec in specs if spec.animated is animated), key=_pixels, reverse=True)
        _make(bench, picture, alike, made, len(specs))
    return made


def _pixels(spec: ImageSpec) -> int:
    return spec.width * spec.height


def _make(bench: Workbench, picture: Picture, specs: Sequence[ImageSpec], made: list[Rendition], total: int) -> None:
    """`specs` from large to small. Each size is made once, for all its formats."""
    current: VipsImage | None = None
    for spec in specs:
        if current is None:
            current = _in_memory(picture.pixels(spec.width, spec.height, animated=spec.animated))
        elif (current.width, current.get_page_height()) != (spec.width, spec.height):
            current = _in_memory(resized(current, spec.width, spec.height))
        made.append(_rendition(bench, picture, current, spec))
        bench.progress(len(made) / total)


def _in_memory(image: VipsImage) -> VipsImage:
    """Eight bits of sRGB, with or without alpha, computed once."""
    image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    return image.copy_memory()


def _rendition(bench: Workbench, picture: Picture, image: VipsImage, spec: ImageSpec) -> Rendition:
    path = f"{_FOLDER}/{spec.name}.{spec.format}"
    local = str(bench.directory / path)
    written = _flat(image) if spec.format == "jpeg" else image
    if spec.format == "jpeg":
        written.jpegsave(local, **_jpeg_options(spec))
    else:
        written.webpsave(local, **_webp_options(spec))
    proof = prove(local, spec, written, picture.facts)
    file = bench.finish(path, _CONTENT_TYPES[spec.format])
    return Rendition(
        name=spec.name,
        role=spec.role.value,
        files=(file,),
        width=spec.width,
        height=spec.height,
        proof=proof,
    )


def _flat(image: VipsImage) -> VipsImage:
    """JPEG has no alpha: what was transparent becomes white, as most pages are."""
    return image.flatten(background=_WHITE).copy_memory() if image.hasalpha() else image


def _jpeg_options(spec: ImageSpec) -> dict[str, Any]:
    return {"Q": spec.quality, "keep": "none", "optimize_coding": True, "interlace": True}


def _webp_options(spec: ImageSpec) -> dict[str, Any]:
    return {"Q": spec.quality, "keep": "none", "effort": _ANIMATED_EFFORT if spec.animated else _WEBP_EFFORT}
