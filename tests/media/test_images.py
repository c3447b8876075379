"""What pictures become: upright, bare, exactly as large as asked, and proven."""

import io
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
import pyvips
from PIL import Image, ImageChops, ImageSequence, ImageStat

from smmu.adapters.media.engine import PyavEngine
from smmu.domain.errors import Code, Refused
from smmu.domain.manifest import Rendition
from smmu.domain.plan import ImageSpec, LoopSpec, TaskKind
from tests.support.media import (
    LIMITS,
    FileSource,
    Fractions,
    MemorySink,
    animation,
    deep_png,
    floating_tiff,
    gradient,
    heic,
    photo,
    picture_task,
    still,
    turned_animation,
    wide_gamut,
)

pytestmark = [pytest.mark.anyio, pytest.mark.media]


@pytest.fixture
def engine(tmp_path: Path) -> PyavEngine:
    return PyavEngine(LIMITS, str(tmp_path / "scratch"))


async def render(
    engine: PyavEngine, path: Path, *specs: ImageSpec, distant: bool = False
) -> tuple[tuple[Rendition, ...], MemorySink]:
    sink = MemorySink()
    source = FileSource(path, distant=distant)
    made = await engine.render(source, picture_task(*specs), sink, Fractions())
    return made, sink


async def one(engine: PyavEngine, path: Path, spec: ImageSpec) -> Image.Image:
    """The picture made of `path`, its proof having held."""
    (made,), sink = await render(engine, path, spec)
    assert made.proof.ok, made.proof.failures
    return Image.open(io.BytesIO(sink.files[made.path]))


def is_upright(picture: Image.Image) -> bool:
    """White in the top left, red at the top right, green at the bottom left: see `gradient`."""
    small = picture.convert("RGB").resize((8, 8))
    corners = [small.getpixel(at) for at in ((1, 1), (7, 0), (0, 7), (7, 7))]
    white, red, green, both = [corner for corner in corners if isinstance(corner, tuple)]
    return min(white) > 200 and red[0] > 150 > red[1] and green[1] > 150 > green[0] and min(both[0], both[1]) > 150


def is_red(picture: Image.Image, across: int) -> bool:
    pixel = picture.getpixel((across, 6))
    return isinstance(pixel, tuple) and pixel[0] > 180 and pixel[1] < 90


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_is_made_upright(engine: PyavEngine, tmp_path: Path, orientation: int) -> None:
    path = photo(tmp_path / "photo.jpg", orientation=orientation)
    assert is_upright(await one(engine, path, still("w200", 200, 150)))


