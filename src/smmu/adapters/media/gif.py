"""The outline of a GIF: its canvas, how far its frames reach, how many they are. No pixel is decoded.

The canvas that the header names is a proposal: a frame that reaches beyond it makes some decoders enlarge the canvas,
and a picture of 100 x 100 becomes one of 65,535 x 65,535 with its second frame (GIF89a specification).
"""

from dataclasses import dataclass

from smmu.adapters.media.source import SourceFile

_HEADER_BYTES, _DESCRIPTOR_BYTES = 13, 9
_EXTENSION, _IMAGE, _TRAILER = b"\x21", b"\x2c", b"\x3b"


@dataclass(slots=True)
class GifOutline:
    """`width` and `height` hold every frame. `complete`: the trailer was reached."""

    width: int
    height: int
    frames: int = 0
    complete: bool = False


def gif_outline(file: SourceFile, frames_max: int) -> GifOutline:
    """Walk the blocks of a GIF, at most until one frame more than `frames_max`."""
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    found = GifOutline(width=_word(header, 6), height=_word(header, 8))
    _skip_colours(file, header[10] if len(header) == _HEADER_BYTES else 0)
    while found.frames <= frames_max:
        mark = file.read(1)
        if mark == _EXTENSION:
            file.read(1)
        elif mark == _IMAGE:
            _frame(found, file)
        else:
            found.complete = mark == _TRAILER
            break
        _skip_blocks(file)
    return found


def _frame(found: GifOutline, file: SourceFile) -> None:
    descriptor = file.read(_DESCRIPTOR_BYTES)
    if len(descriptor) < _DESCRIPTOR_BYTES:
        return
    found.frames += 1
    found.width = max(found.width, _word(descriptor, 0) + _word(descriptor, 4))
    found.height = max(found.height, _word(descriptor, 2) + _word(descriptor, 6))
    _skip_colours(file, descriptor[8])
    file.read(1)  # the code size of the compressed data that follows


def _skip_colours(file: SourceFile, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), 1)


def _skip_blocks(file: SourceFile) -> None:
    while size := file.read(1):
        if size == b"\x00":
            return
        file.seek(size[0], 1)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
