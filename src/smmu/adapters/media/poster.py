"""`render_poster`: what shows a video before it plays. Its poster is made here: a picture that shows something.

Candidates are the keyframes nearest to a few positions, reached by seeking, so a long film costs no more than a short
one. A picture's score is how much it shows: spread of light and detail, with near-black and near-white put last. The
winner is made upright, deinterlaced, tone-mapped and scaled to exactly the planned size, and stored without metadata.
Refuses to decode the whole file: where seeking does not work it looks at the beginning only.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
import numpy.typing as npt
import pyvips
from av.stream import Stream
from av.video.frame import VideoFrame

from smmu.adapters.media import graph
from smmu.adapters.media.bare import bare
from smmu.adapters.media.chapters import make_chapters
from smmu.adapters.media.decode import Damage, Survey, keyframe_near, only, survey, video_frames
from smmu.adapters.media.overlay import Sighting, overlay_of
from smmu.adapters.media.preview import make_preview
from smmu.adapters.media.proof import check
from smmu.adapters.media.storyboard import make_storyboard
from smmu.adapters.media.window import Cutter, Window, time_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, refuse
from smmu.domain.manifest import Check, Proof, RenderedFile, Rendition
from smmu.domain.plan import ChaptersSpec, PlannedTask, PosterSpec, PreviewSpec, StoryboardSpec

PATH, CONTENT_TYPE = "poster.jpg", "image/jpeg"
POSITIONS = (Fraction(25, 100), Fraction(10, 100), Fraction(40, 100), Fraction(55, 100), Fraction(70, 100))
GOOD_ENOUGH = 0.6  # a picture that scores this much ends the search
BEGINNING_FRAMES, FEW, EVERY = 90, 2, 10  # the second and third picture, then every tenth
THUMB_WIDTH, THUMB_HEIGHT = 96, 54
DARK, LIGHT = 40, 225  # a picture whose lights are below, or whose shadows are above, shows nothing


@dataclass(slots=True)
class Candidate:
    """A decoded picture and what it is worth, 0 to 1."""

    frame: VideoFrame
    score: float
    position_s: float


def render_poster(bench: Workbench, task: PlannedTask) -> list[Rendition]:
    """Make the poster, the storyboard, the preview and the chapters that a poster task owes."""
    made: list[Rendition] = []
    found = survey(bench, task.transform.track_index, clip=task.clip)
    for spec in task.renditions:
        if isinstance(spec, PosterSpec):
            best, looked_at = _best(bench, task, found)
            made.append(_publish(bench, task, spec, best, looked_at))
        elif isinstance(spec, StoryboardSpec):
            made.append(make_storyboard(bench, task, spec, found))
        elif isinstance(spec, ChaptersSpec):
            made.append(make_chapters(bench, task, spec, found))
        elif isinstance(spec, PreviewSpec):
            made.append(make_preview(bench, task, spec, found))
        bench.progress(len(made) / len(task.renditions))
    return made


def _best(bench: Workbench, task: PlannedTask, found: Survey) -> tuple[Candidate, int]:
    best, count = None, 0
    for candidate in _candidates(bench, task, found.window):
        count += 1
        if best is None or candidate.score > best.score:
            best = candidate
        if best.score >= GOOD_ENOUGH:
            break
    if best is None:
        raise refuse(Code.REJECTED_CORRUPT, "No picture of the video could be decoded.")
    return best, count


def _candidates(bench: Workbench, task: PlannedTask, window: Window) -> Iterator[Candidate]:
    with bench.open_container() as container:
        stream = only(container, task.transform.track_index)
        seen: set[Fraction | None] = set()
        start = _start_of(stream) if window.start is None else window.start
        for position in POSITIONS if task.duration_s else ():
            frame = keyframe_near(container, stream, start + position * Fraction(task.duration_s or 0))
            if frame is None or window.is_before(time_of(frame)) or window.is_over(time_of(frame)):
                continue
            if time_of(frame) not in seen and time_of(frame) != start:
                seen.add(time_of(frame))
                yield _judged(frame)
    # Nothing there but the first picture, or none that says much: look through the beginning.
    yield from _beginning(bench, task, window)


def _beginning(bench: Workbench, task: PlannedTask, window: Window) -> Iterator[Candidate]:
    with closing(video_frames(bench, Damage(track=task.transform.track_index), window)) as pictures:
        first: VideoFrame | None = None
        frames = islice(Cutter(window).pictures(pictures), BEGINNING_FRAMES)
        for number, frame in enumerate(frames):
            if number == 0:
                first = frame
            elif number % EVERY == 0 or number <= FEW:
                yield _judged(frame)
        if first is not None:
            # The first is often black, a fade or a title: it wins only where nothing better was found.
            judged = _judged(first)
            yield Candidate(judged.frame, judged.score * 0.5, judged.position_s)


def _start_of(stream: Stream) -> Fraction:
    if stream.start_time is None or stream.time_base is None:
        return Fraction(0)
    return stream.start_time * stream.time_base


def _judged(frame: VideoFrame) -> Candidate:
    return Candidate(frame, score(_thumbnail(frame)), float(time_of(frame) or 0))


def _thumbnail(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    scale = ("scale", f"{THUMB_WIDTH}:{THUMB_HEIGHT}:flags=area:out_range=pc")
    step = graph.Step(lambda _: [scale, ("format", "gray")])
    (small,) = [*step.feed(frame), *step.flush()]
    pixels: npt.NDArray[np.uint8] = small.to_ndarray().astype(np.uint8)
    return pixels


def score(pixels: npt.NDArray[np.uint8]) -> float:
    """How much a grey thumbnail shows, 0 to 1: entropy of its light, spread, and not being black or white."""
    spread = float(pixels.std())
    shadows, lights = np.percentile(pixels, (5, 95))
    counts = np.bincount(pixels.ravel() // 8, minlength=32)
    shares = counts[counts > 0] / pixels.size
    entropy = float(-(shares * np.log2(shares)).sum()) / 5  # 5 bits is the most that 32 bins hold
    if lights < DARK or shadows > LIGHT:
        return 0.1 * entropy
    return 0.6 * entropy + 0.4 * min(1.0, spread / 64)


def _publish(bench: Workbench, task: PlannedTask, spec: PosterSpec, best: Candidate, looked_at: int) -> Rendition:
    picture = _finished(best.frame, task, spec)
    overlay, sighting = overlay_of(bench, task, spec.width, spec.height, rgb=True), Sighting()
    under = overlay.under(picture) if overlay else None
    data = _jpeg(overlay.over(picture) if overlay else picture, spec.quality)
    (bench.directory / PATH).write_bytes(data)
    if under is not None:
        sighting.compare(under, pyvips.Image.new_from_buffer(data, "").numpy())
    checks = (*_checks(spec, data), *sighting.checks())
    file: RenderedFile = bench.finish(PATH, CONTENT_TYPE)
    measures = {"position_s": round(best.position_s, 3), "score": round(best.score, 3), "candidates": looked_at}
    return Rendition(
        name=spec.name,
        role=spec.role,
        files=(file,),
        width=spec.width,
        height=spec.height,
        proof=Proof(checks=checks, measures={**measures, **sighting.measures()}),
    )


def _finished(frame: VideoFrame, task: PlannedTask, spec: PosterSpec) -> VideoFrame:
    step = graph.upright(task.transform, spec.width, spec.height, pixel_format="rgb24")
    return [*step.feed(graph.whole_picture(frame, task.transform)), *step.flush()][0]


def _jpeg(picture: VideoFrame, quality: int) -> bytes:
    pixels = picture.to_ndarray()
    image = pyvips.Image.new_from_memory(pixels.tobytes(), picture.width, picture.height, 3, "uchar")
    data: bytes = image.copy(interpretation="srgb").jpegsave_buffer(Q=quality, keep="none", optimize_coding=True)
    return data


def _checks(spec: PosterSpec, data: bytes) -> tuple[Check, ...]:
    again = pyvips.Image.new_from_buffer(data, "", fail_on="warning")
    extra = [name for name in again.get_fields() if name in {"exif-data", "xmp-data", "iptc-data", "icc-profile-data"}]
    return (
        check("size", (spec.width, spec.height), (again.width, again.height)),
        check("decodes", True, 0 <= again.avg() <= 255),  # noqa: FBT003, PLR2004 - compared values; 8-bit light
        bare(extra),
    )
