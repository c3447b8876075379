"""Which pictures are made of a picture: the wanted widths that it has, each as WebP and as JPEG.

Nothing is enlarged: in place of the wanted widths that a source does not have it is made once in its own, unless one
within 15 % of that is made already (as the video ladder does). Transparency is kept in WebP; a
JPEG is made all the same, flattened on white, because something must show where WebP does not.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from smmu.domain import estimates
from smmu.domain.facts import ImageFacts, MediaFacts
from smmu.domain.ladder import NEAR
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import Decision, ImageSpec, PlannedTask, TaskKind

SIDE_MAX = 16_383  # the largest WebP
_QUALITY, _QUALITY_ARCHIVE = 80, 90
_PREVIEWS = 2
_SRGB = frozenset({"", "srgb", "rgb"})

# formats whose frames are shown one after the other; the pages of others are separate pictures
_ANIMATING = frozenset(
    {"image/gif", "image/webp", "image/png", "image/avif", "image/heic-sequence", "image/heif-sequence"}
)


def tasks(
    facts: MediaFacts, image: ImageFacts, options: Options, limits: Limits
) -> tuple[tuple[PlannedTask, ...], tuple[Decision, ...]]:
    """The one task `images`, and why it is so."""
    widths = _widths(image.display_size, options)
    animated = image.frames > 1 and facts.content_type in _ANIMATING
    specs = tuple(_specs(image.display_size, widths, options, animated=animated))
    pixels, frames = image.width * image.height, image.frames if animated else 1
    task = PlannedTask(
        name="images",
        kind=TaskKind.IMAGES,
        renditions=specs,
        memory_bytes=estimates.images_memory(specs, pixels, frames, limits),
        seconds_max=estimates.images_seconds(pixels, frames, limits),
    )
    return (task,), (*_decisions(image, animated=animated), *_about_widths(image, widths, options))


def _widths(size: tuple[int, int], options: Options) -> tuple[int, ...]:
    """The wanted widths, ascending, that need no enlarging and give no side that WebP cannot have; and its own."""
    fitting = [width for width in options.image_widths if width <= size[0] and _exact(size, width) <= SIDE_MAX]
    own = max(1, min(size[0], SIDE_MAX, SIDE_MAX * size[0] // size[1]))
    if len(fitting) < len(options.image_widths) and (not fitting or fitting[-1] < own * NEAR):
        fitting.append(own)
    if options.preset in {"preview-only", "audio-only"}:
        fitting = fitting[:_PREVIEWS]
    return tuple(fitting)


def _exact(size: tuple[int, int], width: int) -> Fraction:
    return Fraction(size[1] * width, size[0])


def _height(size: tuple[int, int], width: int) -> int:
    return max(1, min(SIDE_MAX, round(_exact(size, width))))


def _specs(size: tuple[int, int], widths: Sequence[int], options: Options, *, animated: bool) -> Iterator[ImageSpec]:
    quality = _QUALITY_ARCHIVE if options.preset == "archive" else _QUALITY
    for width in widths:
        height = _height(size, width)
        yield ImageSpec(
            name=f"image-{width}-webp",
            format="webp",
            width=width,
            height=height,
            quality=quality,
            animated=animated,
        )
        yield ImageSpec(name=f"image-{width}-jpeg", format="jpeg", width=width, height=height, quality=quality)


def _decisions(image: ImageFacts, *, animated: bool) -> Iterator[Decision]:
    if image.orientation != 1:
        yield _source("made upright", f"its orientation tag is {image.orientation}")
    if animated:
        yield _source("kept animated in WebP, still in JPEG", f"it has {image.frames} frames")
    elif image.frames > 1:
        yield _source("first picture only", f"its {image.frames} pictures are no animation")
    if image.has_alpha:
        yield _source("flattened on white in JPEG", "it has transparency, which JPEG has not")
    if image.bit_depth > 8:  # noqa: PLR2004 - what WebP and JPEG hold
        yield _source("reduced to 8 bits", f"it has {image.bit_depth} bits a channel")
    if image.has_icc or image.colour.lower() not in _SRGB:
        yield _source("converted to sRGB", "its colours are described by a profile or in another space")


def _about_widths(image: ImageFacts, widths: Sequence[int], options: Options) -> Iterator[Decision]:
    source = image.display_size[0]
    for width in options.image_widths:
        subject = f"image-{width}"
        if width in widths:
            yield Decision(subject=subject, choice="made", reason=f"the source is {source} wide")
        elif width > source:
            yield Decision(subject=subject, choice="skipped", reason=f"the source is only {source} wide")
        elif _exact(image.display_size, width) > SIDE_MAX:
            why = f"it would be over {SIDE_MAX} pixels high, which WebP cannot hold"
            yield Decision(subject=subject, choice="skipped", reason=why)
        else:
            why = f"the preset {options.preset} makes the {_PREVIEWS} smallest widths"
            yield Decision(subject=subject, choice="skipped", reason=why)
    if widths[-1] not in options.image_widths:
        why = "the source's own width, in place of those that would need enlarging"
        yield Decision(subject=f"image-{widths[-1]}", choice="made", reason=why)


def _source(choice: str, reason: str) -> Decision:
    return Decision(subject="source", choice=choice, reason=reason)
