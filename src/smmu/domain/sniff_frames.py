"""Formats without a signature, known by their rhythm: transport packets, MP3 and AAC frames, bare H.264.

A sync pattern occurs by chance in any data, so none is believed until the next one is where the first says.
"""

from collections.abc import Callable, Iterator

_SYNC = 0x47
_PACKETS = ((188, 0), (192, 4), (204, 0))  # bytes of a packet, and of the time code before its sync byte
_PACKETS_MIN, _PACKETS_MIN_LATE = 3, 5

_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MP3_KBPS = {
    (1, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_1, _LAYER_3, _LAYER_1 = 3, 1, 3
_FRAMES_MIN, _FRAMES_MIN_LATE = 2, 4
_SCAN_BYTES = 8192  # a cut recording begins inside a frame: the first whole one is near
_H264_START = (b"\x00\x00\x00\x01\x67", b"\x00\x00\x00\x01\x09", b"\x00\x00\x01\x67", b"\x00\x00\x01\x09")

Frame = tuple[int, object]  # bytes to the next frame, and what may not change between frames


def probe_transport(head: bytes) -> str | None:
    """MPEG-TS: the sync byte at every packet of `head`, which may begin inside a packet."""
    return "ts" if any(_in_step(head, step, skip) for step, skip in _PACKETS) else None


def _in_step(head: bytes, step: int, skip: int) -> bool:
    for at in range(min(step, len(head))):
        beats = head[at + skip :: step]
        wanted = _PACKETS_MIN if at == 0 else _PACKETS_MIN_LATE
        if len(beats) >= wanted and beats.count(_SYNC) == len(beats):
            return True
    return False


def probe_frames(head: bytes) -> str | None:
    """MP3 or AAC (ADTS) by consecutive frame headers that agree with each other."""
    for at in _candidates(head):
        wanted = _FRAMES_MIN if at == 0 else _FRAMES_MIN_LATE
        for key, parse in _PARSERS:
            if _run(head, at, parse) >= wanted:
                return key
    return None


def probe_elementary(head: bytes) -> str | None:
    """A bare H.264 stream: a start code and a parameter set or a delimiter."""
    return "h264" if head.startswith(_H264_START) else None


def _candidates(head: bytes) -> Iterator[int]:
    at = head.find(0xFF, 0, _SCAN_BYTES)
    while at >= 0:
        yield at
        at = head.find(0xFF, at + 1, _SCAN_BYTES)


def _run(head: bytes, at: int, parse: Callable[[bytes], Frame | None]) -> int:
    """How many frames follow each other from `at`, all of the same kind."""
    count, first = 0, None
    while (frame := parse(head[at : at + 6])) is not None:
        first = first or frame[1]
        if frame[1] != first:
            break
        count, at = count + 1, at + frame[0]
    return count


def _mp3_frame(header: bytes) -> Frame | None:
    """ISO/IEC 11172-3, 2.4.1.3. A free-format stream (bitrate 0) has no length to check and is not believed."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - the sync word
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 0 or bitrate in {0, 15} or rate == 3:  # noqa: PLR2004 - reserved values
        return None
    hertz = _MP3_RATES[version][rate]
    bits = _MP3_KBPS[1 if version == _MPEG_1 else 2, layer][bitrate - 1] * 1000
    return _mp3_bytes(version, layer, bits, hertz, header[2] >> 1 & 1), (version, layer, hertz)


def _mp3_bytes(version: int, layer: int, bits: int, hertz: int, padding: int) -> int:
    if layer == _LAYER_1:
        return (12 * bits // hertz + padding) * 4
    samples = 72 if layer == _LAYER_3 and version != _MPEG_1 else 144
    return samples * bits // hertz + padding


def _adts_frame(header: bytes) -> Frame | None:
    """ISO/IEC 13818-7, 6.2: twelve sync bits, layer 0, a known sampling frequency, a plausible length."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - the sync word
        return None
    frequency = header[2] >> 2 & 15
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if frequency > 12 or size < 7:  # noqa: PLR2004 - the table of frequencies, the size of the header
        return None
    return size, (header[1] & 8, header[2] & 0xFC)


_PARSERS: tuple[tuple[str, Callable[[bytes], Frame | None]], ...] = (
    ("aac", _adts_frame),
    ("mp3", _mp3_frame),
)
