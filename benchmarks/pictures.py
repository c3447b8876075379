"""What a picture costs: five widths of a photo in two formats, beside libvips' own command, sharp and Pillow.

Every contender is a process of its own, from its start to its last file, because that is what a worker pays; its
memory is the peak of the largest process in it. Ours is the routine that the isolated child runs after a file was
inspected; it reads back and proves what it made, which no other does. All of them are given the same widths, qualities
and encoder settings, and turn and convert alike. Each may use all cores as it does by itself: sharp is asked for all
ten pictures at once, as its manual says.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.figures import Figure, at_most
from benchmarks.runs import Run, both, timed, together

WIDTHS = (320, 640, 1280, 1920, 2560)
FORMATS = ("webp", "jpeg")
_SMALL, _LARGE, _QUICK = (4000, 3000), (8000, 6000), (400, 300)
_SHARP = "sharp@0.35.5"
_SHARP_TARGET = 0.83  # of its wall: 1.2 times as fast
_VIPS_TARGET = 1.0
_PILLOW_TARGETS = {"jpeg": 0.6, "webp": 0.8, "avif": 0.8}
_ROUNDS = 7

_QUALITY = {"jpeg": 80, "webp": 80, "avif": 60}
# as `adapters/media/image.py` writes them; Debian's libvips is older and says "strip" where ours says "keep=none"
_VIPS = {"webp": "[Q=80,effort=4,strip]", "jpeg": "[Q=80,optimize_coding,interlace,strip]"}
_SHARP_PROGRAM = """
const [sharp, source, out, widths] = [require("sharp"), ...process.argv.slice(2)];
const whole = sharp(source).rotate();
const jobs = widths.split(",").flatMap((text) => {
  const scaled = whole.clone().resize({width: Number(text)});
  return [
    scaled.clone().webp({quality: 80, effort: 4}).toFile(`${out}/${text}.webp`),
    scaled.clone().jpeg({quality: 80, progressive: true, optimiseCoding: true}).toFile(`${out}/${text}.jpeg`),
  ];
});
Promise.all(jobs).catch((error) => { console.error(error); process.exit(1); });
"""

Contender = Callable[[Path, Path], Run]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """Two contenders that make the same pictures, and the most that the first may take of the other's wall."""

    name: str
    ours: Contender
    other: Contender
    target: float


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    rounds = 1 if quick else _ROUNDS
    small = photo(folder / "small.jpg", _QUICK if quick else _SMALL)
    large = photo(folder / "large.jpg", (800, 600) if quick else _LARGE)
    figures = [_figure(match, small, folder, rounds) for match in _matches(_sharp_in(folder))]
    figures += [_figure(match, source, folder, rounds) for source in (small, large) for match in _beside_pillow()]
    return [*figures, _growth(small, large, folder, rounds)]


def _matches(sharp: Path | None) -> Iterator[_Match]:
    yield _Match(
        name="WebP and JPEG: our wall over that of vipsthumbnail, ten runs",
        ours=partial(_ours, FORMATS),
        other=_vipsthumbnail,
        target=_VIPS_TARGET,
    )
    if sharp:
        yield _Match(
            name="WebP and JPEG: our wall over that of sharp",
            ours=partial(_ours, FORMATS),
            other=partial(_sharp, sharp),
            target=_SHARP_TARGET,
        )


def _beside_pillow() -> Iterator[_Match]:
    """Of each format by itself, because Pillow's encoders are one after the other."""
    for kind, target in _PILLOW_TARGETS.items():
        yield _Match(
            name=f"{kind.upper()}: our wall over Pillow's",
            ours=partial(_ours, (kind,)),
            other=partial(_pillow, (kind,)),
            target=target,
        )


def _figure(match: _Match, source: Path, folder: Path, rounds: int) -> Figure:
    pairs = _alternated(match.ours, match.other, source, folder, rounds)
    ratios = [mine.seconds / its.seconds for mine, its in pairs]
    return at_most(f"{_megapixels(source)} JPEG to five widths in {match.name}", ratios, match.target, _both(pairs))


