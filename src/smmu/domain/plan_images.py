"""Which pictures are made of a picture: the wanted widths that it has, and two crops, each in every wanted format.

Nothing is enlarged: in place of the wanted widths that a source does not have it is made once in its own, unless one
within 15 % of that is made already (as the video ladder does). Transparency is kept in WebP; a
JPEG is made all the same, flattened on white, because something must show where WebP does not. An animation that is
many pixels is made as a video too, because browsers play that with a tenth of the bytes and of the work. Colours that
sRGB has not are kept, as Display P3, in formats for programs that know profiles; a JPEG is for all the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType

from smmu.domain import estimates
from smmu.domain.facts import ImageFacts, MediaFacts
from smmu.domain.ladder import NEAR
from smmu.domain.limits import Limits
from smmu.domain.options import ImageFormat, Options
from smmu.domain.plan import Colours, Decision, ImageSpec, LoopSpec, PlannedTask, Role, TaskKind

SIDE_MAX = 16_383  # the largest WebP
_QUALITY: Mapping[ImageFormat, int] = MappingProxyType({"webp": 80, "jpeg": 80, "avif": 60})
_QUALITY_ARCHIVE: Mapping[ImageFormat, int] = MappingProxyType({"webp": 90, "jpeg": 90, "avif": 75})
_PREVIEWS = 2
_SMALL_PRESETS = frozenset({"preview-only", "audio-only"})
_SRGB = frozenset({"", "srgb", "rgb"})

# formats whose frames are shown one after the other; the pages of others are separate pictures
_ANIMATING = frozenset(
    {"image/gif", "image/webp", "image/png", "image/avif", "image/heic-sequence", "image/heif-sequence"}
)
_CROPS = (("square", Fraction(1), 640), ("wide", Fraction(16, 9), 1280))  # name, width by height, the largest width
_CROP_SIDE_MIN = 64
_LOOP_PIXELS_MIN = 25_000_000  # of all frames together
_LOOP_WIDTH_MAX = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is made of one picture."""

    image: ImageFacts
    options: Options
    animated: bool
    widths: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        return self.image.display_size

    @property
    def is_small(self) -> bool:
        return self.options.preset in _SMALL_PRESETS

    @property
    def frames(self) -> int:
        return self.image.frames if self.animated else 1


def tasks(
    facts: MediaFacts, image: ImageFacts, options: Options, limits: Limits
) -> tuple[tuple[PlannedTask, ...], tuple[Decision, ...]]:
    """The task `images` and, of a large animation, `loop`; and why it is so."""
    animated = image.frames > 1 and facts.content_type in _ANIMATING
    wish = _Wish(image=image, options=options, animated=animated, widths=_widths(image.display_size, options))
    pictures = _task("images", TaskKind.IMAGES, (*_specs(wish), *_crop_specs(wish)), wish, limits)
    loop = _loop(wish)
    decisions = (*_decisions(image, animated=animated), *_about_widths(image, wish.widths, options))
    decisions = (*decisions, *_about_crops(wish), *_about_loop(wish))
    if loop is None:
        return (pictures,), decisions
    return (pictures, _task("loop", TaskKind.LOOP, (loop,), wish, limits)), decisions


def _task(
    name: str, kind: TaskKind, specs: tuple[ImageSpec | LoopSpec, ...], wish: _Wish, limits: Limits
) -> PlannedTask:
    pixels = wish.image.width * wish.image.height
    return PlannedTask(
        name=name,
        kind=kind,
        renditions=specs,
        memory_bytes=estimates.images_memory(specs, pixels, wish.frames, limits),
        seconds_max=estimates.images_seconds(pixels, wish.frames, limits),
    )


