"""Which of a container's streams are the file's picture, sound and text. It refuses to look at their content."""

from dataclasses import dataclass

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from smmu.adapters.media.tracks import is_cover_art, is_decodable


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`video` is the one to show; `others` are further picture tracks, which must not be broken either.

    `undecodable` are sounds that no decoder is used for here, beside one that has one: a phone's spatial sound, beside
    its stereo.
    """

    video: VideoStream | None
    others: tuple[VideoStream, ...]
    audio: tuple[AudioStream, ...]
    undecodable: tuple[AudioStream, ...]
    subtitles: tuple[SubtitleStream, ...]
    pictures: int

    @property
    def main(self) -> tuple[Stream, ...]:
        """What will be rendered."""
        return (self.video, *self.audio) if self.video else self.audio

    @property
    def judged(self) -> tuple[Stream, ...]:
        """What has to hold something that decodes."""
        return (*self.main, *self.others)


def select(container: InputContainer) -> Selection:
    """The default picture track, or the first; every sound that can be decoded, or all where none can; every text."""
    moving = [stream for stream in container.streams.video if not is_cover_art(stream)]
    default = [stream for stream in moving if stream.disposition & Disposition.default]
    video = next(iter(default or moving), None)
    sounds = [stream for stream in container.streams.audio if is_decodable(stream)] or [*container.streams.audio]
    return Selection(
        video=video,
        others=tuple(stream for stream in moving if stream is not video),
        audio=tuple(sounds),
        undecodable=tuple(stream for stream in container.streams.audio if stream not in sounds),
        subtitles=tuple(container.streams.subtitles),
        pictures=len(container.streams.video) - len(moving),
    )
