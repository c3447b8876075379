"""A picture that is laid over a video: what may be asked for, what is planned of it, and where it is. Pure.

Size and margin are shares of a frame's short side, so that it is in the same place and as large on every rung,
whichever of them it was laid over, and no larger on a portrait film than on a landscape one.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, get_args

from smmu.domain.errors import Code, Reason, escaped
from smmu.domain.values import ObjectRef

Position = Literal["top-left", "top-right", "bottom-left", "bottom-right", "center"]

POSITIONS: Final[tuple[Position, ...]] = get_args(Position)
SIZE_MIN, SIZE_MAX = 0.02, 1.0
MARGIN_MAX = 0.49
OPACITY_MIN, OPACITY_MAX = 0.05, 1.0
IMAGE_CHARS_MAX = 1_024
PIECE: Final = "watermark"  # what its file is called among the pieces of a task
POSITION, SIZE, MARGIN, OPACITY = POSITIONS[3], 0.15, 0.03, 1.0  # where nothing else is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkWish:
    """What is asked for. `image` names the picture: a media of the same owner.

    The picture's longer side is `size` of the frame's short side, and it is `margin` of that away from the edges.
    """

    image: str
    position: Position = POSITION
    size: float = SIZE
    margin: float = MARGIN
    opacity: float = OPACITY


class Box(NamedTuple):
    """A place in a frame, in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """The very picture that is laid over every frame, `width` × `height` pixels of its own, and where it goes."""

    image: ObjectRef
    sha256: str
    width: int
    height: int
    position: Position
    size: float
    margin: float
    opacity: float

    def box(self, width: int, height: int) -> Box:
        """Where it is in a frame of this size. In an even frame all four numbers are even, as 4:2:0 needs them."""
        short = min(width, height)
        scale = self.size * short / max(self.width, self.height)
        across, down = _side(self.width * scale, width), _side(self.height * scale, height)
        gap = _even(self.margin * short)
        left = {"left": gap, "right": width - across - gap}.get(self._across, _even((width - across) / 2))
        top = {"top": gap, "bottom": height - down - gap}.get(self._down, _even((height - down) / 2))
        return Box(max(0, left), max(0, top), across, down)

    @property
    def _across(self) -> str:
        return self.position.partition("-")[2]

    @property
    def _down(self) -> str:
        return self.position.partition("-")[0]


def complaints(given: Mapping[str, Any], pointer: str) -> Iterator[Reason]:
    """Every reason that this is no watermark to ask for."""
    wrong = False
    for name, value in given.items():
        if name not in _FIELDS:
            yield _bad(f"{pointer}/{escaped(name)}", f"A watermark has no such field: it has {', '.join(_FIELDS)}.")
        elif not _FIELDS[name][0](value):
            wrong = True
            yield _bad(f"{pointer}/{name}", _FIELDS[name][1])
    if "image" not in given:
        yield _bad(f"{pointer}/image", "A watermark needs an image: the id of a picture of yours.")
    size, margin = given.get("size", SIZE), given.get("margin", MARGIN)
    if not wrong and size + 2 * margin > 1:
        words = f"A watermark of {size:g} with {margin:g} on both sides of it does not fit: make one of them smaller."
        yield _bad(f"{pointer}/size", words)


def _side(wanted: float, most: int) -> int:
    """The nearest even number, at least what 4:2:0 has, or all the room there is."""
    return min(most, max(2, round(wanted / 2) * 2))


def _even(number: float) -> int:
    return int(number) // 2 * 2


def _is_share(least: float, most: float) -> Callable[[object], bool]:
    def holds(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return math.isfinite(value) and least <= value <= most

    return holds


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= IMAGE_CHARS_MAX and value.isprintable()


_Field = tuple[Callable[[object], bool], str]
_FIELDS: Final[Mapping[str, _Field]] = MappingProxyType(
    {
        "image": (_is_name, "A watermark's image is named by a text: the id of a picture of yours."),
        "position": (
            lambda value: isinstance(value, str) and value in POSITIONS,
            f"The position is not known: choose one of {', '.join(POSITIONS)}.",
        ),
        "size": (
            _is_share(SIZE_MIN, SIZE_MAX),
            f"A watermark's size is a share of the frame's short side from {SIZE_MIN:g} to {SIZE_MAX:g}.",
        ),
        "margin": (
            _is_share(0, MARGIN_MAX),
            f"A watermark's margin is a share of the frame's short side from 0 to {MARGIN_MAX:g}.",
        ),
        "opacity": (
            _is_share(OPACITY_MIN, OPACITY_MAX),
            f"A watermark's opacity is a number from {OPACITY_MIN:g} to {OPACITY_MAX:g}.",
        ),
    }
)


def _bad(pointer: str, message: str) -> Reason:
    return Reason(code=Code.INVALID_OPTIONS, message=message, pointer=pointer)
