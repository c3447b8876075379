"""How much memory and time a task may take: bounds for killing what went wrong, not forecasts.

Memory is address space, as RLIMIT_AS counts it. Measured: a ladder of a 1080p source from 1080 down runs under
1.5 GiB, of which about 512 MiB are code, stacks and allocator arenas; the rest grows with the pixels in flight
(look-ahead and reference frames of the encoders, the frame pool of the decoder). Time is by the slowest machine
worth having: one core encodes a 1080p ladder 6 times slower than it plays, and the bound allows five times that.
"""

import math
from collections.abc import Sequence
from typing import Final

from smmu.domain.facts import VideoTrack
from smmu.domain.limits import GIB, MIB, Limits
from smmu.domain.plan import ImageSpec, LoopSpec, RungSpec

_BASE_BYTES: Final = 512 * MIB
_MEMORY_BYTES_MAX: Final = 12 * GIB
_BYTES_PER_RUNG_PIXEL: Final = 384
_BYTES_PER_SOURCE_PIXEL: Final = 128
# An encoder of a modern codec brings threads, whose stacks and arenas are address space, and looks further ahead.
_MODERN_BYTES_PER_RUNG: Final = {"h264": 0, "hevc": 256 * MIB, "av1": 1 * GIB}
_MODERN_BYTES_PER_PIXEL: Final = {"h264": 0, "hevc": 256, "av1": 512}
_MODERN_WEIGHT: Final = {"h264": 0.0, "hevc": 3.0, "av1": 3.0}  # times what the same rung takes in H.264
IMAGE_HANDS: Final = 2  # pictures written at once: the largest is half of all the work, a third hand had nothing to do
_BYTES_PER_IMAGE_PIXEL: Final = 16  # four channels of 16 bits, and a copy while they are converted
_BYTES_PER_WRITTEN_PIXEL: Final = 16  # four channels, made and held by the encoder, and what that makes of them
_DECODER_BYTES: Final = 256 * MIB  # libvips with its threads, in a child that would do without
_BYTES_PER_FRAME_PIXEL: Final = 8  # an animation is held whole: four channels, before and after
_BYTES_PER_AVIF_PIXEL: Final = 64  # its encoder holds planes of 16 bits, statistics and several references

_SECONDS_MIN: Final = 300
_PIXELS_1080: Final = 1920 * 1080
_LADDER_SECONDS_PER_SECOND: Final = 30  # per second of 1080p at up to 30 frames
_PASS_SECONDS_PER_SECOND: Final = 0.7  # 2.4 of one core, and a task has four, which do other things as well
_RATE_1: Final = 30
_SOUND_SECONDS_PER_SECOND: Final = 1
_DECODING_SECONDS_PER_SECOND: Final = 1
_IMAGE_SECONDS_PER_MEGAPIXEL: Final = 5


def ladder_memory(rungs: Sequence[RungSpec], source_pixels: int, limits: Limits) -> int:
    """Bytes of address space for encoding all `rungs` beside each other."""
    pixels = [rung.width * rung.height for rung in rungs if rung.codec == "h264"]
    modern = sum(rung.width * rung.height * _MODERN_BYTES_PER_PIXEL[rung.codec] for rung in rungs)
    modern += sum(_MODERN_BYTES_PER_RUNG[rung.codec] for rung in rungs)
    encoders = max(pixels, default=0) * _BYTES_PER_RUNG_PIXEL + modern
    return _bounded(encoders + source_pixels * _BYTES_PER_SOURCE_PIXEL, limits)


def images_memory(specs: Sequence[ImageSpec | LoopSpec], source_pixels: int, frames: int, limits: Limits) -> int:
    """Bytes of address space for decoding a picture once and making every size; an animation is held whole.

    The largest picture that is written has its room in that of the source, which is no smaller.
    """
    moving = max((_pixels(spec) for spec in specs if isinstance(spec, LoopSpec) or spec.animated), default=0)
    still = [spec for spec in specs if isinstance(spec, ImageSpec) and not spec.animated]
    beside = _largest(still)[1:]
    modern = _largest([spec for spec in still if spec.format == "avif"])
    held = source_pixels * _BYTES_PER_IMAGE_PIXEL + moving * frames * _BYTES_PER_FRAME_PIXEL
    return _bounded(held + sum(beside) * _BYTES_PER_WRITTEN_PIXEL + sum(modern) * _BYTES_PER_AVIF_PIXEL, limits)


