"""What the segments of a JPEG say that no note does: that a gain map lies behind the picture (ISO 21496-1).

Segments are walked up to the first pixel, and no further than a real file's go.
"""

from smmu.adapters.media.source import SourceFile

_SEGMENTS_MAX = 1_000
_START, _MARKER, _SCAN, _APP2 = b"\xff\xd8", 0xFF, 0xDA, 0xE2
_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"


def has_gain_map(file: SourceFile) -> bool:
    """Whether one of the segments before the first scan says so."""
    file.seek(0)
    if file.read(2) != _START:
        return False
    at = 2
    for _ in range(_SEGMENTS_MAX):
        file.seek(at)
        head = file.read(4 + len(_GAIN_MAP))
        if len(head) < 4 or head[0] != _MARKER or head[1] == _SCAN:  # noqa: PLR2004 - a marker and a length
            return False
        if head[1] == _APP2 and head.endswith(_GAIN_MAP):
            return True
        at += 2 + int.from_bytes(head[2:4])
    return False
