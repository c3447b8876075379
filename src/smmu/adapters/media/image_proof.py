"""Proves one picture: it is read back from its file and compared with what was owed and with what was written.

The check opens the file by its own format's loader, reads it to its end, and believes nothing of the encoder. A decoder
that can make a picture small while it decodes does so: it reads every coded value, and computes fewer pixels. The check
never raises for a picture that is wrong: a proof that does not hold is an answer.
"""

from dataclasses import dataclass

import pyvips

from smmu.adapters.media.picture import P3, PROFILE, VipsImage, resized, shown_ms
from smmu.adapters.media.pictures import failures
from smmu.domain.facts import ImageFacts
from smmu.domain.manifest import Check, Proof
from smmu.domain.plan import ImageSpec
from smmu.domain.plan_images import SIDE_MAX

_METADATA = ("exif-data", "xmp-data", "iptc-data", "photoshop-data", "jpeg-thumbnail-data")
_DIFFERENCE_MAX = 16.0  # mean distance of 255, of both made small: noise is lost in compression, and in that as well
_SMALL_SIDE, _SMALLER = 64, 4
_WHITE = 255
_WHOLE = "the whole file"
_LOADERS = {"webp": "webpload", "jpeg": "jpegload", "avif": "heifload"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The pixels that files are written from, and their first frame as it looks from afar, on white."""

    pixels: VipsImage
    small: VipsImage


def shown_by(pixels: VipsImage) -> Shown:
    """These pixels, looked at once for all formats that they are written in."""
    frame = _first_frame(pixels)
    side = max(1, min(_SMALL_SIDE, max(frame.width, frame.height) // _SMALLER))
    scale = side / max(frame.width, frame.height)
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    return Shown(pixels=pixels, small=_on_white(resized(frame, width, height)).copy_memory())


def prove(path: str, spec: ImageSpec, shown: Shown, source: ImageFacts) -> Proof:
    """The proof of the picture at `path`, which shows what is `shown`."""
    try:
        image = getattr(pyvips.Image, _LOADERS[spec.format])(path, fail_on="warning", **_pages(spec))
        difference = float((_read_back(path, spec, image, shown.small) - shown.small).abs().avg())
    except failures() as error:
        broken = Check(name="decodes", ok=False, expected=_WHOLE, measured=str(error)[:200])
        return Proof(checks=(broken,), measures={})
    checks = [
        Check(name="decodes", ok=True, expected=_WHOLE, measured=_WHOLE),
        _size(image, spec),
        _frames(image, spec, source),
        *(() if spec.crop else (_shape(spec, source),)),
        _bare(image),
        _coloured(image, spec),
        _same(difference),
    ]
    if spec.animated:
        checks.append(_lasting(image, shown.pixels))
    measures: dict[str, float | int | str] = {"mean_difference": round(difference, 3), "quality": spec.quality}
    return Proof(checks=tuple(checks), measures=measures)


def _pages(spec: ImageSpec) -> dict[str, int]:
    return {"n": -1} if spec.animated and spec.format == "webp" else {}


def _read_back(path: str, spec: ImageSpec, image: VipsImage, small: VipsImage) -> VipsImage:
    """The first frame of the file, as small as what it is compared with; all frames are decoded.

    Small, because each pixel is an average of many then, and what lossy compression leaves out is no difference.
    """
    width, height = small.width, small.height
    if spec.format == "avif":
        return _on_white(resized(_avif(path), width, height))
    tiny = max(image.width, image.height) <= _SMALL_SIDE  # of a few pixels, such a decoder makes other colours
    if tiny or image.get_page_height() != image.height:
        return _on_white(resized(_first_frame(image.copy_memory()), width, height))
    wanted = {"height": height, "size": "force", "no_rotate": True, "fail_on": "warning"}
    return _on_white(pyvips.Image.thumbnail(path, width, **wanted))


def _avif(path: str) -> VipsImage:
    """All of it by libavif, which is none of the libraries that wrote it, and takes less than half as long."""
    from PIL import Image  # noqa: PLC0415 - who makes no AVIF does not pay for it

    Image.MAX_IMAGE_PIXELS = SIDE_MAX**2  # what a plan may hold
    with Image.open(path, formats=["AVIF"]) as opened:
        pixels = pyvips.Image.new_from_memory(opened.tobytes(), *opened.size, len(opened.mode), "uchar")
    return pixels.copy(interpretation="srgb")


def _first_frame(image: VipsImage) -> VipsImage:
    frame = image.crop(0, 0, image.width, image.get_page_height())
    for name in ("page-height", "n-pages"):
        frame.remove(name)
    return frame


def _on_white(image: VipsImage) -> VipsImage:
    return image.flatten(background=_WHITE) if image.hasalpha() else image


def _size(image: VipsImage, spec: ImageSpec) -> Check:
    measured = (image.width, image.get_page_height())
    return Check(
        name="size",
        ok=measured == (spec.width, spec.height),
        expected=f"{spec.width}x{spec.height}",
        measured=f"{measured[0]}x{measured[1]}",
    )


def _frames(image: VipsImage, spec: ImageSpec, source: ImageFacts) -> Check:
    """At most the frames owed, because encoders join those that are alike; and no animation where a still is owed."""
    owed = source.frames if spec.animated else 1
    measured = image.height // image.get_page_height()
    expected = f"1 to {owed}" if spec.animated else "1"
    return Check(name="frames", ok=1 <= measured <= owed, expected=expected, measured=str(measured))


def _lasting(image: VipsImage, written: VipsImage) -> Check:
    """As long as what was written, whatever the number of frames."""
    expected, measured = _lasts_ms(written), _lasts_ms(image)
    return Check(
        name="duration",
        ok=measured in {0, expected},
        expected=f"{expected} ms",
        measured=f"{measured} ms" if measured else "a still",
    )


def _lasts_ms(image: VipsImage) -> int:
    return sum(shown_ms(image.get("delay"))) if image.get_typeof("delay") and image.get("n-pages") > 1 else 0


def _shape(spec: ImageSpec, source: ImageFacts) -> Check:
    """As wide for its height as the upright source, within one pixel: a picture on its side is not."""
    width, height = source.display_size
    exact = spec.width * height / width
    return Check(
        name="upright shape",
        ok=abs(spec.height - exact) <= 1 or abs(spec.width - spec.height * width / height) <= 1,
        expected=f"{width}x{height} scaled",
        measured=f"{spec.width}x{spec.height}",
    )


def _bare(image: VipsImage) -> Check:
    """No place, no camera, and nothing left to turn."""
    found = [name for name in image.get_fields() if name in _METADATA or name.startswith("exif-")]
    if image.get_typeof("orientation") and image.get("orientation") != 1:
        found.append("orientation")
    return Check(name="no metadata", ok=not found, expected="none", measured=", ".join(found) or "none")


def _coloured(image: VipsImage, spec: ImageSpec) -> Check:
    """The profile of Display P3, to the byte, or none, which means sRGB: one of somebody's own could tell of them."""
    profile = image.get(PROFILE) if image.get_typeof(PROFILE) else None
    measured = {None: "srgb", P3: "p3"}.get(profile, "another profile")
    return Check(name="colours", ok=measured == spec.colours, expected=spec.colours, measured=measured)


def _same(difference: float) -> Check:
    return Check(
        name="same picture",
        ok=difference <= _DIFFERENCE_MAX,
        expected=f"mean difference at most {_DIFFERENCE_MAX}",
        measured=f"{difference:.2f}",
    )
