"""Proves one picture: it is read back from its file and compared with what was owed and with what was written.

The check opens the file by its own format's loader, decodes all of it, and believes nothing of the encoder. It never
raises for a picture that is wrong: a proof that does not hold is an answer.
"""

import pyvips

from smmu.adapters.media.picture import VipsImage
from smmu.domain.facts import ImageFacts
from smmu.domain.manifest import Check, Proof
from smmu.domain.plan import ImageSpec

_METADATA = ("exif-data", "xmp-data", "iptc-data", "icc-profile-data", "photoshop-data", "jpeg-thumbnail-data")
_DIFFERENCE_MAX = 24.0  # mean distance of 255: lossy compression of noise stays below, other pixels do not
_LOADERS = {"webp": "webpload", "jpeg": "jpegload"}


def prove(path: str, spec: ImageSpec, written: VipsImage, source: ImageFacts) -> Proof:
    """The proof of the picture at `path`, made from the pixels `written`."""
    try:
        image = getattr(pyvips.Image, _LOADERS[spec.format])(path, fail_on="warning", **_pages(spec))
        difference = (image - written).abs().avg()
    except pyvips.Error as error:
        broken = Check(name="decodes", ok=False, expected="every pixel", measured=str(error)[:200])
        return Proof(checks=(broken,), measures={})
    checks = (
        Check(name="decodes", ok=True, expected="every pixel", measured="every pixel"),
        _size(image, spec),
        _frames(image, spec, source),
        _shape(spec, source),
        _bare(image),
        _same(difference),
    )
    measures: dict[str, float | int | str] = {"mean_difference": round(difference, 3), "quality": spec.quality}
    return Proof(checks=checks, measures=measures)


def _pages(spec: ImageSpec) -> dict[str, int]:
    return {"n": -1} if spec.animated and spec.format == "webp" else {}


def _size(image: VipsImage, spec: ImageSpec) -> Check:
    measured = (image.width, image.get_page_height())
    return Check(
        name="size",
        ok=measured == (spec.width, spec.height),
        expected=f"{spec.width}x{spec.height}",
        measured=f"{measured[0]}x{measured[1]}",
    )


def _frames(image: VipsImage, spec: ImageSpec, source: ImageFacts) -> Check:
    owed = source.frames if spec.animated else 1
    measured = image.height // image.get_page_height()
    return Check(name="frames", ok=measured == owed, expected=str(owed), measured=str(measured))


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
    """No place, no camera, no profile, and nothing left to turn."""
    found = [name for name in image.get_fields() if name in _METADATA or name.startswith("exif-")]
    if image.get_typeof("orientation") and image.get("orientation") != 1:
        found.append("orientation")
    return Check(name="no metadata", ok=not found, expected="none", measured=", ".join(found) or "none")


def _same(difference: float) -> Check:
    return Check(
        name="same picture",
        ok=difference <= _DIFFERENCE_MAX,
        expected=f"mean difference at most {_DIFFERENCE_MAX}",
        measured=f"{difference:.2f}",
    )