@pytest.mark.parametrize("orientation", [2, 3, 5, 8])
@pytest.mark.parametrize("suffix", ["png", "webp", "tiff", "avif"])
async def test_so_is_every_format_that_can_be_stored_turned(
    engine: PyavEngine, tmp_path: Path, suffix: str, orientation: int
) -> None:
    path = photo(tmp_path / f"photo.{suffix}", orientation=orientation)
    assert is_upright(await one(engine, path, still("w200", 200, 150)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["webp", "png"])
async def test_every_frame_of_an_animation_is_made_upright_in_its_place(
    engine: PyavEngine, tmp_path: Path, suffix: str, orientation: int
) -> None:
    path = turned_animation(tmp_path / f"turned.{suffix}", orientation=orientation)
    facts = await engine.inspect(FileSource(path))
    assert facts.image is not None
    assert facts.image.display_size == (120, 80)
    picture = await one(engine, path, still("whole", 120, 80, animated=True))
    frames = [frame.convert("RGB").copy() for frame in ImageSequence.Iterator(picture)]
    assert [is_upright(frame) for frame in frames] == [True] * 3
    assert [[is_red(frame, 6 + 12 * spot) for spot in range(3)] for frame in frames] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert picture.info["loop"] == 2


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
async def test_a_heic_is_turned_once_and_not_twice(engine: PyavEngine, tmp_path: Path, orientation: int) -> None:
    path = heic(tmp_path / "photo.heic", orientation=orientation)
    facts = await engine.inspect(FileSource(path))
    assert facts.image is not None
    assert (facts.image.display_size, facts.image.orientation) == ((256, 192), 1)
    assert is_upright(await one(engine, path, still("w128", 128, 96)))


@pytest.mark.parametrize("orientation", [1, 5, 6])
async def test_a_heic_grid_is_one_picture(engine: PyavEngine, tmp_path: Path, orientation: int) -> None:
    path = heic(tmp_path / "grid.heic", size=(640, 480), tile=256, orientation=orientation)
    assert is_upright(await one(engine, path, still("w640", 640, 480)))


@pytest.mark.parametrize("kind", ["webp", "jpeg", "avif"])
async def test_nothing_but_pixels_is_left(engine: PyavEngine, tmp_path: Path, kind: str) -> None:
    path = photo(tmp_path / "photo.jpg", orientation=6, position=True)
    picture = await one(engine, path, still("bare", 200, 150, format=kind))
    assert dict(picture.getexif()) == {}
    assert not {"exif", "xmp", "icc_profile"} & set(picture.info)


@pytest.mark.parametrize("side", [5, 40, 320])
@pytest.mark.parametrize("kind", ["webp", "jpeg", "avif"])
async def test_confetti_is_proven_like_any_other_picture(
    engine: PyavEngine, tmp_path: Path, kind: str, side: int
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "confetti.png")
    assert (await one(engine, tmp_path / "confetti.png", still("confetti", side, side, format=kind))).size == (
        side,
        side,
    )


async def test_all_sizes_and_formats_come_in_the_order_of_the_task(engine: PyavEngine, tmp_path: Path) -> None:
    specs = [
        still("small-jpeg", 100, 75, format="jpeg"),
        still("large", 400, 300),
        still("small", 100, 75),
        still("large-jpeg", 400, 300, format="jpeg"),
    ]
    made, sink = await render(engine, photo(tmp_path / "photo.jpg"), *specs, distant=True)
    assert [rendition.name for rendition in made] == [spec.name for spec in specs]
    assert all(rendition.proof.ok for rendition in made)
    assert sink.types["images/large.webp"] == "image/webp"
    assert sink.types["images/large-jpeg.jpeg"] == "image/jpeg"
    assert [Image.open(io.BytesIO(sink.files[item.path])).size for item in made] == [
        (100, 75),
        (400, 300),
        (100, 75),
        (400, 300),
    ]


async def test_progress_goes_to_the_end(engine: PyavEngine, tmp_path: Path) -> None:
    seen = Fractions()
    task = picture_task(still("a", 40, 30), still("b", 20, 15))
    await engine.render(FileSource(photo(tmp_path / "photo.jpg")), task, MemorySink(), seen)
    assert seen.seen == sorted(seen.seen)
    assert seen.seen[-1] == 1.0


async def test_a_crop_has_its_shape_and_what_draws_the_eye(engine: PyavEngine, tmp_path: Path) -> None:
    """Grey, and something colourful at the right end."""
    picture = Image.new("RGB", (900, 300), (90, 90, 90))
    picture.paste(gradient(120, 120), (740, 90))
    picture.save(tmp_path / "wide.png")
    square = still("square", 200, 200, crop=True)
    made = (await one(engine, tmp_path / "wide.png", square)).convert("RGB")
    assert made.size == (200, 200)
    assert np.ptp(np.asarray(made), axis=(0, 1)).max() > 150


async def test_crops_need_no_larger_picture_to_be_made(engine: PyavEngine, tmp_path: Path) -> None:
    made, sink = await render(
        engine, photo(tmp_path / "photo.jpg"), still("tiny", 16, 12), still("square", 300, 300, crop=True)
    )
    assert [Image.open(io.BytesIO(sink.files[item.path])).size for item in made] == [(16, 12), (300, 300)]


async def test_a_large_animation_loops_as_a_video_with_its_own_times(engine: PyavEngine, tmp_path: Path) -> None:
    frames = [gradient(99, 61).rotate(90 * number) for number in range(4)]
    path = tmp_path / "dance.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[80, 0, 300, 50], loop=0)
    task = picture_task(LoopSpec(width=98, height=60, frames=4), kind=TaskKind.LOOP)
    sink = MemorySink()
    (made,) = await engine.render(FileSource(path), task, sink, Fractions())
    assert made.proof.ok, made.proof.failures
    assert made.duration_s == 0.53  # a frame that asks for no time is shown for 100 ms, as browsers do
    with av.open(io.BytesIO(sink.files["loop.mp4"]), "r") as film:
        assert [stream.type for stream in film.streams] == ["video"]
        shown = list(film.decode(video=0))
    assert [round(1000 * (frame.time or 0)) for frame in shown] == [0, 80, 180, 480]
    assert is_upright(Image.fromarray(shown[0].to_ndarray(format="rgb24")))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
async def test_an_animation_stays_one(engine: PyavEngine, tmp_path: Path, suffix: str) -> None:
    path = animation(tmp_path / f"dance.{suffix}", frames=5)
    facts = await engine.inspect(FileSource(path))
    assert facts.image is not None
    assert facts.image.frames == 5
    picture = await one(engine, path, still("dance", 32, 24, animated=True))
    assert getattr(picture, "n_frames", 1) == 5
    assert picture.size == (32, 24)


async def test_a_still_of_an_animation_is_its_first_frame(engine: PyavEngine, tmp_path: Path) -> None:
    picture = await one(engine, animation(tmp_path / "dance.gif"), still("still", 32, 24, format="jpeg"))
    assert getattr(picture, "n_frames", 1) == 1


async def test_what_was_transparent_becomes_white_in_a_jpeg(engine: PyavEngine, tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    picture = await one(engine, tmp_path / "clear.png", still("flat", 40, 40, format="jpeg"))
    assert picture.convert("RGB").getpixel((20, 20)) == (255, 255, 255)


async def test_transparency_is_kept_in_a_webp(engine: PyavEngine, tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (255, 0, 0, 90)).save(tmp_path / "clear.png")
    assert (await one(engine, tmp_path / "clear.png", still("clear", 40, 40))).mode == "RGBA"


async def test_sixteen_bits_and_cmyk_become_srgb(engine: PyavEngine, tmp_path: Path) -> None:
    assert is_upright(await one(engine, deep_png(tmp_path / "deep.png"), still("deep", 60, 40)))
    printed = photo(tmp_path / "print.jpg", mode="CMYK")
    made = await one(engine, printed, still("print", 60, 45, format="jpeg"))
    corners = np.asarray(made)[[5, 5, 40, 40], [5, 55, 5, 55]] > 130  # inks are dull, and not their opposites
    assert corners.tolist() == [[True, True, True], [True, False, False], [False, True, False], [True, True, False]]


async def test_the_black_of_ink_is_black(engine: PyavEngine, tmp_path: Path) -> None:
    Image.new("CMYK", (64, 64), (191, 173, 165, 230)).save(tmp_path / "ink.jpg", quality=95)
    made = await one(engine, tmp_path / "ink.jpg", still("ink", 32, 32, format="jpeg"))
    assert np.asarray(made).max() < 16


@pytest.mark.parametrize("full", [1.0, 255.0, 65_535.0])
@pytest.mark.parametrize("profile", [None, "srgb", "grey"])
async def test_floating_point_numbers_are_light(
    engine: PyavEngine, tmp_path: Path, profile: str | None, full: float
) -> None:
    """Renderers write colours as linear light; what a profile or a grey says needs no gamma, nor do former integers."""
    shares = np.asarray(gradient(120, 80), dtype=np.float32) / 255
    linear = profile is None and full == 1.0
    path = floating_tiff(tmp_path / "light.tiff", (shares**2.2 if linear else shares) * full, profile)
    facts = await engine.inspect(FileSource(path))
    assert facts.image is not None
    assert facts.image.bit_depth == 32
    made = (await one(engine, path, still("light", 120, 80, quality=95))).convert("RGB")
    shown = gradient(120, 80).convert("L").convert("RGB") if profile == "grey" else gradient(120, 80)
    assert max(ImageStat.Stat(ImageChops.difference(made, shown)).mean) < 4


@pytest.mark.parametrize("profile", [None, "srgb"])
async def test_a_sample_that_is_no_number_costs_no_other(
    engine: PyavEngine, tmp_path: Path, profile: str | None
) -> None:
    shares = np.asarray(gradient(120, 80), dtype=np.float32) / 255
    samples = shares if profile else shares**2.2
    samples[3, 3, 1] = np.nan
    path = floating_tiff(tmp_path / "light.tiff", samples, profile)
    assert (await engine.inspect(FileSource(path))).image is not None
    made = (await one(engine, path, still("light", 120, 80, quality=95))).convert("RGB")
    assert max(ImageStat.Stat(ImageChops.difference(made, gradient(120, 80))).mean) < 4


@pytest.mark.parametrize("suffix", ["webp", "jpeg", "avif"])
async def test_channels_beyond_colours_and_alpha_are_not_shown(
    engine: PyavEngine, tmp_path: Path, suffix: Literal["webp", "jpeg", "avif"]
) -> None:
    more = np.random.default_rng(4).integers(1, 255, (80, 120, 2), np.uint8)
    every = np.concatenate([np.asarray(gradient(120, 80)), more], axis=2)
    path = tmp_path / "measured.tiff"
    pyvips.Image.new_from_array(every).copy(interpretation="srgb").tiffsave(str(path))
    made = await one(engine, path, still("measured", 120, 80, format=suffix, quality=95))
    assert max(ImageStat.Stat(ImageChops.difference(made, gradient(120, 80))).mean) < 5


async def test_whole_numbers_of_32_bits_are_light_as_well(engine: PyavEngine, tmp_path: Path) -> None:
    shares = np.asarray(gradient(120, 80), dtype=np.float64) / 255
    path = tmp_path / "deep.tiff"
    pyvips.Image.new_from_array((shares * 4_294_967_295).astype(np.uint32)).tiffsave(str(path))
    made = (await one(engine, path, still("light", 120, 80, quality=95))).convert("RGB")
    assert max(ImageStat.Stat(ImageChops.difference(made, gradient(120, 80))).mean) < 4


@pytest.mark.parametrize("suffix", ["jpg", "png", "avif", "tiff"])
async def test_colours_of_a_wider_space_look_as_they_did(engine: PyavEngine, tmp_path: Path, suffix: str) -> None:
    path = wide_gamut(tmp_path / f"p3.{suffix}")
    made = (await one(engine, path, still("srgb", 120, 80, quality=95))).convert("RGB")
    assert max(ImageStat.Stat(ImageChops.difference(made, gradient(120, 80))).mean) < 4
    with Image.open(path) as stored:
        numbers = stored.convert("RGB")
    assert max(ImageStat.Stat(ImageChops.difference(numbers, gradient(120, 80))).mean) > 6  # not by leaving them alone


async def test_what_shows_through_is_not_mixed_with_what_is_hidden(engine: PyavEngine, tmp_path: Path) -> None:
    """Scaling mixes neighbours: a white edge around what is cut out would be the classic mistake."""
    picture = Image.new("RGBA", (400, 400), (255, 255, 255, 0))
    picture.paste((200, 0, 0, 255), (100, 100, 301, 301))
    picture.save(tmp_path / "cut-out.png")
    made = await one(engine, tmp_path / "cut-out.png", still("small", 133, 133, quality=95))
    seen = np.asarray(made.convert("RGBA")).reshape(-1, 4)
    assert seen[seen[:, 3] > 60][:, 1].max() < 60


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tiff", "avif", "heic", "bmp"])
async def test_a_picture_that_was_cut_off_is_refused(
    engine: PyavEngine, tmp_path: Path, suffix: str, share: float
) -> None:
    path = tmp_path / f"photo.{suffix}"
    if suffix == "heic":
        heic(path)
    else:
        gradient(400, 300).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Refused) as caught:
        await engine.inspect(FileSource(path))
    assert caught.value.code in {Code.REJECTED_TRUNCATED, Code.REJECTED_CORRUPT}


async def test_too_many_pixels_are_refused_before_they_are_decoded(engine: PyavEngine, tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(Refused) as caught:
        await engine.inspect(FileSource(tmp_path / "bomb.png"))
    assert caught.value.code is Code.REJECTED_PIXELS


async def test_too_many_frames_are_refused(tmp_path: Path) -> None:
    engine = PyavEngine(type(LIMITS)(image_frames_max=3), str(tmp_path / "scratch"))
    with pytest.raises(Refused) as caught:
        await engine.inspect(FileSource(animation(tmp_path / "dance.gif", frames=6)))
    assert caught.value.code is Code.REJECTED_FRAMES


async def test_frames_that_ask_for_no_time_are_shown_for_a_tenth_of_a_second(
    engine: PyavEngine, tmp_path: Path
) -> None:
    frames = [gradient(64, 48).rotate(90 * number).resize((64, 48)) for number in range(4)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], duration=[1, 500, 10, 40])
    made = await one(engine, tmp_path / "a.webp", still("w64", 64, 48, animated=True))
    assert [frame.copy().info["duration"] for frame in ImageSequence.Iterator(made)] == [100, 500, 100, 40]


async def test_a_picture_of_six_pixels_is_made(engine: PyavEngine, tmp_path: Path) -> None:
    gradient(2, 3).save(tmp_path / "a.png")
    assert (await one(engine, tmp_path / "a.png", still("w2", 2, 3))).size == (2, 3)