def _largest(specs: Sequence[ImageSpec]) -> list[int]:
    """The pixels of the largest pictures that are written at once."""
    return sorted(map(_pixels, specs), reverse=True)[:IMAGE_HANDS]


def _pixels(spec: ImageSpec | LoopSpec) -> int:
    return spec.width * spec.height


def sound_memory(limits: Limits) -> int:
    """Bytes of address space for sound: it is read and written in a stream."""
    return _bounded(0, limits)


def with_watermark(memory_bytes: int, pixels: int, limits: Limits) -> int:
    """The same, and for decoding a picture of so many pixels that is laid over a video."""
    return _at_most(memory_bytes + _DECODER_BYTES + pixels * _BYTES_PER_IMAGE_PIXEL, limits)


def ladder_seconds(rungs: Sequence[RungSpec], source_pixels: int, duration_s: float | None, limits: Limits) -> int:
    """Seconds after which encoding is hopeless. An unknown duration gets all there is."""
    weight = _weight(rungs, source_pixels, _fastest(rungs))
    return _seconds(duration_s, _LADDER_SECONDS_PER_SECOND * weight, limits)


def fits_one_task(rungs: Sequence[RungSpec], source: VideoTrack, duration_s: float, limits: Limits) -> bool:
    """Whether one worker of a usual speed decodes and encodes all of that within one task's time."""
    rate = _fastest(rungs) if source.frame_rate is None else min(_fastest(rungs), float(source.frame_rate))
    weight = _weight(rungs, source.width * source.height, rate)
    return duration_s * _PASS_SECONDS_PER_SECOND * weight <= limits.heavy_task_seconds_max


def _fastest(rungs: Sequence[RungSpec]) -> float:
    return max((float(rung.frame_rate_max) for rung in rungs), default=float(_RATE_1))


def _weight(rungs: Sequence[RungSpec], source_pixels: int, rate: float) -> float:
    """Of a second of such a ladder: how many times what one of 1080p at 30 frames takes."""
    pixels = max([source_pixels // 4, *(rung.width * rung.height for rung in rungs)])
    slower = 1 + sum(_MODERN_WEIGHT[codec] for codec in {rung.codec for rung in rungs})
    return max(0.2, pixels / _PIXELS_1080 * max(1.0, rate / _RATE_1)) * slower


def chunk_seconds(
    rungs: Sequence[RungSpec], source_pixels: int, duration_s: float, before_s: float, limits: Limits
) -> int:
    """Seconds after which encoding a part is hopeless, for which `before_s` more of the source have to be decoded."""
    working = ladder_seconds(rungs, source_pixels, duration_s, limits)
    return min(limits.heavy_task_seconds_max, working + math.ceil(before_s * _DECODING_SECONDS_PER_SECOND))


def poster_seconds(duration_s: float | None, limits: Limits) -> int:
    """Seconds after which choosing a frame is hopeless: at worst every frame is decoded."""
    return _seconds(duration_s, _DECODING_SECONDS_PER_SECOND, limits)


def sound_seconds(duration_s: float | None, limits: Limits) -> int:
    """Seconds after which measuring and encoding sound is hopeless."""
    return _seconds(duration_s, _SOUND_SECONDS_PER_SECOND, limits)


def speech_seconds(duration_s: float | None, pace: float, before_s: float, limits: Limits) -> int:
    """Seconds after which recognising speech is hopeless, for an engine that needs `pace` of them for each of sound.

    And `before_s` before it begins.
    """
    working = _seconds(duration_s, _SOUND_SECONDS_PER_SECOND + pace, limits)
    return min(limits.heavy_task_seconds_max, working + math.ceil(before_s))


def images_seconds(source_pixels: int, frames: int, limits: Limits) -> int:
    """Seconds after which making pictures is hopeless, by all the pixels there are to decode."""
    megapixels = source_pixels * frames / 1_000_000
    return _seconds(megapixels, _IMAGE_SECONDS_PER_MEGAPIXEL, limits)


def _bounded(extra: int, limits: Limits) -> int:
    """Never under what any child gets, never over what the largest worker has."""
    return _at_most(max(limits.child_memory_bytes, _BASE_BYTES + extra), limits)


def _at_most(memory_bytes: int, limits: Limits) -> int:
    return min(max(_MEMORY_BYTES_MAX, limits.child_memory_bytes), memory_bytes)


def _seconds(amount: float | None, each: float, limits: Limits) -> int:
    if amount is None:
        return limits.heavy_task_seconds_max
    return min(limits.heavy_task_seconds_max, _SECONDS_MIN + math.ceil(amount * each))
