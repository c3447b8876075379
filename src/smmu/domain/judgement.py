"""Whether an inspected file may be processed: the budgets of untrusted media, asked of facts before any pixel.

Each reason has a `rejected_…` code: the job fails, the media is rejected, and a retry is refused, because the same
bytes would be judged the same. Facts are believed here; measuring them is the media engine's work.
"""

import math
from collections.abc import Callable, Iterator

from smmu.domain.content_types import agrees, canonical
from smmu.domain.errors import Code, Reason
from smmu.domain.facts import Kind, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import Plan, PlannedTask, TaskKind
from smmu.domain.plan_chunks import INDEXED, fits_one_task


def judge(facts: MediaFacts, limits: Limits) -> tuple[Reason, ...]:
    """Every reason to reject this file; empty when it is admissible, which is what the planner asks for."""
    return tuple(reason for rule in _RULES for reason in rule(facts, limits))


def judge_declared(declared_type: str, facts: MediaFacts) -> tuple[Reason, ...]:
    """As `type_mismatch` at completion, now that the whole header was read and the kind is certain."""
    if agrees(declared_type, facts.content_type, facts.kind):
        return ()
    claim = canonical(declared_type)
    words = f"The file was declared as {claim!r} and is {_NAMES[facts.kind]}: declare what it is."
    return (Reason(code=Code.REJECTED_TYPE_MISMATCH, message=words),)


def judge_options(facts: MediaFacts, options: Options) -> tuple[Reason, ...]:
    """What was asked for and this file cannot give. To give something else instead might show what must not be seen."""
    return tuple(_wishes(facts, options))


def judge_plan(made: Plan, facts: MediaFacts, limits: Limits) -> tuple[Reason, ...]:
    """What is planned and no worker would end in time: a long film that has to be made in one pass."""
    if facts.container in INDEXED:
        return ()
    late = (task for task in (task for stage in made.stages for task in stage.tasks) if task.kind is TaskKind.VIDEO)
    return tuple(_late(facts, task) for task in late if not fits_one_task(task, facts, limits))


def _late(facts: MediaFacts, task: PlannedTask) -> Reason:
    hours = (task.duration_s or 0.0) / 3600
    words = (
        f"It lasts {hours:.1f} hours in {facts.container}, which one worker alone would have to decode, and that takes"
        " longer than a task may: cut it, ask for fewer rungs and codecs, or upload it as MP4 or Matroska."
    )
    return _reason(Code.REJECTED_DURATION, words)


def _wishes(facts: MediaFacts, options: Options) -> Iterator[Reason]:
    if facts.kind is not Kind.VIDEO and options.watermark is not None:
        words = f"A watermark is laid over videos, and the file is {_NAMES[facts.kind]}: leave it out."
        yield Reason(code=Code.INVALID_OPTIONS, message=words, pointer="/options/watermark")
    if facts.kind is Kind.IMAGE:
        return
    duration = facts.duration_s if facts.duration_exact else None
    if duration is not None and options.clip_start_s > 0 and options.clip_start_s >= duration:
        words = f"The clip starts at {options.clip_start_s:g} s, and the file lasts {duration:.3f} s: start it earlier."
        yield Reason(code=Code.INVALID_OPTIONS, message=words, pointer="/options/clip_start_s")
    if facts.kind is Kind.AUDIO and options.mute:
        words = "A sound file without its sound is nothing: leave out mute."
        yield Reason(code=Code.INVALID_OPTIONS, message=words, pointer="/options/mute")


def judge_pictures(frames: int, width: int, height: int, limits: Limits) -> Iterator[Reason]:
    """Whether a film has too many pictures, or too much in them: a small index may list one a million times.

    Asked of an index before anything of it is decoded, and of the facts again.
    """
    if frames > limits.video_frames_max:
        words = f"The film has {frames:,} pictures, and at most {limits.video_frames_max:,} are allowed: shorten it."
        yield _reason(Code.REJECTED_FRAMES, words)
    total, most = width * height * frames, limits.video_total_pixels_max
    if total > most:
        words = f"All of its pictures together have {total:,} pixels, and at most {most:,} are allowed"
        yield _reason(Code.REJECTED_PIXELS, f"{words}: make it smaller or shorter.")


_NAMES = {Kind.IMAGE: "an image", Kind.VIDEO: "a video", Kind.AUDIO: "an audio file"}


