"""A film that encodes like one that a camera took: 1080 lines, 30 pictures a second, always the same.

What a test card has not: texture of every size, a camera that pans and zooms by parts of a pixel, things that pass in
front of each other, light that changes, cuts, and grain that is another one in each picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

WIDTH, HEIGHT, RATE = 1920, 1080, 30
SOUND_RATE, _SOUND_FRAME = 48_000, 1024
_SCENE_SECONDS = 4
_ROOM = 1.25  # of the picture's sides: where the camera can go
_GRAINS, _GRAIN = 8, 3.0
_THINGS = 7
_OPTIONS = {"preset": "veryfast", "crf": "18", "g": "60", "bf": "2"}

Pixels = npt.NDArray[np.uint8]
Chance = np.random.Generator


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something that moves through a scene: its picture, its shape, where it is at first and how it goes."""

    picture: Image.Image
    shape: Image.Image
    start: tuple[float, float]
    speed: tuple[float, float]

    def place(self, second: float, across: int, down: int) -> tuple[int, int]:
        x, y = (at + speed * second for at, speed in zip(self.start, self.speed, strict=True))
        return round(x % 1.4 * across - 0.2 * across), round(y % 1.4 * down - 0.2 * down)


def footage(path: Path, seconds: int) -> Path:
    """Write so many seconds as H.264 with AAC stereo in an MP4 with its index in front."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=RATE, options=_OPTIONS)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context = video.codec_context
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="stereo", options={"b": "192k"})
        sounds = _sounds(seconds)
        for frame in _frames(seconds):
            container.mux(video.encode(frame))
            while (sound := next(sounds, None)) is not None:
                container.mux(audio.encode(sound))
                if (sound.pts or 0) * RATE >= (frame.pts or 0) * SOUND_RATE:
                    break
        container.mux([*video.encode(), *audio.encode()])
    return path


def _frames(seconds: int) -> Iterator[av.VideoFrame]:
    chance = np.random.default_rng(5)
    grains = [chance.normal(0, _GRAIN, (HEIGHT + 64, WIDTH + 64)).astype(np.int8) for _ in range(_GRAINS)]
    for start in range(0, seconds, _SCENE_SECONDS):
        for number, picture in enumerate(_scene(chance, min(_SCENE_SECONDS, seconds - start) * RATE)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", dst_colorspace="itu709", dst_color_range=1, src_color_range=2
            )
            _grain(frame, grains[chance.integers(_GRAINS)], chance)
            frame.pts, frame.time_base = start * RATE + number, Fraction(1, RATE)
            frame.color_primaries = frame.color_trc = frame.colorspace = frame.color_range = 1
            yield frame


def _scene(chance: Chance, count: int) -> Iterator[Pixels]:
    """One shot: the camera pans over a textured place and comes nearer, and things pass in front of it."""
    across, down = round(WIDTH * _ROOM), round(HEIGHT * _ROOM)
    place = _texture(chance, across, down)
    _draw_edges(place, chance)
    things = [_thing(chance) for _ in range(_THINGS)]
    travel = chance.uniform(-1, 1, 2)
    for number in range(count):
        second = number / RATE
        scene = place.copy()
        for thing in things:
            scene.paste(thing.picture, thing.place(second, across, down), thing.shape)
        nearer = 1 - 0.02 * second
        x, y = ((0.5 + 0.45 * way * np.sin(0.35 * second)) for way in travel)
        width, height = WIDTH * nearer, HEIGHT * nearer
        left, top = x * (across - width), y * (down - height)
        shot = scene.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, (left, top, left + width, top + height))
        light = 1 + 0.04 * np.sin(2.3 * second)
        yield np.clip(np.asarray(shot, dtype=np.float32) * light, 0, 255).astype(np.uint8)


def _texture(chance: Chance, width: int, height: int) -> Image.Image:
    """Shapes of every size, the finer the fainter, as in nature."""
    pixels = np.zeros((height, width, 3), dtype=np.float32)
    for coarse in (3, 8, 24, 80, 240, 700):
        dots = Image.fromarray(chance.integers(0, 256, (max(2, coarse * height // width), coarse, 3), dtype=np.uint8))
        grey = Image.fromarray(np.asarray(dots.convert("L")))
        shapes = np.asarray(dots.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
        light = np.asarray(grey.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
        pixels += (0.4 * shapes + 0.6 * light[..., None] - 128) / coarse**0.45
    return Image.fromarray(np.clip(115 + pixels * 1.6, 0, 255).astype(np.uint8))


def _draw_edges(place: Image.Image, chance: Chance) -> None:
    """Walls, poles and windows: lines and corners."""
    pen = ImageDraw.Draw(place, "RGBA")
    for _ in range(40):
        left, top = chance.uniform(0, place.width), chance.uniform(0, place.height)
        width, height = chance.uniform(10, 260), chance.uniform(20, 420)
        fill = (*map(int, chance.integers(30, 220, 3)), 150)
        pen.rectangle((left, top, left + width, top + height), fill=fill, outline=(20, 20, 20, 255), width=2)


def _thing(chance: Chance) -> _Thing:
    side = int(chance.integers(120, 420))
    shape = Image.new("L", (side, side))
    ImageDraw.Draw(shape).ellipse((0, 0, side - 1, side - 1), fill=255)
    start = (float(chance.uniform(0, 1.4)), float(chance.uniform(0, 1.4)))
    speed = (float(chance.uniform(-0.25, 0.25)), float(chance.uniform(-0.12, 0.12)))
    return _Thing(_texture(chance, side, side), shape, start, speed)


def _grain(frame: av.VideoFrame, grain: npt.NDArray[np.int8], chance: Chance) -> None:
    """Noise of the sensor, in the light alone; its place is another in each picture."""
    plane = frame.planes[0]
    light = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(HEIGHT, plane.line_size)[:, :WIDTH]
    down, across = (int(chance.integers(64)) for _ in range(2))
    noise = grain[down : down + HEIGHT, across : across + WIDTH]
    np.clip(light.astype(np.int16) + noise, 0, 255, out=light, casting="unsafe")


def _sounds(seconds: int) -> Iterator[av.AudioFrame]:
    """Chords over a murmur, on two sides that differ."""
    chance = np.random.default_rng(6)
    for start in range(0, seconds * SOUND_RATE, _SOUND_FRAME):
        moment = np.arange(start, start + _SOUND_FRAME) / SOUND_RATE
        root = 110 * 2 ** (int(start / SOUND_RATE * 2) % 5 / 6)
        chord = sum(np.sin(2 * np.pi * root * tone * moment) / tone for tone in (1, 1.25, 1.5, 2, 3))
        both = np.stack([chord, np.roll(chord, 40)]) * 0.08 + chance.normal(0, 0.02, (2, _SOUND_FRAME))
        frame = av.AudioFrame.from_ndarray(both.astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield frame
