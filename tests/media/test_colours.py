"""Colours that sRGB has not are kept, as Display P3 and by a profile of ours, where programs know profiles."""

import io
import json
from pathlib import Path

import anyio
import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.picture import P3
from smmu.domain.facts import MediaFacts
from smmu.domain.options import Options
from smmu.domain.planner import plan
from tests.support.media import LIMITS, FileSource, Fractions, MemorySink, gradient, heic, photo, wide_gamut

pytestmark = [pytest.mark.anyio, pytest.mark.media]

WISH = Options(image_widths=(120,), image_formats=("webp", "jpeg", "avif"))
SIZE = (240, 160)


@pytest.fixture
def engine(tmp_path: Path) -> PyavEngine:
    return PyavEngine(LIMITS, str(tmp_path / "scratch"))


def vivid(path: Path, *, alpha: bool = False) -> Path:
    """`gradient` with numbers that are those of Display P3: its red and green are more than sRGB has."""
    shown = gradient(*SIZE)
    if alpha:
        shown.putalpha(Image.linear_gradient("L").resize(SIZE))
    if path.suffix == ".heic":
        return heic(path, size=SIZE, profile=P3)
    shown.save(path, icc_profile=P3, lossless=True)
    return path


async def made_of(engine: PyavEngine, path: Path) -> tuple[MediaFacts, dict[str, bytes]]:
    """What inspection says, and every picture by its name; all proofs have held."""
    facts, sink = await engine.inspect(FileSource(path)), MemorySink()
    (task,) = plan(facts, WISH, LIMITS).stages[0].tasks
    made = await engine.render(FileSource(path), task, sink, Fractions())
    assert [one.proof.failures for one in made] == [()] * len(made)
    return facts, {one.name: sink.files[one.path] for one in made}


def told_by_its_container(path: Path) -> Path:
    """As `vivid`, but without a profile: the container says that its numbers are those of Display P3."""
    if path.suffix == ".heic":
        heif = pillow_heif.from_pillow(gradient(*SIZE))
        heif.save(path, quality=95, color_primaries=12, transfer_characteristics=13, matrix_coefficients=1)
        return path
    gradient(*SIZE).save(path, quality=95)
    data = bytearray(path.read_bytes())
    at = data.index(b"nclx") + 4
    data[at : at + 2] = (12).to_bytes(2)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["avif", "heic"])
async def test_a_container_may_say_it_without_a_profile(engine: PyavEngine, tmp_path: Path, suffix: str) -> None:
    facts, made = await made_of(engine, told_by_its_container(tmp_path / f"vivid.{suffix}"))
    assert is_wide(facts)
    shown = gradient(*SIZE).resize((120, 80))
    assert difference(in_p3(Image.open(io.BytesIO(made["image-120-webp"]))), shown) < 5
    assert difference(in_p3(Image.open(io.BytesIO(made["image-120-jpeg"]))), in_p3(in_srgb(shown))) < 5


def is_wide(facts: MediaFacts) -> bool:
    assert facts.image is not None
    return facts.image.wide_gamut


def in_p3(picture: Image.Image) -> Image.Image:
    """As LittleCMS shows it on a screen of Display P3."""
    known = picture.info.get("icc_profile")
    meant = ImageCms.ImageCmsProfile(io.BytesIO(known)) if known else ImageCms.createProfile("sRGB")
    screen = ImageCms.ImageCmsProfile(io.BytesIO(P3))
    shown = ImageCms.profileToProfile(picture.convert("RGB"), meant, screen, outputMode="RGB")
    assert shown is not None
    return shown


def difference(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "avif", "heic"])
async def test_colours_that_srgb_has_not_are_kept_in_webp_and_avif(
    engine: PyavEngine, tmp_path: Path, suffix: str
) -> None:
    facts, made = await made_of(engine, vivid(tmp_path / f"vivid.{suffix}"))
    assert is_wide(facts)
    opened = {name: Image.open(io.BytesIO(data)) for name, data in made.items()}
    profiles = {name: picture.info.get("icc_profile") for name, picture in opened.items()}
    assert profiles == {name: None if name.endswith("jpeg") else P3 for name in made}
    shown = gradient(*SIZE).resize((120, 80))
    assert difference(in_p3(opened["image-120-webp"]), shown) < 5
    assert difference(in_p3(opened["image-120-avif"]), shown) < 5
    narrow = in_p3(in_srgb(shown))
    assert difference(in_p3(opened["image-120-jpeg"]), narrow) < 5
    assert difference(narrow, shown) > 5  # which is what is lost there


def in_srgb(numbers: Image.Image) -> Image.Image:
    """Numbers of Display P3 as LittleCMS converts them."""
    screen = ImageCms.ImageCmsProfile(io.BytesIO(P3))
    shown = ImageCms.profileToProfile(numbers, screen, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert shown is not None
    return shown


async def test_exiftool_finds_a_profile_that_names_nobody(engine: PyavEngine, tmp_path: Path) -> None:
    path = vivid(tmp_path / "vivid.jpg")
    await anyio.run_process(["exiftool", "-q", "-overwrite_original", "-SerialNumber=4711", str(path)])
    _, made = await made_of(engine, path)
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    found = await anyio.run_process(["exiftool", "-j", "-G1", *(str(tmp_path / name) for name in made)])
    said = {Path(one["SourceFile"]).name: one for one in json.loads(found.stdout)}
    names = {name: tags.get("ICC_Profile:ProfileDescription") for name, tags in said.items()}
    assert names == {name: None if name.endswith("jpeg") else "sP3C" for name in made}
    assert {tags.get("ICC_Profile:ProfileCopyright", "CC0") for tags in said.values()} == {"CC0"}
    assert [name for tags in said.values() for name in tags if "Serial" in name] == []


async def test_what_shows_through_stays_so(engine: PyavEngine, tmp_path: Path) -> None:
    facts, made = await made_of(engine, vivid(tmp_path / "vivid.png", alpha=True))
    assert is_wide(facts)
    opened = Image.open(io.BytesIO(made["image-120-webp"]))
    assert opened.mode == "RGBA"
    assert opened.info["icc_profile"] == P3
    assert opened.getchannel("A").getextrema() == pytest.approx((0, 255), abs=4)


async def test_a_wide_profile_alone_is_no_reason(engine: PyavEngine, tmp_path: Path) -> None:
    facts, made = await made_of(engine, wide_gamut(tmp_path / "tame.jpg", SIZE))
    assert not is_wide(facts)
    assert [Image.open(io.BytesIO(data)).info.get("icc_profile") for data in made.values()] == [None] * len(made)


async def test_inks_and_what_has_no_profile_are_made_in_srgb(engine: PyavEngine, tmp_path: Path) -> None:
    assert not is_wide(await engine.inspect(FileSource(photo(tmp_path / "photo.jpg"))))
    assert not is_wide(await engine.inspect(FileSource(photo(tmp_path / "ink.jpg", mode="CMYK", icc_profile=P3))))


async def test_an_animation_is_made_in_srgb(engine: PyavEngine, tmp_path: Path) -> None:
    frames = [gradient(*SIZE), gradient(*SIZE).rotate(90)]
    path = tmp_path / "vivid.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, lossless=True, icc_profile=P3)
    _, made = await made_of(engine, path)
    assert [Image.open(io.BytesIO(data)).info.get("icc_profile") for data in made.values()] == [None] * len(made)