def _content(facts: MediaFacts, _limits: Limits) -> Iterator[Reason]:
    """A kind without its content is a container with nothing in it."""
    has = {Kind.IMAGE: facts.image, Kind.VIDEO: facts.video, Kind.AUDIO: facts.audio}[facts.kind]
    if not has:
        yield _reason(Code.REJECTED_EMPTY, "The file holds no picture and no sound: export it again.")


def _sides(facts: MediaFacts, limits: Limits) -> Iterator[Reason]:
    picture = facts.image or facts.video
    if picture is None:
        return
    side_max = limits.image_side_max if facts.image else limits.video_side_max
    size = f"{picture.width} × {picture.height} pixels"
    if min(picture.width, picture.height) < 1:
        yield _reason(Code.REJECTED_DIMENSIONS, f"The picture has {size}: export it again.")
    elif max(*picture.display_size, picture.width, picture.height) > side_max:
        words = f"The picture has {size}, and no side may be over {side_max}: make it smaller."
        yield _reason(Code.REJECTED_DIMENSIONS, words)


def _pixels(facts: MediaFacts, limits: Limits) -> Iterator[Reason]:
    picture = facts.image or facts.video
    if picture is None:
        return
    most = limits.image_pixels_max if facts.image else limits.video_pixels_max
    pixels = max(picture.width * picture.height, math.prod(picture.display_size))
    if pixels > most:
        words = f"The picture has {pixels:,} pixels, and at most {most:,} are allowed: make it smaller."
        yield _reason(Code.REJECTED_PIXELS, words)


def _frames(facts: MediaFacts, limits: Limits) -> Iterator[Reason]:
    image = facts.image
    if image is None:
        return
    if image.frames < 1:
        yield _reason(Code.REJECTED_EMPTY, "The file holds no picture: export it again.")
    if image.frames > limits.image_frames_max:
        most = limits.image_frames_max
        words = f"The animation has {image.frames:,} frames, and at most {most:,} are allowed: shorten it."
        yield _reason(Code.REJECTED_FRAMES, words)
    total = image.width * image.height * image.frames
    if image.frames > 1 and total > limits.image_total_pixels_max:
        words = (
            f"All frames together have {total:,} pixels, and at most {limits.image_total_pixels_max:,}"
            " are allowed: make it smaller or shorter."
        )
        yield _reason(Code.REJECTED_PIXELS, words)


def _moving(facts: MediaFacts, limits: Limits) -> Iterator[Reason]:
    frames = _counted(facts)
    if facts.video is not None and frames is not None:
        yield from judge_pictures(frames, facts.video.width, facts.video.height, limits)


def _counted(facts: MediaFacts) -> int | None:
    """How many pictures a film has: counted, or by its rate where its length at least was measured."""
    video = facts.video
    if video is None or video.frames is not None:
        return video.frames if video else None
    if not facts.duration_exact or facts.duration_s is None or video.frame_rate is None:
        return None
    return math.ceil(facts.duration_s * video.frame_rate) if math.isfinite(facts.duration_s) else None


def _duration(facts: MediaFacts, limits: Limits) -> Iterator[Reason]:
    duration = facts.duration_s
    if duration is None or 0 <= duration <= limits.duration_seconds_max:
        return
    if not math.isfinite(duration) or duration < 0:
        yield _reason(Code.REJECTED_CORRUPT, "The file states an impossible duration: export it again.")
        return
    if not facts.duration_exact:  # a header's word alone refuses nobody: some claim days for a second
        return
    most = limits.duration_seconds_max / 3600
    words = f"It lasts {duration / 3600:,.1f} hours, and at most {most:g} are allowed: cut it."
    yield _reason(Code.REJECTED_DURATION, words)


def _streams(facts: MediaFacts, limits: Limits) -> Iterator[Reason]:
    streams = (facts.video is not None) + len(facts.audio) + len(facts.subtitles)
    if streams > limits.streams_max:
        words = f"The file has {streams} tracks, and at most {limits.streams_max} are allowed: remove some."
        yield _reason(Code.REJECTED_STREAMS, words)


def _sound(facts: MediaFacts, _limits: Limits) -> Iterator[Reason]:
    if facts.kind is Kind.AUDIO and facts.audio and not any(track.playable for track in facts.audio):
        yield _reason(Code.REJECTED_CORRUPT, "No sound track states its channels and rate: export it again.")


def _reason(code: Code, words: str) -> Reason:
    return Reason(code=code, message=words)


_Rule = Callable[[MediaFacts, Limits], Iterator[Reason]]
_RULES: tuple[_Rule, ...] = (_content, _sides, _pixels, _frames, _moving, _duration, _streams, _sound)
