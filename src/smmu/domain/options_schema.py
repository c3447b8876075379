"""What an owner may ask for, as JSON Schema: for whoever reads our API's description. `options.py` decides."""

from collections.abc import Sequence
from typing import Any, Final

from smmu.domain.options import (
    AUDIO_FORMATS,
    CLIP_SECONDS_MAX,
    IMAGE_FORMATS,
    IMAGE_FORMATS_ALWAYS,
    IMAGE_WIDTH_MAX,
    IMAGE_WIDTH_MIN,
    IMAGE_WIDTHS_MAX,
    PRESETS,
    RUNGS,
    VIDEO_CODECS,
)
from smmu.domain.watermark import (
    IMAGE_CHARS_MAX,
    MARGIN,
    MARGIN_MAX,
    OPACITY,
    OPACITY_MAX,
    OPACITY_MIN,
    POSITION,
    POSITIONS,
    SIZE,
    SIZE_MAX,
    SIZE_MIN,
)


def _some_of(known: Sequence[object], **told: object) -> dict[str, object]:
    """A list of one or more of these."""
    return {"type": "array", "minItems": 1, "maxItems": len(known), "items": {"enum": list(known)}, **told}


SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "preset": {"enum": list(PRESETS), "default": "web"},
        "image_widths": {
            "type": "array",
            "minItems": 1,
            "maxItems": IMAGE_WIDTHS_MAX,
            "items": {"type": "integer", "minimum": IMAGE_WIDTH_MIN, "maximum": IMAGE_WIDTH_MAX},
        },
        "rungs": _some_of(RUNGS),
        "codecs": _some_of(VIDEO_CODECS, default=["h264"]),
        "audio_formats": _some_of(AUDIO_FORMATS, default=["aac"]),
        "clip_start_s": {"type": "number", "minimum": 0, "maximum": CLIP_SECONDS_MAX, "default": 0},
        "clip_end_s": {"type": ["number", "null"], "minimum": 0, "maximum": CLIP_SECONDS_MAX, "default": None},
        "mute": {"type": "boolean", "default": False},
        "image_formats": _some_of(IMAGE_FORMATS, default=list(IMAGE_FORMATS_ALWAYS)),
        "read_metadata": {"type": "boolean", "default": False},
        "watermark": {
            "type": ["object", "null"],
            "default": None,
            "additionalProperties": False,
            "required": ["image"],
            "properties": {
                "image": {"type": "string", "minLength": 1, "maxLength": IMAGE_CHARS_MAX},
                "position": {"enum": list(POSITIONS), "default": POSITION},
                "size": {"type": "number", "minimum": SIZE_MIN, "maximum": SIZE_MAX, "default": SIZE},
                "margin": {"type": "number", "minimum": 0, "maximum": MARGIN_MAX, "default": MARGIN},
                "opacity": {"type": "number", "minimum": OPACITY_MIN, "maximum": OPACITY_MAX, "default": OPACITY},
            },
        },
    },
}
