"""Makes the pictures that a task owes: upright, in the planned colours, bare of all else, in exactly the size asked.

The source is decoded once, at the largest size; the others are made from that, largest to smallest. While the next is
made, `Hands` write and prove those that are there. A still of an animation is its first frame. It refuses to choose
sizes or formats: the plan did.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from smmu.adapters.media.hands import Hands
from smmu.adapters.media.image_proof import Shown, prove, shown_by
from smmu.adapters.media.inspect import admitted
from smmu.adapters.media.picture import P3, PROFILE, Picture, VipsImage, cropped, in_srgb, resized, with_profile
from smmu.adapters.media.pictures import open_picture
from smmu.adapters.media.workbench import Workbench
from smmu.domain.estimates import IMAGE_HANDS
from smmu.domain.facts import ImageFacts
from smmu.domain.manifest import Rendition
from smmu.domain.plan import Colours, ImageSpec, PlannedTask

_FOLDER = "images"
_WEBP_EFFORT, _ANIMATED_EFFORT = 4, 2  # an animation is many pictures: the last percents cost too much
_WHITE = 255
_COLOURS, _BANDS_MAX = 3, 4  # red, green and blue; and alpha
_AVIF_EFFORT = 2  # 4, libvips' own choice, costs five times as much for a tenth of the bytes
_CONTENT_TYPES = {"webp": "image/webp", "jpeg": "image/jpeg", "avif": "image/avif"}
_SAVERS = {"webp": "webpsave", "jpeg": "jpegsave", "avif": "heifsave"}

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """One rendition, and the size of the whole picture that it is made of."""

    spec: ImageSpec
    whole: Size

    @property
    def pixels(self) -> tuple[bool, int, int, Colours]:
        """Which ones they are: equal for formats that have the same."""
        return self.spec.crop, self.spec.width, self.spec.height, self.spec.colours


def render_images(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Every picture of `task.renditions`, each proven."""
    (bench.directory / _FOLDER).mkdir()
    bench.source.seek(0)
    head = bench.source.read(bench.limits.sniff_bytes)
    picture = open_picture(bench, admitted(head).container)
    specs = [spec for spec in task.renditions if isinstance(spec, ImageSpec)]
    made: list[Rendition] = []

    def done(rendition: Rendition) -> None:
        made.append(rendition)
        bench.progress(len(made) / len(specs))

    for animated in (False, True):
        wanted = [_Wanted(spec=spec, whole=_whole(spec, picture.facts)) for spec in specs if spec.animated is animated]
        with Hands(1 if animated else _hands(), done) as hands:
            for spec, shown in _made(picture, sorted(wanted, key=_rank, reverse=True), animated=animated):
                hands.give(partial(_rendition, bench, picture.facts, spec, shown))
    return made


def _hands() -> int:
    return min(IMAGE_HANDS, len(os.sched_getaffinity(0)))


def _whole(spec: ImageSpec, facts: ImageFacts) -> Size:
    """The size of the whole picture that a rendition is made of: for a crop, the least that covers it."""
    if not spec.crop:
        return spec.width, spec.height
    width, height = facts.display_size
    scale = max(spec.width / width, spec.height / height)
    return max(spec.width, round(width * scale)), max(spec.height, round(height * scale))


def _rank(wanted: _Wanted) -> tuple[int, Size, tuple[bool, int, int, Colours]]:
    """From small to large, and side by side what has the same pixels."""
    return wanted.whole[0] * wanted.whole[1], wanted.whole, wanted.pixels


def _made(picture: Picture, wanted: Sequence[_Wanted], *, animated: bool) -> Iterator[tuple[ImageSpec, Shown]]:
    """The pixels of each of `wanted`, which come from large to small. Each size and each crop is made once.

    They are made in the widest colours that any has, and converted from those.
    """
    widest: Colours = "p3" if any(one.spec.colours == "p3" for one in wanted) else "srgb"
    whole: VipsImage | None = None
    for size, of_size in groupby(wanted, key=lambda one: one.whole):
        decoded = picture.pixels(*size, animated=animated, colours=widest) if whole is None else resized(whole, *size)
        whole = _in_memory(decoded)
        for (crop, width, height, colours), alike in groupby(of_size, key=lambda one: one.pixels):
            pixels = cropped(whole, width, height) if crop else whole
            shown = shown_by(pixels if colours == widest else in_srgb(pixels))
            for one in alike:
                yield one.spec, shown


def _in_memory(image: VipsImage) -> VipsImage:
    """Eight bits, with or without alpha, computed once. What they mean is known, and needs no profile any more.

    Of more channels, as a TIFF may have them, nobody knows which is alpha, if any.
    """
    image = image.colourspace("srgb")
    if image.bands > _BANDS_MAX:
        image = image.extract_band(0, n=_COLOURS)
    image.remove(PROFILE)
    if image.format != "uchar":
        image = image.cast("uchar")
    return image.copy_memory()


def _rendition(bench: Workbench, facts: ImageFacts, spec: ImageSpec, shown: Shown) -> Rendition:
    path = f"{_FOLDER}/{spec.name}.{spec.format}"
    local = str(bench.directory / path)
    written = _flat(shown.pixels) if spec.format == "jpeg" else shown.pixels
    if spec.colours == "p3":
        written = with_profile(written, P3)
    getattr(written, _SAVERS[spec.format])(local, Q=spec.quality, **_options(spec))
    proof = prove(local, spec, shown, facts)
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
    kept = {"keep": "none" if spec.colours == "srgb" else "icc"}
    if spec.format == "jpeg":
        return {**kept, "optimize_coding": True, "interlace": True}
    if spec.format == "avif":
        return {**kept, "compression": "av1", "effort": _AVIF_EFFORT, "bitdepth": 8}
    return {**kept, "effort": _ANIMATED_EFFORT if spec.animated else _WEBP_EFFORT}
