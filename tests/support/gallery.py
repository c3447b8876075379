"""`make gallery`: every source beside what is made of it, on one sheet, for eyes: tests do not see an ugly picture.

Sources are shown as Pillow shows them, which is another decoder than the one that made the rest. Without files it
draws pictures of every kind that has its own way to go wrong, and takes the open corpus's photos where that is.
"""

import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio
import pillow_heif
from PIL import Image, ImageCms, ImageDraw, ImageOps

from smmu.adapters.media.engine import PyavEngine
from smmu.domain.errors import Refused
from smmu.domain.options import Options
from smmu.domain.plan import ImageSpec, Plan
from smmu.domain.planner import plan
from tests.support import media
from tests.support.corpus import find_corpus
from tests.support.media import LIMITS, FileSource, Fractions, MemorySink
from tests.support.source import PROJECT

SHEET = PROJECT / "gallery" / "sheet.jpg"
WISH = Options(image_widths=(320,), image_formats=("webp", "jpeg", "avif"))
CELL, LINE, LABEL = 200, 224, 16
COLUMNS = ("source", "image-webp", "image-jpeg", "image-avif", "square-webp", "wide-jpeg", "wide-avif")
_CHECKS = ((255, 255, 255), (225, 225, 225))


def drawn(folder: Path) -> Iterator[Path]:
    """Pictures of every kind that has its own way to go wrong."""
    for orientation in (1, 4, 6, 7):
        yield media.photo(folder / f"turned-{orientation}.jpg", orientation=orientation)
    yield media.heic(folder / "grid-turned-6.heic", size=(640, 480), tile=256, orientation=6)
    yield media.photo(folder / "print.jpg", mode="CMYK")
    yield media.wide_gamut(folder / "wide-gamut.jpg", (400, 300))
    yield media.deep_png(folder / "sixteen-bits.png", (400, 300))
    yield media.turned_animation(folder / "turned-animation.webp", orientation=6, size=(320, 240))
    clear = media.gradient(400, 300)
    clear.putalpha(Image.radial_gradient("L").resize(clear.size).point(lambda value: 255 - value))
    clear.save(folder / "see-through.png")
    yield folder / "see-through.png"


def photos() -> list[Path]:
    """The photos of the open corpus that must be accepted; none where it is not."""
    corpus = find_corpus()
    files = corpus.of("photo") if corpus else ()
    return [file.path for file in files if file.expected["should_accept"] == "accept"]


async def row(path: Path, scratch: Path) -> list[Image.Image]:
    """The source and what was made of it, each in its cell."""
    engine, sink = PyavEngine(LIMITS, str(scratch)), MemorySink()
    try:
        facts = await engine.inspect(FileSource(path))
    except Refused as refused:
        return [labelled(Image.new("RGB", (1, 1)), f"{path.name}: {refused.message}")]
    made = plan(facts, WISH, LIMITS)
    for task in made.stages[0].tasks:
        await engine.render(FileSource(path), task, sink, Fractions())
    cells = [labelled(source_of(path), path.name)]
    for column in COLUMNS[1:]:
        name = _name(made, column)
        found = next((data for file, data in sink.files.items() if Path(file).stem == name), None)
        cells.append(labelled(_opened(found) if found else Image.new("RGB", (1, 1), "white"), name or "-"))
    return cells


def _name(made: Plan, column: str) -> str:
    """What a column is called for this picture: the width is its own."""
    kind, _, suffix = column.partition("-")
    specs = [spec for spec in made.stages[0].tasks[0].renditions if isinstance(spec, ImageSpec)]
    return next((spec.name for spec in specs if spec.name.startswith(kind) and spec.name.endswith(suffix)), "")


def source_of(path: Path) -> Image.Image:
    """The source as Pillow shows it."""
    with Image.open(path) as opened:
        return ImageOps.exif_transpose(_in_srgb(opened)).convert("RGBA")


def _opened(data: bytes) -> Image.Image:
    with tempfile.SpooledTemporaryFile() as file:
        file.write(data)
        file.seek(0)
        with Image.open(file) as opened:
            return _in_srgb(opened).convert("RGBA")


def _in_srgb(picture: Image.Image) -> Image.Image:
    """As its own profile means it."""
    known = picture.info.get("icc_profile")
    if not known or picture.mode not in {"RGB", "RGBA"}:
        return picture
    meant, screen = ImageCms.ImageCmsProfile(io.BytesIO(known)), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(picture, meant, screen) or picture


def labelled(picture: Image.Image, label: str) -> Image.Image:
    """A cell: the picture as large as fits, on a chequered ground, and its name."""
    cell = Image.new("RGB", (CELL, LINE), "white")
    shown = ImageOps.contain(picture.convert("RGBA"), (CELL - 8, CELL - 8))
    ground = Image.new("RGB", shown.size)
    for x in range(0, shown.width, 8):
        for y in range(0, shown.height, 8):
            ground.paste(_CHECKS[(x + y) // 8 % 2], (x, y, x + 8, y + 8))
    ground.paste(shown, (0, 0), shown)
    cell.paste(ground, ((CELL - shown.width) // 2, (CELL - shown.height) // 2))
    size = "" if picture.size == (1, 1) else f" {picture.width}x{picture.height}"
    ImageDraw.Draw(cell).text((4, LINE - LABEL), f"{label}{size}"[:34], fill="black")
    return cell


def sheet(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """All cells on one picture."""
    whole = Image.new("RGB", (CELL * max(map(len, rows)), LINE * len(rows)), "white")
    for down, cells in enumerate(rows):
        for across, cell in enumerate(cells):
            whole.paste(cell, (across * CELL, down * LINE))
    return whole


async def main(files: Sequence[str]) -> None:
    """Write the sheet of these files, or of our own."""
    pillow_heif.register_heif_opener()
    SHEET.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="smmu-gallery-") as room:
        folder = Path(room)
        sources = [Path(file) for file in files] or [*drawn(folder), *photos()]
        rows = [await row(path, folder / "scratch") for path in sources]
    sheet(rows).save(SHEET, quality=88)
    print(f"{len(rows)} pictures: {SHEET}")  # noqa: T201 - its output


if __name__ == "__main__":
    anyio.run(main, sys.argv[1:])
