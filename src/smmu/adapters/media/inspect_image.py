"""Measures a picture: its header against every budget first, then one whole decode that keeps nothing.

A thumbnail would not show that the lower half is missing, so every pixel is decoded, streamed where the format
allows it. A file at fault is refused with one sentence that says what to do.
"""

import dataclasses
import re

from smmu.adapters.media.boxes import outline
from smmu.adapters.media.exif import has_position
from smmu.adapters.media.gamut import is_wide
from smmu.adapters.media.gif import gif_outline
from smmu.adapters.media.heif_items import Beside, beside
from smmu.adapters.media.inspect import admitted
from smmu.adapters.media.jpeg_segments import has_gain_map
from smmu.adapters.media.look import look_of, size_of, small_of
from smmu.adapters.media.picture import Picture
from smmu.adapters.media.pictures import failures, open_picture
from smmu.adapters.media.source import SourceFile
from smmu.adapters.media.tags import marks_of, tags_of
from smmu.adapters.media.texture import texture_of
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.facts import ImageFacts, Kind, Mark, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.signatures import Sniffed

_AGAIN = "Export it again and upload the new file."
_WHOLE = "Check that the original opens, and upload it again."
_SMALLER = "Scale it down and upload the smaller one."
_BOXED = frozenset({"heif", "avif", "avis"})
_HELD_SHARE = 0.6  # of the child's memory: the rest is for the libraries and for other buffers
_CUT_OFF = re.compile(
    r"truncat|premature|unexpected end|end of (file|source|stream|image)"
    r"|insufficient|too short|not enough|bad seek|\beof\b",
    re.IGNORECASE,
)


def inspect_image(bench: Workbench) -> MediaFacts:
    """The facts of the bench's source. Raises `Refused`."""
    bench.source.seek(0)
    sniffed = admitted(bench.source.read(bench.limits.sniff_bytes))
    size = bench.source.seek(0, 2)
    _check_outline(bench, sniffed, size)
    try:
        picture = open_picture(bench, sniffed.container)
        _check_budget(picture, bench.limits)
        picture.whole()
        small = small_of(picture)
        texture = texture_of(picture, small)
        wide_gamut = is_wide(picture, size_of(picture))
    except failures() as error:
        raise _undecodable(error, sniffed) from error
    tags, said = tags_of(picture.notes), _beside(bench, sniffed, size)
    return MediaFacts(
        kind=Kind.IMAGE,
        container=sniffed.container,
        content_type=sniffed.content_type,
        size_bytes=size,
        image=dataclasses.replace(
            picture.facts,
            transfer=said.transfer,
            wide_gamut=wide_gamut,
            look=look_of(small),
            texture=texture,
        ),
        has_position=has_position(picture.notes.exif) or (tags is not None and tags.latitude is not None),
        tags=tags,
        marks=tuple(sorted({*marks_of(picture.notes), *said.marks})),
        bytes_read=bench.source.bytes_read,
    )


def _beside(bench: Workbench, sniffed: Sniffed, size: int) -> Beside:
    """What the container says of the picture, beside its notes."""
    if sniffed.container in _BOXED:
        return beside(bench.source, size)
    mapped = sniffed.container == "jpeg" and has_gain_map(bench.source)
    return Beside(marks={Mark.GAIN_MAP} if mapped else set())


def _check_outline(bench: Workbench, sniffed: Sniffed, size: int) -> None:
    """What is known before any decoder runs."""
    if sniffed.container == "gif":
        found = gif_outline(bench.source, bench.limits.image_frames_max)
        _check_size(found.width, found.height, found.frames, bench.limits)
    elif sniffed.container == "bmp":
        _check_size(*_bmp_size(bench.source), 1, bench.limits)
    elif sniffed.container in _BOXED:
        missing = outline(bench.source, size).missing_bytes
        if missing:
            raise _cut_off(f"its last {missing} bytes are missing")


def _bmp_size(file: SourceFile) -> tuple[int, int]:
    """Width and height; a negative height means that the rows are stored top down."""
    file.seek(14)
    header = file.read(12)
    field = 2 if int.from_bytes(header[:4], "little") == 12 else 4  # noqa: PLR2004 - OS/2's header, of 12 bytes
    width = int.from_bytes(header[4 : 4 + field], "little", signed=field > 2)  # noqa: PLR2004
    height = int.from_bytes(header[4 + field : 4 + 2 * field], "little", signed=field > 2)  # noqa: PLR2004
    return abs(width), abs(height)


def _check_budget(picture: Picture, limits: Limits) -> None:
    facts = picture.facts
    _check_size(facts.width, facts.height, facts.frames, limits)
    held = facts.width * facts.height * picture.bytes_per_pixel
    if held > _HELD_SHARE * limits.child_memory_bytes:
        raise refuse(
            Code.REJECTED_PIXELS,
            f"The picture is {_size(facts)} and cannot be decoded bit by bit. {_SMALLER}",
        )


def _check_size(width: int, height: int, frames: int, limits: Limits) -> None:
    if max(width, height) > limits.image_side_max:
        raise refuse(
            Code.REJECTED_DIMENSIONS,
            f"The picture is {width} x {height}; at most {limits.image_side_max} a side are allowed. {_SMALLER}",
        )
    if width * height > limits.image_pixels_max:
        raise refuse(
            Code.REJECTED_PIXELS,
            f"The picture has {width * height} pixels; at most {limits.image_pixels_max} are allowed. {_SMALLER}",
        )
    if frames > limits.image_frames_max:
        raise refuse(
            Code.REJECTED_FRAMES,
            f"The animation has more than {limits.image_frames_max} frames. Upload it as a video.",
        )
    if width * height * frames > limits.image_total_pixels_max:
        raise refuse(
            Code.REJECTED_PIXELS, f"The animation has {frames} frames of {width} x {height}. Upload it as a video."
        )


def _size(facts: ImageFacts) -> str:
    return f"{facts.width} x {facts.height}"


def _undecodable(error: Exception, sniffed: Sniffed) -> Refused:
    """Missing bytes and wrong bytes are told apart as far as the decoder tells them apart."""
    if _CUT_OFF.search(str(error)):
        return _cut_off(f"{sniffed.label} ends before its last pixel")
    return refuse(Code.REJECTED_CORRUPT, f"The file begins like {sniffed.label} and cannot be decoded as one. {_AGAIN}")


def _cut_off(how: str) -> Refused:
    return refuse(Code.REJECTED_TRUNCATED, f"The file was cut off: {how}. {_WHOLE}")