def photo(path: Path, size: tuple[int, int]) -> Path:
    """Something like a photo, in a file."""
    scene(size).save(path, quality=92)
    return path


def scene(size: tuple[int, int]) -> Image.Image:
    """Something like a photo: soft shapes of every size, and grain."""
    chance = np.random.default_rng(1)
    width, height = size
    pixels = np.zeros((height, width, 3), dtype=np.float32)
    for coarse in (4, 16, 64, 256):
        shapes = Image.fromarray(chance.integers(0, 256, (3 * coarse // 4, coarse, 3), dtype=np.uint8))
        pixels += np.asarray(shapes.resize(size, Image.Resampling.BICUBIC), dtype=np.float32) / coarse**0.5
    pixels *= 255 / pixels.max()
    pixels += chance.normal(0, 3, pixels.shape).astype(np.float32)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _growth(small: Path, large: Path, folder: Path, rounds: int) -> Figure:
    pairs = _alternated(
        lambda _, out: _ours(FORMATS, large, out), lambda _, out: _ours(FORMATS, small, out), small, folder, rounds
    )
    ratios = [many.peak_kib / few.peak_kib for many, few in pairs]
    name = f"peak memory: {_megapixels(large)} over {_megapixels(small)}, five widths in WebP and JPEG"
    return at_most(name, ratios, 1.3, _both(pairs))


def _alternated(one: Contender, other: Contender, source: Path, folder: Path, rounds: int) -> list[tuple[Run, Run]]:
    """Both in every round, in an order that changes; and once before, so that neither pays for a cold disk."""
    pairs = []
    for number in range(-1, rounds):
        first, second = (one, other) if number % 2 else (other, one)
        runs = [_fresh(contender, source, folder) for contender in (first, second)]
        if number >= 0:
            pairs.append((runs[0], runs[1]) if number % 2 else (runs[1], runs[0]))
    return pairs


def _fresh(contender: Contender, source: Path, folder: Path) -> Run:
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    run = contender(source, out)
    assert any(out.iterdir()), "a contender made nothing"
    return run


def _ours(kinds: Sequence[str], source: Path, out: Path) -> Run:
    return _python("makers", kinds, source, out)


def _pillow(kinds: Sequence[str], source: Path, out: Path) -> Run:
    return _python("pillow", kinds, source, out)


def _python(which: str, kinds: Sequence[str], source: Path, out: Path) -> Run:
    with Image.open(source) as opened:
        sizes = [(width, round(width * opened.height / opened.width)) for width in WIDTHS if width <= opened.width]
    qualities = {kind: _QUALITY[kind] for kind in kinds}
    order = json.dumps({"source": str(source), "out": str(out), "sizes": sizes, "qualities": qualities})
    return timed([sys.executable, "-m", f"benchmarks.picture_{which}", order])


def _vipsthumbnail(source: Path, out: Path) -> Run:
    runs = [
        timed(["vipsthumbnail", str(source), "--size", f"{width}x", "--export-profile", "srgb", "-o", target])
        for width in WIDTHS
        for target in (f"{out}/{width}.{kind}{_VIPS[kind]}" for kind in FORMATS)
    ]
    return together(runs)


def _sharp_in(folder: Path) -> Path | None:
    """A folder with sharp in it; `None` where there is no npm to get it."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    room = folder / "sharp"
    room.mkdir()
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(room), _SHARP]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (room / "make.js").write_text(_SHARP_PROGRAM, encoding="utf-8")
    return room


def _sharp(modules: Path, source: Path, out: Path) -> Run:
    return timed(["node", str(modules / "make.js"), str(source), str(out), ",".join(map(str, WIDTHS))])


def _both(pairs: Sequence[tuple[Run, Run]]) -> str:
    mine, its = zip(*pairs, strict=True)
    return both(mine, its)


def _megapixels(source: Path) -> str:
    with Image.open(source) as opened:
        return f"{opened.width * opened.height / 1_000_000:.0f} MP"
