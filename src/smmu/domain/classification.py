"""What a file is like, from what was measured and never from its name: kind and the traits products ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from smmu.domain.facts import ImageFacts, Mark, MediaFacts, Texture, Transfer, VideoTrack
from smmu.domain.manifest import Rendition
from smmu.domain.plan import Role

_SILENCE_SHARE_MIN = 0.95
# A screen has few colours, in areas of one value with edges between them. Each alone is true of some photos: of things
# before a wall, of the night, of leaves.
COMMON_SHARE_MIN, _FLAT_SHARE_MIN, _SHARP_SHARE_MIN = 0.5, 0.5, 0.1


def classify(facts: MediaFacts, renditions: Sequence[Rendition] = ()) -> Mapping[str, Any]:
    """`{"kind", "container", "traits"}`, and of a picture its look; traits are sorted words.

    Some traits are known by what was measured in rendering.
    """
    traits = {*_sound(facts), *_heard(renditions), *_picture(facts.image), *_moving(facts.video), *_carried(facts)}
    look = {} if facts.image is None or facts.image.look is None else asdict(facts.image.look)
    return {"kind": facts.kind.value, "container": facts.container, "traits": sorted(traits), **look}


def _sound(facts: MediaFacts) -> set[str]:
    return {"has_audio"} if any(track.playable for track in facts.audio) else {"silent"} if facts.video else set()


def _heard(renditions: Sequence[Rendition]) -> set[str]:
    """What listening to all of it has told: that somebody speaks, or that there is nothing to hear."""
    found = set()
    for made in renditions:
        measures, seconds = made.proof.measures, made.duration_s or 0.0
        if made.role == Role.TRANSCRIPT and measures.get("words"):
            found.add("has_speech")
        if made.role == Role.WAVEFORM and float(measures.get("silence_s", 0)) > _SILENCE_SHARE_MIN * seconds:
            found.add("silence")
    return found


def _picture(image: ImageFacts | None) -> set[str]:
    if image is None:
        return set()
    found = {
        "animated": image.frames > 1,
        "has_alpha": image.has_alpha,
        "high_bit_depth": image.bit_depth > 8,  # noqa: PLR2004
        "hdr": image.transfer is not Transfer.SDR,
        "screen_like": _is_like_a_screen(image.texture),
    }
    return _shape(*image.display_size) | {name for name, holds in found.items() if holds}


def _is_like_a_screen(texture: Texture | None) -> bool:
    """Whether it looks like what a screen shows: a window, a diagram, a drawing. Not known is no."""
    if texture is None or texture.flat is None or texture.sharp is None:
        return False
    few, flat = texture.common >= COMMON_SHARE_MIN, texture.flat >= _FLAT_SHARE_MIN
    return few and flat and texture.sharp >= _SHARP_SHARE_MIN


def _moving(video: VideoTrack | None) -> set[str]:
    if video is None:
        return set()
    found = {
        "hdr": video.transfer is not Transfer.SDR,
        "interlaced": video.interlaced,
        "variable_frame_rate": video.variable_frame_rate,
        "rotated": video.rotation_cw != 0,
    }
    return _shape(*video.display_size) | {name for name, holds in found.items() if holds}


def _carried(facts: MediaFacts) -> set[str]:
    found = {
        "has_subtitles": bool(facts.subtitles),
        "has_chapters": bool(facts.chapters),
        "has_cover_art": facts.has_cover_art,
        "has_position": facts.has_position,
        "hdr": Mark.GAIN_MAP in facts.marks,
    }
    return {name for name, holds in found.items() if holds} | {mark.value for mark in facts.marks}


def _shape(width: int, height: int) -> set[str]:
    return {"square" if width == height else "portrait" if height > width else "landscape"}
