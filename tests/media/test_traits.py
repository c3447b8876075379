"""Traits that are read from pixels and from what a file says: a screen, more light, depth, a film that is slowed down."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from smmu.adapters.media.heif_items import Beside, beside
from smmu.adapters.media.inspect_image import inspect_image
from smmu.adapters.media.jpeg_segments import has_gain_map
from smmu.adapters.media.source import SourceFile
from smmu.domain.classification import classify
from smmu.domain.facts import Mark, MediaFacts, Transfer
from tests.support import heif
from tests.support.clips import bench_for, inspect, make
from tests.support.media import gradient, heic

pytestmark = pytest.mark.media

CHANCE = np.random.default_rng(5)
APPLE = "urn:com:apple:photo:2020:aux:hdrgainmap"
DEPTHS = ("urn:mpeg:hevc:2015:auxid:2", "urn:mpeg:mpegB:cicp:systems:auxiliary:depth")
ALPHA = "urn:mpeg:hevc:2015:auxid:1"


def facts_of(path: Path) -> MediaFacts:
    """In this process: how a picture is confined is tested elsewhere."""
    return inspect_image(bench_for(path, path.parent))


def traits_of(path: Path) -> set[str]:
    return {*classify(facts_of(path))["traits"]}


def source_of(data: bytes) -> SourceFile:
    return SourceFile(lambda start, length: data[start : start + length], len(data), lambda: None)


# --- what screens show


def window() -> Image.Image:
    """A window: bars, a sidebar, lines of text, a button."""
    image = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 640, 28), fill=(52, 58, 64))
    draw.rectangle((0, 28, 140, 480), fill=(233, 236, 239))
    draw.rectangle((500, 430, 610, 460), fill=(13, 110, 253))
    for line in range(24):
        draw.text(
            (160, 44 + 15 * line), f"{line:02} the quick brown fox jumps over the lazy dog, and again", fill="black"
        )
        draw.text((10, 44 + 15 * line), f"entry {line}", fill=(60, 60, 60))
    return image


def diagram() -> Image.Image:
    image = Image.new("RGB", (600, 400), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    for number in range(9):
        draw.rectangle((40 * number, 380 - 37 * number, 40 * number + 24, 390), fill=(200, 30, 30), outline="black")
        draw.line((0, 40 * number, 600, 40 * number + 20), fill="black", width=1)
    return image


def noise(image: Image.Image, spread: float) -> Image.Image:
    """As a sensor has it."""
    pixels = np.asarray(image, np.float64)
    return Image.fromarray(np.clip(pixels + CHANCE.normal(0, spread, pixels.shape), 0, 255).astype(np.uint8))


def thing_before_a_wall() -> Image.Image:
    """Few colours, much of it flat: what is left is shaded, and has soft edges."""
    image = Image.new("RGB", (640, 480), "white")
    y, x = np.mgrid[0:240, 0:240]
    round_ = np.clip(255 - np.hypot(x - 120, y - 120) * 2.2, 0, 255)[..., None] * (0.9, 0.5, 0.3)
    thing = noise(Image.fromarray(np.where(round_ > 2, round_, 255).astype(np.uint8)), 3)
    image.paste(thing.resize((300, 300)), (170, 90))
    return image


def night() -> Image.Image:
    """Almost all black, with lamps."""
    pixels = np.zeros((480, 640, 3))
    y, x = np.mgrid[0:480, 0:640]
    for at in ((100, 100), (300, 420), (420, 200)):
        pixels += 255 * np.exp(-np.hypot(y - at[0], x - at[1]) / 12)[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


SHOTS: dict[str, Callable[[], Image.Image]] = {
    "photo": lambda: noise(gradient(640, 480), 4),
    "gradient": lambda: gradient(640, 480),
    "a thing before a wall": thing_before_a_wall,
    "night": night,
    "leaves": lambda: noise(Image.new("RGB", (640, 480), (60, 110, 40)), 45),
    "one colour": lambda: Image.new("RGB", (640, 480), (10, 20, 30)),
}


@pytest.mark.parametrize(
    ("suffix", "how"), [("png", {}), ("jpg", {"quality": 85}), ("webp", {"lossless": True}), ("bmp", {})]
)
@pytest.mark.parametrize("drawn", [window, diagram], ids=["window", "diagram"])
def test_what_a_screen_shows_looks_like_one(tmp_path: Path, drawn: Any, suffix: str, how: dict[str, Any]) -> None:
    path = tmp_path / f"shot.{suffix}"
    drawn().save(path, **how)
    assert "screen_like" in traits_of(path)


def test_a_window_that_can_be_seen_through_is_one_as_well(tmp_path: Path) -> None:
    image = window().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    image.save(tmp_path / "shot.png")
    assert {"screen_like", "has_alpha"} <= traits_of(tmp_path / "shot.png")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("name", SHOTS)
def test_a_photo_looks_like_none(tmp_path: Path, name: str, suffix: str) -> None:
    SHOTS[name]().save(tmp_path / f"shot.{suffix}")
    assert "screen_like" not in traits_of(tmp_path / f"shot.{suffix}")


def test_neighbours_are_measured_only_where_there_are_few_colours(tmp_path: Path) -> None:
    noise(gradient(640, 480), 4).save(tmp_path / "photo.png")
    window().save(tmp_path / "shot.png")
    photo, shot = facts_of(tmp_path / "photo.png"), facts_of(tmp_path / "shot.png")
    assert photo.image is not None
    assert shot.image is not None
    assert photo.image.texture is not None
    assert shot.image.texture is not None
    assert (photo.image.texture.flat, photo.image.texture.sharp) == (None, None)
    assert shot.image.texture.flat is not None
    assert shot.image.texture.flat > 0.5


# --- more light than a screen had


@pytest.mark.parametrize(
    ("transfer", "known"), [("smpte2084", Transfer.PQ), ("arib-std-b67", Transfer.HLG), ("bt709", Transfer.SDR)]
)
def test_an_avif_says_which_light_its_numbers_are(tmp_path: Path, transfer: str, known: Transfer) -> None:
    ten = ("-frames:v", "1", "-c:v", "libaom-av1", "-still-picture", "1", "-cpu-used", "8", "-pix_fmt", "yuv420p10le")
    colour = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_trc", transfer)
    facts = facts_of(make(tmp_path / "light.avif", "-f", "lavfi", "-i", "testsrc2=s=64x64", *ten, *colour))
    assert facts.image is not None
    assert facts.image.transfer is known
    assert ("hdr" in classify(facts)["traits"]) is (known is not Transfer.SDR)


@pytest.mark.parametrize(("code", "there"), [(16, True), (18, True), (1, False)])
def test_a_heic_does_too(tmp_path: Path, code: int, *, there: bool) -> None:
    import pillow_heif  # noqa: PLC0415 - slow to load

    path = tmp_path / "light.heic"
    pillow_heif.from_pillow(gradient(64, 64)).save(
        path, color_primaries=9, transfer_characteristics=code, full_range_flag=1
    )
    assert ("hdr" in traits_of(path)) is there


def xmp(space: str, name: str, value: str) -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:it="{space}" it:{name}="{value}"/></rdf:RDF></x:xmpmeta>""".encode()


