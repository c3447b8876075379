"""A watermark is on every rung, on the MP4, the poster and the preview, where the plan says, and nowhere else.

Debian's ffmpeg looks at the pixels: of what has the watermark, and of the same made without.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import pyvips

from smmu.adapters.media.overlay import Sighting, Under
from smmu.adapters.media.protocol import decode_task, encode
from smmu.domain import planner
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import Plan, PlannedTask, TaskKind
from smmu.domain.values import ObjectRef
from smmu.domain.watermark import PIECE, Box, Watermark, WatermarkWish
from tests.support import clips
from tests.support.clips import FAST, Made, failures, make, run
from tests.support.media import clip

pytestmark = pytest.mark.media

GREY = "color=c=0x404040:s=640x480:r=25"
MOVING = "testsrc2=s=640x480:r=25"
PIXELS = npt.NDArray[np.int64]
IMAGE = ObjectRef(key="raw/ada/upl_1/source", version="1", etag="e", size=9)


def logo(target: Path, *, width: int = 200, height: int = 100) -> Path:
    """The left half white, the right half nothing at all, on a ground that would be pink if it were seen."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[:, :, 0], pixels[:, :, 2] = 255, 128
    pixels[:, : width // 2] = 255
    pyvips.Image.new_from_array(pixels).copy(interpretation="srgb").pngsave(str(target))
    return target


@dataclass(frozen=True, slots=True)
class Film:
    """A source, the folder of what is laid over it, and where all is made."""

    source: Path
    pieces: Path
    folder: Path

    def watermark(self, **changed: Any) -> Watermark:
        data = (self.pieces / PIECE).read_bytes()
        known: dict[str, Any] = {"size": 0.4, "margin": 0.05, "opacity": 1.0, "position": "top-left", **changed}
        size = pyvips.Image.new_from_buffer(data, "")
        return Watermark(
            image=IMAGE, sha256=hashlib.sha256(data).hexdigest(), width=size.width, height=size.height, **known
        )

    def plan(self, watermark: Watermark | None, limits: Limits = clips.LIMITS, **wishes: Any) -> Plan:
        wish = WatermarkWish(image="med_1") if watermark else None
        facts = clips.inspect(self.source, self.folder / "inspected")
        return planner.plan(facts, Options(watermark=wish, **wishes), limits, watermark=watermark)

    def made(self, watermark: Watermark | None, *names: str, **wishes: Any) -> Made:
        folder = self.folder / ("marked" if watermark else "plain")
        tasks = [task for task in tasks_of(self.plan(watermark, **wishes)) if not names or task.name in names]
        made = [one for task in tasks for one in run(self.source, folder, task, self.pieces)]
        return Made(folder, {one.name: one for one in made})


def tasks_of(plan: Plan, kind: TaskKind | None = None) -> list[PlannedTask]:
    return [task for stage in plan.stages for task in stage.tasks if kind is None or task.kind is kind]


def film(folder: Path, *options: str, shown: str = GREY, seconds: float = 2.0, name: str = "film.mp4") -> Film:
    (folder / "pieces").mkdir()
    logo(folder / "logo.png").rename(folder / "pieces" / PIECE)
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", shown]
    return Film(make(folder / name, *inputs, *(options or FAST)), folder / "pieces", folder)


def seen(path: Path, width: int, height: int) -> PIXELS:
    """The last of a few pictures, as ffmpeg shows it."""
    shown: PIXELS = clips.pictures(path, width, height, count=5)[-1].astype(np.int64)
    return shown


def inner(box: Box, *, left: bool) -> tuple[slice, slice]:
    """What is certainly inside of the left or the right half of a watermark: scalers and encoders blur its edges."""
    half, rim = box.width // 2, max(2, box.height // 8)
    start = box.left + (0 if left else half)
    return slice(box.top + rim, box.top + box.height - rim), slice(start + rim, start + half - rim)


def outside(box: Box, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    mask = np.ones(shape[:2], bool)
    rim = 16  # as far as a block of the encoder reaches
    rows = slice(max(0, box.top - rim), box.top + box.height + rim)
    mask[rows, max(0, box.left - rim) : box.left + box.width + rim] = False
    return mask


def is_marked(found: PIXELS, plain: PIXELS, box: Box, *, tolerance: float = 4) -> None:
    white, nothing = found[inner(box, left=True)], found[inner(box, left=False)]
    assert white.mean() > 240, "the opaque half is what it is"
    assert np.abs(nothing - plain[inner(box, left=False)]).mean() < tolerance, "the transparent half is the film"
    mask = outside(box, found.shape)
    assert np.abs(found - plain)[mask].mean() < tolerance, "and so is all around it"


@pytest.mark.parametrize("position", ["center", "bottom-right"])
def test_it_is_where_it_was_asked_for_on_every_rung(tmp_path: Path, position: Any) -> None:
    here = film(tmp_path, shown=GREY.replace("640x480", "480x360"), seconds=1)
    watermark = here.watermark(position=position)
    made, plain = here.made(watermark, "video"), here.made(None, "video")
    assert failures(made) == []
    assert [name for name in made.renditions if name.endswith("p")] == ["360p", "240p"]
    for name in ("360p", "240p", "mp4"):
        width, height = made[name].width or 0, made[name].height or 0
        found, without = (seen(one.path(name), width, height) for one in (made, plain))
        is_marked(found, without, watermark.box(width, height))
    assert made["240p"].proof.measures["watermark_seen"] == pytest.approx(1, abs=0.1)


def test_a_rung_that_is_made_alone_has_it_where_the_others_have_it(tmp_path: Path) -> None:
    here = film(tmp_path, shown=GREY.replace("640x480", "480x360"), seconds=1)
    watermark = here.watermark(position="bottom-right")
    (task,) = tasks_of(here.plan(watermark), TaskKind.VIDEO)
    lowest = next(spec for spec in task.renditions if spec.name == "240p")
    (alone,) = run(here.source, tmp_path / "alone", replace(task, renditions=(lowest,)), here.pieces)
    made = here.made(watermark, "video")
    shown = [seen(folder / alone.path, 320, 240) for folder in (tmp_path / "alone", made.folder)]
    assert np.abs(shown[0] - shown[1]).mean() < 1
    is_marked(shown[0], shown[1], watermark.box(320, 240))


def test_it_is_on_what_shows_a_film_before_it_plays_but_not_on_the_storyboard(tmp_path: Path) -> None:
    here = film(tmp_path, shown=MOVING, seconds=7)
    watermark = here.watermark()
    made, plain = here.made(watermark, "poster"), here.made(None, "poster")
    assert failures(made) == []
    for name in ("poster", "preview"):
        width, height = made[name].width or 0, made[name].height or 0
        found, without = (seen(one.path(name), width, height) for one in (made, plain))
        is_marked(found, without, watermark.box(width, height), tolerance=8)
        assert made[name].proof.measures["watermark_seen"] == pytest.approx(1, abs=0.15)
    assert [file.sha256 for file in made["storyboard"].files] == [file.sha256 for file in plain["storyboard"].files]


def test_it_is_upright_on_a_film_that_is_turned(tmp_path: Path) -> None:
    here = film(tmp_path, shown=GREY.replace("640x480", "480x360"), seconds=1)
    here = replace(here, source=clip(tmp_path / "turned.mp4", size=(480, 360), rotation_cw=90))
    watermark = here.watermark(position="bottom-left")
    made, plain = here.made(watermark, "video", "poster"), here.made(None, "video", "poster")
    assert failures(made) == []
    for name in ("360p", "240p", "poster"):
        width, height = made[name].width or 0, made[name].height or 0
        assert width < height
        found, without = (seen(one.path(name), width, height) for one in (made, plain))
        is_marked(found, without, watermark.box(width, height))


def test_it_is_laid_over_what_was_tone_mapped(tmp_path: Path) -> None:
    hdr = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p10le",
           "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")  # fmt: skip
    here = film(tmp_path, *hdr, shown=GREY.replace("640x480", "320x240"), seconds=0.2)
    watermark = here.watermark()
    assert tasks_of(here.plan(watermark), TaskKind.VIDEO)[0].transform.tone_map == "pq"
    made = here.made(watermark, "video")
    assert failures(made) == []
    found, box = seen(made.path("240p"), 320, 240), watermark.box(320, 240)
    beside = np.broadcast_to(found[outside(box, found.shape)].mean(axis=0), found.shape)  # it is of one colour
    is_marked(found, beside.astype(np.int64), box)


def test_it_lets_through_what_its_opacity_says(tmp_path: Path) -> None:
    here = film(tmp_path, shown=GREY.replace("640x480", "320x240"), seconds=1)
    watermark = here.watermark(opacity=0.5)
    made = here.made(watermark)
    assert failures(made) == []
    for name in ("240p", "poster"):
        found = seen(made.path(name), 320, 240)[inner(watermark.box(320, 240), left=True)].mean()
        assert found == pytest.approx((255 + 0x40) / 2, abs=4)


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_it_is_on_the_rungs_of_every_codec(tmp_path: Path, codec: str) -> None:
    here = film(tmp_path, shown=GREY.replace("640x480", "320x240"), seconds=1)
    watermark = here.watermark()
    made = here.made(watermark, "video", codecs=("h264", codec))
    assert failures(made) == []
    assert made[f"240p-{codec}"].proof.measures["watermark_seen"] == pytest.approx(1, abs=0.1)


def test_a_film_in_chunks_has_it_as_one_pass_has_it(tmp_path: Path) -> None:
    here = film(tmp_path, *FAST, "-g", "50", shown=MOVING.replace("640x480", "320x240"), seconds=14)
    watermark = here.watermark()
    plan = here.plan(watermark, Limits(chunks_from_seconds=1, chunk_seconds=6))
    for task in tasks_of(plan, TaskKind.CHUNK):
        (chunk,) = run(here.source, here.pieces / task.name, task, here.pieces)
        assert chunk.proof.failures == ()
    join = next(task for task in tasks_of(plan, TaskKind.VIDEO) if task.joins)
    joined, one = (
        Made(folder, {made.name: made for made in run(here.source, folder, task, here.pieces)})
        for folder, task in ((tmp_path / "joined", join), (tmp_path / "one", replace(join, joins=())))
    )
    assert failures(joined) == []
    assert joined["240p"].proof.measures["chunks"] == 2
    assert joined["240p"].proof.measures["watermark_seen"] == pytest.approx(
        float(one["240p"].proof.measures["watermark_seen"]), abs=0.02
    )
    shown = [clips.pictures(made.path("mp4"), 320, 240).astype(int) for made in (one, joined)]
    assert np.abs(shown[0] - shown[1]).mean(axis=(1, 2, 3)).max() < 6
    box = watermark.box(320, 240)
    assert all(picture[inner(box, left=True)].mean() > 240 for picture in shown[1]), "every picture of every chunk"


@pytest.mark.parametrize("suffix", ["jpg", "webp", "gif", "tiff"])
def test_pictures_of_other_formats_are_laid_over_too(tmp_path: Path, suffix: str) -> None:
    here = film(tmp_path, shown=GREY.replace("640x480", "320x240"), seconds=1)
    white = pyvips.Image.new_from_array(np.full((60, 120, 3), 255, np.uint8)).copy(interpretation="srgb")
    (here.pieces / PIECE).write_bytes(white.write_to_buffer(f".{suffix}"))
    watermark = here.watermark()
    made = here.made(watermark)
    assert failures(made) == []
    box = watermark.box(320, 240)
    for name in ("240p", "poster"):
        found = seen(made.path(name), 320, 240)
        assert min(found[inner(box, left=left)].mean() for left in (True, False)) > 240


def test_another_picture_than_the_planned_one_is_never_laid_over(tmp_path: Path) -> None:
    here = film(tmp_path, shown=GREY.replace("640x480", "320x240"), seconds=1)
    watermark = replace(here.watermark(), sha256="0" * 64)
    with pytest.raises(RuntimeError, match="not what was planned"):
        here.made(watermark, "video")


def test_a_watermark_as_light_as_the_film_is_told_as_what_cannot_be_told(tmp_path: Path) -> None:
    here = film(tmp_path, shown="color=c=white:s=320x240:r=25", seconds=1)
    made = here.made(here.watermark(), "video")
    assert failures(made) == []
    assert "nothing to tell it by" in str(made["240p"].proof.measures["watermark_seen"])


def test_a_film_without_the_watermark_fails_its_proof() -> None:
    rng = np.random.default_rng(5)
    film_alone = rng.integers(0, 200, (240, 320), np.uint8)
    before = film_alone[0:24, 0:48].reshape(12, 2, 12, 4).mean(axis=(1, 3))
    under = Under(before=before, after=before + 40, edges=(0, 0, 48 / 320, 24 / 240))
    with_it = film_alone.copy()
    with_it[0:24, 0:48] += 40
    for picture, holds, seen_share in ((film_alone, False, "0.00"), (with_it, True, "1.00")):
        sighting = Sighting()
        sighting.keep(0, under)
        sighting.compare(under, picture)
        (check,) = sighting.checks()
        assert (check.ok, check.measured) == (holds, seen_share)
    unseen = Sighting()
    unseen.keep(0, under)
    unseen.forget(before=1)
    (check,) = unseen.checks()
    assert not check.ok, "nobody looked"
    assert list(Sighting().checks()) == []


CALM = np.full((240, 320), 64, np.uint8)
CHECKS = np.kron(np.indices((12, 12)).sum(0) % 2, np.ones((12, 12)))
NOISE = np.random.default_rng(6).integers(-90, 90, (144, 144))


@pytest.mark.parametrize(
    ("change", "side", "found", "told"),
    [
        (40 * CHECKS, 144, 40 * CHECKS, 1.0),
        (40 * CHECKS, 144, 0 * CHECKS, 0.0),
        (40 * CHECKS, 11, 0 * CHECKS, None),  # cells finer than pixels
        (40 * CHECKS, 144, 20 * CHECKS, 0.5),
        (5 * CHECKS, 144, NOISE, None),  # noise that was lost weighs more than all that it changes
        (120 + 0 * CHECKS, 144, 120 + NOISE, 1.0),
    ],
)
def test_what_cannot_be_told_from_the_film_is_not_judged(
    change: npt.NDArray[np.float64], side: int, found: npt.NDArray[np.float64], told: float | None
) -> None:
    before = np.full((12, 12), 64.0)
    cells = change.reshape(12, 12, 12, 12).mean(axis=(1, 3))
    under = Under(before=before, after=before + cells, edges=(0, 0, side / 320, side / 240))
    picture = CALM.copy()
    picture[:side, :side] = (64 + found)[:side, :side].clip(0, 255)
    seen_here, joined = Sighting(), Sighting()
    seen_here.compare(under, picture)
    joined.add(seen_here.told)
    for sighting in (seen_here, joined):
        shares = [float(check.measured) for check in sighting.checks()]
        assert shares == pytest.approx([] if told is None else [told], abs=0.05)
        assert ("nothing to tell it by" in str(sighting.measures()["watermark_seen"])) == (told is None)


def test_a_task_with_a_watermark_reaches_the_child_as_it_is(tmp_path: Path) -> None:
    here = film(tmp_path, seconds=1)
    for task in tasks_of(here.plan(here.watermark(opacity=0.3))):
        told = json.loads(encode({"task": task}))
        assert decode_task(told["task"]).watermark == task.watermark
