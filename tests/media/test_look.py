"""What a picture looks like: its placeholder is that of the format's own program, and its fingerprint survives."""

import base64
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.look import colours, fingerprint, thumbhash
from smmu.domain.classification import classify
from smmu.domain.facts import Look
from tests.support.media import LIMITS, FileSource, gradient, heic, photo

pytestmark = [pytest.mark.anyio, pytest.mark.media]


def pattern(width: int, height: int, *, alpha: bool) -> npt.NDArray[np.float64]:
    y, x = np.mgrid[0:height, 0:width]
    through = (x * 29 + y * 13) % 256 if alpha else np.full_like(x, 255)
    channels = [(x * 37 + y * 91) % 256, (x * x * 11 + y * 5) % 256, (x * y * 7 + 50) % 256, through]
    pixels: npt.NDArray[np.float64] = np.stack(channels, axis=-1) / 255
    return pixels


def differing(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


async def look_at(path: Path, tmp_path: Path) -> Look:
    facts = await PyavEngine(LIMITS, str(tmp_path / "scratch")).inspect(FileSource(path))
    assert facts.image is not None
    assert facts.image.look is not None
    return facts.image.look


@pytest.mark.parametrize(
    ("width", "height", "alpha", "expected"),
    [
        (12, 7, False, "1a28061c8801249b638869844996779cefbf76"),
        (9, 20, True, "dd278202041703854867691f42e45faa87784780187a78"),
        (1, 1, False, "44060a670008f708888788708f7088f80888707ff8000000"),
    ],
)
def test_a_placeholder_is_the_one_that_the_formats_own_program_makes(
    *, width: int, height: int, alpha: bool, expected: str
) -> None:
    """Expected by version 0.1.1 of the package `thumbhash` for JavaScript."""
    assert thumbhash(pattern(width, height, alpha=alpha)).hex() == expected


def test_what_is_wholly_transparent_has_a_look_as_well() -> None:
    nothing = np.zeros((8, 8, 4))
    assert len(thumbhash(nothing)) >= 5
    assert list(colours(nothing)) == []
    assert len(fingerprint(nothing)) == 16


def test_colours_are_those_of_most_pixels_first() -> None:
    pixels = np.ones((10, 10, 4))
    pixels[:, :, :3] = (1, 0, 0)
    pixels[:3, :, :3] = (0, 0, 1)
    pixels[9, :, :3] = (0, 1, 0)
    assert list(colours(pixels)) == ["#ff0000", "#0000ff", "#00ff00"]


async def test_the_look_of_a_photo_is_a_part_of_its_classification(tmp_path: Path) -> None:
    engine = PyavEngine(LIMITS, str(tmp_path / "scratch"))
    told = classify(await engine.inspect(FileSource(photo(tmp_path / "photo.jpg", orientation=6))))
    assert {"thumbhash", "colours", "fingerprint"} <= told.keys()
    assert len(base64.b64decode(told["thumbhash"])) <= 25
    assert min(bytes.fromhex(told["colours"][0][1:])) > 240  # a quarter of it is white


async def test_a_fingerprint_survives_scaling_turning_by_tag_and_another_format(tmp_path: Path) -> None:
    first = await look_at(photo(tmp_path / "photo.jpg", orientation=8, quality=60), tmp_path)
    second = await look_at(heic(tmp_path / "photo.heic", size=(800, 600), orientation=6), tmp_path)
    gradient(400, 300).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "other.png")
    other = await look_at(tmp_path / "other.png", tmp_path)
    assert differing(first.fingerprint, second.fingerprint) <= 6
    assert differing(first.fingerprint, other.fingerprint) >= 20
