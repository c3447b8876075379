"""A film made out of nothing, for a demonstration on a machine that has none: moving colours and a rising tone.

It writes our own pictures and reads nobody's, which is why it needs no confined child.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

_RATE = 48_000
_SAMPLES = 1_024
_FPS = 25
_DRAWN = 4


def make_film(path: Path, *, seconds: int = 8, width: int = 1280, height: int = 720) -> None:
    """Write an MP4 with H.264 pictures and AAC stereo sound."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=_FPS, options={"preset": "veryfast", "crf": "18"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", rate=_RATE, layout="stereo")
        pictures, sounds = _pictures(seconds * _FPS, width, height), _sounds(seconds)
        for number, picture in enumerate(pictures):
            container.mux(video.encode(picture))
            for sound in _until(sounds, (number + 1) / _FPS):
                container.mux(audio.encode(sound))
        container.mux([*video.encode(), *audio.encode()])


def _pictures(count: int, full_width: int, full_height: int) -> Iterator[av.VideoFrame]:
    """Coloured rings that wander, over a slow gradient; drawn small, because drawing is dearer than enlarging."""
    width, height = full_width // _DRAWN, full_height // _DRAWN
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    for number in range(count):
        turn = 2 * np.pi * number / count
        distance = np.hypot(across - width * (0.5 + 0.3 * np.cos(turn)), down - height * (0.5 + 0.3 * np.sin(2 * turn)))
        rings = 0.5 + 0.5 * np.cos(distance / 8 - 6 * turn)
        channels = (255 * rings, 255 * across / width, 255 * (0.5 + 0.5 * np.sin(turn + down / height)))
        pixels: npt.NDArray[np.uint8] = np.stack(channels, axis=-1).astype(np.uint8)
        small = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = small.reformat(full_width, full_height, "yuv420p", interpolation="BICUBIC")
        frame.pts = number
        yield frame


def _sounds(seconds: int) -> Iterator[av.AudioFrame]:
    """A tone that climbs an octave, on both sides."""
    for start in range(0, seconds * _RATE, _SAMPLES):
        moment = np.arange(start, start + _SAMPLES) / _RATE
        wave = 0.2 * np.sin(2 * np.pi * (220 * moment + 110 * moment**2 / seconds))
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = _RATE, start
        yield frame


def _until(sounds: Iterator[av.AudioFrame], second: float) -> Iterator[av.AudioFrame]:
    """The sound that belongs before `second`, so that both streams are written beside each other."""
    for sound in sounds:
        yield sound
        if (sound.pts or 0) / _RATE >= second:
            return
