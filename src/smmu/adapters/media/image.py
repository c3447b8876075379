"""Makes the pictures that a task owes: upright, sRGB, stripped of everything but pixels, in exactly the size asked.

The source is decoded once, at the largest size; the others are made from that, largest to smallest. A still of an
animation is its first frame. It refuses to choose sizes or formats: the plan did.
"""

from collections.abc import Sequence
from typing import Any

from smmu.adapters.media.image_proof import prove
from smmu.adapters.media.inspect import admitted
from smmu.adapters.media.picture import PROFILE, Picture, VipsImage, cropped, resized
from smmu.adapters.media.pictures import open_picture
from smmu.adapters.media.workbench import Workbench
from smmu.domain.facts import ImageFacts
from smmu.domain.manifest import Rendition
from smmu.domain.plan import ImageSpec, PlannedTask

_FOLDER = "images"
_WEBP_EFFORT, _ANIMATED_EFFORT = 4, 2  # an animation is many pictures: the last percents cost too much
_WHITE = 255
_AVIF_EFFORT = 2  # 4, libvips' own choice, costs five times as much for a tenth of the bytes
_CONTENT_TYPES = {"webp": "image/webp", "jpeg": "image/jpeg", "avif": "image/avif"}
_SAVERS = {"webp": "webpsave", "jpeg": "jpegsave", "avif": "heifsave"}

Size = tuple[int, int]
Wanted = tuple[ImageSpec, Size]


def render_images(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Every picture of `task.renditions`, each proven."""
    (bench.directory / _FOLDER).mkdir()
    bench.source.seek(0)
    head = bench.source.read(bench.limits.sniff_bytes)
    picture = open_picture(bench, admitted(head).container)
    specs = [spec for spec in task.renditions if isinstance(spec, ImageSpec)]
    made: list[Rendition] = []
    for animated in (False, True):
        alike = [(spec, _base(spec, picture.facts)) for spec in specs if spec.animated is animated]
        _make(bench, picture, sorted(alike, key=_pixels, reverse=True), made, len(specs))
    return made


def _base(spec: ImageSpec, facts: ImageFacts) -> Size:
    """The size of the whole picture that a rendition is made of: for a crop, the least that covers it."""
    if not spec.crop:
        return spec.width, spec.height
    width, height = facts.display_size
    scale = max(spec.width / width, spec.height / height)
    return max(spec.width, round(width * scale)), max(spec.height, round(height * scale))


def _pixels(wanted: Wanted) -> int:
    _, (width, height) = wanted
    return width * height


def _make(bench: Workbench, picture: Picture, wanted: Sequence[Wanted], made: list[Rendition], total: int) -> None:
    """`wanted` from large to small. Each size is made once, for all its formats."""
    current: VipsImage | None = None
    for spec, (width, height) in wanted:
        if current is None:
            current = _in_memory(picture.pixels(width, height, animated=spec.animated))
        elif (current.width, current.get_page_height()) != (width, height):
            current = _in_memory(resized(current, width, height))
        shown = cropped(current, spec.width, spec.height) if spec.crop else current
        made.append(_rendition(bench, picture, shown, spec))
        bench.progress(len(made) / total)


def _in_memory(image: VipsImage) -> VipsImage:
    """Eight bits of sRGB, with or without alpha, computed once. It needs no profile any more to be understood."""
    image = image.colourspace("srgb")
    image.remove(PROFILE)
    if image.format != "uchar":
        image = image.cast("uchar")
    return image.copy_memory()


def _rendition(bench: Workbench, picture: Picture, image: VipsImage, spec: ImageSpec) -> Rendition:
    path = f"{_FOLDER}/{spec.name}.{spec.format}"
    local = str(bench.directory / path)
    written = _flat(image) if spec.format == "jpeg" else image
    getattr(written, _SAVERS[spec.format])(local, Q=spec.quality, keep="none", **_options(spec))
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


def _options(spec: ImageSpec) -> dict[str, Any]:
    if spec.format == "jpeg":
        return {"optimize_coding": True, "interlace": True}
    if spec.format == "avif":
        return {"compression": "av1", "effort": _AVIF_EFFORT, "bitdepth": 8}
    return {"effort": _ANIMATED_EFFORT if spec.animated else _WEBP_EFFORT}
