"""Makes small real media for tests: videos, sounds and pictures, each with the one property that a test is about.

Also the least `Source` and `Sink` there can be. Nothing here is read from the corpus.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import pi, sin
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pillow_heif
import pyvips
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

from smmu.domain.limits import Limits
from smmu.domain.plan import ImageSpec, PlannedTask, Spec, TaskKind
from smmu.ports.media import Sink
from smmu.ports.objects import Body, LocalFile, Source

MIB = 1024 * 1024
LIMITS = Limits()


@dataclass
class FileSource(Source):
    """A file, offered by path or, when `distant`, by ranges only. Counts what is read."""

    path: Path
    distant: bool = False
    bytes_read: int = 0

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def local_path(self) -> str | None:
        return None if self.distant else str(self.path)

    async def read(self, start: int, length: int) -> bytes:
        data = _slice(self.path, start, length)
        self.bytes_read += len(data)
        return data


def _slice(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _whole(body: Body) -> bytes:
    return Path(body.path).read_bytes() if isinstance(body, LocalFile) else body


@dataclass
class MemorySink(Sink):
    """Keeps what it is given."""

    files: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    async def put(self, path: str, body: Body, content_type: str) -> None:
        self.files[path] = _whole(body)
        self.types[path] = content_type


@dataclass
class Fractions:
    """A `Progress` that remembers."""

    seen: list[float] = field(default_factory=list)

    async def __call__(self, fraction: float) -> None:
        self.seen.append(fraction)


def picture_task(*specs: Spec, **changes: Any) -> PlannedTask:
    known: dict[str, Any] = {"name": "images", "kind": TaskKind.IMAGES, "memory_bytes": 1536 * MIB, "seconds_max": 60}
    return PlannedTask(renditions=specs, **(known | changes))


def still(name: str, width: int, height: int, **changes: Any) -> ImageSpec:
    known: dict[str, Any] = {"name": name, "format": "webp", "width": width, "height": height}
    return ImageSpec(**(known | changes))


# --- moving pictures and sound


def clip(
    path: Path,
    *,
    seconds: float = 1.0,
    size: tuple[int, int] = (320, 180),
    fps: Fraction | int = 25,
    rotation_cw: int = 0,
    tone: bool = True,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
) -> Path:
    """A clip with a moving gradient and, with `tone`, a 440 Hz sine. The container follows the suffix."""
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        video = container.add_stream(codec, rate=fps, options=options or {})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = *size, pixel_format
        video.codec_context.time_base = 1 / Fraction(fps)
        if rotation_cw:
            video.set_display_rotation(-rotation_cw)
        audio = _sound_track(container, path) if tone else None
        for frame in _gradients(size, round(seconds * fps)):
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio is not None:
            _sing(container, audio, seconds)
    return path


def song(path: Path, *, seconds: float = 1.0, codec: str | None = None, cover: bytes | None = None) -> Path:
    """A sine, with cover art when given (as JPEG bytes; MP3 holds it)."""
    with av.open(str(path), "w") as container:
        audio = _sound_track(container, path, codec)
        if cover is not None:
            _attach(container, cover)
        _sing(container, audio, seconds)
    return path


def silence(path: Path, size: int) -> None:
    """A WAV file of that size with next to nothing in it but zeros, which no disk has to keep."""
    data = size - 44
    head = b"RIFF" + (size - 8).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = (1).to_bytes(2, "little") + (1).to_bytes(2, "little") + (48_000).to_bytes(4, "little")
    form += (96_000).to_bytes(4, "little") + (2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    with path.open("wb") as file:
        file.write(head + form + b"data" + data.to_bytes(4, "little"))
        file.truncate(size)


def _sound_track(container: OutputContainer, path: Path, codec: str | None = None) -> AudioStream:
    by_suffix = {".webm": "libopus", ".ogg": "libopus", ".mp3": "libmp3lame", ".wav": "pcm_s16le", ".flac": "flac"}
    stream = container.add_stream(codec or by_suffix.get(path.suffix, "aac"), rate=48_000)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = "mono"
    return stream


def _sing(container: OutputContainer, stream: AudioStream, seconds: float) -> None:
    samples = np.sin(np.arange(round(48_000 * seconds)) * (2 * pi * 440 / 48_000)) * 0.4
    whole = av.AudioFrame.from_ndarray((samples * 32_767).astype(np.int16)[None, :], format="s16", layout="mono")
    whole.sample_rate, whole.pts, whole.time_base = 48_000, 0, Fraction(1, 48_000)
    resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=48_000)
    fifo = av.AudioFifo()
    for frame in resampler.resample(whole):
        fifo.write(frame)
    size = stream.codec_context.frame_size or 1024
    for piece in fifo.read_many(size, partial=True) if fifo.samples else ():
        container.mux(stream.encode(piece))
    container.mux(stream.encode())


def _gradients(size: tuple[int, int], count: int) -> Iterator[av.VideoFrame]:
    width, height = size
    across = np.linspace(0, 200, width, dtype=np.float32)[None, :]
    down = np.linspace(0, 55, height, dtype=np.float32)[:, None]
    for number in range(count):
        grey = across + down * (1 + sin(number / 5)) / 2
        picture = np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
        picture[:, (number * 7) % width : (number * 7) % width + 8] = (220, 40, 40)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        yield frame


def _attach(container: OutputContainer, cover: bytes) -> None:
    with av.open(io.BytesIO(cover), "r") as picture:
        source = picture.streams.video[0]
        stream = container.add_stream_from_template(source)
        stream.disposition = av.stream.Disposition.attached_pic
        packet = next(packet for packet in picture.demux(source) if packet.size)
        packet.stream = stream
        packet.pts = packet.dts = 0
        container.mux(packet)


# --- pictures


def gradient(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Red grows to the right, green downwards, and the top left quarter is white: it shows every turn."""
    across = np.linspace(0, 255, width, dtype=np.uint8)[None, :].repeat(height, axis=0)
    down = np.linspace(0, 255, height, dtype=np.uint8)[:, None].repeat(width, axis=1)
    picture = np.dstack([across, down, np.full_like(across, 60)])
    picture[: height // 2, : width // 2] = 255
    return Image.fromarray(picture, "RGB").convert(mode)


def photo(
    path: Path,
    *,
    size: tuple[int, int] = (400, 300),
    orientation: int = 1,
    position: bool = False,
    mode: str = "RGB",
    **options: Any,
) -> Path:
    """A photo in the format of the suffix, stored so that `orientation` makes `gradient(*size)` upright."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SMMU Camera 12345"
    if position:
        exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 1.0), 3: "E", 4: (8.0, 33.0, 1.0)})
    _stored(gradient(*size, mode), orientation).save(path, exif=exif, **options)
    return path


def _stored(upright: Image.Image, orientation: int) -> Image.Image:
    """The inverse of what EXIF's orientation asks a viewer to do."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return upright.transpose(turns[orientation]) if orientation in turns else upright


def heic(
    path: Path,
    *,
    size: tuple[int, int] = (256, 192),
    orientation: int = 1,
    tile: int | None = None,
    profile: bytes | None = None,
) -> Path:
    """A HEIC photo whose container turns it, and whose EXIF says the same again. `tile`: a grid, as phones write."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = _stored(gradient(*size), orientation)
    if profile is not None:
        shown.info["icc_profile"] = profile
    heif = pillow_heif.from_pillow(shown)
    heif.save(path, exif=exif.tobytes(), quality=90, **({"tile_size": tile} if tile else {}))
    return path


def deep_png(path: Path, size: tuple[int, int] = (120, 80)) -> Path:
    """Sixteen bits of each colour."""
    image = pyvips.Image.new_from_memory(gradient(*size).tobytes(), *size, 3, "uchar")
    (image.cast("ushort") * 257).copy(interpretation="rgb16").pngsave(str(path), bitdepth=16)
    return path


def floating_tiff(path: Path, samples: npt.NDArray[np.floating[Any]], profile: str | None = None) -> Path:
    """Samples of 32-bit floating point. `profile`: what they mean, in a profile or by being `grey`; else nothing."""
    image = pyvips.Image.new_from_array(samples.astype(np.float32))
    if profile == "grey":
        image = (image * [0.299, 0.587, 0.114]).bandmean() * 3
        image = image.cast("float").copy(interpretation="b-w")
    elif profile is not None:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", pyvips.Image.profile_load(profile))
    image.tiffsave(str(path))
    return path


def wide_gamut(path: Path, size: tuple[int, int] = (120, 80)) -> Path:
    """`gradient`, its numbers those of Display P3, which its profile says."""
    image = pyvips.Image.new_from_memory(gradient(*size).tobytes(), *size, 3, "uchar").copy(interpretation="srgb")
    image.icc_transform("p3", input_profile="srgb").write_to_file(str(path))
    return path


def animation(path: Path, *, frames: int = 5, size: tuple[int, int] = (64, 48)) -> Path:
    """An animated GIF, WebP or PNG, by the suffix; every frame differs."""
    pictures = [gradient(*size).rotate(90 * number).resize(size) for number in range(frames)]
    for number, picture in enumerate(pictures):
        picture.paste((number * 40 % 255, 10, 200), (number * 3, 5, number * 3 + 10, 15))
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=80, loop=0)
    return path


def turned_animation(path: Path, *, orientation: int, size: tuple[int, int] = (120, 80)) -> Path:
    """Three frames of which each has one more red spot, stored so that `orientation` makes them upright."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    frames = []
    for number in range(3):
        upright = gradient(*size)
        for spot in range(number + 1):
            upright.paste((255, 0, 0), (2 + 12 * spot, 2, 10 + 12 * spot, 10))
        frames.append(_stored(upright, orientation))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=2, exif=exif)
    return path
