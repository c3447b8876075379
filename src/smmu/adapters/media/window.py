"""Which part of a track is wanted, in the source's own times, and the pictures that are shown in it.

Exact to the picture: the one that is shown when a window opens began before it and belongs to it. The same part of
sound is cut to the sample in `sound.py`. Refuses to read: decoding from near the start is `decode.py`'s.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

RUN_UP_SECONDS = Fraction(1)  # decoding begins this much earlier: sound needs a run-up, and indexes are inexact


def time_of(frame: VideoFrame | AudioFrame) -> Fraction | None:
    """When a frame is presented by the source's own timestamps, in seconds."""
    stamp = frame.pts if frame.pts is not None else frame.dts
    return None if stamp is None or frame.time_base is None else stamp * frame.time_base


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` (`None`: wherever the track begins) until `end` (`None`: wherever it ends)."""

    start: Fraction | None = None
    end: Fraction | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it leaves nothing out."""
        return self.start is None and self.end is None

    def is_over(self, time: Fraction | None) -> bool:
        """Whether what begins at `time` begins too late."""
        return self.end is not None and time is not None and time >= self.end

    def is_before(self, time: Fraction | None) -> bool:
        """Whether `time` is before it opens."""
        return self.start is not None and time is not None and time < self.start


@dataclass(slots=True)
class Cutter:
    """Lets through what is shown in the window. `closed`: it ended because the window did."""

    window: Window
    closed: bool = False

    def pictures(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """The pictures of `frames`, which come in order, that are shown in the window."""
        before: VideoFrame | None = None
        for frame in frames:
            time = time_of(frame)
            if self.window.is_before(time):
                before = frame
                continue
            if before is not None and time != self.window.start:
                yield before
            before = None
            if self.window.is_over(time):
                self.closed = True
                return
            yield frame
        if before is not None:
            yield before