@pytest.mark.parametrize(
    ("note", "traits"),
    [
        (xmp("http://ns.adobe.com/hdr-gain-map/1.0/", "Version", "1.0"), {"gain_map", "hdr"}),
        (xmp("http://ns.google.com/photos/1.0/depthmap/", "Format", "RangeInverse"), {"depth"}),
        (xmp("http://ns.adobe.com/hdr-gain-map/1.0/", "Other", "1.0"), set()),
    ],
)
def test_a_jpeg_says_in_xmp_what_lies_behind_it(tmp_path: Path, note: bytes, traits: set[str]) -> None:
    gradient(80, 60).save(tmp_path / "photo.jpg", xmp=note)
    assert traits_of(tmp_path / "photo.jpg") & {"gain_map", "depth", "hdr"} == traits


def with_segment(path: Path, content: bytes) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe2" + (2 + len(content)).to_bytes(2) + content + data[2:])
    return path


def test_a_jpeg_says_it_in_a_segment_of_its_own(tmp_path: Path) -> None:
    gradient(80, 60).save(tmp_path / "photo.jpg")
    assert "hdr" not in traits_of(tmp_path / "photo.jpg")
    said = with_segment(tmp_path / "photo.jpg", b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")
    assert {"hdr", "gain_map"} <= traits_of(said)


# --- what lies with a phone's picture


@pytest.mark.parametrize(
    ("kind", "traits"),
    [(APPLE, {"gain_map", "hdr"}), *((kind, {"depth"}) for kind in DEPTHS), (ALPHA, set()), ("urn:of:nobody", set())],
)
def test_a_heic_names_what_lies_with_its_picture(tmp_path: Path, kind: str, traits: set[str]) -> None:
    path = heif.with_property(heic(tmp_path / "phone.heic"), heif.auxiliary(kind))
    assert traits_of(path) & {"gain_map", "hdr", "depth"} == traits


def said(*properties: bytes, **more: Any) -> Beside:
    data = heif.box(b"ftyp", b"heic", bytes(4)) + heif.meta(*properties, **more)
    return beside(source_of(data), len(data))


def test_only_the_primary_pictures_light_counts() -> None:
    both = (heif.light(1, 13), heif.light(9, 16))
    assert said(*both, of_primary=(2,)).transfer is Transfer.PQ
    assert said(*both, of_primary=(1,)).transfer is Transfer.SDR
    assert said(*both).transfer is Transfer.SDR
    assert said(*both, of_primary=(7,)).transfer is Transfer.SDR


@pytest.mark.parametrize("version", [2, 3])
def test_a_tone_mapped_item_is_a_gain_map(version: int) -> None:
    assert said(items=(heif.entry(1, b"hvc1"), heif.entry(2, b"tmap", version))).marks == {Mark.GAIN_MAP}
    assert said(items=(heif.entry(1, b"hvc1", version),)).marks == set()


WHOLE = heif.meta(heif.light(9, 16), heif.auxiliary(APPLE), items=(heif.entry(2, b"tmap"),), of_primary=(1,))


@given(st.integers(12, len(WHOLE) - 1), st.binary(min_size=1, max_size=4))
def test_damaged_boxes_are_read_without_an_error(at: int, changed: bytes) -> None:
    data = WHOLE[:at] + changed + WHOLE[at + len(changed) :]
    assert beside(source_of(data), len(data)).marks <= {*Mark}
    cut = WHOLE[:at]
    assert beside(source_of(cut), len(cut)).marks <= {*Mark}


@given(st.binary(max_size=300))
def test_damaged_segments_are_read_without_an_error(tail: bytes) -> None:
    buffer = io.BytesIO()
    gradient(8, 8).save(buffer, "jpeg")
    for data in (b"\xff\xd8" + tail, tail, buffer.getvalue()[:20] + tail):
        assert has_gain_map(source_of(data)) in (True, False)


# --- films that are slowed down

_TAKEN, _INTENT = "com.android.capture.fps", "com.apple.quicktime.full-frame-rate-playback-intent"


@pytest.mark.parametrize(
    ("rate", "key", "value", "slow"),
    [
        (30, _TAKEN, "240.000000", True),
        (30, _TAKEN, "30.000000", False),
        (60, _TAKEN, "59.940000", False),
        (120, _TAKEN, "120.0", False),  # nobody says how it is to be shown
        (30, _TAKEN, "fast", False),
        (120, _INTENT, "0", True),
        (120, _INTENT, "1", False),
        (30, _INTENT, "0", False),  # phones say so of ordinary films
        (120, "comment", "0", False),
    ],
)
def test_a_film_says_that_it_is_slowed_down(tmp_path: Path, rate: int, key: str, value: str, *, slow: bool) -> None:
    clip = ("-f", "lavfi", "-i", f"testsrc2=s=64x64:r={rate}", "-t", "0.5", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    film = make(tmp_path / "film.mov", *clip, "-metadata", f"{key}={value}", "-movflags", "use_metadata_tags")
    facts = inspect(film, tmp_path)
    assert (Mark.SLOW_MOTION in facts.marks) is slow
    assert ("slow_motion" in classify(facts)["traits"]) is slow
