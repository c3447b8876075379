"""Progressive, fast-start MP4 by packets alone: what was encoded once for streaming, in one file for downloading.

The tracks come from fragmented files of our own making, so nothing of the user's file (creation time, position,
names) can be carried along. Refuses to encode.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from smmu.domain.languages import UNDETERMINED

OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact", "use_editlist": "1"}


def progressive(tracks: Sequence[Path], target: Path, beat: Callable[[], None]) -> None:
    """Write the first stream of each of `tracks` into `target`, interleaved, its index in front of its media."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        sources = [stack.enter_context(_open(path)) for path in tracks]
        # In the usual milliseconds an edit would end before the last samples, and players would drop them.
        timescale = {"movie_timescale": str((sources[-1].streams[0].time_base or Fraction(1, 1000)).denominator)}
        output = stack.enter_context(av.open(str(target), "w", format="mp4", container_options=OPTIONS | timescale))
        streams = [output.add_stream_from_template(source.streams[0], opaque=True) for source in sources]
        for source, stream in zip(sources, streams, strict=True):
            stream.metadata["language"] = source.streams[0].metadata.get("language", UNDETERMINED)
        _interleave(sources, streams, output, beat)


def _open(path: Path) -> InputContainer:
    return av.open(str(path), "r", format="mp4", container_options={"protocol_whitelist": "file"})


def _interleave(
    sources: Sequence[InputContainer],
    streams: Sequence[Stream],
    output: OutputContainer,
    beat: Callable[[], None],
) -> None:
    feeds = [_real_packets(source) for source in sources]
    heads = [next(feed, None) for feed in feeds]
    while any(head is not None for head in heads):
        first = min((head.dts * head.time_base, index) for index, head in enumerate(heads) if _dated(head))[1]  # type: ignore[operator,union-attr] # _dated saw to it
        packet = heads[first]
        assert packet is not None  # noqa: S101 - it was just chosen for being there
        packet.stream = streams[first]
        output.mux(packet)
        heads[first] = next(feeds[first], None)
        beat()


def _dated(packet: "Packet[Stream] | None") -> bool:
    return packet is not None and packet.dts is not None


def _real_packets(source: InputContainer) -> "Iterator[Packet[Stream]]":
    return (packet for packet in source.demux(source.streams[0]) if packet.dts is not None)


def box_order(path: Path) -> list[str]:
    """The top-level boxes of a file, in order."""
    order: list[str] = []
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:  # noqa: PLR2004 - a box starts with its length and four letters
            size, kind = struct.unpack(">I4s", head)
            order.append(kind.decode("latin-1"))
            if size == 1:
                size = struct.unpack(">Q", file.read(8))[0] - 8
            if size < 8:  # noqa: PLR2004 - as above; 0 means "to the end of the file"
                break
            file.seek(size - 8, 1)
    return order
