"""A storyboard: small pictures of a video at even times, many to a sheet, and a WebVTT file that says where each is.

Each tile is the keyframe nearest before the middle of its time, found by seeking and decoded alone: a film of hours
costs as much as one of minutes. Where keyframes are too far apart to tell the film, or nobody knows how long it is,
everything is decoded after all. A time without a picture of its own goes on showing the one before. Refuses to choose
sizes and times: the plan did.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyvips
from av.video.frame import VideoFrame

from smmu.adapters.media import graph
from smmu.adapters.media.decode import Damage, Survey, keyframe_near, only, video_frames
from smmu.adapters.media.proof import check, check_within
from smmu.adapters.media.window import Cutter, Window, time_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, refuse
from smmu.domain.manifest import Check, Proof, RenderedFile, Rendition
from smmu.domain.plan import PlannedTask, StoryboardSpec
from smmu.domain.webvtt import Cue, to_webvtt

FOLDER, VTT_TYPE, SHEET_TYPE = "storyboard", "text/vtt", "image/webp"
# Of the tiles: fewer pictures of their own than this do not tell the film. Not a half: a film with a keyframe every two
# seconds, which is how most are made, has one for every second tile, and an end that is a tile more.
SPARSE = Fraction(2, 5)

Pixels = npt.NDArray[np.uint8]


@dataclass(slots=True)
class _Film:
    """What was seen: a picture for each tile that has one of its own, and where the last one ends."""

    pictures: dict[int, Pixels] = field(default_factory=dict)
    end: Fraction = Fraction(0)
    everything: bool = False

    def tiles(self, spec: StoryboardSpec) -> list[Pixels]:
        """One picture for each interval."""
        line: list[Pixels] = []
        for slot in range(max(1, math.ceil(self.end / spec.interval))):
            before = line[-1] if line else self.pictures[min(self.pictures)]
            line.append(self.pictures.get(slot, before))
        return line


def make_storyboard(bench: Workbench, task: PlannedTask, spec: StoryboardSpec, found: Survey) -> Rendition:
    """The sheets and their WebVTT. Raises `Refused` when nothing of the track decodes."""
    film = _seen(bench, task, spec, found)
    tiles = film.tiles(spec)
    sheets, sizes = _sheets(bench, spec, tiles)
    vtt = _vtt(bench, spec, len(tiles), film.end)
    checks = (
        *_checks(spec, tiles, sizes),
        check_within("covers the video (s)", _owed(task, film), float(film.end), 0.1),
    )
    measures = {"tiles": len(tiles), "own_pictures": len(film.pictures), "decoded_all": int(film.everything)}
    return Rendition(
        name=spec.name,
        role=spec.role,
        files=(vtt, *sheets),
        width=spec.width,
        height=spec.height,
        duration_s=float(film.end),
        proof=Proof(checks=checks, measures=measures),
    )


def _seen(bench: Workbench, task: PlannedTask, spec: StoryboardSpec, found: Survey) -> _Film:
    owed = Fraction(str(task.owed_s or 0))
    film = _Film(end=owed)
    count = math.ceil(owed / spec.interval)
    step = graph.upright(task.transform, spec.width, spec.height, pixel_format="rgb24")
    for slot, frame in _keyframes(bench, task, spec, found, count):
        film.pictures[slot] = _tile(frame, task, step)
    if not film.pictures or len(film.pictures) < SPARSE * count:
        film.everything = True
        _see_all(bench, task, spec, found, film, step=step)
    if not film.pictures:
        raise refuse(Code.REJECTED_CORRUPT, "No picture of the video could be decoded.")
    return film


def _keyframes(
    bench: Workbench, task: PlannedTask, spec: StoryboardSpec, found: Survey, count: int
) -> Iterator[tuple[int, VideoFrame]]:
    with bench.open_container() as container:
        stream = only(container, task.transform.track_index)
        frame: VideoFrame | None = None
        for slot in range(count):
            before = time_of(frame) if frame is not None else None
            middle = found.zero + (slot + Fraction(1, 2)) * spec.interval
            frame = keyframe_near(container, stream, middle, frame)
            time = time_of(frame) if frame is not None else None
            window = Window(found.window.start, found.zero + (slot + 1) * spec.interval)
            if (
                frame is not None
                and time not in (None, before)
                and not window.is_before(time)
                and not window.is_over(time)
            ):
                yield slot, frame
            bench.beat()


def _see_all(
    bench: Workbench, task: PlannedTask, spec: StoryboardSpec, found: Survey, film: _Film, *, step: graph.Step
) -> None:
    limit = bench.limits.duration_seconds_max
    with closing(video_frames(bench, Damage(track=task.transform.track_index), found.window)) as frames:
        for frame in Cutter(found.window).pictures(frames):
            at = max(Fraction(0), (time_of(frame) or found.zero) - found.zero)
            if at > (Fraction(str(task.owed_s)) if task.owed_s else limit):
                continue
            film.end = max(film.end, at)
            slot = int(at / spec.interval)
            if slot not in film.pictures:
                film.pictures[slot] = _tile(frame, task, step)
            bench.beat()


def _tile(frame: VideoFrame, task: PlannedTask, step: graph.Step) -> Pixels:
    (small,) = step.feed(graph.whole_picture(frame, task.transform))
    pixels: Pixels = small.to_ndarray().astype(np.uint8)
    return pixels


def _sheets(
    bench: Workbench, spec: StoryboardSpec, tiles: Sequence[Pixels]
) -> tuple[list[RenderedFile], list[tuple[int, int]]]:
    each, files, sizes = spec.columns * spec.rows, [], []
    (bench.directory / FOLDER).mkdir(exist_ok=True)
    for number, start in enumerate(range(0, len(tiles), each), start=1):
        path = f"{FOLDER}/{_sheet_name(number)}"
        (bench.directory / path).write_bytes(_webp(_joined(spec, tiles[start : start + each]), spec.quality))
        again = pyvips.Image.new_from_file(str(bench.directory / path), fail_on="warning")
        sizes.append((again.width, again.height))
        files.append(bench.finish(path, SHEET_TYPE))
    return files, sizes


def _sheet_name(number: int) -> str:
    return f"sheet-{number:03d}.webp"


def _joined(spec: StoryboardSpec, tiles: Sequence[Pixels]) -> Pixels:
    columns, rows = _shape(spec, len(tiles))
    sheet = np.zeros((rows * spec.height, columns * spec.width, 3), np.uint8)
    for number, tile in enumerate(tiles):
        left, top = _place(spec, number)
        sheet[top : top + spec.height, left : left + spec.width] = tile
    return sheet


def _shape(spec: StoryboardSpec, count: int) -> tuple[int, int]:
    return min(count, spec.columns), math.ceil(count / spec.columns)


def _place(spec: StoryboardSpec, number: int) -> tuple[int, int]:
    row, column = divmod(number, spec.columns)
    return column * spec.width, row * spec.height


def _webp(pixels: Pixels, quality: int) -> bytes:
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, "uchar")
    data: bytes = image.copy(interpretation="srgb").webpsave_buffer(Q=quality, keep="none")
    return data


def _vtt(bench: Workbench, spec: StoryboardSpec, count: int, end: Fraction) -> RenderedFile:
    path = f"{FOLDER}/storyboard.vtt"
    cues = []
    for number in range(count):
        sheet, place = divmod(number, spec.columns * spec.rows)
        left, top = _place(spec, place)
        start = number * spec.interval
        until = max(min(start + spec.interval, end), start + Fraction(1, 1000))
        cues.append(Cue(start, until, f"{_sheet_name(sheet + 1)}#xywh={left},{top},{spec.width},{spec.height}"))
    (bench.directory / path).write_text(to_webvtt(cues), encoding="utf-8")
    return bench.finish(path, VTT_TYPE)


def _owed(task: PlannedTask, film: _Film) -> float:
    return task.owed_s if task.owed_s is not None else float(film.end)


def _checks(spec: StoryboardSpec, tiles: Sequence[Pixels], sizes: Sequence[tuple[int, int]]) -> Iterator[Check]:
    each = spec.columns * spec.rows
    counts = [min(each, len(tiles) - start) for start in range(0, len(tiles), each)]
    shapes = [_shape(spec, count) for count in counts]
    yield check(
        "sizes of the sheets", [(columns * spec.width, rows * spec.height) for columns, rows in shapes], list(sizes)
    )
    yield check(
        "tiles that are as large as planned",
        len(tiles),
        sum(tile.shape == (spec.height, spec.width, 3) for tile in tiles),
    )
