"""A long film that takes next to no room on disk: every sample is in the index, and every sample can be decoded.

A second of picture and sound is encoded once and repeated. Each picture is followed, inside its own sample, by filler
that decoders skip; filler is zeros, and zeros are not written but left out of the file, which is sparse.
"""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_BLOCK = 4096
_WIDTH, _HEIGHT, _RATE = 320, 180, 30
_SOUND_RATE, _SOUND_FRAME = 48_000, 1024
_SOUND_PACKETS = 47  # a second of sound, rounded up
_FILLER = b"\x0c"  # the type of a NAL unit that decoders skip


class SparseFile:
    """A file for writing that leaves out what is all zeros."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._size = 0

    def write(self, data: bytes) -> int:
        """Write at the present place, and only move on over blocks of zeros."""
        at, view = self._file.tell(), memoryview(data)
        while view:
            block = view[: _BLOCK - at % _BLOCK]
            if any(block):
                os.pwrite(self._file.fileno(), block, at)
            at, view = at + len(block), view[len(block) :]
        self._size = max(self._size, self._file.seek(at))
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move."""
        return self._file.seek(offset + (self._size if whence == 2 else 0), 0 if whence == 2 else whence)

    def tell(self) -> int:
        """The present place."""
        return self._file.tell()

    def close(self) -> None:
        """Give the file the length that was written to it, left out or not."""
        self._file.truncate(self._size)
        self._file.close()


def film(path: Path, size: int, seconds: int) -> None:
    """An MP4 of nearly `size` bytes and so many seconds, with its index at the end."""
    file = SparseFile(path)
    with av.open(file, "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=_RATE, options={"g": str(_RATE), "bf": "0"})
        picture.width, picture.height, picture.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        sound = container.add_stream("aac", rate=_SOUND_RATE, layout="stereo")
        pictures, sounds = list(_pictures(picture)), list(_sounds(sound))
        filler = _filler(size // (seconds * _RATE) - sum(map(len, pictures)) // len(pictures))
        for second in range(seconds):
            _second(container, picture, [data + filler for data in pictures], second * _RATE, 1)
            first, after = (at * _SOUND_RATE // _SOUND_FRAME for at in (second, second + 1))
            _second(container, sound, sounds[: after - first], first, _SOUND_FRAME)
    file.close()


def _filler(length: int) -> bytes:
    start_code = b"\0\0\0\1"
    return start_code + _FILLER + bytes(max(1, length - len(start_code) - len(_FILLER)))


def _second(
    container: av.container.OutputContainer, stream: VideoStream | AudioStream, samples: list[bytes], at: int, step: int
) -> None:
    """Write a second's samples; its first one is the one that decoding can begin with."""
    for number, data in enumerate(samples):
        packet: Packet[Stream] = Packet(data)
        packet.stream = stream
        packet.time_base = Fraction(step, _SOUND_RATE) if isinstance(stream, AudioStream) else Fraction(1, _RATE)
        packet.pts = packet.dts = at + number
        packet.duration = 1
        packet.is_keyframe = number == 0 or isinstance(stream, AudioStream)
        container.mux_one(packet)


def _pictures(stream: VideoStream) -> Iterator[bytes]:
    rows, columns = np.indices((_HEIGHT, _WIDTH))
    for number in range(_RATE):
        grey = ((rows + 2 * columns + 8 * number) % 256).astype(np.uint8)
        frame = VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, axis=2), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, _RATE)
        yield from map(bytes, stream.encode(frame))
    yield from map(bytes, stream.encode(None))


def _sounds(stream: AudioStream) -> Iterator[bytes]:
    for number in range(_SOUND_PACKETS):
        phase = np.arange(number * _SOUND_FRAME, (number + 1) * _SOUND_FRAME) * (2 * np.pi * 440 / _SOUND_RATE)
        tone = np.tile(np.sin(phase).astype(np.float32) / 4, (2, 1))
        frame = AudioFrame.from_ndarray(tone, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = _SOUND_RATE, number * _SOUND_FRAME, Fraction(1, _SOUND_RATE)
        yield from map(bytes, stream.encode(frame))