def _widths(size: tuple[int, int], options: Options) -> tuple[int, ...]:
    """The wanted widths, ascending, that need no enlarging and give no side that WebP cannot have; and its own."""
    fitting = [width for width in options.image_widths if width <= size[0] and _exact(size, width) <= SIDE_MAX]
    own = max(1, min(size[0], SIDE_MAX, SIDE_MAX * size[0] // size[1]))
    if len(fitting) < len(options.image_widths) and (not fitting or fitting[-1] < own * NEAR):
        fitting.append(own)
    if options.preset in _SMALL_PRESETS:
        fitting = fitting[:_PREVIEWS]
    return tuple(fitting)


def _exact(size: tuple[int, int], width: int) -> Fraction:
    return Fraction(size[1] * width, size[0])


def _height(size: tuple[int, int], width: int) -> int:
    return max(1, min(SIDE_MAX, round(_exact(size, width))))


def _specs(wish: _Wish) -> Iterator[ImageSpec]:
    for width in wish.widths:
        for kind in wish.options.image_formats:
            yield ImageSpec(
                name=f"image-{width}-{kind}",
                format=kind,
                width=width,
                height=_height(wish.size, width),
                quality=quality_of(kind, wish.options),
                animated=wish.animated and kind == "webp",
                colours=colours_of(kind, wish.image),
            )


def covers(image: ImageFacts, options: Options) -> tuple[ImageSpec, ...]:
    """The picture that a sound carries: in the wanted widths and formats, whole and still."""
    wish = _Wish(image=image, options=options, animated=False, widths=_widths(image.display_size, options))
    return tuple(replace(spec, name=spec.name.replace("image", "cover", 1), role=Role.COVER) for spec in _specs(wish))


def quality_of(kind: ImageFormat, options: Options) -> int:
    """The encoder's quality of this format: AVIF's numbers mean more than those of the others."""
    return (_QUALITY_ARCHIVE if options.preset == "archive" else _QUALITY)[kind]


def colours_of(kind: ImageFormat, image: ImageFacts) -> Colours:
    """The colours of a rendition in this format. An animation's are always sRGB: it is many frames of few colours."""
    return "p3" if image.wide_gamut and image.frames == 1 and kind != "jpeg" else "srgb"


def _crop_specs(wish: _Wish) -> Iterator[ImageSpec]:
    for name, (width, height), why_not in _crops(wish):
        for kind in () if why_not else wish.options.image_formats:
            yield ImageSpec(
                name=f"{name}-{kind}",
                role=Role.CROP,
                format=kind,
                width=width,
                height=height,
                quality=quality_of(kind, wish.options),
                crop=True,
                colours=colours_of(kind, wish.image),
            )


def _crops(wish: _Wish) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Name and size of each crop, and why it is not made."""
    width, height = wish.size
    for name, shape, width_max in _CROPS:
        across = min(width_max, width, int(height * shape))
        size = (across, min(height, round(across / shape)))
        if wish.is_small:
            yield name, size, f"the preset {wish.options.preset} makes the {_PREVIEWS} smallest widths"
        elif Fraction(width, height) == shape:
            yield name, size, "the source has this shape itself"
        elif min(size) < _CROP_SIDE_MIN:
            yield name, size, f"it would be only {size[0]} × {size[1]}"
        else:
            yield name, size, ""


def _about_crops(wish: _Wish) -> Iterator[Decision]:
    for name, (width, height), why_not in _crops(wish):
        made = f"{width} × {height} of what draws the eye"
        yield Decision(subject=name, choice="skipped" if why_not else "made", reason=why_not or made)


def _loop(wish: _Wish) -> LoopSpec | None:
    width, height = wish.size
    if not wish.animated or wish.is_small or width * height * wish.frames < _LOOP_PIXELS_MIN:
        return None
    across = min(width, _LOOP_WIDTH_MAX, _LOOP_WIDTH_MAX * width // height)
    size = (_even(across), _even(_height(wish.size, across)))
    return LoopSpec(width=size[0], height=size[1], frames=wish.frames)


def _even(side: int) -> int:
    return max(2, side - side % 2)


def _about_loop(wish: _Wish) -> Iterator[Decision]:
    if not wish.animated:
        return
    if _loop(wish):
        yield Decision(subject="loop", choice="made", reason="so many pixels move better as a muted video")
    elif not wish.is_small:
        yield Decision(subject="loop", choice="skipped", reason="the animation is small enough to stay a picture")


def _decisions(image: ImageFacts, *, animated: bool) -> Iterator[Decision]:
    if image.orientation != 1:
        yield _source("made upright", f"its orientation tag is {image.orientation}")
    if animated:
        yield _source("kept animated in WebP, still in other formats", f"it has {image.frames} frames")
    elif image.frames > 1:
        yield _source("first picture only", f"its {image.frames} pictures are no animation")
    if image.has_alpha:
        yield _source("flattened on white in JPEG", "it has transparency, which JPEG has not")
    if image.bit_depth > 8:  # noqa: PLR2004 - what WebP and JPEG hold, and AVIF shows everywhere
        yield _source("reduced to 8 bits", f"it has {image.bit_depth} bits a channel")
    if colours_of("webp", image) == "p3":
        yield _source("kept in Display P3, and converted to sRGB for JPEG", "it shows colours that sRGB has not")
    elif image.has_icc or image.colour.lower() not in _SRGB:
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
