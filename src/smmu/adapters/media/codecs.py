"""Which of the codecs that this product counts on the installed build has. It decodes nothing: it reads a list."""

from typing import Literal

import av

_ENCODERS = ("libx264", "libx265", "libsvtav1", "aac", "libopus", "libmp3lame")
_DECODERS = ("h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg4", "prores", "aac", "mp3", "opus", "vorbis", "flac", "ac3")


def missing_encoders() -> list[str]:
    """Encoders that every rendition depends on and that are not there."""
    return [name for name in _ENCODERS if not _is_there(name, "w")]


def missing_decoders() -> list[str]:
    """Decoders without which some files are refused as unsupported."""
    return [name for name in _DECODERS if not _is_there(name, "r")]


def _is_there(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        av.Codec(name, mode)
    except ValueError:  # what PyAV raises for an unknown codec
        return False
    return True
