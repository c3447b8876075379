"""What a picture looks like, in a few bytes: a placeholder, its colours, and a fingerprint that survives scaling.

The placeholder is a ThumbHash (Evan Wallace, 2023: the format, and the meaning of every bit, at
evanw.github.io/thumbhash). The fingerprint is the DCT hash that Neal Krawetz described ("Looks Like It", 2011) and
libraries call pHash: pictures whose fingerprints differ in few of 64 bits look alike. Colours are those of a median
cut (Paul Heckbert, "Color Image Quantization for Frame Buffer Display", 1982), the most common first. All three look
at the same hundred pixels of width and refuse to look at anything larger.
"""

import base64
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from smmu.adapters.media.picture import Picture, VipsImage
from smmu.domain.facts import Look

SIDE_MAX = 100  # as the ThumbHash format says
_COLOURS_MAX = 5
_SHARE_MIN = 0.02  # what is less of a picture does not characterise it
_VISIBLE = 0.5
_HASH_SIDE, _GREY_SIDE = 8, 32

Numbers = npt.NDArray[np.float64]


def small_of(picture: Picture) -> Numbers:
    """The picture, or its first frame, at most 100 pixels wide and high: height × width × red, green, blue, alpha."""
    return _pixels(picture.pixels(*size_of(picture), animated=False))


def look_of(pixels: Numbers) -> Look:
    """The look of a small picture."""
    return Look(
        thumbhash=base64.b64encode(thumbhash(pixels)).decode(),
        colours=tuple(colours(pixels)),
        fingerprint=fingerprint(pixels),
    )


