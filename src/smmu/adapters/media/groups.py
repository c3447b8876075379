"""The groups of pictures of an H.264 track, as far as inspection sees them: how long, and whether they are closed.

A container's keyframes may be recovery points, whose groups need pictures from before them; what they are is in the
packets. Refuses to read a file through for it: of an indexed one the first keyframes and one from its middle are seen.
"""

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from smmu.adapters.media import avc
from smmu.adapters.media.timing import Samples
from smmu.adapters.media.tracks import decoder_of
from smmu.domain.facts import Groups
from smmu.domain.limits import MIB

CODEC = "h264"
_BYTES_MAX = 4 * MIB  # of one picture
_PACKETS_MAX = 64  # after a seek, of any track, until the keyframe comes


def opens(packet: "Packet[Stream]") -> bool:
    """Whether a packet is a keyframe whose group is not closed, or cannot be seen to be."""
    context = decoder_of(packet.stream)
    if packet.stream.type != "video" or not packet.is_keyframe or context is None or context.name != CODEC:
        return False
    try:
        return not avc.layout(context.extradata or b"").is_closed(bytes(packet))
    except avc.UnlikeError:
        return True


def opens_late(container: InputContainer, stream: Stream) -> bool:
    """The same of a keyframe from the middle of an indexed track."""
    keys = [(entry.timestamp, entry.size) for entry in stream.index_entries if entry.is_keyframe]
    context = decoder_of(stream)
    if context is None or context.name != CODEC or len(keys) <= 1:
        return False
    at, size = keys[len(keys) // 2]
    if size > _BYTES_MAX:
        return True
    try:
        container.seek(at, stream=stream)
        for count, packet in enumerate(container.demux(stream)):
            if packet.is_keyframe or count >= _PACKETS_MAX:
                return opens(packet)
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
    return True


def groups_of(samples: Samples | None, *, open_groups: int) -> Groups | None:
    """What is known of the groups of a track all of whose samples were seen."""
    longest = samples.longest_group_s if samples else None
    if samples is None or longest is None:
        return None
    return Groups(count=samples.keys, longest_s=longest, closed=not open_groups)
