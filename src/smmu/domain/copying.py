"""Whether a video's own packets may be its top rung, so that the largest picture needs no encoder. Pure.

They may where no player could tell them from what would be made of it: H.264 High up to level 4.2 in closed groups, of
exactly the rung's size, light and rate, and within its bits. Its keyframes are those of the whole ladder then, so they
may be neither too far apart nor too near. What facts cannot say (that *every* group is closed) the engine proves, and
encodes the rung after all where it is not so.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Final

from smmu.domain.facts import MediaFacts, Transfer, VideoTrack
from smmu.domain.options import Options
from smmu.domain.plan import Decision, RungSpec

LEVEL_MAX: Final = 42
GROUP_SECONDS_MIN: Final = 0.9  # on average: a keyframe costs a small rung as many bits as a second of pictures
TOLERANCE_SECONDS: Final = Fraction(1, 10)  # six seconds at 29.97 pictures a second are 6.006
BT709: Final = "bt709"

_Rule = Callable[[VideoTrack, RungSpec], str]


def decide(
    facts: MediaFacts, video: VideoTrack, rungs: tuple[RungSpec, ...], options: Options
) -> tuple[tuple[RungSpec, ...], tuple[Decision, ...]]:
    """The rungs, the first of them copied where it may be, and why it is or is not; nothing is told of other codecs."""
    if video.codec != "h264" or not rungs:
        return rungs, ()
    top = rungs[0]
    why_not = "a watermark is laid over its pictures" if options.watermark else _clipped(options)
    why_not = why_not or next(filter(None, (rule(video, top) for rule in _RULES)), "") or _length(facts, video)
    if why_not:
        return rungs, (Decision(subject=top.name, choice="encoded", reason=why_not),)
    why = f"it is already {_coding(video)} in closed groups of up to {_longest(video):.3g} s"
    return (replace(top, copied=True), *rungs[1:]), (Decision(subject=top.name, choice="copied", reason=why),)


def group_seconds_max(spec: RungSpec) -> Fraction:
    """How far apart two keyframes of a rung may be when they are the source's, in seconds."""
    return spec.segment_seconds + TOLERANCE_SECONDS


def _clipped(options: Options) -> str:
    return "a clip begins and ends at pictures that are no keyframes" if options.is_clipped else ""


def _size(video: VideoTrack, top: RungSpec) -> str:
    if video.rotation_cw % 360 or video.reflected:
        return "it has to be turned upright"
    if video.sample_aspect != 1:
        return "its pixels are not square"
    if (video.width, video.height) != (top.width, top.height):
        return f"it is {video.width} × {video.height} and has to be {top.width} × {top.height}"
    return ""


def _light(video: VideoTrack, _top: RungSpec) -> str:
    if video.interlaced:
        return "its frames are made of two fields"
    if video.pixel_format != "yuv420p" or video.bit_depth != 8:  # noqa: PLR2004 - what every player takes
        return f"it is {video.pixel_format}, and players want 8-bit 4:2:0"
    if video.transfer is not Transfer.SDR or video.full_range:
        return "its light is not that of BT.709"
    if {video.colour_primaries, video.colour_space, video.colour_transfer} != {BT709}:
        return "it does not say that its colours are those of BT.709"
    return ""


def _profile(video: VideoTrack, _top: RungSpec) -> str:
    if video.profile != "High":
        return f"its profile is {video.profile or 'not known'}, and not High"
    if video.level is None or not 0 < video.level <= LEVEL_MAX:
        return f"its level is {_level(video)}, and players are sure to take {LEVEL_MAX / 10:g}"
    return ""


def _rates(video: VideoTrack, top: RungSpec) -> str:
    if video.frame_rate is None or video.frame_rate > top.frame_rate_max:
        return f"a rung of this size shows at most {float(top.frame_rate_max):.3g} pictures a second"
    if video.bitrate_bps is None or video.bitrate_bps > top.bitrate_bps_max:
        told = "an unknown number of" if video.bitrate_bps is None else f"{video.bitrate_bps / 1e6:.1f}"
        return f"it has {told} Mb/s, and the rung may have {top.bitrate_bps_max / 1e6:.1f}"
    return ""


def _groups(video: VideoTrack, top: RungSpec) -> str:
    groups = video.groups
    if video.trimmed:
        return "an edit list hides some of its pictures"
    if groups is None:
        return "where its keyframes are is not known without reading all of it"
    if not groups.closed:
        return "its groups of pictures are open: some need what is before them"
    if groups.longest_s > group_seconds_max(top):
        return f"its keyframes are up to {groups.longest_s:.3g} s apart"
    return ""


def _length(facts: MediaFacts, video: VideoTrack) -> str:
    if not facts.duration_exact or not video.duration_s or video.groups is None:
        return "how long it lasts is not known"
    between = video.duration_s / max(1, video.groups.count - 1)
    if video.groups.count > 1 and between < GROUP_SECONDS_MIN:
        return f"its keyframes are {between:.2g} s apart: smaller rungs would be nothing else"
    return ""


_RULES: Final[tuple[_Rule, ...]] = (_size, _light, _profile, _rates, _groups)


def _coding(video: VideoTrack) -> str:
    return f"H.264 {video.profile}, level {_level(video)},"


def _level(video: VideoTrack) -> str:
    return f"{video.level / 10:g}" if video.level else "not known"


def _longest(video: VideoTrack) -> float:
    return video.groups.longest_s if video.groups else 0.0
