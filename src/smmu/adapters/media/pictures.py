"""Which decoder opens which picture, and what each raises for a broken one. Imports only the decoder it needs."""

import zlib

import pyvips

from smmu.adapters.media.picture import Picture
from smmu.adapters.media.picture_vips import open_vips
from smmu.adapters.media.workbench import Workbench

_PILLOW = frozenset({"bmp", "apng", "avis"})


def open_picture(bench: Workbench, container: str) -> Picture:
    """The picture at the bench's source, whose first bytes name `container`."""
    if container == "heif":
        from smmu.adapters.media.picture_heif import open_heif  # noqa: PLC0415 - libheif costs 40 ms

        return open_heif(bench)
    if container in _PILLOW:
        from smmu.adapters.media.picture_pillow import open_pillow  # noqa: PLC0415 - so does Pillow

        return open_pillow(bench, container)
    return open_vips(bench, container)


def failures() -> tuple[type[Exception], ...]:
    """What a decoder raises when the file is at fault. `MemoryError` is not among them: that is ours."""
    return (pyvips.Error, OSError, ValueError, SyntaxError, EOFError, RuntimeError, zlib.error)
