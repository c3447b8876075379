"""H.264 as containers hold it: the units of a packet, and which of them a copy keeps (ITU-T H.264, ISO/IEC 14496-15).

Kept are the slices of the picture and nothing else: parameter sets are in the header, and what else is between them
(captions, user data, which cameras fill with places and serial numbers) no rendition has. Refuses to read into a slice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from smmu.adapters.media import cmaf

_SLICE, _IDR = 1, 5
_DATA_PARTITIONS = frozenset({2, 3, 4})  # of the Extended profile
_SETS = frozenset({cmaf.NAL_SPS, cmaf.NAL_PPS})
_RECORD_VERSION = 1


class UnlikeError(ValueError):
    """These are not the bytes of a stream that can be copied: what is wrong, in words that complete "encoded: "."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How packets hold their units: behind lengths of `length` bytes, or, where it is 0, behind start codes.

    `sets` are the parameter sets of the header.
    """

    length: int
    sets: tuple[bytes, ...]

    @property
    def configuration(self) -> bytes:
        """The content of an `avcC` box with these parameter sets."""
        return cmaf.avc_configuration(b"".join(chain.from_iterable((cmaf.START_CODE, unit) for unit in self.sets)))

    def units(self, packet: bytes) -> Iterator[bytes]:
        """The units of a packet, in order."""
        if not self.length:
            yield from filter(None, cmaf.nal_units(packet))
            return
        at = 0
        while at < len(packet):
            start = at + self.length
            at = start + int.from_bytes(packet[at:start])
            if at > len(packet):
                raise UnlikeError("a packet of it is cut off")
            if at > start:
                yield packet[start:at]

    def slices(self, packet: bytes) -> list[bytes]:
        """The units that are the picture. `UnlikeError` when something else there would be missed."""
        found = []
        for unit in self.units(packet):
            kind = unit[0] & 31
            if kind in (_SLICE, _IDR):
                found.append(unit)
            elif kind in _DATA_PARTITIONS:
                raise UnlikeError("its pictures are in partitions, which is not H.264 High")
            elif kind in _SETS and unit.rstrip(b"\0") not in self.sets:
                raise UnlikeError("its parameters change on the way")
        if not found:
            raise UnlikeError("a packet of it has no picture")
        return found

    def is_closed(self, packet: bytes) -> bool:
        """Whether the packet is an IDR picture, after which nothing from before it is needed."""
        return any(unit[0] & 31 == _IDR for unit in self.units(packet))


def layout(extradata: bytes) -> Layout:
    """What a decoder's extra data say. `UnlikeError` when they say nothing, or have several sequences."""
    if extradata[:1] == bytes([_RECORD_VERSION]):
        made = Layout(length=(extradata[4:5] or b"\3")[0] % 4 + 1, sets=tuple(_recorded(extradata)))
    else:
        units = filter(None, cmaf.nal_units(extradata))
        made = Layout(length=0, sets=tuple(dict.fromkeys(unit for unit in units if unit[0] & 31 in _SETS)))
    kinds = [unit[0] & 31 for unit in made.sets]
    if kinds.count(cmaf.NAL_SPS) != 1 or cmaf.NAL_PPS not in kinds:
        raise UnlikeError("it does not say once and for all how it is coded")
    return made


def shipped(slices: list[bytes]) -> bytes:
    """A picture as MP4 holds it: each unit behind its length."""
    return b"".join(len(unit).to_bytes(4) + unit for unit in slices)


def is_idr(slices: list[bytes]) -> bool:
    """Whether a picture of these slices is an IDR picture."""
    return slices[0][0] & 31 == _IDR


def _recorded(record: bytes) -> Iterator[bytes]:
    """The parameter sets of an `avcC` record."""
    at = 5
    for mask in (31, 255):
        count, at = (record[at : at + 1] or b"\0")[0] & mask, at + 1
        for _ in range(count):
            start = at + 2
            at = start + int.from_bytes(record[at:start])
            if unit := record[start:at].rstrip(b"\0"):
                yield unit