def size_of(picture: Picture) -> tuple[int, int]:
    """How large a picture is that is only looked at."""
    width, height = picture.facts.display_size
    scale = min(1.0, SIDE_MAX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _pixels(image: VipsImage) -> Numbers:
    """Height × width × red, green, blue, alpha; all from 0 to 1."""
    image = image.colourspace("srgb").cast("uchar")
    if not image.hasalpha():
        image = image.addalpha()
    data: Numbers = image.numpy().astype(np.float64) / 255
    return data


# --- placeholder


def thumbhash(pixels: Numbers) -> bytes:
    """The ThumbHash of a picture of at most 100 by 100 pixels."""
    height, width, _ = pixels.shape
    alpha = pixels[..., 3]
    has_alpha = bool(alpha.sum() < width * height)
    longest, limit = max(width, height), 5 if has_alpha else 7
    across, down = (max(1, _rounded(limit * side / longest)) for side in (width, height))
    light, yellow, red = _opponents(pixels, alpha)
    channels = [_waves(light, max(3, across), max(3, down)), _waves(yellow, 3, 3), _waves(red, 3, 3)]
    if has_alpha:
        channels.append(_waves(alpha, 5, 5))
    landscape = width > height
    head = _packed(
        (63 * channels[0].mean, 6),
        (31.5 + 31.5 * channels[1].mean, 6),
        (31.5 + 31.5 * channels[2].mean, 6),
        (31 * channels[0].scale, 5),
        (has_alpha, 1),
    ).to_bytes(3, "little")
    head += _packed(
        (down if landscape else across, 3), (63 * channels[1].scale, 6), (63 * channels[2].scale, 6), (landscape, 1)
    ).to_bytes(2, "little")
    if has_alpha:
        head += _packed((15 * channels[3].mean, 4), (15 * channels[3].scale, 4)).to_bytes(1, "little")
    return head + _nibbles([value for channel in channels for value in channel.rest])


def _opponents(pixels: Numbers, alpha: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Light, yellow against blue, red against green; what is transparent takes the picture's average colour."""
    total = alpha.sum()
    average = (pixels[..., :3] * alpha[..., None]).sum(axis=(0, 1)) / total if total else np.zeros(3)
    shown = average * (1 - alpha[..., None]) + pixels[..., :3] * alpha[..., None]
    red, green, blue = shown[..., 0], shown[..., 1], shown[..., 2]
    return (red + green + blue) / 3, (red + green) / 2 - blue, red - green


class _Channel:
    """A channel's cosine waves: their mean, the largest of the rest, and the rest as 0 to 1."""

    def __init__(self, mean: float, rest: list[float]) -> None:
        self.mean = mean
        self.scale = max((abs(value) for value in rest), default=0.0)
        self.rest = [0.5 + 0.5 * value / self.scale for value in rest] if self.scale else rest


def _waves(channel: Numbers, across: int, down: int) -> _Channel:
    height, width = channel.shape
    products = _cosines(down, height) @ channel @ _cosines(across, width).T / (width * height)
    wanted = [(x, y) for y in range(down) for x in range(across) if x * down < across * (down - y)]
    return _Channel(float(products[0, 0]), [float(products[y, x]) for x, y in wanted[1:]])


def _cosines(count: int, length: int) -> Numbers:
    """`count` cosine waves over `length` points, one in each row."""
    waves: Numbers = np.cos(np.pi / length * np.arange(count)[:, None] * (np.arange(length) + 0.5))
    return waves


def _packed(*fields: tuple[float, int]) -> int:
    """Numbers of so many bits each, the first one lowest."""
    number = shift = 0
    for value, bits in fields:
        number |= _rounded(value) << shift
        shift += bits
    return number


def _nibbles(values: list[float]) -> bytes:
    halves = [_rounded(15 * value) for value in values] + [0] * (len(values) % 2)
    return bytes(low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True))


def _rounded(value: float) -> int:
    """Halves up, as the format's own program does."""
    return math.floor(value + 0.5)


# --- fingerprint


def fingerprint(pixels: Numbers) -> str:
    """64 bits as 16 hexadecimal digits: which of the slowest waves are stronger than their median."""
    light = (pixels[..., :3] @ (0.299, 0.587, 0.114)) * pixels[..., 3] + (1 - pixels[..., 3])
    waves = _cosines(_HASH_SIDE, _GREY_SIDE)
    slow = (waves @ _squared(light) @ waves.T).ravel()
    bits = slow > np.median(slow[1:])
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def _squared(light: Numbers) -> Numbers:
    """`light` in 32 by 32, each point the average of what it covers."""
    return _averages(light.shape[0]) @ light @ _averages(light.shape[1]).T


def _averages(length: int) -> Numbers:
    """A row for each of 32 points: how much of each of `length` pixels it covers."""
    edges = np.arange(_GREY_SIDE + 1) * length / _GREY_SIDE
    starts, ends = edges[:-1, None], edges[1:, None]
    places = np.arange(length)
    covered = np.clip(np.minimum(ends, places + 1) - np.maximum(starts, places), 0, None)
    weights: Numbers = covered / covered.sum(axis=1, keepdims=True)
    return weights


# --- colours


def colours(pixels: Numbers) -> Iterator[str]:
    """Up to five colours as `#rrggbb`, those of most pixels first; none of a picture that shows nothing."""
    seen = pixels[..., :3][pixels[..., 3] >= _VISIBLE]
    boxes = [seen] if len(seen) else []
    while 0 < len(boxes) < _COLOURS_MAX:
        widest = max(boxes, key=_spread)
        if _spread(widest) == 0:
            break
        boxes = [box for box in boxes if box is not widest] + _halves(widest)
    for box in sorted(boxes, key=len, reverse=True):
        if len(box) >= _SHARE_MIN * len(seen):
            yield "#" + "".join(f"{_rounded(255 * value):02x}" for value in box.mean(axis=0))


def _spread(box: Numbers) -> float:
    """How much would be gained by cutting this box: its variance along its longest side, for all its pixels.

    Of one colour that is nothing, which the variance, being rounded, does not always say.
    """
    return float(box.var(axis=0).max() * len(box)) if np.ptp(box, axis=0).any() else 0.0


def _halves(box: Numbers) -> list[Numbers]:
    """The box, cut at the mean of its longest side."""
    side = int(box.var(axis=0).argmax())
    below = box[:, side] <= box[:, side].mean()
    return [box[below], box[~below]]
