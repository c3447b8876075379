"""What of a film's pictures and times renditions do not keep as it is, each with its reason.

Every rendition is upright, whole, with square pixels, in 8-bit 4:2:0 of BT.709; what a film is otherwise is told here
in the order in which it is changed. Refuses to change anything: transforms and encoders do.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from smmu.domain import ladder
from smmu.domain.facts import Mark, MediaFacts, Transfer, VideoTrack
from smmu.domain.plan import Decision, RungSpec

_BT709: Final = "bt709"
_OTHER_SAMPLING: Final = re.compile(r"4[124][0-4]|^(gbr|rgb|bgr|argb|abgr)")
_SAMPLED_ALIKE: Final = re.compile(r"420|^nv12|^nv21|^p01")
_ALPHA: Final = re.compile(r"^(yuva|gbrap|ya\d|argb|abgr|rgba|bgra)")
_SHOWN_FLAT: Final = {Mark.SPHERICAL: "as a sphere", Mark.STEREO: "for both eyes"}


def changes(facts: MediaFacts, video: VideoTrack, rungs: Sequence[RungSpec]) -> Iterator[Decision]:
    """Every change, of pictures first and then of times."""
    told = (_shape(video), _light(video), _left_out(facts, video), _times(facts, video))
    yield from (Decision(subject="source", choice=choice, reason=reason) for part in told for choice, reason in part)
    yield from _slower(video, rungs)


def _shape(video: VideoTrack) -> Iterator[tuple[str, str]]:
    if video.rotation_cw % 360:
        yield f"rotated {video.rotation_cw % 360}°", "its display matrix says so"
    if video.reflected:
        yield "mirrored", "its display matrix says so"
    if video.tilted:
        yield "not turned", "its display matrix asks for no turn by quarters, and no camera means that"
    if video.sample_aspect != 1:
        width, height = video.display_size
        yield f"square pixels, {width} × {height}", f"its pixels are {video.sample_aspect} wide"
    if video.interlaced:
        yield "deinterlaced", "its frames are made of two fields"
    if video.width % 2 or video.height % 2:
        yield "made even", f"{video.width} × {video.height} is odd, and 4:2:0 needs even sides"


def _light(video: VideoTrack) -> Iterator[tuple[str, str]]:
    if video.transfer is not Transfer.SDR:
        yield "tone-mapped", f"{video.transfer.upper()} light, and renditions are SDR"
    elif not video.colour_space:
        yield "colours of BT.709", "it does not say which its own are: they are taken for what films of its size have"
    elif {video.colour_space, video.colour_primaries or _BT709} != {_BT709}:
        primaries = f" and primaries of {video.colour_primaries}" if video.colour_primaries else ""
        yield "colours of BT.709", f"it has those of {video.colour_space}{primaries}"
    if video.full_range:
        yield "limited range", "its light uses the full range of its numbers, and players of films want less"
    if video.bit_depth > 8:  # noqa: PLR2004 - what every H.264 player takes
        yield "reduced to 8 bits", f"it has {video.bit_depth} bits a sample"
    if _OTHER_SAMPLING.search(video.pixel_format) and not _SAMPLED_ALIKE.search(video.pixel_format):
        yield "reduced to 4:2:0", f"it is {video.pixel_format}, and players want colours at half its sides"
    if _ALPHA.search(video.pixel_format):
        yield "made opaque", "it has transparent parts, and no rendition can have them"


def _left_out(facts: MediaFacts, video: VideoTrack) -> Iterator[tuple[str, str]]:
    if video.captions:
        yield "captions left out", "they are inside of its pictures, and renditions have none there"
    if video.others:
        yield "one track of pictures", f"it has {video.others} more, and players show one"
    if facts.has_cover_art:
        yield "cover art left out", "its poster is made of its own pictures"
    for mark in facts.marks:
        if mark in _SHOWN_FLAT:
            yield f"shown flat, not {_SHOWN_FLAT[mark]}", f"it is marked as {mark}, and renditions have no such mark"


def _times(facts: MediaFacts, video: VideoTrack) -> Iterator[tuple[str, str]]:
    if video.variable_frame_rate:
        yield "timestamps kept", "its frame rate varies"
    if video.frame_rate and video.frame_rate > ladder.RATE_MAX:
        yield f"at most {ladder.RATE_MAX} frames a second", f"it has {float(video.frame_rate):.3f}"
    if video.frames == 1:
        yield "one frame", "there is nothing to play, but it is shown"
    if facts.duration_s is None or not facts.duration_exact:
        yield "duration measured by render", "the header does not say it reliably"


def _slower(video: VideoTrack, rungs: Sequence[RungSpec]) -> Iterator[Decision]:
    """Rungs that show fewer pictures than a large one would."""
    rate = min(video.frame_rate or ladder.RATE_MAX_SLOW, ladder.RATE_MAX)
    slow = [rung for rung in rungs if rung.frame_rate_max < rate]
    if slow:
        most = max(rung.frame_rate_max for rung in slow)
        names = ", ".join(rung.name for rung in slow)
        reason = f"players take no more of {ladder.SLOW_SHORT_MAX} lines or fewer"
        yield Decision(subject=names, choice=f"at most {float(most):.4g} frames a second", reason=reason)
